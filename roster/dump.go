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
		in := newDirect(views, v.Aggregate, to, side)
		defer in.drop()
		for m := range canonical(views, (*dirView).groupSide, after) {
			in.group, in.only = m.hit.key(), m.hit
			if in.group > last {
				return
			}
			for member := range in.members {
				member.GroupKey = in.group
				if !yield(member, nil) {
					return
				}
			}
		}
	}
}

// Memberships calls each for every canonical group, by name, with who is directly in it, by name
// too; GroupKey is set of the group only. The sequences end with the call. It is a Snapshot's
// alone: nothing is gathered, so a directory of any size leaves no garbage.
func (s *Snapshot) Memberships(v store.Visible, each func(group store.Member, users, groups iter.Seq[store.Member]) error) error {
	views := s.views(v)
	inUsers := newDirect(views, v.Aggregate, (*dirView).usersOfGroup, (*dirView).userSide)
	defer inUsers.drop()
	inGroups := newDirect(views, v.Aggregate, (*dirView).childrenOfGroup, (*dirView).groupSide)
	defer inGroups.drop()
	users, groups := iter.Seq[store.Member](inUsers.members), iter.Seq[store.Member](inGroups.members)
	for m := range canonical(views, (*dirView).groupSide, "") {
		id, name, key := m.hit.short()
		inUsers.group, inUsers.only = key, m.hit
		inGroups.group, inGroups.only = key, m.hit
		if err := each(store.Member{GroupKey: key, ID: id, Name: name}, users, groups); err != nil {
			return err
		}
	}
	return nil
}

// direct finds who is directly in one group after another.
type direct struct {
	views     []*dirView
	aggregate bool
	to        func(*dirView) relation
	side      func(*dirView) side
	found     []*finding
	group     string // its key
	only      hit    // the group, where there is one directory
}

func newDirect(views []*dirView, aggregate bool, to func(*dirView) relation, side func(*dirView) side) *direct {
	d := &direct{views: views, aggregate: aggregate, to: to, side: side, found: make([]*finding, len(views))}
	for i, view := range views {
		d.found[i] = newFinding(side(view))
	}
	return d
}

func (d *direct) drop() {
	for _, f := range d.found {
		f.drop()
	}
}

// members gives who is in the group, by name.
func (d *direct) members(yield func(store.Member) bool) {
	if len(d.views) == 1 {
		if t, rows, ok := d.unchanged(); ok {
			for _, row := range rows {
				if !yield(t.member(row)) {
					return
				}
			}
			return
		}
	}
	for i, view := range d.views {
		d.found[i].clear()
		if h, ok := view.groupSide().ofKey(d.group); ok {
			d.to(view).each(h, func(h hit) { d.found[i].add(h) })
		}
	}
	for m := range answer(d.views, d.found, d.side, d.aggregate, "", models.Everything) {
		id, name, _ := m.hit.short()
		if !yield(store.Member{ID: id, Name: name}) {
			return
		}
	}
}

// unchanged gives the rows of the only directory's base, which are in order, when no change since
// touched the group or any of them.
func (d *direct) unchanged() (t *table, rows []uint32, ok bool) {
	r := d.to(d.views[0])
	if _, changed := r.changed(d.only); changed || d.only.row == none {
		return nil, nil, false
	}
	rows = r.csr.of(d.only.row)
	if r.far.r.byID.Len() == 0 {
		return r.far.t, rows, true
	}
	for _, row := range rows {
		if r.far.r.touched.perhaps(row) {
			return nil, nil, false
		}
	}
	return r.far.t, rows, true
}

// canonical gives the canonical rows of several directories in the order of keys, after one.
func canonical(views []*dirView, side func(*dirView) side, after string) iter.Seq[placed] {
	if after != "" {
		after += "\x00" // the least key that is greater
	}
	return canonicalFrom(views, side, after)
}

// canonicalFrom is canonical from a key on.
func canonicalFrom(views []*dirView, side func(*dirView) side, start string) iter.Seq[placed] {
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
