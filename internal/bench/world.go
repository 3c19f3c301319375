package main

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	_ "modernc.org/sqlite" // the driver of the SQLite file that is filled

	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/server"
)

const (
	onSQLite   = "SQLite"
	onPostgres = "PostgreSQL"

	appName      = "bench"
	appPassword  = "the password of the benchmark's application"
	userPassword = "correct horse battery staple"
)

// A world is a database with data, an application and a folder.
type world struct {
	shape
	kind string // onSQLite, onPostgres
	url  string
	key  []byte
	dir  string

	drop func() error
}

// newWorld makes a database of the kind and fills it; with passwords, everybody has one.
func (b *bench) newWorld(ctx context.Context, kind string, s shape, passwords bool) (*world, error) {
	dir, err := os.MkdirTemp(b.dir, "world-*")
	if err != nil {
		return nil, err
	}
	key := sha256.Sum256([]byte("the key of rollcall's benchmark"))
	w := &world{shape: s, kind: kind, key: key[:], dir: dir, drop: func() error { return os.RemoveAll(dir) }}
	if kind == onSQLite {
		w.url = "sqlite:" + w.file()
	} else if err := w.createPostgres(ctx); err != nil {
		return nil, err
	}
	start := time.Now()
	if err := w.fill(ctx, passwords); err != nil {
		return nil, errors.Join(fmt.Errorf("fill the %s database: %w", kind, err), w.drop())
	}
	b.say("made %d users on %s in %s", s.users, kind, time.Since(start).Round(time.Millisecond))
	return w, nil
}

func (w *world) file() string { return filepath.Join(w.dir, "rollcall.db") }

// settings are the variables with which the program finds the world.
func (w *world) settings() []string {
	return []string{"ROLLCALL_DATABASE_URL=" + w.url, "ROLLCALL_SECRET_KEY=" + base64.StdEncoding.EncodeToString(w.key),
		"ROLLCALL_DATA_DIR=" + filepath.Join(w.dir, "data")}
}

// createPostgres makes a database on the server of ROLLCALL_TEST_POSTGRES.
func (w *world) createPostgres(ctx context.Context) error {
	return w.createPostgresFrom(ctx, "template1")
}

// createPostgresFrom makes a copy of a database there that nobody has open.
func (w *world) createPostgresFrom(ctx context.Context, template string) error {
	admin := os.Getenv("ROLLCALL_TEST_POSTGRES")
	if admin == "" {
		return errors.New("ROLLCALL_TEST_POSTGRES names no server: run `make bench`")
	}
	u, err := url.Parse(admin)
	if err != nil {
		return fmt.Errorf("ROLLCALL_TEST_POSTGRES: %w", err)
	}
	name := fmt.Sprintf("rollcall_bench_%d_%d", os.Getpid(), time.Now().UnixNano())
	if err := asAdmin(ctx, admin, "CREATE DATABASE "+name+" TEMPLATE "+template); err != nil {
		return err
	}
	u.Path = "/" + name
	w.url = u.String()
	clear := w.drop
	w.drop = func() error {
		return errors.Join(asAdmin(context.WithoutCancel(ctx), admin, "DROP DATABASE "+name+" WITH (FORCE)"), clear())
	}
	return nil
}

func asAdmin(ctx context.Context, url, statement string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement)
	return errors.Join(err, conn.Close(ctx))
}

// fill makes the schema, the directory and the application by the program's own rules, and the
// rest by rows.
func (w *world) fill(ctx context.Context, passwords bool) error {
	c, _, err := server.Load(nil, w.settings())
	if err != nil {
		return err
	}
	s, err := server.OpenServices(ctx, c, slog.New(slog.DiscardHandler), server.Opening{Upgrade: true})
	if err != nil {
		return err
	}
	var dir *models.Directory
	var hash string
	err = func() error {
		by := models.Actor{Kind: models.ActorOperator, Name: "bench"}
		if dir, err = s.Directories.Create(ctx, by, directory.NewDirectory{Name: "staff"}); err != nil {
			return err
		}
		if _, _, err = s.Application.Create(ctx, by, application.NewApplication{Name: appName, Password: appPassword,
			Addresses: []string{"127.0.0.1"}, Directories: []string{"staff"}, Permissions: models.AllPermissions}); err != nil {
			return err
		}
		if passwords {
			hash, err = s.Hasher.Hash(ctx, userPassword)
		}
		return err
	}()
	if err = errors.Join(err, s.Store.Close()); err != nil {
		return err
	}
	if w.kind == onSQLite {
		return w.insertSQLite(ctx, w.tables(dir.ID, hash))
	}
	return w.copyPostgres(ctx, w.tables(dir.ID, hash))
}

// insertSQLite inserts all rows in one transaction.
func (w *world) insertSQLite(ctx context.Context, tables []table) error {
	db, err := sql.Open("sqlite", "file:"+w.file())
	if err != nil {
		return err
	}
	defer db.Close()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for _, t := range tables {
		insert, err := tx.PrepareContext(ctx, fmt.Sprintf("INSERT INTO %s (%s) VALUES (?%s)",
			t.name, strings.Join(t.columns, ", "), strings.Repeat(", ?", len(t.columns)-1)))
		if err != nil {
			return err
		}
		for row := range t.rows {
			if _, err := insert.ExecContext(ctx, row...); err != nil {
				return fmt.Errorf("table %s: %w", t.name, err)
			}
		}
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "ANALYZE")
	return err
}

// copyPostgres copies all rows; their keys are known to be right.
func (w *world) copyPostgres(ctx context.Context, tables []table) error {
	conn, err := pgx.Connect(ctx, w.url)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, "SET session_replication_role = replica"); err != nil {
		return err
	}
	for _, t := range tables {
		next, stop := iter.Pull(t.rows)
		_, err := conn.CopyFrom(ctx, pgx.Identifier{t.name}, t.columns, pgx.CopyFromFunc(func() ([]any, error) {
			row, _ := next()
			return row, nil
		}))
		stop()
		if err != nil {
			return fmt.Errorf("table %s: %w", t.name, err)
		}
		if t.columns[0] == "id" {
			count := "SELECT setval(pg_get_serial_sequence('" + t.name + "', 'id'), (SELECT max(id) FROM " + t.name + "))"
			if _, err := conn.Exec(ctx, count); err != nil {
				return err
			}
		}
	}
	_, err = conn.Exec(ctx, "VACUUM ANALYZE")
	return err
}
