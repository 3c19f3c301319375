package roster_test

import (
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"

	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/roster"
	"github.com/rollcall-id/rollcall/store"
)

// Two replicas write with several goroutines each, into the same few rows, while others read;
// on PostgreSQL each transaction waits a random while between the feed and its commit. A third
// only follows, and is built anew all the time. Once all is quiet all answer as SQL does, and
// none had to be built anew for its changes.
func TestReplicasAgreeAfterConcurrentWrites(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) { agree(t, db, 40) })
}

func agree(t *testing.T, db testkit.Database, writesEach int) {
	rnd := seedOf(t)
	var e ear
	replicas := map[string]*replica{}
	for _, name := range []string{"here", "there", "starting"} {
		replicas[name] = newReplica(t, db)
	}
	replicas["here"].store.OnCommit(e.hear)
	for _, r := range replicas {
		testkit.Go(t, r.store.Follow)
		testkit.Go(t, r.roster.Run)
		build(t, r.roster)
	}
	if db.Kind == testkit.Postgres {
		commitLate(t, db)
	}
	var writers, readers sync.WaitGroup
	var kept atomic.Int64
	quiet := make(chan struct{})
	for name, n := range map[string]int{"here": 4, "there": 2} {
		r := replicas[name]
		for range n {
			seed := rnd.Uint64()
			writers.Go(func() { kept.Add(r.write(t, seed, writesEach)) })
		}
		readers.Go(func() { r.readUntil(t, quiet) })
	}
	builds := 0 // of the third
	readers.Go(func() { builds = replicas["starting"].buildUntil(t, quiet) })
	writers.Wait()
	close(quiet)
	readers.Wait()

	s := replicas["here"].store
	c := &comparison{Rand: rnd, t: t, want: &s.Reads, memory: map[string]roster.Reads{}}
	for name, r := range replicas {
		if err := r.store.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.memory[name] = reads(t, r.roster)
		bound := max(2, 6*writesEach/50) // by the test, and perhaps by Run
		if name == "starting" {
			bound += builds
		}
		if _, built := r.roster.Ready(); built > bound {
			t.Errorf("%s was built %d times", name, built)
		}
	}
	for range 10 {
		c.compare(s, e.usersSeen(rnd, 50))
	}
	if want := int64(6*writesEach) / 2; kept.Load() < want {
		t.Errorf("only %d writes were kept", kept.Load())
	}
	t.Logf("%d writes kept, %d questions, built %d times meanwhile", kept.Load(), c.questions, builds)
}

// A replica stands for a process.
type replica struct {
	store  *store.Store
	roster *roster.Roster
}

func newReplica(t *testing.T, db testkit.Database) *replica {
	t.Helper()
	s := db.Open(t)
	r := roster.New(s, testkit.Log(t))
	r.FoldAfter(10)
	return &replica{s, r}
}

// commitLate makes each line of the feed delay its commit by up to five milliseconds.
func commitLate(t *testing.T, db testkit.Database) {
	t.Helper()
	for _, query := range []string{
		`CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(random() * 0.005); RETURN NULL; END $$`,
		`CREATE CONSTRAINT TRIGGER dawdle AFTER INSERT ON changes DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION dawdle()`,
	} {
		if _, err := db.Raw(t).ExecContext(t.Context(), query); err != nil {
			t.Fatal(err)
		}
	}
}

// write writes a history, and tells how many of its transactions were kept: writers stumble
// over each other.
func (r *replica) write(t *testing.T, seed uint64, writes int) (kept int64) {
	w := &scribe{Rand: rand.New(rand.NewPCG(seed, 1)), ctx: t.Context(), most: 2}
	for range writes {
		err := w.write(r.store)
		switch {
		case err == nil:
			kept++
		case !stumbled(err):
			t.Errorf("write: %v", err)
		}
	}
	return kept
}

// stumbled tells whether another writer took a name, or what a row hangs on, away.
func stumbled(err error) bool {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok && e.Code == "23503" {
		return true
	}
	if e, ok := errors.AsType[*sqlite.Error](err); ok && e.Code() == 787 {
		return true
	}
	_, ok := errors.AsType[*models.Error](err)
	return ok
}

// buildUntil builds the roster again and again, and tells how often.
func (r *replica) buildUntil(t *testing.T, quiet <-chan struct{}) (builds int) {
	for {
		select {
		case <-quiet:
			return builds
		case <-time.After(20 * time.Millisecond):
		}
		if err := r.roster.Build(t.Context()); err != nil {
			t.Errorf("build: %v", err)
			return builds
		}
		builds++
	}
}

// readUntil asks without looking at the answers: the race detector does.
func (r *replica) readUntil(t *testing.T, quiet <-chan struct{}) {
	rnd := rand.New(rand.NewPCG(1, 1))
	for {
		select {
		case <-quiet:
			return
		default:
		}
		now, err := r.roster.Reads()
		if err != nil {
			t.Errorf("read: %v", err)
			return
		}
		if _, fromSQL := now.(*store.Reads); fromSQL {
			continue
		}
		v := store.Visible{Dirs: []models.ID{1, 2, 3, 4}, Aggregate: rnd.IntN(2) == 0}
		for _, name := range userNames {
			if users, _ := now.UsersNamed(t.Context(), v, name); len(users) > 0 {
				_, _ = now.GroupsAround(t.Context(), v, store.Start{IDs: []models.ID{users[0].ID}, Nested: true}, models.Everything)
			}
		}
		for _, name := range groupNames {
			if groups, _ := now.GroupsNamed(t.Context(), v, name); len(groups) > 0 {
				_, _ = now.MembersOf(t.Context(), v, store.Start{IDs: []models.ID{groups[0].ID}, Nested: true}, models.Everything)
			}
		}
		_, _ = collect(now.DumpUsers(t.Context(), v, "", "~"))
		time.Sleep(time.Millisecond) // the writers are on the same few cores
	}
}
