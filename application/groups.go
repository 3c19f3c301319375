package application

import (
	"context"

	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/models"
)

// Group finds a group by name, or answers GroupNotFound.
func (v *View) Group(ctx context.Context, name string) (*models.Group, error) {
	g, err := v.findGroup(ctx, name)
	if err != nil {
		return nil, err
	}
	g.Name = v.name(g.Name)
	return g, nil
}

// GroupAttributes reads a group's attributes by name.
func (v *View) GroupAttributes(ctx context.Context, name string) (*models.Group, []models.Attribute, error) {
	g, err := v.Group(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	attrs, err := v.AttributesOfGroups(ctx, []*models.Group{g})
	return g, attrs[g.ID], err
}

// AttributesOfGroups reads the attributes of many groups at once.
func (v *View) AttributesOfGroups(ctx context.Context, groups []*models.Group) (map[models.ID][]models.Attribute, error) {
	ids := make([]models.ID, len(groups))
	for i, g := range groups {
		ids[i] = g.ID
	}
	return v.service.directories.GroupAttributes(ctx, ids)
}

// NewGroup says how to create a group.
type NewGroup struct {
	Name, Description string
	Active            bool
}

// CreateGroup adds a group to every directory in which the application may create groups.
// InvalidGroup when any of its directories has the name already.
func (v *View) CreateGroup(ctx context.Context, n NewGroup) (*models.Group, error) {
	if _, err := v.firstDirectory(models.CreateGroup, "groups"); err != nil {
		return nil, err
	}
	if problem := models.NameProblem(n.Name); problem != "" {
		return nil, models.Fail(models.InvalidGroup, n.Name, "The group can't be created: "+problem)
	}
	var first *models.Group
	err := v.edit(ctx, func(e *directory.Edit) error {
		first = nil
		known, err := e.Reads().GroupsNamed(ctx, v.app.visible, n.Name)
		if err != nil {
			return err
		}
		if len(known) > 0 {
			return models.Fail(models.InvalidGroup, n.Name, "Group already exists")
		}
		for i := range v.app.mappings {
			m := &v.app.mappings[i]
			if !m.allowed(models.CreateGroup) {
				continue
			}
			g, err := e.CreateGroup(m.directory, directory.NewGroup{Name: n.Name, Description: n.Description, Active: n.Active})
			if err != nil {
				return err
			}
			if first == nil {
				first = g
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	first.Name = v.name(first.Name)
	return first, nil
}

// GroupPatch says what to change of a group; nil fields stay. Name only says which group is
// meant, and must agree.
type GroupPatch struct {
	Name        string
	Description *string
	Active      *bool
}

// UpdateGroup changes a group in every directory that has it and permits that.
func (v *View) UpdateGroup(ctx context.Context, name string, p GroupPatch) (*models.Group, error) {
	if models.Key(p.Name) != models.Key(name) {
		return nil, models.Fail(models.InvalidGroup, p.Name, "The group name in the request's body <"+p.Name+"> is not the one in its address <"+name+">.")
	}
	err := v.eachGroup(ctx, name, models.UpdateGroup, func(e *directory.Edit, dir *models.Directory) error {
		_, err := e.UpdateGroup(dir, name, directory.GroupPatch{Description: p.Description, Active: p.Active})
		return err
	})
	if err != nil {
		return nil, err
	}
	return v.Group(ctx, name)
}

// DeleteGroup removes a group from every directory that has it and permits that.
func (v *View) DeleteGroup(ctx context.Context, name string) error {
	return v.eachGroup(ctx, name, models.DeleteGroup, func(e *directory.Edit, dir *models.Directory) error {
		return e.DeleteGroup(dir, name)
	})
}

// SetGroupAttributes replaces the values of each named attribute in every directory that has
// the group and permits that.
func (v *View) SetGroupAttributes(ctx context.Context, name string, attrs []models.Attribute) error {
	return v.eachGroup(ctx, name, models.UpdateGroupAttribute, func(e *directory.Edit, dir *models.Directory) error {
		return e.SetGroupAttributes(dir, name, attrs)
	})
}

// DeleteGroupAttribute removes an attribute; it needn't exist.
func (v *View) DeleteGroupAttribute(ctx context.Context, name, attribute string) error {
	return v.SetGroupAttributes(ctx, name, []models.Attribute{{Name: attribute}})
}

// eachGroup changes the group of a name in all directories that have it and permit the change,
// in one transaction. GroupNotFound when none has it, PermissionDenied when none permits it.
func (v *View) eachGroup(ctx context.Context, name string, need models.Permissions, do func(e *directory.Edit, dir *models.Directory) error) error {
	return v.edit(ctx, func(e *directory.Edit) error {
		found, err := v.groupsIn(ctx, e.Reads(), name)
		if err != nil {
			return err
		}
		done := 0
		for _, g := range found {
			m := v.mapping(g.DirectoryID)
			if !m.allowed(need) {
				continue
			}
			if err := do(e, m.directory); err != nil {
				return err
			}
			done++
		}
		if done == 0 {
			return v.permitted(v.mapping(found[0].DirectoryID), need)
		}
		return nil
	})
}
