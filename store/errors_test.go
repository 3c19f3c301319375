package store_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// manyUsers creates more users than fit into a few pages.
func manyUsers(dir *models.Directory) func(tx *store.Tx) error {
	return func(tx *store.Tx) error {
		for i := range 200 {
			u := &models.User{DirectoryID: dir.ID, Name: fmt.Sprintf("user %d", i), DisplayName: strings.Repeat("x", 500)}
			if err := tx.CreateUser(u); err != nil {
				return err
			}
		}
		return nil
	}
}

func TestFullDiskIsSaidAndNothingIsHalfDone(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		staff := addDirectory(t, db.Open(t), "staff")
		makeRoom := fillDisk(t, db)
		s := db.Open(t)
		before := db.Contents(t)
		err := s.Write(t.Context(), jane, manyUsers(staff))
		wantCode(t, "a write without room", models.StorageFull, err)
		testkit.Diff(t, "what was left of it", before, db.Contents(t))
		if dirs := read(t, s.Directories); len(dirs) != 1 {
			t.Errorf("want reading to go on, got %d directories", len(dirs))
		}
		makeRoom()
		s = db.Open(t)
		if err := s.Write(t.Context(), jane, manyUsers(staff)); err != nil {
			t.Errorf("with room again: %v", err)
		}
	})
}

// fillDisk leaves next to no room to what is opened next, until makeRoom. PostgreSQL says what
// a full disk would make it say.
func fillDisk(t *testing.T, db testkit.Database) (makeRoom func()) {
	t.Helper()
	if db.Kind == testkit.SQLite {
		db.LimitPages(t, 4)
		return db.UnlimitPages
	}
	raw := db.Raw(t)
	for _, statement := range []string{
		`CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
			IF (SELECT count(*) FROM users) > 20 THEN RAISE 'could not extend file: No space left on device' USING ERRCODE = '53100'; END IF;
			RETURN NEW; END $$`,
		"CREATE TRIGGER full_disk BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION full_disk()",
	} {
		if _, err := raw.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	return func() {
		if _, err := raw.ExecContext(t.Context(), "DROP TRIGGER full_disk ON users"); err != nil {
			t.Fatal(err)
		}
	}
}

// eventually calls do until it gives no error; every error before has to mean Unavailable.
func eventually(t *testing.T, what string, do func() error) {
	t.Helper()
	for deadline := time.Now().Add(15 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		err := do()
		if err == nil {
			return
		}
		wantCode(t, what, models.Unavailable, err)
		if t.Failed() || time.Now().After(deadline) {
			t.Fatalf("%s: not within 15 s: %v", what, err)
		}
	}
}

func TestCutConnectionIsUnavailableAndHealsByItself(t *testing.T) {
	t.Parallel()
	testkit.OnPostgres(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		staff := addDirectory(t, s, "staff")
		before := db.Contents(t)
		err := s.Write(t.Context(), jane, func(tx *store.Tx) error {
			if err := tx.CreateUser(&models.User{DirectoryID: staff.ID, Name: "half"}); err != nil {
				return err
			}
			db.Terminate(t, "%")
			return tx.CreateUser(&models.User{DirectoryID: staff.ID, Name: "whole"})
		})
		wantCode(t, "the write whose connection was cut", models.Unavailable, err)
		testkit.Diff(t, "what was left of it", before, db.Contents(t))
		eventually(t, "the next read", func() error { _, err := s.Directories(t.Context()); return err })
		eventually(t, "the next write", func() error {
			return s.Write(t.Context(), jane, func(tx *store.Tx) error {
				return tx.CreateUser(&models.User{DirectoryID: staff.ID, Name: "next"})
			})
		})
	})
}

func TestDatabaseThatGoesAwayAndComesBack(t *testing.T) {
	t.Parallel()
	testkit.OnPostgres(t, func(t *testing.T, db testkit.Database) {
		line := newLine(t, db)
		direct, s := db.Open(t), line.database(db).Open(t)
		staff := addDirectory(t, s, "staff")
		ada := addUser(t, s, staff, "ada")
		line.cut()
		for what, call := range map[string]func(ctx context.Context) error{
			"ping":     s.Ping,
			"read":     func(ctx context.Context) error { _, err := s.UserByName(ctx, staff.ID, "ada"); return err },
			"list":     func(ctx context.Context) error { _, err := s.Applications(ctx); return err },
			"search":   func(ctx context.Context) error { _, err := s.SearchAudit(ctx, store.AuditSearch{Limit: 1}); return err },
			"catch up": s.CatchUp,
			"snapshot": func(ctx context.Context) error { return s.Snapshot(ctx, func(*store.Reads) error { return nil }) },
			"stream": func(ctx context.Context) error {
				for _, err := range s.DumpUsers(ctx, store.Visible{Dirs: []models.ID{staff.ID}}, "", "z") {
					return err
				}
				return nil
			},
			"write": func(ctx context.Context) error {
				return s.Write(ctx, jane, func(tx *store.Tx) error { return tx.SetPassword(ada, "hash", 0) })
			},
			"flush": func(ctx context.Context) error { s.NoteLogin(ada.ID, false); return s.FlushNotes(ctx) },
		} {
			for range 2 { // on a connection that dies, and on none
				wantCode(t, what+" while it is away", models.Unavailable, call(t.Context()))
			}
		}
		line.mend()
		eventually(t, "a read after it", func() error { return s.Ping(t.Context()) })
		eventually(t, "the notes after it", func() error { return s.FlushNotes(t.Context()) })
		if c := credential(t, direct, ada); c.Hash != "" || c.LastAuthenticated == 0 {
			t.Errorf("want the note kept and the write not, got %+v", c)
		}
	})
}

