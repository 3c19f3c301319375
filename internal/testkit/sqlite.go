package testkit

import (
	"context"
	"database/sql/driver"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"modernc.org/sqlite"

	"github.com/rollcall-id/rollcall/store"
)

func emptySQLite(t testing.TB) Database {
	t.Helper()
	return Database{Kind: SQLite, URL: "sqlite:" + filepath.Join(t.TempDir(), "rollcall.db"), Key: testKey()}
}

func newSQLite(t testing.TB) Database {
	t.Helper()
	template, err := sqliteTemplate()
	if err != nil {
		t.Fatalf("make the template of SQLite databases: %v", err)
	}
	db := emptySQLite(t)
	if err := os.WriteFile(db.Path(), template, 0o600); err != nil {
		t.Fatal(err)
	}
	return db
}

// sqliteTemplate gives the file of a database with the schema and nothing in it. A closed
// SQLite database is one file: its log is written back.
var sqliteTemplate = sync.OnceValues(func() ([]byte, error) {
	dir, err := processDir()
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "template.db")
	if err := migrate("sqlite:" + path); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

func migrate(databaseURL string) error {
	s, err := store.Open(context.Background(), store.Options{URL: databaseURL, Key: testKey()})
	if err != nil {
		return err
	}
	return s.Close()
}

// pageLimits says by how many pages a connection may grow a file, by the file's path.
var pageLimits sync.Map

// LimitPages lets the SQLite file grow by at most so many pages, as on a disk that is nearly
// full. It holds for connections of this process that are opened after it: SQLite keeps
// max_page_count for each connection.
func (db Database) LimitPages(t testing.TB, more int) {
	t.Helper()
	pageLimits.Store(db.Path(), more)
	t.Cleanup(func() { pageLimits.Delete(db.Path()) })
}

// UnlimitPages takes LimitPages back, for connections that are opened from now on.
func (db Database) UnlimitPages() { pageLimits.Delete(db.Path()) }

// The driver calls limitPages for each new connection; it takes a hook only before the first.
func init() {
	sqlite.RegisterConnectionHook(func(conn sqlite.ExecQuerierContext, dsn string) error {
		path, _, _ := strings.Cut(strings.TrimPrefix(dsn, "file:"), "?")
		path, err := url.PathUnescape(path)
		if err != nil {
			return err
		}
		if more, limited := pageLimits.Load(path); limited {
			return limitPages(conn, more.(int))
		}
		return nil
	})
}

func limitPages(conn sqlite.ExecQuerierContext, more int) error {
	rows, err := conn.QueryContext(context.Background(), "PRAGMA page_count", nil)
	if err != nil {
		return err
	}
	defer rows.Close()
	row := make([]driver.Value, 1)
	if err := rows.Next(row); err != nil {
		return err
	}
	_, err = conn.ExecContext(context.Background(), fmt.Sprintf("PRAGMA max_page_count = %d", row[0].(int64)+int64(more)), nil)
	return err
}
