package roster

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// Run builds the picture and keeps it small and whole, until ctx ends.
func (r *Roster) Run(ctx context.Context) error {
	look := time.NewTicker(time.Minute)
	defer look.Stop()
	wait := r.retry
	r.nudge()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-look.C:
			r.dropTooStale()
			continue
		case <-r.wake:
		}
		err := r.tend(ctx)
		if err == nil {
			wait = r.retry
			continue
		}
		if ctx.Err() != nil {
			return nil
		}
		if r.lost(err, wait) {
			wait = r.retry
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
			r.nudge()
		}
		wait = min(2*wait, r.longest)
	}
}

// lost looks at a failure. A fold that waits for changes is none, unless they never come: then
// the feed lost them, and everything is to be read anew. Nor may a directory that was replaced
// and can't be loaded answer for long as it was before.
func (r *Roster) lost(err error, waited time.Duration) bool {
	if !errors.Is(err, errUnsettled) {
		r.log.Warn("the roster could not be built or brought up to date; trying again", "error", err, "in", waited.String())
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if waited < r.longest || r.current.Load() == nil {
		return false
	}
	r.giveUp(err)
	return true
}

// tend does what is to be done: a picture where there is none, else new bases that are due.
func (r *Roster) tend(ctx context.Context) error {
	if r.current.Load() == nil {
		return r.Build(ctx)
	}
	r.work.Lock()
	defer r.work.Unlock()
	return r.renewDue(ctx)
}

// dropTooStale builds the picture anew once lines of the feed may have gone unread.
func (r *Roster) dropTooStale() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if age := r.feedAge(); age > tooStale && r.current.Load() != nil {
		r.giveUp(fmt.Errorf("the feed was last read %s ago", age.Round(time.Minute)))
	}
}

// Build loads all directories and swaps the picture in. Changes that come meanwhile wait.
func (r *Roster) Build(ctx context.Context) error {
	r.work.Lock()
	defer r.work.Unlock()
	start := time.Now()
	r.mu.Lock()
	r.loading, r.built = true, r.built+1
	r.mu.Unlock()
	s, err := load(ctx, r.store)
	if s, err = r.swap(s, err); err != nil {
		return fmt.Errorf("build the roster: %w", err)
	}
	debug.FreeOSMemory() // what loading needed is worth as much again as the picture
	users := 0
	for _, d := range s.dirs {
		users += d.users.len()
	}
	r.log.Info("the roster serves", "directories", len(s.dirs), "users", users, "took", time.Since(start).Round(time.Millisecond).String())
	return nil
}

// swap ends the loading, well or not.
func (r *Roster) swap(s *Snapshot, err error) (*Snapshot, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	queued := r.queued
	r.loading, r.queued = false, nil
	if err != nil {
		return nil, err
	}
	if s, err = apply(r.store, s, queued); err != nil {
		return nil, err
	}
	r.show(s)
	return s, nil
}

func load(ctx context.Context, st *store.Store) (*Snapshot, error) {
	s := &Snapshot{dirs: map[models.ID]*dirView{}}
	return s, st.Load(ctx, func(l *store.Load) error {
		seq, err := l.LastChange()
		if err != nil {
			return err
		}
		s.seq, s.loaded = seq, seq
		ids, err := l.Directories()
		if err != nil {
			return err
		}
		for _, id := range ids {
			b, err := loadBase(l, id, seq, nil)
			if err != nil {
				return fmt.Errorf("load directory %d: %w", id, err)
			}
			s.dirs[id] = newView(id, b)
		}
		return nil
	})
}
