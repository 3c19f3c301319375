package roster

import (
	"context"
	"fmt"
	"maps"
	"runtime/debug"
	"time"

	"github.com/rollcall-id/rollcall/store"
)

// due tells whether a directory is to have a new base: it was replaced, or its overlay has
// grown to one per cent of it, and a little more.
func (r *Roster) due(d *dirView) bool {
	return d.replaced || d.over.changes > r.spare+(d.users.len()+d.groups.len())/100
}

// foldSpare is how many changes a small directory's overlay may hold.
const foldSpare = 1000

// renewDue gives the directories that are due a new base, one after the other.
func (r *Roster) renewDue(ctx context.Context) error {
	for {
		d, seq := r.claim()
		if d == nil {
			return nil
		}
		if d.replaced {
			if err := r.reload(ctx, d); err != nil {
				return err
			}
			debug.FreeOSMemory() // the picture before, and what loading needed beside the new one
			continue
		}
		if err := r.fold(d, seq); err != nil {
			return fmt.Errorf("fold directory %d: %w", d.id, err)
		}
	}
}

// claim finds a directory that is due, one that was replaced before all others, and up to where
// its changes are known.
func (r *Roster) claim() (*dirView, int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.current.Load()
	if s == nil {
		return nil, 0
	}
	var found *dirView
	for _, d := range s.dirs {
		if r.due(d) && (found == nil || d.replaced) {
			found = d
		}
	}
	if found != nil {
		r.renewing, r.late = found.id, nil
	}
	return found, s.seq
}

// fold makes a directory's base and overlay into one base, while readers go on with the two.
func (r *Roster) fold(d *dirView, seq int64) error {
	next, err := folded(d, seq)
	return r.renew(d, next, err)
}

// reload loads a directory that was replaced. Until that has ended, seconds for a large one, the
// picture before answers, with what is heard meanwhile: the whole of it is a little old then,
// but no part of it is another moment's. Who can't live with that asks ReadsNow.
func (r *Roster) reload(ctx context.Context, d *dirView) error {
	start := time.Now()
	var next *dirView
	err := r.store.Load(ctx, func(l *store.Load) error {
		seq, err := l.LastChange()
		if err != nil {
			return err
		}
		b, err := loadBase(l, d.id, seq, d.base)
		if err == nil {
			next = newView(d.id, b)
		}
		return err
	})
	if err := r.renew(d, next, err); err != nil {
		return fmt.Errorf("load directory %d: %w", d.id, err)
	}
	r.log.Info("a directory was loaded anew", "directory", d.id, "users", next.users.len(), "took", time.Since(start).Round(time.Millisecond).String())
	return nil
}

// renew ends what claim began: it swaps the directory's new view in, with what changed
// meanwhile.
func (r *Roster) renew(d, next *dirView, err error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	late := r.late
	r.renewing, r.late = 0, nil
	s := r.current.Load()
	if err != nil || s == nil || s.dirs[d.id] == nil { // gone meanwhile
		return err
	}
	swapped := &Snapshot{dirs: maps.Clone(s.dirs), gone: s.gone, loaded: s.loaded, seq: s.seq}
	swapped.dirs[d.id] = next
	if swapped, err = apply(r.store, swapped, late); err != nil {
		r.giveUp(err)
		return nil
	}
	r.show(swapped)
	return nil
}
