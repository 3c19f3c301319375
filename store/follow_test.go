package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// An ear keeps what a store's listeners were told.
type ear struct {
	mu    sync.Mutex
	times map[int64]int // how often each line of the feed was told
	names map[string]time.Time
}

func listenTo(s *store.Store) *ear {
	e := &ear{times: map[int64]int{}, names: map[string]time.Time{}}
	s.OnCommit(func(changes []models.Change) {
		e.mu.Lock()
		defer e.mu.Unlock()
		for _, c := range changes {
			e.times[c.Seq]++
			e.names[c.Name] = time.Now()
		}
	})
	return e
}

func (e *ear) heard(name string) (at time.Time, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	at, ok = e.names[name]
	return at, ok
}

// wait gives how long after since a change to a row of that name was told.
func (e *ear) wait(t *testing.T, name string, since time.Time) time.Duration {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		if at, ok := e.heard(name); ok {
			return at.Sub(since)
		}
	}
	t.Fatalf("the change to %s was never told", name)
	return 0
}

// wantOnce fails the test unless every line of the feed from after one on was told once.
func (e *ear) wantOnce(t *testing.T, what string, s *store.Store, after int64) {
	t.Helper()
	feed, err := s.ChangesAfter(t.Context(), after, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	want := map[int64]int{}
	for _, c := range feed {
		want[c.Seq] = 1
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	testkit.Diff(t, what, want, e.times)
}

// follow makes a store follow the others and waits until it listens.
func follow(t *testing.T, db testkit.Database, s *store.Store) {
	t.Helper()
	testkit.Go(t, s.Follow)
	waitForListen(t, db)
}

func waitForListen(t *testing.T, db testkit.Database) {
	t.Helper()
	if db.Kind != testkit.Postgres {
		return
	}
	raw := db.Raw(t)
	defer raw.Close()
	for range 500 {
		var n int
		err := raw.QueryRowContext(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'").Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
		if n > 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("nobody listens")
}

// slowWriter is a third party's transaction that has written and doesn't end. Its line in the
// feed has a lower number than what others write now.
func slowWriter(t *testing.T, db testkit.Database, name string) *sql.Tx {
	t.Helper()
	tx, err := db.Raw(t).BeginTx(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tx.Rollback() }) // it may have ended
	_, err = tx.ExecContext(t.Context(), "INSERT INTO changes (at, kind, writer, name) VALUES (1, 'directory-changed', 0, $1)", name)
	if err != nil {
		t.Fatal(err)
	}
	return tx
}

// The bounds below are what the documents promise. A machine that does much else may be late
// once; being late each time is a bug.
func wantPrompt(t *testing.T, what string, bound time.Duration, took []time.Duration) {
	t.Helper()
	for _, d := range took {
		if d <= bound {
			return
		}
	}
	t.Errorf("%s: want it within %s, got %v", what, bound, took)
}

func TestAnotherReplicaLearnsOfAWriteInTime(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		a, b := db.Open(t), db.Open(t)
		heard := listenTo(b)
		follow(t, db, b)
		bound := 200 * time.Millisecond // of SQLite, where a third writer would only make all wait
		if db.Kind == testkit.Postgres {
			bound = time.Second
			slowWriter(t, db, "slow")
		}
		var took []time.Duration
		for i := range 4 {
			name := fmt.Sprintf("directory %d", i)
			addDirectory(t, a, name)
			took = append(took, heard.wait(t, name, time.Now()))
		}
		wantPrompt(t, "a write", bound, took)
		heard.wantOnce(t, "told", b, 0)
		if age := b.FeedAge(); age > 5*time.Second {
			t.Errorf("the feed was last read %s ago", age)
		}
	})
}

func TestWithoutListenThePollGoesOn(t *testing.T) {
	t.Parallel()
	testkit.OnPostgres(t, func(t *testing.T, db testkit.Database) {
		a, b := db.Open(t), db.Open(t)
		heard := listenTo(b)
		follow(t, db, b)
		var took []time.Duration
		for i := range 2 {
			name := fmt.Sprintf("directory %d", i)
			db.Terminate(t, "LISTEN%")
			addDirectory(t, a, name)
			took = append(took, heard.wait(t, name, time.Now()))
			waitForListen(t, db) // and it comes back
		}
		// The poll is each second; what it reads takes a moment.
		wantPrompt(t, "a write while LISTEN is cut", 1200*time.Millisecond, took)
		heard.wantOnce(t, "told", b, 0)
	})
}

func TestLateCommitWithALowerNumberIsNotLost(t *testing.T) {
	t.Parallel()
	testkit.OnPostgres(t, func(t *testing.T, db testkit.Database) {
		a, b := db.Open(t), db.Open(t)
		heard := listenTo(b)
		slow := slowWriter(t, db, "late")
		addDirectory(t, a, "early")
		catchUp(t, b)
		if _, ok := heard.heard("early"); !ok {
			t.Error("the early commit waits for the late one")
		}
		if _, ok := heard.heard("late"); ok {
			t.Error("a change was told before its commit")
		}
		if err := slow.Commit(); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			catchUp(t, b)
		}
		if _, ok := heard.heard("late"); !ok {
			t.Error("the late commit is lost")
		}
		heard.wantOnce(t, "told", b, 0)
	})
}

