package directory

import "github.com/rollcall-id/rollcall/models"

// AddMember puts a user into a group, or answers AlreadyMember.
func (e *Edit) AddMember(dir *models.Directory, group, user string) error {
	u, g, err := e.pair(dir, group, user)
	if err != nil {
		return err
	}
	return e.tx.AddMember(g, u)
}

// RemoveMember takes a user out of a group, or answers NotMember.
func (e *Edit) RemoveMember(dir *models.Directory, group, user string) error {
	u, g, err := e.pair(dir, group, user)
	if err != nil {
		return err
	}
	return e.tx.RemoveMember(g, u)
}

// pair finds the user first, then the group: the order decides which is reported missing.
func (e *Edit) pair(dir *models.Directory, group, user string) (*models.User, *models.Group, error) {
	if err := allow(dir, e.by, memberships); err != nil {
		return nil, nil, err
	}
	u, err := e.tx.UserByName(e.ctx, dir.ID, user)
	if err != nil {
		return nil, nil, err
	}
	g, err := e.tx.GroupByName(e.ctx, dir.ID, group)
	return u, g, err
}

// AddChild nests a group into another. InvalidMembership when that would put a group into
// itself, directly or through others; AlreadyMember when it is there.
func (e *Edit) AddChild(dir *models.Directory, parent, child string) error {
	if err := allow(dir, e.by, memberships); err != nil {
		return err
	}
	if err := e.tx.LockDirectory(dir.ID); err != nil {
		return err
	}
	p, c, err := e.nest(dir, parent, child)
	if err != nil {
		return err
	}
	if p.ID == c.ID {
		return models.Fail(models.InvalidMembership, c.Name, "Cannot add a group to itself.")
	}
	circle, err := e.tx.Contains(e.ctx, c.ID, p.ID)
	if err != nil {
		return err
	}
	if circle {
		return models.Fail(models.InvalidMembership, c.Name, "Cannot add group <"+c.Name+"> to group <"+p.Name+">: it would close a circle of groups.")
	}
	return e.tx.AddChild(p, c)
}

// RemoveChild takes a group out of another, or answers NotMember.
func (e *Edit) RemoveChild(dir *models.Directory, parent, child string) error {
	if err := allow(dir, e.by, memberships); err != nil {
		return err
	}
	p, c, err := e.nest(dir, parent, child)
	if err != nil {
		return err
	}
	return e.tx.RemoveChild(p, c)
}

func (e *Edit) nest(dir *models.Directory, parent, child string) (p, c *models.Group, err error) {
	if p, err = e.tx.GroupByName(e.ctx, dir.ID, parent); err != nil {
		return nil, nil, err
	}
	c, err = e.tx.GroupByName(e.ctx, dir.ID, child)
	return p, c, err
}
