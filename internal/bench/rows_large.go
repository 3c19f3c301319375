package main

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
)

// What is measured only in a full run: a million users in 100,000 groups.
const (
	rowStart        = "start until the roster serves, 1M users, 5M memberships"
	rowResident     = "resident memory a minute later"
	rowDump         = "membership dump, 100k groups, 5M memberships"
	rowDumpFirst    = "membership dump, first byte"
	rowDumpMemory   = "membership dump, memory above idle"
	rowSearch       = "search of all 1M users"
	rowSearchMemory = "search of all 1M users, memory above idle"
	rowDumps        = "GET /user at 200/s beside ten dumps, p99"
)

// orderedSelects are what the roster has to read, in the order in which it needs it.
var orderedSelects = []string{
	"SELECT id, name, name_key, first_name, last_name, display_name, email, active, external_id, created_at, updated_at FROM users ORDER BY name_key",
	"SELECT id, name, name_key, description, active, external_id, created_at, updated_at FROM groups ORDER BY name_key",
	"SELECT group_id, user_id FROM memberships ORDER BY group_id, user_id",
	"SELECT parent_id, child_id FROM nestings ORDER BY parent_id, child_id",
}

// The long answers as a database gives them, in no order.
const (
	copyDump   = "COPY (SELECT g.name, u.name FROM memberships m JOIN groups g ON g.id = m.group_id JOIN users u ON u.id = m.user_id) TO STDOUT"
	copySearch = "COPY (SELECT name, first_name, last_name, display_name, directory_id, email, external_id, created_at, updated_at, active FROM users) TO STDOUT"
)

// fullSize measures start, memory and long answers.
func (b *bench) fullSize(ctx context.Context) (err error) {
	w, err := b.newWorld(ctx, onPostgres, shape{users: 1_000_000, perUser: 5}, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.drop()) }()
	if b.wants(rowStart) {
		if err := b.start(ctx, w); err != nil {
			return err
		}
	}
	if !b.wants(rowResident, rowDump, rowDumpFirst, rowDumpMemory, rowSearch, rowSearchMemory, rowDumps) {
		return nil
	}
	p, err := b.serve(ctx, w)
	if err != nil {
		return err
	}
	defer p.stop()
	if b.wants(rowResident) {
		if err := pause(ctx, time.Minute); err != nil {
			return err
		}
		resident, err := p.resident()
		if err != nil {
			return err
		}
		b.add(result{kind: sizes, name: rowResident, database: w.kind, value: megabytes(resident), goal: 450, unit: "MB"})
	}
	// The first request hashes the application's password, and its memory is no answer's.
	if err := w.checkUser(ctx, p.url, 0); err != nil {
		return err
	}
	if err := pause(ctx, 10*time.Second); err != nil {
		return err
	}
	idle, err := p.resident()
	if err != nil {
		return err
	}
	for _, r := range []longRow{
		{name: rowDump, first: rowDumpFirst, memory: rowDumpMemory, goal: 0.08, copy: copyDump,
			path: "/group/membership", element: "<user ", elements: w.users * w.perUser, end: "</memberships>"},
		{name: rowSearch, memory: rowSearchMemory, goal: 3, copy: copySearch,
			path: "/search?entity-type=user&max-results=-1&expand=user", element: "</last-name>", elements: w.users, end: "</users>"},
	} {
		if err := b.longAnswer(ctx, w, p, idle, r); err != nil {
			return err
		}
	}
	return b.dumps(ctx, w, p)
}

// pause waits, unless the run ends.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

func nothing(context.Context) error { return nil }

// start compares starting with reading the same rows.
func (b *bench) start(ctx context.Context, w *world) error {
	ours := side{func(ctx context.Context, _ int, _ time.Duration) (float64, error) {
		begun := time.Now()
		p, err := b.serve(ctx, w)
		took := time.Since(begun)
		if err != nil {
			return 0, err
		}
		defer p.stop()
		return took.Seconds(), w.checkUser(ctx, p.url, w.users-1)
	}, nothing}
	anchor := side{func(ctx context.Context, _ int, _ time.Duration) (float64, error) {
		conn, err := pgx.Connect(ctx, w.url)
		if err != nil {
			return 0, err
		}
		defer conn.Close(context.WithoutCancel(ctx))
		begun := time.Now()
		for _, query := range orderedSelects {
			rows, err := conn.Query(ctx, query)
			if err != nil {
				return 0, err
			}
			for rows.Next() {
				_ = rows.RawValues()
			}
			if err := rows.Err(); err != nil {
				return 0, err
			}
		}
		return time.Since(begun).Seconds(), nil
	}, nothing}
	return b.addTimes(ctx, rowStart, w.kind, 2, ours, anchor)
}
