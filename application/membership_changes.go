package application

import (
	"context"

	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/models"
)

// AddMember puts a user into a group: in the user's directory, or with aggregation in the
// first directory that has both. Where the directory lacks the group, it gets a copy of it,
// if the application may create groups there.
func (v *View) AddMember(ctx context.Context, user, group string) error {
	return v.edit(ctx, func(e *directory.Edit) error {
		u, users, groups, err := v.userAndGroup(ctx, e, user, group)
		if err != nil {
			return err
		}
		members := userSeats(users)
		if err := v.notYet(ctx, members, groups, e.Reads().HasMember, u.Name, "User <"+u.Name+"> is already a member of group <"+group+">"); err != nil {
			return err
		}
		m, err := v.place(e, members, groups)
		if err != nil {
			return err
		}
		return e.AddMember(m.directory, groups[0].Name, u.Name)
	})
}

// RemoveMember takes a user out of a group: in the user's directory, or with aggregation in
// every directory that has the membership, each of which must permit it. Reported missing is
// the user first, then the group, then the membership.
func (v *View) RemoveMember(ctx context.Context, user, group string) error {
	return v.edit(ctx, func(e *directory.Edit) error {
		u, users, groups, err := v.userAndGroup(ctx, e, user, group)
		if err != nil {
			return err
		}
		from, err := v.holding(ctx, userSeats(users), groups, e.Reads().HasMember)
		if err != nil {
			return err
		}
		return v.leave(from, user, group, func(dir *models.Directory) error { return e.RemoveMember(dir, groups[0].Name, u.Name) })
	})
}

// AddChild nests a group into another: in the child's directory, or with aggregation in the
// first that has both. Where the directory lacks the parent, it gets a copy as for AddMember.
// InvalidMembership when the application doesn't count nested groups, or when a circle would
// close.
func (v *View) AddChild(ctx context.Context, child, parent string) error {
	if !v.app.Nested {
		return models.Fail(models.InvalidMembership, child, "Application <"+v.app.Name+"> does not support nested groups.")
	}
	return v.edit(ctx, func(e *directory.Edit) error {
		children, parents, err := v.childAndParent(ctx, e, child, parent)
		if err != nil {
			return err
		}
		c, p := children[0], parents[0]
		if c.NameKey == p.NameKey {
			return models.Fail(models.InvalidMembership, child, "Cannot add a group to itself.")
		}
		if err := v.noCircle(ctx, e, children, p); err != nil {
			return err
		}
		members := groupSeats(children)
		if err := v.notYet(ctx, members, parents, e.Reads().HasChild, c.Name, "Group <"+c.Name+"> is already a member of group <"+p.Name+">"); err != nil {
			return err
		}
		m, err := v.place(e, members, parents)
		if err != nil {
			return err
		}
		return e.AddChild(m.directory, p.Name, c.Name)
	})
}

// RemoveChild takes a group out of another: in the child's directory, or with aggregation in
// every directory that has the nesting, each of which must permit it.
func (v *View) RemoveChild(ctx context.Context, child, parent string) error {
	return v.edit(ctx, func(e *directory.Edit) error {
		children, parents, err := v.childAndParent(ctx, e, child, parent)
		if err != nil {
			return err
		}
		from, err := v.holding(ctx, groupSeats(children), parents, e.Reads().HasChild)
		if err != nil {
			return err
		}
		return v.leave(from, child, parent, func(dir *models.Directory) error { return e.RemoveChild(dir, parents[0].Name, children[0].Name) })
	})
}

// userAndGroup finds a user, its rows and a group's, each in the order of the directories.
func (v *View) userAndGroup(ctx context.Context, e *directory.Edit, user, group string) (*models.User, []*models.User, []*models.Group, error) {
	u, err := v.findIn(ctx, e.Reads(), e.Reads(), user)
	if err != nil {
		return nil, nil, nil, err
	}
	groups, err := v.groupsIn(ctx, e.Reads(), group)
	if err != nil {
		return nil, nil, nil, err
	}
	users, err := e.Reads().UsersNamed(ctx, v.app.visible, u.Name)
	return u, users, groups, err
}

