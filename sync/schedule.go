package sync

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/adhocore/gronx"

	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

const (
	// lookEvery is how often the schedule looks for directories that are due.
	lookEvery = 5 * time.Second

	// mostAtOnce is how many directories one process runs at the same time.
	mostAtOnce = 2

	// mostJitter keeps many directories from asking one tenant in the same second.
	mostJitter = 5 * time.Minute

	// mostSkew is by how much two machines' clocks may differ.
	mostSkew = 10 * time.Minute

	// mostBackOff is how long a directory rests at most after failures.
	mostBackOff = 24 * time.Hour
)

// schedule sets when a directory's next run is due.
func (r *run) schedule(state *models.SyncState) {
	state.NextRunAt = next(r.settings, r.service.store.Now(), state.Failures, rand.N(r.settings.jitter()+1))
}

// next gives the time of the run after one: by cron text, or after the interval and jitter. After
// three failures in a row a directory rests longer and longer.
func next(s *Settings, last models.Time, failures int, jitter time.Duration) models.Time {
	if s.cron() {
		if at, err := gronx.NextTickAfter(s.Schedule, last.Std(), false); err == nil {
			return models.TimeOf(at)
		}
	}
	wait := s.Interval
	for ; failures > 3 && wait < mostBackOff; failures-- {
		wait *= 2
	}
	return last.Add(min(wait, max(mostBackOff, s.Interval)) + jitter)
}

// jitter is how much later than the interval a run may be: up to a tenth.
func (s *Settings) jitter() time.Duration { return min(s.Interval/10, mostJitter) }

func (s *Settings) cron() bool { return s.Schedule != "" && s.Schedule != "on" && s.Schedule != "off" }

// Scheduled tells whether a directory runs by itself.
func (s *Settings) Scheduled(state *models.SyncState) bool {
	return s.Schedule != "off" && (s.Schedule != "" || state.Scheduled)
}

// Schedule runs directories that are due, until ctx ends. Of all processes on one database one
// runs a directory.
func (s *Service) Schedule(ctx context.Context) error {
	var running sync.WaitGroup
	defer running.Wait()
	room := make(chan struct{}, mostAtOnce)
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	running.Go(func() { s.keepHouse(ctx) })
	said := "" // of what is wrong
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		due, err := s.due(ctx)
		if ctx.Err() == nil {
			said = s.sayOnce(said, err)
		}
		for _, dir := range due {
			select {
			case room <- struct{}{}:
			default:
				continue // the next look will find it
			}
			running.Add(1)
			go func() {
				defer func() { <-room; running.Done() }()
				s.timed(ctx, dir)
			}()
		}
	}
}

// sayOnce logs what is wrong with the schedule, unless it was said at the look before.
func (s *Service) sayOnce(said string, err error) string {
	if err == nil {
		return ""
	}
	if err.Error() != said {
		s.log.Warn("the schedule of synchronisations can't be read; trying again", "error", err)
	}
	return err.Error()
}

// timed runs one directory, unless another process was faster. A failure is in its record, and
// in the log.
func (s *Service) timed(ctx context.Context, dir *models.Directory) {
	epoch, taken, err := s.store.TakeLease(ctx, dir.ID, s.owner, s.lease)
	if err != nil || !taken {
		if err != nil && ctx.Err() == nil {
			s.log.Warn("a directory that is due can't be taken; trying again", "directory", dir.Name, "error", err)
		}
		return
	}
	run, err := s.applyHeld(ctx, dir, epoch, Options{By: models.System, Timed: true})
	if run == nil && err != nil && ctx.Err() == nil {
		s.log.Warn("a directory that is due can't be synchronised", "directory", dir.Name, "error", err)
		s.postpone(ctx, dir)
	}
}

// postpone lets a directory rest whose run could not even begin.
func (s *Service) postpone(ctx context.Context, dir *models.Directory) {
	err := s.store.Write(ctx, models.System, func(tx *store.Tx) error {
		state, err := tx.SyncStateToChange(ctx, dir.ID)
		if err != nil {
			return err
		}
		state.NextRunAt = tx.At().Add(time.Minute)
		return tx.SaveSyncState(&state)
	})
	if err != nil && ctx.Err() == nil {
		s.log.Warn("the next synchronisation could not be put off", "directory", dir.Name, "error", err)
	}
}

// states reads the states of all directories; one that never ran has the zero state.
func (s *Service) states(ctx context.Context) (map[models.ID]models.SyncState, error) {
	list, err := s.store.SyncStates(ctx)
	states := make(map[models.ID]models.SyncState, len(list))
	for _, state := range list {
		states[state.DirectoryID] = state
	}
	return states, err
}

// due lists the directories whose next run is due and that nobody runs. Those whose settings can't be
// read are the error beside the others.
func (s *Service) due(ctx context.Context) (due []*models.Directory, err error) {
	dirs, err := s.store.Directories(ctx)
	if err != nil {
		return nil, err
	}
	now, err := s.store.Clock(ctx)
	if err != nil {
		return nil, err
	}
	states, err := s.states(ctx)
	if err != nil {
		return nil, err
	}
	for _, dir := range dirs {
		if !directory.Mirrored(dir.Kind) {
			continue
		}
		settings, unreadable := ReadSettings(dir)
		if unreadable != nil {
			err = errors.Join(err, unreadable)
			continue
		}
		state := states[dir.ID]
		if settings.Scheduled(&state) && state.HeldUntil <= now && dueAt(settings, &state, now) <= now {
			due = append(due, dir)
		}
	}
	return due, err
}

// Due gives the time of a scheduled directory's next run.
func (s *Settings) Due(state *models.SyncState, now models.Time) models.Time {
	return dueAt(s, state, now)
}

// dueAt gives the time of the next run: as the last one set it, unless the settings were others then,
// or it lies in a future which the clock was set back from.
func dueAt(s *Settings, state *models.SyncState, now models.Time) models.Time {
	last, latest := max(state.CompletedAt, state.FullAt), next(s, now, state.Failures, s.jitter())
	waits := state.NextRunAt == 0 && s.cron() // for the first time that its text tells
	switch {
	case !waits && state.NextRunAt.Sub(latest) <= mostSkew:
		return state.NextRunAt
	case last.Sub(now) > mostSkew:
		return now
	}
	return next(s, max(last, s.since), 0, s.jitter())
}
