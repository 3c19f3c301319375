package application

import (
	"context"

	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// AddMember puts a user into a group: in the user's directory, or with aggregation in the
// first directory that has both. Where the directory lacks the group, it gets a copy of it,
// if the application may create groups there.
func (v *View) AddMember(ctx context.Context, user, group string) error {
	return v.edit(ctx, func(e *directory.Edit) error {
		u, err := v.findIn(ctx, e.Reads(), e.Reads(), user)
		if err != nil {
			return err
		}
		g, err := v.findGroupIn(ctx, e.Reads(), group)
		if err != nil {
			return err
		}
		rows, err := e.Reads().UsersNamed(ctx, v.app.visible, u.Name)
		if err != nil {
			return err
		}
		var dirs []models.ID
		for _, row := range rows {
			dirs = append(dirs, row.DirectoryID)
		}
		if err := v.notYet(ctx, e, u.Name, group); err != nil {
			return err
		}
		m, err := v.place(ctx, e, dirs, g)
		if err != nil {
			return err
		}
		return e.AddMember(m.directory, g.Name, u.Name)
	})
}

// notYet answers AlreadyMember when, with aggregation, any directory has the membership.
func (v *View) notYet(ctx context.Context, e *directory.Edit, user, group string) error {
	if !v.app.Aggregate {
		return nil // the one directory's unique key says so
	}
	users, groups, err := v.rows(ctx, e.Reads(), user, group)
	if err != nil {
		return err
	}
	for _, u := range users {
		for _, g := range groups {
			if u.DirectoryID != g.DirectoryID {
				continue
			}
			if has, err := e.Reads().HasMember(ctx, g.ID, u.ID); err != nil || has {
				return either(err, models.Fail(models.AlreadyMember, user, "User <"+user+"> is already a member of group <"+group+">"))
			}
		}
	}
	return nil
}

func either(err error, fail *models.Error) error {
	if err != nil {
		return err
	}
	return fail
}

func (v *View) rows(ctx context.Context, r *store.Reads, user, group string) ([]*models.User, []*models.Group, error) {
	users, err := r.UsersNamed(ctx, v.app.visible, user)
	if err != nil {
		return nil, nil, err
	}
	groups, err := r.GroupsNamed(ctx, v.app.visible, group)
	return users, groups, err
}

// place chooses the directory in which a member, which is in the given directories, joins a
// group. Without aggregation only the first of them counts.
func (v *View) place(ctx context.Context, e *directory.Edit, dirs []models.ID, g *models.Group) (*mapping, error) {
	if !v.app.Aggregate {
		dirs = dirs[:1]
	}
	named, err := e.Reads().GroupsNamed(ctx, v.app.visible, g.Name)
	if err != nil {
		return nil, err
	}
	has := map[models.ID]bool{}
	for _, g := range named {
		has[g.DirectoryID] = true
	}
	for _, dir := range dirs {
		if m := v.mapping(dir); has[dir] && m.allowed(models.UpdateGroup) {
			return m, nil
		}
	}
	for _, dir := range dirs {
		m := v.mapping(dir)
		if has[dir] || !m.allowed(models.UpdateGroup|models.CreateGroup) {
			continue
		}
		_, err := e.CreateGroup(m.directory, directory.NewGroup{Name: g.Name, Description: g.Description, Active: g.Active})
		return m, err
	}
	need := models.UpdateGroup
	if !has[dirs[0]] {
		need |= models.CreateGroup
	}
	return nil, v.permitted(v.mapping(dirs[0]), need)
}

// RemoveMember takes a user out of a group: in the user's directory, or with aggregation in
// every directory that has the membership, each of which must permit it. Reported missing is
// the user first, then the group, then the membership.
func (v *View) RemoveMember(ctx context.Context, user, group string) error {
	return v.edit(ctx, func(e *directory.Edit) error {
		u, err := v.findIn(ctx, e.Reads(), e.Reads(), user)
		if err != nil {
			return err
		}
		if _, err := v.findGroupIn(ctx, e.Reads(), group); err != nil {
			return err
		}
		users, groups, err := v.rows(ctx, e.Reads(), u.Name, group)
		if err != nil {
			return err
		}
		if !v.app.Aggregate {
			users = users[:1]
		}
		gone := 0
		for _, u := range users {
			for _, g := range groups {
				if u.DirectoryID != g.DirectoryID {
					continue
				}
				has, err := e.Reads().HasMember(ctx, g.ID, u.ID)
				if err != nil {
					return err
				}
				if !has {
					continue
				}
				m := v.mapping(g.DirectoryID)
				if err := v.permitted(m, models.UpdateGroup); err != nil {
					return err
				}
				if err := e.RemoveMember(m.directory, g.Name, u.Name); err != nil {
					return err
				}
				gone++
			}
		}
		if gone == 0 {
			return models.Fail(models.NotMember, user, "<"+user+"> is not a member of group <"+group+">")
		}
		return nil
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
		p, err := v.findGroupIn(ctx, e.Reads(), parent)
		if err != nil {
			return err
		}
		children, err := e.Reads().GroupsNamed(ctx, v.app.visible, child)
		if err != nil {
			return err
		}
		if len(children) == 0 {
			return groupNotFound(child)
		}
		if children[0].NameKey == p.NameKey {
			return models.Fail(models.InvalidMembership, child, "Cannot add a group to itself.")
		}
		if err := v.noCircle(ctx, e, children[0], p); err != nil {
			return err
		}
		if err := v.notYetChild(ctx, e, children, p); err != nil {
			return err
		}
		var dirs []models.ID
		for _, c := range children {
			dirs = append(dirs, c.DirectoryID)
		}
		m, err := v.place(ctx, e, dirs, p)
		if err != nil {
			return err
		}
		return e.AddChild(m.directory, p.Name, children[0].Name)
	})
}

// noCircle looks, with aggregation, for a way from the child back to the parent through all
// directories; package directory looks within one.
func (v *View) noCircle(ctx context.Context, e *directory.Edit, child, parent *models.Group) error {
	if !v.app.Aggregate {
		return nil
	}
	rows, err := e.Reads().GroupsNamed(ctx, v.app.visible, child.Name)
	if err != nil {
		return err
	}
	start := v.startAt(rows, Nested, everywhere)
	below, err := e.Reads().ChildrenOf(ctx, v.app.visible, start, models.Everything)
	if err != nil {
		return err
	}
	for _, g := range below {
		if g.NameKey == parent.NameKey {
			return models.Fail(models.InvalidMembership, child.Name, "Cannot add group <"+child.Name+"> to group <"+parent.Name+">: it would close a circle of groups.")
		}
	}
	return nil
}

// notYetChild answers AlreadyMember when, with aggregation, any directory has the nesting.
func (v *View) notYetChild(ctx context.Context, e *directory.Edit, children []*models.Group, parent *models.Group) error {
	if !v.app.Aggregate {
		return nil // the one directory's unique key says so
	}
	parents, err := e.Reads().GroupsNamed(ctx, v.app.visible, parent.Name)
	if err != nil {
		return err
	}
	for _, c := range children {
		for _, p := range parents {
			if c.DirectoryID != p.DirectoryID {
				continue
			}
			if has, err := e.Reads().HasChild(ctx, p.ID, c.ID); err != nil || has {
				return either(err, models.Fail(models.AlreadyMember, c.Name, "Group <"+c.Name+"> is already a member of group <"+p.Name+">"))
			}
		}
	}
	return nil
}

// RemoveChild takes a group out of another: in the child's directory, or with aggregation in
// every directory that has the nesting, each of which must permit it.
func (v *View) RemoveChild(ctx context.Context, child, parent string) error {
	return v.edit(ctx, func(e *directory.Edit) error {
		r := e.Reads()
		if _, err := v.findGroupIn(ctx, r, parent); err != nil {
			return err
		}
		children, err := r.GroupsNamed(ctx, v.app.visible, child)
		if err != nil {
			return err
		}
		if len(children) == 0 {
			return groupNotFound(child)
		}
		parents, err := r.GroupsNamed(ctx, v.app.visible, parent)
		if err != nil {
			return err
		}
		if !v.app.Aggregate {
			children = children[:1]
		}
		gone := 0
		for _, c := range children {
			for _, p := range parents {
				if c.DirectoryID != p.DirectoryID {
					continue
				}
				has, err := r.HasChild(ctx, p.ID, c.ID)
				if err != nil {
					return err
				}
				if !has {
					continue
				}
				m := v.mapping(p.DirectoryID)
				if err := v.permitted(m, models.UpdateGroup); err != nil {
					return err
				}
				if err := e.RemoveChild(m.directory, p.Name, c.Name); err != nil {
					return err
				}
				gone++
			}
		}
		if gone == 0 {
			return models.Fail(models.NotMember, child, "<"+child+"> is not a member of group <"+parent+">")
		}
		return nil
	})
}