// A line forwards connections to the database's server until it is cut.
type line struct {
	listener net.Listener
	server   string

	mu    sync.Mutex
	down  bool
	conns []net.Conn
}

func newLine(t *testing.T, db testkit.Database) *line {
	t.Helper()
	u, err := url.Parse(db.URL)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &line{listener: listener, server: u.Host}
	var group sync.WaitGroup
	group.Go(func() { l.accept(&group) })
	t.Cleanup(func() {
		listener.Close()
		l.cut()
		group.Wait()
	})
	return l
}

// database is the database as it is reached through the line.
func (l *line) database(db testkit.Database) testkit.Database {
	db.URL = strings.Replace(db.URL, l.server, l.listener.Addr().String(), 1)
	return db
}

func (l *line) accept(group *sync.WaitGroup) {
	for {
		near, err := l.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", l.server)
		if err != nil || !l.keep(near, far) {
			near.Close()
			continue
		}
		for _, pair := range [][2]net.Conn{{near, far}, {far, near}} {
			group.Go(func() {
				_, _ = io.Copy(pair[0], pair[1]) // ends when either side does
				pair[0].Close()
			})
		}
	}
}

// keep remembers connections for cut; it refuses them when the line is down.
func (l *line) keep(conns ...net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns = append(l.conns, conns...)
	if l.down {
		for _, c := range conns {
			c.Close()
		}
	}
	return !l.down
}

func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = true
	for _, c := range l.conns {
		c.Close()
	}
	l.conns = nil
}

func (l *line) mend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = false
}

func TestWaitForAnotherWriterEndsWithTheCaller(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		staff := addDirectory(t, s, "staff")
		change := func(tx *store.Tx) error { return tx.SaveDirectory(staff, staff, nil) }
		for who, on := range map[string]*store.Store{"another process": db.Open(t), "another goroutine": s} {
			held, release := make(chan struct{}), make(chan struct{})
			var group sync.WaitGroup
			group.Go(func() {
				err := on.Write(t.Context(), jane, func(tx *store.Tx) error {
					defer func() { <-release }()
					defer close(held)
					return change(tx)
				})
				if err != nil {
					t.Error(err)
				}
			})
			<-held
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(100*time.Millisecond, cancel)
			start := time.Now()
			if err := s.Write(ctx, jane, change); !errors.Is(err, context.Canceled) {
				t.Errorf("%s writes, the caller cancels: want context.Canceled, got %v", who, err)
			}
			ctx, cancel = context.WithTimeout(t.Context(), 100*time.Millisecond)
			wantCode(t, who+" writes, the time is up", models.Unavailable, s.Write(ctx, jane, change))
			cancel()
			if took := time.Since(start); took > 3*time.Second {
				t.Errorf("%s writes: the callers waited %s", who, took)
			}
			close(release)
			group.Wait()
		}
		write(t, s, change)
	})
}

func TestDeadlockIsTriedAgain(t *testing.T) {
	t.Parallel()
	testkit.OnPostgres(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		staff := addDirectory(t, s, "staff")
		ada, bob := addUser(t, s, staff, "ada"), addUser(t, s, staff, "bob")
		var first sync.WaitGroup // both hold their first user before they want the other's
		first.Add(2)
		lock := func(once *sync.Once, users ...*models.User) error {
			return s.Write(t.Context(), jane, func(tx *store.Tx) error {
				for _, u := range users {
					saved := *u
					if err := tx.SaveUser(u, &saved); err != nil {
						return err
					}
					once.Do(func() { first.Done(); first.Wait() })
				}
				return nil
			})
		}
		together(t, 2, func(i int) {
			users := []*models.User{ada, bob}
			if err := lock(new(sync.Once), users[i], users[1-i]); err != nil {
				t.Error(err)
			}
		})
		changes, err := s.ChangesAfter(t.Context(), 3, 100)
		if err != nil || len(changes) != 4 {
			t.Errorf("want two changes of each, got %d, %v", len(changes), err)
		}
	})
}

func TestFailureOfACallerIsPassedOnAsItIs(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		mine := errors.New("mine")
		if err := s.Write(t.Context(), jane, func(*store.Tx) error { return fmt.Errorf("doing it: %w", mine) }); !errors.Is(err, mine) || err.Error() != "doing it: mine" {
			t.Errorf("want the caller's own error, got %v", err)
		}
		func() {
			defer func() { _ = recover() }()
			_ = s.Write(t.Context(), jane, func(*store.Tx) error { panic("a bug") })
		}()
		addDirectory(t, s, "after a panic the writer is free again")
	})
}
