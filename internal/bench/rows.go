package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"time"
)

// The rows, in the order of the table.
const (
	rowUser           = "GET /user, 100k users"
	rowSlapd          = "GET /user, 100k users, processor time, against slapd"
	rowUserMillion    = "GET /user, 1M users"
	rowGroupsNested   = "GET /user/group/nested, 65 groups"
	rowMembersNested  = "GET /group/user/nested, 1,000 names"
	rowAuthentication = "POST /authentication, distinct users"
	rowMemory         = "POST /authentication, memory above idle"
	rowSession        = "POST /session/{token}"
	rowCreate         = "create users by REST, 8 connections"
	rowBinary         = "binary, stripped"
)

// bench is one run.
type bench struct {
	quick   bool
	wanted  *regexp.Regexp
	windows int
	window  time.Duration

	cloudUsers int

	dir     string
	program string
	results []result
}

// A part measures rows that share their data.
type part struct {
	rows []string
	// About how long it takes on two processors, data and warm-up included; a quick run has no
	// part that takes no time in it.
	full, quick time.Duration
	measure     func(*bench, context.Context) error
}

// parts are all of them, in the order of the table.
var parts = []part{
	{
		[]string{rowUser, rowGroupsNested, rowMembersNested, rowSlapd, rowAuthentication, rowMemory, rowSession},
		11 * time.Minute, 95 * time.Second, (*bench).smallWorlds,
	},
	{[]string{rowUserMillion}, 3 * time.Minute, 25 * time.Second, (*bench).largeWorlds},
	{
		[]string{rowStart, rowResident, rowDump, rowDumpFirst, rowDumpMemory, rowSearch, rowSearchMemory, rowDumps},
		10 * time.Minute, 0, (*bench).fullSize,
	},
	{[]string{rowReplica, rowReplicaCut}, 2 * time.Minute, 0, (*bench).replicas},
	{[]string{rowCreate}, 90 * time.Second, 15 * time.Second, (*bench).creation},
	{
		[]string{rowSyncFirst, rowSyncMemory, rowSyncNothing, rowDeltaRequests, rowDelta, rowSomeRequests, rowSome},
		40 * time.Minute, 65 * time.Second, (*bench).syncs,
	},
	{[]string{rowDeltaRequests, rowDelta, rowSomeRequests, rowSome}, 8 * time.Minute, 25 * time.Second, (*bench).oktaDeltas},
	{[]string{rowGoogle}, 8 * time.Minute, 0, (*bench).google},
	{[]string{rowSyncServe}, 20 * time.Minute, 0, (*bench).besideSync},
	{[]string{rowSyncKills}, 12 * time.Minute, 0, (*bench).syncKills},
	{[]string{rowBinary}, time.Second, time.Second, (*bench).binary},
}

// run measures the wanted rows.
func (b *bench) run(ctx context.Context) (results []result, err error) {
	if _, err := exec.LookPath("wrk"); err != nil {
		return nil, errors.New("wrk is missing: run `make bench`, which installs it")
	}
	if b.dir, err = os.MkdirTemp("", "rollcall-bench-*"); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	wanted, estimate := b.plan()
	b.say("this takes about %.0f minutes", estimate.Minutes())
	if b.program, err = buildProgram(ctx, b.dir); err != nil {
		return nil, err
	}
	for _, p := range wanted {
		if err := p.measure(b, ctx); err != nil {
			return nil, err
		}
	}
	return b.results, nil
}

// plan gives the parts that have a wanted row, and about how long they take.
func (b *bench) plan() (wanted []part, estimate time.Duration) {
	estimate = time.Minute // to build the program
	for _, p := range parts {
		takes, rows := p.full, 0
		if b.quick {
			takes = p.quick
		}
		for _, row := range p.rows {
			if b.wants(row) {
				rows++
			}
		}
		if rows > 0 && takes > 0 {
			wanted = append(wanted, p)
			estimate += takes * time.Duration(rows) / time.Duration(len(p.rows))
		}
	}
	return wanted, estimate
}

