package roster

import (
	"context"
	"encoding/binary"
	"iter"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// The methods here stream names and ids only, GroupKey being empty: what most callers ask for
// costs a few dozen nanoseconds a name then, and no memory. They are a Snapshot's alone.

// GroupNamesAround streams what GroupsAround lists.
func (s *Snapshot) GroupNamesAround(_ context.Context, v store.Visible, st store.Start, p models.Page) iter.Seq2[store.Member, error] {
	return func(yield func(store.Member, error) bool) {
		s.above(v, st, p, (*dirView).groupsOfUser, noRoom, names(yield))
	}
}

// ParentNames streams what ParentsOf lists.
func (s *Snapshot) ParentNames(_ context.Context, v store.Visible, st store.Start, p models.Page) iter.Seq2[store.Member, error] {
	return func(yield func(store.Member, error) bool) {
		s.above(v, st, p, (*dirView).parentsOfGroup, noRoom, names(yield))
	}
}

// MemberNames streams what MembersOf lists.
func (s *Snapshot) MemberNames(_ context.Context, v store.Visible, st store.Start, p models.Page) iter.Seq2[store.Member, error] {
	return func(yield func(store.Member, error) bool) {
		s.below(v, st, p, (*dirView).usersOfGroup, (*dirView).userSide, "", noRoom, names(yield))
	}
}

// ChildNames streams what ChildrenOf lists.
func (s *Snapshot) ChildNames(_ context.Context, v store.Visible, st store.Start, p models.Page) iter.Seq2[store.Member, error] {
	return func(yield func(store.Member, error) bool) {
		s.below(v, st, p, (*dirView).childrenOfGroup, (*dirView).groupSide, st.Key, noRoom, names(yield))
	}
}

func names(yield func(store.Member, error) bool) func(placed) bool {
	return func(m placed) bool {
		id, name, _ := m.hit.short()
		return yield(store.Member{ID: id, Name: name}, nil)
	}
}

func noRoom(int) {}

// member reads a row's id and name, as short does, but calls nothing for it: a dump asks for millions.
func (t *table) member(row uint32) store.Member {
	b := t.names[t.nameAt[row]:t.nameAt[row+1]]
	id, shift := models.ID(0), 0
	for b[0] >= 0x80 {
		id |= models.ID(b[0]&0x7F) << shift
		b, shift = b[1:], shift+7
	}
	id |= models.ID(b[0]) << shift
	b = b[1:]
	size, n := uint64(b[0]), 1
	if size >= 0x80 {
		size, n = binary.Uvarint(b)
	}
	return store.Member{ID: id, Name: view(b[n:][:size>>1])}
}
