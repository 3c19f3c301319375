package application

import (
	"context"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// GroupsOf lists the groups that a user is in, by name. UserNotFound for an unknown user.
func (v *View) GroupsOf(ctx context.Context, user string, d Depth, p models.Page) ([]*models.Group, error) {
	start, err := v.userStart(ctx, user, d)
	if err != nil {
		return nil, err
	}
	groups, err := v.reads.GroupsAround(ctx, v.app.visible, start, p)
	return v.groups(groups), err
}

// Members lists the users in a group, by name. GroupNotFound for an unknown group.
func (v *View) Members(ctx context.Context, group string, d Depth, p models.Page) ([]*User, error) {
	start, err := v.groupStart(ctx, group, d, everywhere)
	if err != nil {
		return nil, err
	}
	return v.membersAt(ctx, start, p)
}

func (v *View) membersAt(ctx context.Context, start store.Start, p models.Page) ([]*User, error) {
	users, err := v.reads.MembersOf(ctx, v.app.visible, start, p)
	if err != nil {
		return nil, err
	}
	return v.present(ctx, users)
}

// Parents lists the groups that a group is in, by name.
func (v *View) Parents(ctx context.Context, group string, d Depth, p models.Page) ([]*models.Group, error) {
	start, err := v.groupStart(ctx, group, d, asMember)
	if err != nil {
		return nil, err
	}
	groups, err := v.reads.ParentsOf(ctx, v.app.visible, start, p)
	return v.groups(groups), err
}

// Children lists the groups in a group, by name.
func (v *View) Children(ctx context.Context, group string, d Depth, p models.Page) ([]*models.Group, error) {
	start, err := v.groupStart(ctx, group, d, everywhere)
	if err != nil {
		return nil, err
	}
	groups, err := v.reads.ChildrenOf(ctx, v.app.visible, start, p)
	return v.groups(groups), err
}

// CheckMember answers NotMember unless a user is in a group, also when either is unknown.
func (v *View) CheckMember(ctx context.Context, user, group string, d Depth) error {
	groups, err := v.GroupsOf(ctx, user, d, models.Everything)
	return among(groups, err, user, group)
}

// CheckChild answers NotMember unless a group is in another, also when either is unknown.
func (v *View) CheckChild(ctx context.Context, child, parent string, d Depth) error {
	groups, err := v.Parents(ctx, child, d, models.Everything)
	return among(groups, err, child, parent)
}

func among(groups []*models.Group, err error, member, group string) error {
	if err != nil && !models.Is(err, models.UserNotFound) && !models.Is(err, models.GroupNotFound) {
		return err
	}
	key := models.Key(group)
	for _, g := range groups {
		if g.NameKey == key {
			return nil
		}
	}
	return notMember(member, group)
}

// userStart says at which rows a walk from a user begins: its canonical row, or with
// aggregation every row of its name.
func (v *View) userStart(ctx context.Context, user string, d Depth) (store.Start, error) {
	u, err := v.find(ctx, user)
	if err != nil {
		return store.Start{}, err
	}
	start := store.Start{IDs: []models.ID{u.ID}, Nested: v.nested(d)}
	if !v.app.Aggregate {
		return start, nil
	}
	all, err := v.reads.UsersNamed(ctx, v.app.visible, u.Name)
	start.IDs = start.IDs[:0]
	for _, u := range all {
		start.IDs = append(start.IDs, u.ID)
	}
	return start, err
}

// role says in which role a group begins a walk.
type role int

const (
	asMember   role = iota // of other groups: its canonical row counts, as for a user
	everywhere             // as the group whose members are wanted: each directory has its own
)

func (v *View) groupStart(ctx context.Context, group string, d Depth, as role) (store.Start, error) {
	rows, err := v.groupsNamed(ctx, group)
	if err != nil {
		return store.Start{}, err
	}
	return v.startAt(rows, d, as), nil
}

func (v *View) startAt(rows []*models.Group, d Depth, as role) store.Start {
	if as == asMember && !v.app.Aggregate {
		rows = rows[:1]
	}
	start := store.Start{Key: rows[0].NameKey, Nested: v.nested(d)}
	for _, g := range rows {
		start.IDs = append(start.IDs, g.ID)
	}
	return start
}
