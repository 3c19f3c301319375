package roster

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// Deaf makes a roster that hears of changes only by Heed.
func Deaf(st *store.Store, log *slog.Logger) *Roster {
	return newRoster(st, log)
}

// Heed takes changes as if the store had told them.
func (r *Roster) Heed(changes []models.Change) { r.heed(changes) }

// FoldAfter lets a directory's overlay hold so many changes. Call it before the roster is used.
func (r *Roster) FoldAfter(changes int) { r.spare = changes }

// FoldAll folds every directory in which anything changed, and loads those that were replaced.
func (r *Roster) FoldAll() error { return r.withSpare(0, r.Fold) }

// Reload loads the directories that were replaced, and folds nothing.
func (r *Roster) Reload() error { return r.withSpare(1<<40, r.Fold) }

func (r *Roster) withSpare(spare int, do func() error) error {
	r.mu.Lock()
	before := r.spare
	r.spare = spare
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		r.spare = before
		r.mu.Unlock()
	}()
	return do()
}

// FeedAge replaces what tells how old the news is. Call it before the roster is used.
func (r *Roster) FeedAge(age func() time.Duration) { r.feedAge = age }

// Fold folds what is due, and loads what was replaced.
func (r *Roster) Fold() error {
	r.work.Lock()
	defer r.work.Unlock()
	return r.renewDue(context.Background())
}

// ErrUnsettled is a fold's reason to wait for changes that are still to come.
var ErrUnsettled = errUnsettled

// Changed tells how many changes the overlays hold.
func (r *Roster) Changed() (n int) {
	if s := r.current.Load(); s != nil {
		for _, d := range s.dirs {
			n += d.over.changes
		}
	}
	return n
}

// Retry makes Run wait less after failures. Call it before the roster is used.
func (r *Roster) Retry(first, longest time.Duration) { r.retry, r.longest = first, longest }

// DropTooStale does what Run does each minute.
func (r *Roster) DropTooStale() { r.dropTooStale() }

// Generated gives a Snapshot of so many users in directory 1.
func Generated(t *testing.T, users int) *Snapshot {
	return generated(t, shape{users: users, groups: 11, perUser: 1})
}

// Picture gives what answers, and Show makes it answer again.
func (r *Roster) Picture() *Snapshot { return r.current.Load() }

// Show makes an earlier picture answer again.
func (r *Roster) Show(s *Snapshot) { r.current.Store(s) }
