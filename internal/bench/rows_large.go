package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"time"

	"github.com/jackc/pgx/v5"
)

// What is measured only in a full run: a million users in 100,000 groups.
const (
	rowStart      = "start until the roster serves, 1M users, 5M memberships"
	rowResident   = "resident memory a minute later"
	rowDump       = "membership dump, 100k groups, 5M memberships"
	rowDumpFirst  = "membership dump, first byte"
	rowDumpMemory = "membership dump, memory above idle"
)

// orderedSelects are what the roster has to read, in the order in which it needs it.
var orderedSelects = []string{
	"SELECT id, name, name_key, first_name, last_name, display_name, email, active, external_id, created_at, updated_at FROM users ORDER BY name_key",
	"SELECT id, name, name_key, description, active, external_id, created_at, updated_at FROM groups ORDER BY name_key",
	"SELECT group_id, user_id FROM memberships ORDER BY group_id, user_id",
	"SELECT parent_id, child_id FROM nestings ORDER BY parent_id, child_id",
}

// dumpJoin is the membership dump as a database gives it, in no order.
const dumpJoin = "COPY (SELECT g.name, u.name FROM memberships m JOIN groups g ON g.id = m.group_id JOIN users u ON u.id = m.user_id) TO STDOUT"

// fullSize measures start, memory and the dump.
func (b *bench) fullSize(ctx context.Context) (err error) {
	if b.quick || !b.wants(rowStart, rowResident, rowDump, rowDumpFirst, rowDumpMemory) {
		return nil
	}
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
		b.add(result{name: rowResident, database: w.kind, value: megabytes(resident), goal: 450, unit: "MB"})
	}
	if b.wants(rowDump, rowDumpFirst, rowDumpMemory) {
		return b.dump(ctx, w, p)
	}
	return nil
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

// dump compares the membership dump with the database's own, and watches memory and first byte.
func (b *bench) dump(ctx context.Context, w *world, p *program) error {
	// The first request hashes the application's password, and its memory is not the dump's.
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
	if err := p.forgetPeak(); err != nil {
		return err
	}
	var first []float64
	ours := side{func(ctx context.Context, _ int, _ time.Duration) (float64, error) {
		var status int
		var firstByte, total float64
		var size int64
		cmd := exec.CommandContext(ctx, "curl", "-sS", "-u", appName+":"+appPassword, "-o", "/dev/null",
			"-w", "%{http_code} %{time_starttransfer} %{time_total} %{size_download}", p.url+base+"/group/membership")
		out, err := cmd.CombinedOutput()
		if err != nil {
			return 0, fmt.Errorf("curl: %w\n%s", err, out)
		}
		if _, err := fmt.Sscan(string(out), &status, &firstByte, &total, &size); err != nil {
			return 0, fmt.Errorf("curl told %q: %w", out, err)
		}
		// Each membership takes at least its user's name.
		if least := int64(w.users) * int64(w.perUser) * int64(len(userName(0))); status != http.StatusOK || size < least {
			return 0, fmt.Errorf("wrong answer: the dump is %d with %d bytes", status, size)
		}
		first = append(first, firstByte)
		return total, nil
	}, func(ctx context.Context) error { return w.checkUser(ctx, p.url, 0) }}
	anchor := side{func(ctx context.Context, _ int, _ time.Duration) (float64, error) {
		cmd := exec.CommandContext(ctx, "psql", "-X", "-q", w.url, "-c", dumpJoin)
		cmd.Stdout = io.Discard
		begun := time.Now()
		err := cmd.Run()
		return time.Since(begun).Seconds(), err
	}, nothing}
	if err := b.addTimes(ctx, rowDump, w.kind, 0.08, ours, anchor); err != nil {
		return err
	}
	peak, err := p.peak()
	if err != nil {
		return err
	}
	b.add(result{name: rowDumpFirst, database: w.kind, value: 1000 * median(first), goal: 100, unit: "ms"})
	b.add(result{name: rowDumpMemory, database: w.kind, value: megabytes(peak - idle), goal: 16, unit: "MB"})
	return nil
}