func TestStoreOpenedAmidWritesMissesNothingAndRepeatsNothing(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		a := db.Open(t)
		addDirectory(t, a, "before")
		var slow *sql.Tx
		if db.Kind == testkit.Postgres {
			slow = slowWriter(t, db, "late")
		}
		addDirectory(t, a, "between")
		last := read(t, a.LastChange)
		b := db.Open(t)
		heard := listenTo(b)
		catchUp(t, b)
		testkit.Diff(t, "told of what was there", map[int64]int{}, heard.times)
		addDirectory(t, a, "after")
		catchUp(t, b)
		if slow == nil {
			heard.wantOnce(t, "told", b, last)
			return
		}
		if err := slow.Commit(); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			catchUp(t, b)
		}
		for _, name := range []string{"after", "late"} {
			if _, ok := heard.heard(name); !ok {
				t.Errorf("%s was not told", name)
			}
		}
		if len(heard.times) != 2 {
			t.Errorf("want two lines told, got %v", heard.times)
		}
	})
}

func catchUp(t *testing.T, s *store.Store) {
	t.Helper()
	if err := s.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestEveryChangeIsToldOnceToEveryStore(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		stores := []*store.Store{db.Open(t), db.Open(t)}
		ears := []*ear{listenTo(stores[0]), listenTo(stores[1])}
		for _, s := range stores {
			follow(t, db, s)
		}
		var writers sync.WaitGroup
		for n, s := range stores {
			for w := range 3 {
				writers.Go(func() {
					for i := range 15 {
						dir := &models.Directory{Name: fmt.Sprintf("%d %d %d", n, w, i), Kind: models.KindInternal}
						if err := s.Write(t.Context(), jane, func(tx *store.Tx) error { return tx.CreateDirectory(dir, nil) }); err != nil {
							t.Error(err)
						}
						if i%4 == 0 {
							if err := s.CatchUp(t.Context()); err != nil {
								t.Error(err)
							}
						}
					}
				})
			}
		}
		writers.Wait()
		for i, s := range stores {
			catchUp(t, s)
			catchUp(t, s)
			ears[i].wantOnce(t, fmt.Sprintf("told to store %d", i), s, 0)
		}
	})
}

// SQLite gives the number of a line that was rolled back to the next line, of whomever.
func TestWriteThatFailedHidesNobodysChange(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		a, b := db.Open(t), db.Open(t)
		heard := listenTo(a)
		fails := errors.New("fails")
		for range 2 {
			err := a.Write(t.Context(), jane, func(tx *store.Tx) error {
				return errors.Join(tx.CreateDirectory(&models.Directory{Name: "a's", Kind: models.KindInternal}, nil), fails)
			})
			if !errors.Is(err, fails) {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			err = a.Write(ctx, jane, func(tx *store.Tx) error {
				err := tx.CreateDirectory(&models.Directory{Name: "a's", Kind: models.KindInternal}, nil)
				_, _, ferr := store.Finish(tx) // the feed's lines have their numbers
				cancel()                       // and the commit fails
				return errors.Join(err, ferr)
			})
			if err == nil {
				t.Fatal("a cancelled write was kept")
			}
		}
		addDirectory(t, b, "b's")
		catchUp(t, a)
		if _, ok := heard.heard("b's"); !ok {
			t.Error("the other's change was not told")
		}
		addDirectory(t, a, "a's")
		catchUp(t, a)
		heard.wantOnce(t, "told", a, 0)
	})
}

func TestFollowerRidesOutADatabaseThatIsAway(t *testing.T) {
	t.Parallel()
	testkit.OnPostgres(t, func(t *testing.T, db testkit.Database) {
		b := db.Open(t, func(o *store.Options) { o.Log = nil }) // it warns, rightly
		heard := listenTo(b)
		follow(t, db, b)
		db.GoAway(t)
		time.Sleep(300 * time.Millisecond)
		db.ComeBack(t)
		addDirectory(t, db.Open(t), "back")
		heard.wait(t, "back", time.Now())
		waitForListen(t, db)
		heard.wantOnce(t, "told", b, 0)
	})
}

// Who has caught up has what this process committed, too, also where its Write is still telling
// the listeners of it; and nobody waits longer than they want to.
func TestCatchUpWaitsForThisProcess(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		staff := addDirectory(t, s, "staff")
		heard, goOn := make(chan struct{}), make(chan struct{})
		var told atomic.Bool
		s.OnCommit(func([]models.Change) {
			close(heard)
			<-goOn
			told.Store(true)
		})
		wrote := make(chan error, 1)
		go func() {
			wrote <- s.Write(t.Context(), models.System, func(tx *store.Tx) error { tx.DirectoryReplaced(staff); return nil })
		}()
		<-heard
		short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		if err := s.CatchUp(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("want %v while a listener is being told, got %v", context.DeadlineExceeded, err)
		}
		caught := make(chan error, 1)
		go func() { caught <- s.CatchUp(t.Context()) }()
		close(goOn)
		if err := <-caught; err != nil || !told.Load() {
			t.Errorf("caught up before the listener was told: %v", err)
		}
		if err := <-wrote; err != nil {
			t.Error(err)
		}
	})
}
