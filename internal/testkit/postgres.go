package testkit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// postgresVariable names the server that tests may use; databases are made and dropped there.
const postgresVariable = "ROLLCALL_TEST_POSTGRES"

func emptyPostgres(t testing.TB) Database {
	t.Helper()
	db := createPostgres(t, "template1")
	t.Cleanup(func() {
		if err := dropDatabase(db.name(t)); err != nil {
			t.Error(err)
		}
	})
	return db
}

// newPostgres gives a copy of the template: one that an earlier test has left, or a new one.
func newPostgres(t testing.TB) Database {
	t.Helper()
	tmpl, err := postgresTemplate()
	if err != nil {
		t.Fatalf("%v", err)
	}
	db := Database{Kind: Postgres, Key: testKey()}
	if name, ok := takeIdle(); ok {
		server, err := postgresServer()
		if err != nil {
			t.Fatalf("%v", err)
		}
		db.URL = server.database(name)
	} else {
		db = createPostgres(t, tmpl.name)
	}
	t.Cleanup(func() { giveBack(t, tmpl, db.name(t)) })
	return db
}

func createPostgres(t testing.TB, template string) Database {
	t.Helper()
	databaseURL, err := copyDatabase("rollcall_test_"+random(), template)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return Database{Kind: Postgres, URL: databaseURL, Key: testKey()}
}

// postgresTemplate makes the template of databases. Each test process makes its own: another
// may have been built from other sources.
var postgresTemplate = sync.OnceValues(func() (template, error) {
	tmpl := template{name: fmt.Sprintf("rollcall_template_%d_%s", os.Getpid(), random())}
	databaseURL, err := copyDatabase(tmpl.name, "template1")
	if err != nil {
		return tmpl, err
	}
	whenProcessEnds(func() error { return errors.Join(dropIdle(), dropDatabase(tmpl.name)) })
	if err := errors.Join(migrate(databaseURL), tmpl.describe(databaseURL)); err != nil {
		return tmpl, fmt.Errorf("make the template of PostgreSQL databases: %w", err)
	}
	return tmpl, nil
})

func copyDatabase(name, template string) (databaseURL string, err error) {
	server, err := postgresServer()
	if err != nil {
		return "", err
	}
	// A database can't be copied while somebody is connected to it. That of a pool that was
	// just closed takes a moment to end; template1 may be in another process's hands.
	for range 100 {
		err = server.exec("CREATE DATABASE " + name + " TEMPLATE " + template)
		if e, ok := errors.AsType[*pgconn.PgError](err); !ok || e.Code != "55006" {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if err != nil {
		return "", fmt.Errorf("make a database on the PostgreSQL server of the tests: %w", err)
	}
	return server.database(name), nil
}

func dropDatabase(name string) error {
	server, err := postgresServer()
	if err != nil {
		return err
	}
	if err := server.exec("DROP DATABASE IF EXISTS " + name + " WITH (FORCE)"); err != nil {
		return fmt.Errorf("drop the test's database %s: %w", name, err)
	}
	return nil
}

// A server is the PostgreSQL server of the tests, with one connection to it.
type server struct {
	url *url.URL

	mu   sync.Mutex
	conn *pgx.Conn
}

// postgresServer finds or starts the server, once in a process.
var postgresServer = sync.OnceValues(func() (*server, error) {
	text := os.Getenv(postgresVariable)
	if text == "" {
		var err error
		if text, err = startPostgres(); err != nil {
			return nil, fmt.Errorf("this test needs PostgreSQL: run `make test`, which finds or installs one, "+
				"or name a server in %s=postgres://…: %w", postgresVariable, err)
		}
	}
	u, err := url.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s is not a URL", postgresVariable) // it may hold a password
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, text)
	if err != nil {
		return nil, fmt.Errorf("connect to the PostgreSQL server that %s names: %w", postgresVariable, err)
	}
	s := &server{url: u, conn: conn}
	whenProcessEnds(func() error { return s.conn.Close(context.Background()) })
	return s, nil
})

// startPostgres starts a private server, which stops with this process.
func startPostgres() (databaseURL string, err error) {
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	above, err := processDir()
	if err != nil {
		return "", err
	}
	script, dir := filepath.Join(root, "scripts", "postgres.sh"), filepath.Join(above, "postgres")
	start := exec.Command(script, "start", dir, strconv.Itoa(os.Getpid()))
	var stderr bytes.Buffer
	start.Stderr = &stderr
	out, err := start.Output()
	if err != nil {
		return "", fmt.Errorf("scripts/postgres.sh: %w\n%s", err, strings.TrimSpace(stderr.String()))
	}
	whenProcessEnds(func() error { return exec.Command(script, "stop", dir).Run() })
	return strings.TrimSpace(string(out)), nil
}

func (s *server) exec(statement string, args ...any) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	_, err := s.conn.Exec(ctx, statement, args...)
	return err
}

// database gives the URL of one of the server's databases.
func (s *server) database(name string) string {
	u := *s.url
	u.Path = "/" + name
	return u.String()
}

func (db Database) name(t testing.TB) string {
	t.Helper()
	u, err := url.Parse(db.URL)
	if err != nil || db.Kind != Postgres {
		t.Fatalf("%s is not a PostgreSQL database", db.Kind)
	}
	return strings.TrimPrefix(u.Path, "/")
}

func (db Database) admin(t testing.TB, statement string, args ...any) {
	t.Helper()
	server, err := postgresServer()
	if err == nil {
		err = server.exec(statement, args...)
	}
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// Terminate cuts the PostgreSQL connections to the database whose latest query is like the
// pattern: "%" for all, "LISTEN%" for those that listen.
func (db Database) Terminate(t testing.TB, query string) {
	t.Helper()
	db.admin(t, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND query ILIKE $2", db.name(t), query)
}

// GoAway makes the PostgreSQL database unreachable, for present and new connections, until
// ComeBack.
func (db Database) GoAway(t testing.TB) {
	t.Helper()
	db.admin(t, "ALTER DATABASE "+db.name(t)+" ALLOW_CONNECTIONS false")
	db.Terminate(t, "%")
}

// ComeBack ends GoAway.
func (db Database) ComeBack(t testing.TB) {
	t.Helper()
	db.admin(t, "ALTER DATABASE "+db.name(t)+" ALLOW_CONNECTIONS true")
}
