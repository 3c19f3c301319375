package directory

import "github.com/rollcall-id/rollcall/models"

// NewGroup says how to create a group.
type NewGroup struct {
	Name, Description string
	ExternalID        string // empty: a random UUID
	Active            bool
}

// CreateGroup adds a group. InvalidGroup when the name is taken or can't be one.
func (e *Edit) CreateGroup(dir *models.Directory, n NewGroup) (*models.Group, error) {
	if err := allow(dir, e.by, groups); err != nil {
		return nil, err
	}
	g := &models.Group{DirectoryID: dir.ID, Name: n.Name, Description: n.Description, ExternalID: n.ExternalID, Active: n.Active}
	if problem := models.NameProblem(g.Name); problem != "" {
		return nil, models.Fail(models.InvalidGroup, g.Name, "Group <"+printable(g.Name)+"> can't be created: "+problem)
	}
	if err := checkGroup(g); err != nil {
		return nil, err
	}
	return g, e.tx.CreateGroup(g)
}

func checkGroup(g *models.Group) error {
	if problem := models.TextProblem(g.Description, models.MaxText); problem != "" {
		return models.Fail(models.InvalidGroup, g.Name, "The description of group <"+g.Name+"> can't be stored: "+problem)
	}
	if problem := models.TextProblem(g.ExternalID, models.MaxName); problem != "" {
		return models.Fail(models.InvalidGroup, g.Name, "The external id of group <"+g.Name+"> can't be stored: "+problem)
	}
	return nil
}

// GroupPatch says what to change of a group; nil fields stay.
type GroupPatch struct {
	Description *string
	Active      *bool
}

// UpdateGroup changes a group's description or active flag.
func (e *Edit) UpdateGroup(dir *models.Directory, name string, p GroupPatch) (*models.Group, error) {
	g, err := e.group(dir, name, groups)
	if err != nil {
		return nil, err
	}
	before := *g
	set(&g.Description, p.Description)
	set(&g.Active, p.Active)
	if err := checkGroup(g); err != nil {
		return nil, err
	}
	return g, e.tx.SaveGroup(&before, g)
}

// DeleteGroup removes a group with its memberships.
func (e *Edit) DeleteGroup(dir *models.Directory, name string) error {
	g, err := e.group(dir, name, groups)
	if err != nil {
		return err
	}
	return e.tx.DeleteGroup(g)
}

// group finds the group that is to be changed, once the kind allows it.
func (e *Edit) group(dir *models.Directory, name string, p part) (*models.Group, error) {
	if err := allow(dir, e.by, p); err != nil {
		return nil, err
	}
	return e.tx.GroupToChange(e.ctx, dir.ID, name)
}
