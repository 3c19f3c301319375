package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/rollcall-id/rollcall/models"
)

// The rows of the synchronisation; where they name no source, it is Entra.
const (
	rowSyncFirst     = "first full sync, 1M users, 100k groups, 5M memberships"
	rowSyncMemory    = "first full sync, peak resident memory"
	rowSyncNothing   = "full sync, nothing changed"
	rowDeltaRequests = "delta sync, nothing changed, requests"
	rowDelta         = "delta sync, nothing changed, against the full run"
	rowSomeRequests  = "delta sync, 1,000 changes among 1M, requests"
	rowSome          = "delta sync, 1,000 changes among 1M, against the full run"
	rowGoogle        = "full sync, nothing changed, Google, requests"
)

// cloudOf is a cloud of the bench's size.
func (b *bench) cloudOf(kind models.Kind) cloudShape {
	return cloudShape{kind, b.scaled(b.cloudUsers), b.scaled(b.cloudUsers / 10)}
}

// A mirror is a world with a directory that reads a cloud.
type mirror struct {
	*bench
	cloud  *played
	label  string // of the table's second column
	empty  *world // never synchronised
	synced *world // once
	peak   int64  // of the memory of all first runs
}

// mirror plays a cloud, makes a world, and calls do.
func (b *bench) mirror(ctx context.Context, kind string, c cloudShape, do func(m *mirror) error) (err error) {
	cloud, err := b.play(ctx, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cloud.end(context.WithoutCancel(ctx))) }()
	m := &mirror{bench: b, cloud: cloud, label: kind}
	if c.Kind != models.KindEntra {
		m.label += ", " + string(c.Kind)
	}
	if m.empty, err = b.newCloudWorld(ctx, kind, 0, cloud); err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, m.empty.drop())
		if m.synced != nil {
			err = errors.Join(err, m.synced.drop())
		}
	}()
	return do(m)
}

// first runs for the first time, on a world of its own, of which the first one is kept.
func (m *mirror) first(ctx context.Context) (syncRun, error) {
	w, err := m.empty.clone(ctx, m.bench)
	if err != nil {
		return syncRun{}, err
	}
	run, err := m.sync(ctx, w, models.OutcomeApplied, "--full")
	if err == nil {
		err = w.mustHold(ctx, m.cloud)
	}
	m.peak = max(m.peak, run.peak)
	if err == nil && m.synced == nil {
		m.synced = w
		return run, w.takeRows(ctx)
	}
	return run, errors.Join(err, w.drop())
}

// nothing runs in full where nothing changed.
func (m *mirror) nothing(ctx context.Context) (syncRun, error) {
	run, err := m.sync(ctx, m.synced, models.OutcomeNothing, "--full")
	if err != nil {
		return run, err
	}
	return run, m.synced.mustHold(ctx, m.cloud)
}

// copy reads bare and copies the same rows.
func (m *mirror) copy(ctx context.Context) (float64, error) {
	read, err := m.cloud.readBare(ctx)
	if err != nil {
		return 0, err
	}
	w, err := m.empty.clone(ctx, m.bench)
	if err != nil {
		return 0, err
	}
	took, err := w.copyRows(ctx, m.synced)
	if err == nil {
		err = w.mustHold(ctx, m.cloud)
	}
	m.say("  bare: read %.2f s with %d requests, copy %.2f s", read.Seconds, read.Requests, took.Seconds())
	return read.Seconds + took.Seconds(), errors.Join(err, w.drop())
}

