package testkit

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib" // database/sql's driver "pgx"
)

// Raw opens a connection to the database beside all stores, for what they don't offer. It is
// closed when the test ends.
func (db Database) Raw(t testing.TB) *sql.DB {
	t.Helper()
	file := url.URL{Scheme: "file", Opaque: (&url.URL{Path: db.Path()}).EscapedPath(), RawQuery: "_pragma=busy_timeout(10000)&_pragma=foreign_keys(1)"}
	driver, name := "sqlite", file.String()
	if db.Kind == Postgres {
		driver, name = "pgx", db.URL
	}
	raw, err := sql.Open(driver, name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { raw.Close() })
	return raw
}

// Tables lists the tables of the database.
func (db Database) Tables(t testing.TB) []string {
	t.Helper()
	query := "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name"
	if db.Kind == Postgres {
		query = "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public' ORDER BY table_name"
	}
	raw := db.Raw(t)
	defer raw.Close()
	rows, err := raw.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var tables []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		tables = append(tables, name)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(tables)
	return tables
}

// Contents reads every row of every table but those left out, as text, for comparing a database
// with what it was, or for looking for what must not be in it. Bytes appear as they are, and
// in hexadecimal.
func (db Database) Contents(t testing.TB, except ...string) map[string][]string {
	t.Helper()
	raw := db.Raw(t)
	defer raw.Close()
	contents := map[string][]string{}
	for _, table := range db.Tables(t) {
		if !slices.Contains(except, table) {
			contents[table] = rowsOf(t, raw, table)
		}
	}
	return contents
}

func rowsOf(t testing.TB, raw *sql.DB, table string) []string {
	t.Helper()
	rows, err := raw.QueryContext(context.Background(), "SELECT * FROM "+pgx.Identifier{table}.Sanitize())
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for rows.Next() {
		values, pointers := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			pointers[i] = &values[i]
		}
		if err := rows.Scan(pointers...); err != nil {
			t.Fatal(err)
		}
		out = append(out, rowText(columns, values))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(out)
	return out
}

func rowText(columns []string, values []any) string {
	fields := make([]string, len(columns))
	for i, v := range values {
		text := fmt.Sprint(v)
		if b, ok := v.([]byte); ok {
			text = string(b) + " " + hex.EncodeToString(b)
		}
		fields[i] = columns[i] + "=" + text
	}
	return strings.Join(fields, " ")
}
