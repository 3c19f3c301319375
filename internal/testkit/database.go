package testkit

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/rollcall-id/rollcall/store"
)

// The kinds of database, which are also the names of the subtests.
const (
	SQLite   = "sqlite"
	Postgres = "postgres"
)

// A Database is one test's own database.
type Database struct {
	Kind string // SQLite or Postgres
	URL  string // as ROLLCALL_DATABASE_URL has it
	Key  []byte // what its secrets are sealed with
}

// EachDatabase runs do on SQLite and on PostgreSQL, each time on a database of its own with the
// present schema, in parallel subtests named "sqlite" and "postgres".
func EachDatabase(t *testing.T, do func(t *testing.T, db Database)) {
	t.Helper()
	each(t, do, newSQLite, newPostgres)
}

// EachEmptyDatabase runs do as EachDatabase does, on databases without any schema.
func EachEmptyDatabase(t *testing.T, do func(t *testing.T, db Database)) {
	t.Helper()
	each(t, do, emptySQLite, emptyPostgres)
}

// OnSQLite runs do as EachDatabase does, for what only SQLite has.
func OnSQLite(t *testing.T, do func(t *testing.T, db Database)) {
	t.Helper()
	on(t, SQLite, newSQLite, do)
}

// OnPostgres runs do as EachDatabase does, for what only PostgreSQL has.
func OnPostgres(t *testing.T, do func(t *testing.T, db Database)) {
	t.Helper()
	on(t, Postgres, newPostgres, do)
}

func each(t *testing.T, do func(t *testing.T, db Database), sqlite, postgres func(testing.TB) Database) {
	t.Helper()
	on(t, SQLite, sqlite, do)
	on(t, Postgres, postgres, do)
}

func on(t *testing.T, kind string, make func(testing.TB) Database, do func(t *testing.T, db Database)) {
	t.Helper()
	needMain(t)
	t.Run(kind, func(t *testing.T) {
		t.Parallel()
		do(t, make(t))
	})
}

// Fresh gives one more database of a kind, with the present schema.
func Fresh(t testing.TB, kind string) Database {
	t.Helper()
	needMain(t)
	if kind == Postgres {
		return newPostgres(t)
	}
	return newSQLite(t)
}

// Empty gives one more database of a kind, without any schema.
func Empty(t testing.TB, kind string) Database {
	t.Helper()
	needMain(t)
	if kind == Postgres {
		return emptyPostgres(t)
	}
	return emptySQLite(t)
}

// NewSQLite gives a SQLite database with the present schema, for a test that is about
// something else than databases.
func NewSQLite(t testing.TB) Database {
	t.Helper()
	needMain(t)
	return newSQLite(t)
}

// testKey is the same in all tests: what one process sealed another may open.
func testKey() []byte {
	key := sha256.Sum256([]byte("the key of rollcall's tests"))
	return key[:]
}

// Options say how a test's stores are opened: the log's warnings go to the test.
func (db Database) Options(t testing.TB) store.Options {
	t.Helper()
	return store.Options{URL: db.URL, Key: db.Key, Log: Log(t)}
}

// Open opens one more store on the database; it is closed when the test ends. Each of change
// may set options first.
func (db Database) Open(t testing.TB, change ...func(*store.Options)) *store.Store {
	t.Helper()
	o := db.Options(t)
	for _, do := range change {
		do(&o)
	}
	s, err := store.Open(t.Context(), o)
	if err != nil {
		t.Fatalf("open the test's database: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close the test's database: %v", err)
		}
	})
	return s
}

// Path gives the file of a SQLite database.
func (db Database) Path() string { return db.URL[len("sqlite:"):] }

// Env gives the settings with which the program works on the database: its address, its key,
// a folder for files beside it, and cheap hashes.
func (db Database) Env(t testing.TB) []string {
	t.Helper()
	return []string{
		"ROLLCALL_DATABASE_URL=" + db.URL,
		"ROLLCALL_SECRET_KEY=" + base64.StdEncoding.EncodeToString(db.Key),
		"ROLLCALL_DATA_DIR=" + filepath.Join(t.TempDir(), "data"),
		"ROLLCALL_ARGON_MEMORY=64KiB",
		"ROLLCALL_ARGON_TIME=1",
	}
}

// Log gives a log whose warnings and errors appear in the test's output.
func Log(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
}

func random() string {
	var b [6]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}