// syncs measures Entra on both databases.
func (b *bench) syncs(ctx context.Context) error {
	for _, kind := range []string{onPostgres, onSQLite} {
		err := b.mirror(ctx, kind, b.cloudOf(models.KindEntra), func(m *mirror) error {
			if err := m.firstRuns(ctx); err != nil {
				return err
			}
			full, err := m.fullRuns(ctx)
			if err != nil {
				return err
			}
			return m.deltas(ctx, full)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// firstRuns measures runs into an empty directory.
func (m *mirror) firstRuns(ctx context.Context) error {
	if !m.wants(rowSyncFirst, rowSyncMemory) {
		_, err := m.first(ctx)
		return err
	}
	c, err := m.compareRuns(ctx, func(ctx context.Context) (float64, error) {
		run, err := m.first(ctx)
		return run.took.Seconds(), err
	}, m.copy)
	if err != nil {
		return fmt.Errorf("%s, %s: %w", rowSyncFirst, m.label, err)
	}
	m.addRuns(rowSyncFirst, m.label, 2, c)
	if !m.quick {
		m.add(result{kind: sizes, name: rowSyncMemory, database: m.label, value: megabytes(m.peak), goal: 350, unit: "MB"})
	}
	return nil
}

// fullRuns measures full runs that find nothing to do, and gives how many seconds they take.
func (m *mirror) fullRuns(ctx context.Context) (seconds float64, err error) {
	if !m.wants(rowSyncNothing, rowDelta, rowSome) {
		return 0, nil
	}
	c, err := m.compareRuns(ctx, func(ctx context.Context) (float64, error) {
		run, err := m.nothing(ctx)
		return run.took.Seconds(), err
	}, func(ctx context.Context) (float64, error) {
		read, err := m.cloud.readBare(ctx)
		m.say("  bare: read %.2f s with %d requests", read.Seconds, read.Requests)
		return read.Seconds, err
	})
	if err != nil {
		return 0, fmt.Errorf("%s, %s: %w", rowSyncNothing, m.label, err)
	}
	m.addRuns(rowSyncNothing, m.label, 1.5, c)
	return c.ours, nil
}

// deltas measures runs that read what changed only, against a full run's seconds.
func (m *mirror) deltas(ctx context.Context, full float64) error {
	if m.wants(rowDelta, rowDeltaRequests) {
		runs, err := m.repeat(ctx, func(ctx context.Context) (syncRun, error) {
			return m.sync(ctx, m.synced, models.OutcomeNothing)
		})
		if err != nil {
			return fmt.Errorf("%s, %s: %w", rowDelta, m.label, err)
		}
		m.addDeltas(rowDelta, rowDeltaRequests, 0.01, 10, full, runs)
	}
	if m.wants(rowSome, rowSomeRequests) {
		runs, err := m.repeat(ctx, m.some)
		if err != nil {
			return fmt.Errorf("%s, %s: %w", rowSome, m.label, err)
		}
		m.addDeltas(rowSome, rowSomeRequests, 0.02, 50, full, runs)
	}
	return nil
}

// some makes a thousand changes and runs.
func (m *mirror) some(ctx context.Context) (syncRun, error) {
	made, err := m.cloud.change(ctx)
	if err != nil {
		return syncRun{}, err
	}
	run, err := m.sync(ctx, m.synced, models.OutcomeApplied)
	if err != nil {
		return run, err
	}
	users := models.UserCounts{Created: made.Created, Changed: made.Renamed, Deactivated: made.Deactivated}
	left := run.Memberships.Removed
	var renamed int
	err = m.synced.ask(ctx, "SELECT count(*) FROM users"+ofCloud+" AND last_name = '"+made.Surname+"'", &renamed)
	if err == nil && (run.Users != users || run.Memberships.Added != made.Added || left < made.Removed || made.Deleted == 0 && left > made.Removed || renamed != made.Renamed) {
		err = fmt.Errorf("wrong answer: the run found %+v and %+v, and %d are renamed; changed were %+v", run.Users, run.Memberships, renamed, made)
	}
	return run, err
}

// oktaDeltas measures the deltas of Okta.
func (b *bench) oktaDeltas(ctx context.Context) error {
	return b.mirror(ctx, onPostgres, b.cloudOf(models.KindOkta), func(m *mirror) error {
		if _, err := m.first(ctx); err != nil {
			return err
		}
		full, err := m.nothing(ctx)
		if err != nil {
			return err
		}
		return m.deltas(ctx, full.took.Seconds())
	})
}

// google counts the requests of Google, which tells no changes.
func (b *bench) google(ctx context.Context) error {
	return b.mirror(ctx, onPostgres, b.cloudOf(models.KindGoogle), func(m *mirror) error {
		if _, err := m.first(ctx); err != nil {
			return err
		}
		run, err := m.nothing(ctx)
		if err != nil {
			return err
		}
		s := m.cloud.state
		most := (s.Users+499)/500 + (s.Groups+199)/200 + s.MemberPages + 10
		b.add(result{kind: sizes, name: rowGoogle, database: m.label, value: float64(run.Requests), goal: float64(most), unit: "requests"})
		return nil
	})
}

// longRuns is how often a run is measured that takes longer than others' windows.
const longRuns = 3

// repeat runs as often as a row is measured.
func (b *bench) repeat(ctx context.Context, do func(context.Context) (syncRun, error)) (runs []syncRun, err error) {
	for range b.turns() {
		run, err := do(ctx)
		if err != nil {
			return nil, err
		}
		runs = append(runs, run)
	}
	return runs, nil
}

func (b *bench) turns() int {
	if b.quick {
		return 1
	}
	return longRuns
}

// compareRuns lets the two sides take turns, once each in a quick run. Each is a process of its
// own, so nothing is warmed up.
func (b *bench) compareRuns(ctx context.Context, ours, anchor func(context.Context) (float64, error)) (comparison, error) {
	var seconds [2][]float64
	for range b.turns() {
		for i, do := range []func(context.Context) (float64, error){ours, anchor} {
			took, err := do(ctx)
			if err != nil {
				return comparison{}, err
			}
			seconds[i] = append(seconds[i], took)
		}
	}
	return comparison{median(seconds[0]), median(seconds[1]), spread(seconds[1])}, nil
}

func (b *bench) addRuns(name, label string, goal float64, c comparison) {
	b.add(result{kind: times, name: name, database: label, ours: c.ours, anchor: c.anchor, value: c.ours / c.anchor, goal: goal, spread: c.spread})
}

// addDeltas adds the rows of runs that are compared with a full one: the median of their seconds,
// and the most requests.
func (m *mirror) addDeltas(name, requests string, goal, most, full float64, runs []syncRun) {
	var seconds []float64
	asked := int64(0)
	for _, r := range runs {
		seconds, asked = append(seconds, r.took.Seconds()), max(asked, r.Requests)
	}
	m.add(result{kind: sizes, name: requests, database: m.label, value: float64(asked), goal: most, unit: "requests"})
	if full > 0 {
		m.addRuns(name, m.label, goal, comparison{median(seconds), full, 0})
	}
}