// say tells whoever waits what goes on.
func (b *bench) say(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

func (b *bench) wants(rows ...string) bool {
	for _, name := range rows {
		if b.wanted.MatchString(name) {
			return true
		}
	}
	return false
}

// scaled is a tenth in a quick run.
func (b *bench) scaled(n int) int {
	if b.quick {
		return n / 10
	}
	return n
}

func (b *bench) add(r result) {
	b.results = append(b.results, r)
	b.say("%s, %s: %.3g %s", r.name, r.database, r.value, r.verdict())
}

// addRatio compares two sides and adds the row.
func (b *bench) addRatio(ctx context.Context, name, database string, goal float64, ours, anchor side, d time.Duration) error {
	c, err := b.compare(ctx, ours, anchor, d)
	if err != nil {
		return fmt.Errorf("%s, %s: %w", name, database, err)
	}
	b.add(result{name: name, database: database, ours: c.ours, anchor: c.anchor, value: c.ours / c.anchor, goal: goal, spread: c.spread})
	return nil
}

// addTimes compares the seconds that two sides take and adds the row.
func (b *bench) addTimes(ctx context.Context, name, database string, goal float64, ours, anchor side) error {
	c, err := b.compare(ctx, ours, anchor, b.window)
	if err != nil {
		return fmt.Errorf("%s, %s: %w", name, database, err)
	}
	b.add(result{kind: times, name: name, database: database, ours: c.ours, anchor: c.anchor, value: c.ours / c.anchor, goal: goal, spread: c.spread})
	return nil
}

// on makes a world, serves it, and calls do.
func (b *bench) on(ctx context.Context, kind string, s shape, passwords bool, do func(w *world, p *program) error) (err error) {
	w, err := b.newWorld(ctx, kind, s, passwords)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.drop()) }()
	p, err := b.serve(ctx, w)
	if err != nil {
		return err
	}
	defer p.stop()
	return do(w, p)
}

// smallWorlds measures what is asked of 100,000 users.
func (b *bench) smallWorlds(ctx context.Context) error {
	for _, kind := range []string{onSQLite, onPostgres} {
		reads := b.wants(rowUser, rowGroupsNested, rowMembersNested) || !b.quick && b.wants(rowSlapd)
		logins := kind == onPostgres && b.wants(rowAuthentication, rowMemory, rowSession)
		if !reads && !logins {
			continue
		}
		err := b.on(ctx, kind, shape{users: b.scaled(100_000), groups: true}, logins, func(w *world, p *program) error {
			rows := []httpRow{w.userRow(rowUser, 0.85), w.groupsRow(), w.membersRow()}
			if logins && b.wants(rowSession) {
				row, err := w.sessionRow(ctx, p)
				if err != nil {
					return err
				}
				rows = append(rows, row)
			}
			for _, row := range rows {
				if err := b.measureHTTP(ctx, w, p, row); err != nil {
					return err
				}
			}
			if err := b.slapd(ctx, w, p); err != nil {
				return err
			}
			if !logins {
				return nil
			}
			return b.authentication(ctx, w, p)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// largeWorlds measures what is asked of a million users.
func (b *bench) largeWorlds(ctx context.Context) error {
	for _, kind := range []string{onSQLite, onPostgres} {
		err := b.on(ctx, kind, shape{users: b.scaled(1_000_000)}, false, func(w *world, p *program) error {
			return b.measureHTTP(ctx, w, p, w.userRow(rowUserMillion, 0.80))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// binary measures the program's file.
func (b *bench) binary(context.Context) error {
	info, err := os.Stat(b.program)
	if err != nil {
		return err
	}
	b.add(result{kind: sizes, name: rowBinary, database: "–", value: megabytes(info.Size()), goal: 40, unit: "MB"})
	return nil
}

func megabytes(n int64) float64 { return float64(n) / 1e6 }
