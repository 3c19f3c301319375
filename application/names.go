package application

import (
	"context"
	"iter"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/roster"
	"github.com/rollcall-id/rollcall/store"
)

// What most callers want of a list are its names. The methods here give those of GroupsOf,
// Members, Parents and Children; where memory answers, a name is not even copied. A sequence may
// be gone through later, and more than once.

// GroupNamesOf gives the names that GroupsOf lists.
func (v *View) GroupNamesOf(ctx context.Context, user string, d Depth, p models.Page) (iter.Seq[string], error) {
	start, err := v.userStart(ctx, user, d)
	if err != nil {
		return nil, err
	}
	if s, ok := v.reads.(*roster.Snapshot); ok {
		return v.streamed(s.GroupNamesAround(ctx, v.app.visible, start, p)), nil
	}
	groups, err := v.reads.GroupsAround(ctx, v.app.visible, start, p)
	return namesOf(v.groups(groups)), err
}

// MemberNames gives the names that Members lists.
func (v *View) MemberNames(ctx context.Context, group string, d Depth, p models.Page) (iter.Seq[string], error) {
	start, err := v.groupStart(ctx, group, d, everywhere)
	if err != nil {
		return nil, err
	}
	if s, ok := v.reads.(*roster.Snapshot); ok && !v.app.HasAliases {
		return v.streamed(s.MemberNames(ctx, v.app.visible, start, p)), nil
	}
	users, err := v.membersAt(ctx, start, p)
	return func(yield func(string) bool) {
		for _, u := range users {
			if !yield(u.Name) {
				return
			}
		}
	}, err
}

// ParentNames gives the names that Parents lists.
func (v *View) ParentNames(ctx context.Context, group string, d Depth, p models.Page) (iter.Seq[string], error) {
	start, err := v.groupStart(ctx, group, d, asMember)
	if err != nil {
		return nil, err
	}
	if s, ok := v.reads.(*roster.Snapshot); ok {
		return v.streamed(s.ParentNames(ctx, v.app.visible, start, p)), nil
	}
	groups, err := v.reads.ParentsOf(ctx, v.app.visible, start, p)
	return namesOf(v.groups(groups)), err
}

// ChildNames gives the names that Children lists.
func (v *View) ChildNames(ctx context.Context, group string, d Depth, p models.Page) (iter.Seq[string], error) {
	start, err := v.groupStart(ctx, group, d, everywhere)
	if err != nil {
		return nil, err
	}
	if s, ok := v.reads.(*roster.Snapshot); ok {
		return v.streamed(s.ChildNames(ctx, v.app.visible, start, p)), nil
	}
	groups, err := v.reads.ChildrenOf(ctx, v.app.visible, start, p)
	return namesOf(v.groups(groups)), err
}

// streamed gives a stream of the roster's, which can't fail, as the application wants it.
func (v *View) streamed(members iter.Seq2[store.Member, error]) iter.Seq[string] {
	return func(yield func(string) bool) {
		for m := range members {
			if !yield(v.name(m.Name)) {
				return
			}
		}
	}
}

func namesOf(groups []*models.Group) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, g := range groups {
			if !yield(g.Name) {
				return
			}
		}
	}
}