// childAndParent finds two groups' rows; reported missing is the parent first.
func (v *View) childAndParent(ctx context.Context, e *directory.Edit, child, parent string) (children, parents []*models.Group, err error) {
	if parents, err = v.groupsIn(ctx, e.Reads(), parent); err != nil {
		return nil, nil, err
	}
	children, err = v.groupsIn(ctx, e.Reads(), child)
	return children, parents, err
}

// A seat is the row of a user or group in one directory.
type seat struct{ id, directory models.ID }

func userSeats(users []*models.User) []seat {
	out := make([]seat, len(users))
	for i, u := range users {
		out[i] = seat{u.ID, u.DirectoryID}
	}
	return out
}

func groupSeats(groups []*models.Group) []seat {
	out := make([]seat, len(groups))
	for i, g := range groups {
		out[i] = seat{g.ID, g.DirectoryID}
	}
	return out
}

// counting leaves of a member's seats those that count: without aggregation the first.
func (v *View) counting(members []seat) []seat {
	if v.app.Aggregate {
		return members
	}
	return members[:1]
}

// holding gives the directories in which a member, where its seats count, is in a group.
func (v *View) holding(ctx context.Context, members []seat, groups []*models.Group, has func(ctx context.Context, group, member models.ID) (bool, error)) ([]*mapping, error) {
	var out []*mapping
	for _, m := range v.counting(members) {
		for _, g := range groups {
			if g.DirectoryID != m.directory {
				continue
			}
			is, err := has(ctx, g.ID, m.id)
			if err != nil {
				return nil, err
			}
			if is {
				out = append(out, v.mapping(m.directory))
			}
		}
	}
	return out, nil
}

// notYet answers AlreadyMember when, with aggregation, any directory has the membership.
func (v *View) notYet(ctx context.Context, members []seat, groups []*models.Group, has func(ctx context.Context, group, member models.ID) (bool, error), member, already string) error {
	if !v.app.Aggregate {
		return nil // the one directory's unique key says so
	}
	in, err := v.holding(ctx, members, groups, has)
	if err == nil && len(in) > 0 {
		return models.Fail(models.AlreadyMember, member, already)
	}
	return err
}

// leave ends a membership in every directory that has it, or answers NotMember.
func (v *View) leave(from []*mapping, member, group string, remove func(dir *models.Directory) error) error {
	for _, m := range from {
		if err := v.permitted(m, models.UpdateGroup); err != nil {
			return err
		}
		if err := remove(m.directory); err != nil {
			return err
		}
	}
	if len(from) == 0 {
		return notMember(member, group)
	}
	return nil
}

// place chooses the directory in which a member joins a group.
func (v *View) place(e *directory.Edit, members []seat, groups []*models.Group) (*mapping, error) {
	has := map[models.ID]bool{}
	for _, g := range groups {
		has[g.DirectoryID] = true
	}
	members = v.counting(members)
	for _, at := range members {
		if m := v.mapping(at.directory); has[at.directory] && m.allowed(models.UpdateGroup) {
			return m, nil
		}
	}
	for _, at := range members {
		m := v.mapping(at.directory)
		if has[at.directory] || !m.allowed(models.UpdateGroup|models.CreateGroup) {
			continue
		}
		g := groups[0]
		_, err := e.CreateGroup(m.directory, directory.NewGroup{Name: g.Name, Description: g.Description, Active: g.Active})
		return m, err
	}
	need := models.UpdateGroup
	if !has[members[0].directory] {
		need |= models.CreateGroup
	}
	return nil, v.permitted(v.mapping(members[0].directory), need)
}

// noCircle looks, with aggregation, for a way from the child back to the parent through all
// directories; package directory looks within one.
func (v *View) noCircle(ctx context.Context, e *directory.Edit, children []*models.Group, parent *models.Group) error {
	if !v.app.Aggregate {
		return nil
	}
	below, err := e.Reads().ChildrenOf(ctx, v.app.visible, v.startAt(children, Nested, everywhere), models.Everything)
	if err != nil {
		return err
	}
	child := children[0]
	for _, g := range below {
		if g.NameKey == parent.NameKey {
			return models.Fail(models.InvalidMembership, child.Name, "Cannot add group <"+child.Name+"> to group <"+parent.Name+">: it would close a circle of groups.")
		}
	}
	return nil
}
