package roster

import (
	"context"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// GroupsAround lists the canonical groups that a user is in, by name.
func (s *Snapshot) GroupsAround(_ context.Context, v store.Visible, st store.Start, p models.Page) ([]*models.Group, error) {
	var out list[models.Group]
	s.above(v, st, p, (*dirView).groupsOfUser, out.room, func(m placed) bool { return out.add(group(m.dir.id, m.hit)) })
	return out.pointers(), nil
}

// ParentsOf lists the canonical groups that a group is in, by name.
func (s *Snapshot) ParentsOf(_ context.Context, v store.Visible, st store.Start, p models.Page) ([]*models.Group, error) {
	var out list[models.Group]
	s.above(v, st, p, (*dirView).parentsOfGroup, out.room, func(m placed) bool { return out.add(group(m.dir.id, m.hit)) })
	return out.pointers(), nil
}

// MembersOf lists the canonical users in a group, by name.
func (s *Snapshot) MembersOf(_ context.Context, v store.Visible, st store.Start, p models.Page) ([]*models.User, error) {
	var out list[models.User]
	s.below(v, st, p, (*dirView).usersOfGroup, (*dirView).userSide, "", out.room, func(m placed) bool { return out.add(user(m.dir.id, m.hit)) })
	return out.pointers(), nil
}

// ChildrenOf lists the canonical groups inside a group, by name.
func (s *Snapshot) ChildrenOf(_ context.Context, v store.Visible, st store.Start, p models.Page) ([]*models.Group, error) {
	var out list[models.Group]
	s.below(v, st, p, (*dirView).childrenOfGroup, (*dirView).groupSide, st.Key, out.room, func(m placed) bool { return out.add(group(m.dir.id, m.hit)) })
	return out.pointers(), nil
}

// GroupNamesOf lists the keys of all groups that a user is in within its directory.
func (s *Snapshot) GroupNamesOf(_ context.Context, id models.ID, nested bool) ([]string, error) {
	for _, d := range s.dirs {
		if _, ok := d.userSide().ofID(id); !ok {
			continue
		}
		w := newWalk([]*dirView{d}, false)
		defer w.drop()
		w.start([]models.ID{id}, (*dirView).groupsOfUser)
		if nested {
			w.on((*dirView).parentsOfGroup)
		}
		keys := make([]string, 0, w.found[0].len())
		w.found[0].all(func(h hit) { keys = append(keys, h.key()) })
		return keys, nil
	}
	return nil, nil
}

// above calls each with a page of the groups that the first step leads to and, nested, of
// those above them. With Aggregate a step goes on from every group of the same name.
func (s *Snapshot) above(v store.Visible, st store.Start, p models.Page, first func(*dirView) relation, room func(int), each func(placed) bool) {
	w := newWalk(s.views(v), v.Aggregate && st.Nested)
	defer w.drop()
	w.start(st.IDs, first)
	if st.Nested {
		w.on((*dirView).parentsOfGroup)
	}
	room(most(w.found, p))
	for m := range answer(w.views, w.found, (*dirView).groupSide, true, st.Key, p) {
		if !each(m) {
			return
		}
	}
}

// below calls each with a page of what is linked with the groups at the start and, nested,
// with those inside them. Without Aggregate a member belongs to the groups of the directory in
// which it is canonical.
func (s *Snapshot) below(v store.Visible, st store.Start, p models.Page, to func(*dirView) relation, side func(*dirView) side, but string, room func(int), each func(placed) bool) {
	w := newWalk(s.views(v), v.Aggregate && st.Nested)
	defer w.drop()
	w.startAt(st.IDs)
	if st.Nested {
		w.on((*dirView).childrenOfGroup)
	}
	found := w.linked(to)
	defer func() {
		for _, f := range found {
			f.drop()
		}
	}()
	room(most(found, p))
	for m := range answer(w.views, found, side, v.Aggregate, but, p) {
		if !each(m) {
			return
		}
	}
}

// most is how many rows a page can have.
func most(found []*finding, p models.Page) int {
	n := 0
	for _, f := range found {
		n += f.len()
	}
	start, end := page(p, n)
	return end - start
}

// A list gathers an answer's rows side by side.
type list[T any] []T

func (l *list[T]) room(n int) { *l = make([]T, 0, n) }

func (l *list[T]) add(row T) bool {
	*l = append(*l, row)
	return true
}

func (l list[T]) pointers() []*T {
	out := make([]*T, len(l))
	for i := range l {
		out[i] = &l[i]
	}
	return out
}
