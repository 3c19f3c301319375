package store_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// jane is the operator who does everything in these tests.
var jane = models.Actor{Kind: models.ActorOperator, Name: "jane", Address: "192.0.2.7", Request: "r-1"}

// write runs do in a transaction of jane's that has to succeed.
func write(t *testing.T, s *store.Store, do func(tx *store.Tx) error) {
	t.Helper()
	if err := s.Write(t.Context(), jane, do); err != nil {
		t.Fatalf("write: %v", err)
	}
}

// wantCode fails the test unless err means code.
func wantCode(t *testing.T, what string, want models.Code, err error) {
	t.Helper()
	if got := models.CodeOf(err); got != want {
		t.Errorf("%s: want code %q, got %q (%v)", what, want, got, err)
	}
}

// read gives what a question has to answer without an error: read(t, s.Directories).
func read[T any](t *testing.T, question func(ctx context.Context) (T, error)) T {
	t.Helper()
	v, err := question(t.Context())
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	return v
}

func addDirectory(t *testing.T, s *store.Store, name string) *models.Directory {
	t.Helper()
	dir := &models.Directory{Name: name, Kind: models.KindInternal, Active: true, Permissions: models.AllPermissions}
	write(t, s, func(tx *store.Tx) error { return tx.CreateDirectory(dir, nil) })
	return dir
}

func addUser(t *testing.T, s *store.Store, dir *models.Directory, name string) *models.User {
	t.Helper()
	u := &models.User{DirectoryID: dir.ID, Name: name, Active: true}
	write(t, s, func(tx *store.Tx) error { return tx.CreateUser(u) })
	return u
}

func addGroup(t *testing.T, s *store.Store, dir *models.Directory, name string) *models.Group {
	t.Helper()
	g := &models.Group{DirectoryID: dir.ID, Name: name, Active: true}
	write(t, s, func(tx *store.Tx) error { return tx.CreateGroup(g) })
	return g
}

func addApplication(t *testing.T, s *store.Store, name string) *models.Application {
	t.Helper()
	app := &models.Application{Name: name, Active: true, Nested: true}
	write(t, s, func(tx *store.Tx) error { return tx.CreateApplication(app) })
	return app
}

func addMember(t *testing.T, s *store.Store, g *models.Group, u *models.User) {
	t.Helper()
	write(t, s, func(tx *store.Tx) error { return tx.AddMember(g, u) })
}

func addChild(t *testing.T, s *store.Store, parent, child *models.Group) {
	t.Helper()
	write(t, s, func(tx *store.Tx) error { return tx.AddChild(parent, child) })
}

// application reads one application whole.
func application(t *testing.T, s *store.Store, name string) *store.ApplicationRecord {
	t.Helper()
	for _, app := range read(t, s.Applications) {
		if app.Key == models.Key(name) {
			return app
		}
	}
	t.Fatalf("there is no application %s", name)
	return nil
}

func TestURLThatNamesNoDatabaseIsRefused(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"", "rollcall.db", "sqlite:", "mysql://localhost/rollcall", "postgres://%zz"} {
		s, err := store.Open(t.Context(), store.Options{URL: url, Key: make([]byte, store.KeySize)})
		if err == nil {
			s.Close()
			t.Errorf("%q was opened", url)
		}
	}
}

func TestDatabasePasswordStaysOutOfErrors(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"postgres://rollcall:hunter2@127.0.0.1:1/rollcall?connect_timeout=1",
		"postgres://rollcall:hunter2@127.0.0.1:1/rollcall?sslmode=perhaps",
		"postgres://rollcall:hunter2@127.0.0.1:port/rollcall",
	} {
		_, err := store.Open(t.Context(), store.Options{URL: url, Key: make([]byte, store.KeySize)})
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("want an error without the password, got %v", err)
		}
	}
}

func TestSQLiteFileMayHaveAnyName(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"with blank.db", "why?.db", "100%.db", "a#b.db", "Zoë & co=1.db", "%41.db"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testkit.OnSQLite(t, func(t *testing.T, db testkit.Database) {
				path := filepath.Join(t.TempDir(), "new folder", name)
				db.URL = "sqlite:" + path
				addDirectory(t, db.Open(t), "staff")
				if _, err := os.Stat(path); err != nil {
					t.Error(err)
				}
				files, err := os.ReadDir(filepath.Dir(path))
				if err != nil {
					t.Fatal(err)
				}
				for _, f := range files {
					if !strings.HasPrefix(f.Name(), name) {
						t.Errorf("a file of another name was made: %s", f.Name())
					}
				}
			})
		})
	}
}

func TestSnapshotSeesOneMoment(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		addDirectory(t, s, "staff")
		err := s.Snapshot(t.Context(), func(r *store.Reads) error {
			before, err := r.Directories(t.Context())
			if err != nil {
				return err
			}
			addDirectory(t, s, "partners")
			after, err := r.Directories(t.Context())
			if err != nil {
				return err
			}
			if len(before) != 1 || len(after) != 1 {
				t.Errorf("want the one directory twice, got %d and %d", len(before), len(after))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		failure := errors.New("mine")
		if err := s.Snapshot(t.Context(), func(*store.Reads) error { return failure }); !errors.Is(err, failure) {
			t.Errorf("want the reader's own error, got %v", err)
		}
	})
}

func TestCancelledCallsStayCancelled(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		staff := addDirectory(t, s, "staff")
		before := db.Contents(t)
		cancelled, cancel := context.WithCancel(t.Context())
		cancel()
		calls := map[string]func() error{
			"read": func() error { _, err := s.UserByName(cancelled, staff.ID, "ada"); return err },
			"list": func() error { _, err := s.Directories(cancelled); return err },
			"write": func() error {
				return s.Write(cancelled, jane, func(tx *store.Tx) error { return tx.CreateDirectory(&models.Directory{Name: "x"}, nil) })
			},
			"snapshot": func() error { return s.Snapshot(cancelled, func(*store.Reads) error { return nil }) },
			"catch up": func() error { return s.CatchUp(cancelled) },
			"ping":     func() error { return s.Ping(cancelled) },
		}
		for _, rows := range []bool{true, false} {
			calls["write cancelled at its end"] = func() error {
				ctx, cancel := context.WithCancel(t.Context())
				return s.Write(ctx, jane, func(tx *store.Tx) error {
					defer cancel()
					if rows {
						return tx.CreateDirectory(&models.Directory{Name: "x", Kind: models.KindInternal}, nil)
					}
					return nil
				})
			}
			for name, call := range calls {
				if err := call(); !errors.Is(err, context.Canceled) {
					t.Errorf("%s: want context.Canceled, got %v", name, err)
				}
			}
		}
		testkit.Diff(t, "what a cancelled call left", before, db.Contents(t))
	})
}
