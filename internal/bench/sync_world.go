package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // so that both databases are asked in one way

	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/server"
)

// cloudDirectory is the directory that reads a cloud. It is the second of its world.
const cloudDirectory = "cloud"

// newCloudWorld makes a world with so many users of its own, and a directory that reads the cloud
// and was never synchronised.
func (b *bench) newCloudWorld(ctx context.Context, kind string, users int, cloud *played) (*world, error) {
	w, err := b.newWorld(ctx, kind, shape{users: users}, false)
	if err != nil {
		return nil, err
	}
	c, _, err := server.Load(nil, w.settings())
	if err != nil {
		return nil, errors.Join(err, w.drop())
	}
	s, err := server.OpenServices(ctx, c, slog.New(slog.DiscardHandler), server.Opening{})
	if err != nil {
		return nil, errors.Join(err, w.drop())
	}
	by := models.Actor{Kind: models.ActorOperator, Name: "bench"}
	_, err = s.Directories.Create(ctx, by, directory.NewDirectory{Name: cloudDirectory, Kind: cloud.shape.Kind, Settings: cloud.state.Settings})
	if err = errors.Join(err, s.Store.Close()); err != nil {
		return nil, errors.Join(err, w.drop())
	}
	return w, nil
}

// clone copies a world that nobody has open.
func (w *world) clone(ctx context.Context, b *bench) (*world, error) {
	dir, err := os.MkdirTemp(b.dir, "world-*")
	if err != nil {
		return nil, err
	}
	c := &world{shape: w.shape, kind: w.kind, key: w.key, dir: dir, drop: func() error { return os.RemoveAll(dir) }}
	if w.kind == onSQLite {
		c.url = "sqlite:" + c.file()
		return c, copyFile(c.file(), w.file())
	}
	template, err := url.Parse(w.url)
	if err != nil {
		return nil, err
	}
	return c, c.createPostgresFrom(ctx, filepath.Base(template.Path))
}

func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// open opens the world's database beside the program, or without it.
func (w *world) open() (*sql.DB, error) {
	if w.kind == onSQLite {
		return sql.Open("sqlite", "file:"+w.file()+"?_pragma=foreign_keys(1)&_pragma=busy_timeout(10000)")
	}
	return sql.Open("pgx", w.url)
}

// ask reads one row of numbers.
func (w *world) ask(ctx context.Context, query string, into ...any) error {
	db, err := w.open()
	if err != nil {
		return err
	}
	defer db.Close()
	if err := db.QueryRowContext(ctx, query).Scan(into...); err != nil {
		return fmt.Errorf("%s: %w", query, err)
	}
	return nil
}

// ofCloud chooses the rows of the directory that reads the cloud.
const ofCloud = " WHERE directory_id = (SELECT id FROM directories WHERE name = '" + cloudDirectory + "')"

// A holding is how many rows a directory has.
type holding struct{ users, groups, memberships int }

func (w *world) holds(ctx context.Context) (h holding, err error) {
	err = w.ask(ctx, "SELECT (SELECT count(*) FROM users"+ofCloud+"), (SELECT count(*) FROM groups"+ofCloud+
		"), (SELECT count(*) FROM memberships"+ofCloud+") + (SELECT count(*) FROM nestings"+ofCloud+")", &h.users, &h.groups, &h.memberships)
	return h, err
}

func (p *played) holding() holding {
	return holding{p.state.Users, p.state.Groups, p.state.Memberships}
}

// mustHold says what is wrong where a directory isn't as the cloud began.
func (w *world) mustHold(ctx context.Context, cloud *played) error {
	got, err := w.holds(ctx)
	if err == nil && got != cloud.holding() {
		err = fmt.Errorf("wrong answer: the directory has %+v, the cloud %+v", got, cloud.holding())
	}
	return err
}

// lastRun tells when the last run began and ended, by its own record.
func (w *world) lastRun(ctx context.Context) (took time.Duration, err error) {
	var begun, ended int64
	err = w.ask(ctx, "SELECT started_at, ended_at FROM sync_runs ORDER BY id DESC LIMIT 1", &begun, &ended)
	return time.Duration(ended-begun) * time.Millisecond, err
}
