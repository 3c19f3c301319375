package roster

import (
	"context"
	"iter"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// VisibleGroups lists canonical groups by name after a key, at most so many.
func (s *Snapshot) VisibleGroups(_ context.Context, v store.Visible, after string, most int) ([]*models.Group, error) {
	var out []*models.Group
	if most == 0 {
		return nil, nil
	}
	for m := range canonical(s.views(v), (*dirView).groupSide, after) {
		g := group(m.dir.id, m.hit)
		if out = append(out, &g); len(out) == most {
			break
		}
	}
	return out, nil
}

// DumpUsers streams who is directly in the groups whose keys lie after one and up to another,
// ordered by the group's and the user's key.
func (s *Snapshot) DumpUsers(_ context.Context, v store.Visible, after, last string) iter.Seq2[store.Member, error] {
	return s.dump(v, after, last, (*dirView).usersOfGroup, (*dirView).userSide)
}

// DumpChildren streams which groups are directly in the groups whose keys lie after one and up
// to another, ordered by both keys.
func (s *Snapshot) DumpChildren(_ context.Context, v store.Visible, after, last string) iter.Seq2[store.Member, error] {
	return s.dump(v, after, last, (*dirView).childrenOfGroup, (*dirView).groupSide)
}

func (s *Snapshot) dump(v store.Visible, after, last string, to func(*dirView) relation, side func(*dirView) side) iter.Seq2[store.Member, error] {
	views := s.views(v)
	return func(yield func(store.Member, error) bool) {
		found := make([]*finding, len(views))
		for i, d := range views {
			found[i] = newFinding(side(d))
			defer found[i].drop()
		}
		for m := range canonical(views, (*dirView).groupSide, after) {
			key := m.hit.key()
			if key > last {
				return
			}
			for i, d := range views {
				found[i].clear()
				if h, ok := d.groupSide().ofKey(key); ok {
					to(d).each(h, func(h hit) { found[i].add(h) })
				}
			}
			for m := range answer(views, found, side, v.Aggregate, "", models.Everything) {
				id, name, _ := m.hit.short()
				if !yield(store.Member{GroupKey: key, ID: id, Name: name}, nil) {
					return
				}
			}
		}
	}
}

// canonical gives the canonical rows of several directories in the order of keys, after one.
func canonical(views []*dirView, side func(*dirView) side, after string) iter.Seq[placed] {
	start := after
	if after != "" {
		start += "\x00" // the least key that is greater
	}
	return func(yield func(placed) bool) {
		if len(views) == 1 {
			side(views[0]).ascend(start, func(h hit) bool { return yield(placed{views[0], h}) })
			return
		}
		type head struct {
			key  string
			hit  hit
			ok   bool
			next func() (hit, bool)
		}
		heads := make([]head, len(views))
		for i, d := range views {
			next, stop := iter.Pull(func(yield func(hit) bool) { side(d).ascend(start, yield) })
			defer stop()
			heads[i].next = next
			if heads[i].hit, heads[i].ok = next(); heads[i].ok {
				heads[i].key = heads[i].hit.key()
			}
		}
		for {
			best := -1 // of equal keys the first directory's
			for i := range heads {
				if heads[i].ok && (best < 0 || heads[i].key < heads[best].key) {
					best = i
				}
			}
			if best < 0 || !yield(placed{views[best], heads[best].hit}) {
				return
			}
			key := heads[best].key
			for i := range heads {
				for heads[i].ok && heads[i].key == key {
					if heads[i].hit, heads[i].ok = heads[i].next(); heads[i].ok {
						heads[i].key = heads[i].hit.key()
					}
				}
			}
		}
	}
}
