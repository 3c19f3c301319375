package testkit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Copying a PostgreSQL database takes a tenth of a second on an idle machine, and half of one
// where several packages are tested at once. So a database goes to the next test of this
// process when its own has passed, in the state of the template: everybody else is thrown out,
// every row goes, numbers start again at one, and the template's rows come back. One whose
// schema isn't the template's any more is dropped.

// A template is a database with the schema and nothing in it but what migrations put there.
type template struct {
	name   string
	schema string            // its fingerprint
	rows   map[string][]byte // of each table that has some, as COPY gives them
}

// idle are this process's databases that wait for a test.
var idle struct {
	mu    sync.Mutex
	names []string
}

// takeIdle gives a database that waits, if there is one.
func takeIdle() (name string, ok bool) {
	idle.mu.Lock()
	defer idle.mu.Unlock()
	if len(idle.names) == 0 {
		return "", false
	}
	name = idle.names[len(idle.names)-1]
	idle.names = idle.names[:len(idle.names)-1]
	return name, true
}

// giveBack keeps a test's database for the next one, or drops it.
func giveBack(t testing.TB, tmpl template, name string) {
	t.Helper()
	if !t.Failed() && tmpl.restore(name) == nil {
		idle.mu.Lock()
		defer idle.mu.Unlock()
		idle.names = append(idle.names, name)
		return
	}
	if err := dropDatabase(name); err != nil {
		t.Error(err)
	}
}

func dropIdle() error {
	var errs []error
	for {
		name, ok := takeIdle()
		if !ok {
			return errors.Join(errs...)
		}
		errs = append(errs, dropDatabase(name))
	}
}

// describe connects to the template and remembers its schema and rows.
func (tmpl *template) describe(databaseURL string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	if tmpl.schema, err = fingerprint(ctx, conn); err != nil {
		return err
	}
	tables, err := listTables(ctx, conn)
	if err != nil {
		return err
	}
	tmpl.rows = map[string][]byte{}
	for _, table := range tables {
		var rows bytes.Buffer
		if _, err := conn.PgConn().CopyTo(ctx, &rows, "COPY "+table+" TO STDOUT"); err != nil {
			return err
		}
		if rows.Len() > 0 {
			tmpl.rows[table] = rows.Bytes()
		}
	}
	return nil
}

// restore puts a copy of the template back into its state.
func (tmpl *template) restore(name string) error {
	server, err := postgresServer()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, server.database(name))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	if err := throwOut(ctx, conn); err != nil {
		return err
	}
	schema, err := fingerprint(ctx, conn)
	if err != nil {
		return err
	}
	if schema != tmpl.schema {
		return errors.New("the schema was changed")
	}
	return tmpl.resetRows(ctx, conn)
}

// throwOut ends all other connections to the database and waits until they are gone: a process
// that was killed may have left a transaction.
func throwOut(ctx context.Context, conn *pgx.Conn) error {
	for {
		var others int
		err := conn.QueryRow(ctx, `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
			WHERE datname = current_database() AND pid <> pg_backend_pid()`).Scan(&others)
		if err != nil || others == 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// fingerprint tells schemas apart: columns of tables and indexes, keys, triggers, functions.
func fingerprint(ctx context.Context, conn *pgx.Conn) (sum string, err error) {
	err = conn.QueryRow(ctx, `SELECT md5(string_agg(line, ' ' ORDER BY line COLLATE "C")) FROM (
		SELECT concat_ws(' ', c.relname, c.relkind, a.attname, a.atttypid, a.attnotnull, a.atthasdef) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
			WHERE c.relnamespace = 'public'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
		UNION ALL SELECT concat_ws(' ', conrelid::regclass, conname, contype) FROM pg_constraint WHERE connamespace = 'public'::regnamespace
		UNION ALL SELECT concat_ws(' ', tgrelid::regclass, tgname) FROM pg_trigger WHERE NOT tgisinternal
		UNION ALL SELECT proname::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace) AS lines(line)`).Scan(&sum)
	return sum, err
}

func listTables(ctx context.Context, conn *pgx.Conn) ([]string, error) {
	rows, err := conn.Query(ctx, "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename")
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

func (tmpl *template) resetRows(ctx context.Context, conn *pgx.Conn) error {
	tables, err := listTables(ctx, conn)
	if err != nil {
		return err
	}
	batch := &pgx.Batch{}
	for _, table := range tables {
		batch.Queue("DELETE FROM " + table)
	}
	batch.Queue("SELECT setval(c.oid::regclass, 1, false) FROM pg_class c WHERE c.relkind = 'S' AND c.relnamespace = 'public'::regnamespace")
	if err := conn.SendBatch(ctx, batch).Close(); err != nil {
		return err
	}
	for table, rows := range tmpl.rows {
		if _, err := conn.PgConn().CopyFrom(ctx, bytes.NewReader(rows), "COPY "+table+" FROM STDIN"); err != nil {
			return fmt.Errorf("fill %s: %w", table, err)
		}
	}
	return nil
}
