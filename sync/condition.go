package sync

import (
	"context"
	"fmt"
	"time"

	"github.com/adhocore/gronx"

	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/models"
)

// A Condition is how the synchronisation of one directory is, for those who watch.
type Condition struct {
	Directory string
	State     models.SyncState
	Last      *models.Run // without its report; nil: there was none
	Stale     string      // why people should look; empty: all is well
}

// Conditions lists the condition of every directory that has a source.
func (s *Service) Conditions(ctx context.Context) ([]Condition, error) {
	dirs, err := s.store.Directories(ctx)
	if err != nil {
		return nil, err
	}
	runs, err := s.store.LastRuns(ctx)
	if err != nil {
		return nil, err
	}
	states, err := s.states(ctx)
	if err != nil {
		return nil, err
	}
	last := map[models.ID]*models.Run{}
	for _, run := range runs {
		last[run.DirectoryID] = run
	}
	var all []Condition
	for _, dir := range dirs {
		if !directory.Mirrored(dir.Kind) {
			continue
		}
		c := Condition{Directory: dir.Name, Last: last[dir.ID], State: states[dir.ID]}
		if settings, err := ReadSettings(dir); err != nil {
			c.Stale = err.Error()
		} else {
			c.Stale = settings.stale(&c.State, s.store.Now())
		}
		all = append(all, c)
	}
	return all, nil
}

// stale says why a directory that runs by itself is older than it should be: it missed two runs
// and what jitter adds, or the hour after one that a cron text wants.
func (s *Settings) stale(state *models.SyncState, now models.Time) string {
	switch {
	case !s.Scheduled(state):
		return ""
	case state.HeldRun != 0:
		return "a plan is held"
	case state.CompletedAt == 0:
		return "it was never synchronised"
	}
	due := state.CompletedAt.Add(2*s.Interval + 2*mostJitter)
	if s.cron() {
		next, err := gronx.NextTickAfter(s.Schedule, state.CompletedAt.Std(), false)
		if err != nil {
			return "its schedule can't be read"
		}
		due = models.TimeOf(next.Add(time.Hour))
	}
	if now <= due {
		return ""
	}
	text := fmt.Sprintf("last equal to its source %s ago", now.Sub(state.CompletedAt).Round(time.Minute))
	if state.Failures > 0 {
		text += fmt.Sprintf(", failed %d times in a row", state.Failures)
	}
	return text
}
