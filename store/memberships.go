package store

import (
	"context"

	"gorm.io/gorm"

	"github.com/rollcall-id/rollcall/models"
)

// AddMember puts a user into a group, or answers AlreadyMember.
func (tx *Tx) AddMember(g *models.Group, u *models.User) error {
	m := models.Membership{GroupID: g.ID, UserID: u.ID, DirectoryID: g.DirectoryID, Writer: tx.by.Writer}
	if err := tx.insert(&m); err != nil {
		return taken(err, models.AlreadyMember, u.Name, "User <"+u.Name+"> is already a member of group <"+g.Name+">")
	}
	tx.membership(models.MemberAdded, g, u.ID, u.Name)
	tx.audit("group.add", g.Name, g.DirectoryID, nil, map[string]string{"user": u.Name})
	return nil
}

// RemoveMember takes a user out of a group, or answers NotMember.
func (tx *Tx) RemoveMember(g *models.Group, u *models.User) error {
	r := tx.db.Where("group_id = ? AND user_id = ?", g.ID, u.ID).Delete(&models.Membership{})
	if err := removed(r, u.Name, g.Name); err != nil {
		return err
	}
	tx.membership(models.MemberRemoved, g, u.ID, u.Name)
	tx.audit("group.remove", g.Name, g.DirectoryID, map[string]string{"user": u.Name}, nil)
	return nil
}

// AddChild nests a group into another, or answers AlreadyMember. Whether that closes a circle
// the caller has checked, under LockDirectory.
func (tx *Tx) AddChild(parent, child *models.Group) error {
	n := models.Nesting{ParentID: parent.ID, ChildID: child.ID, DirectoryID: parent.DirectoryID, Writer: tx.by.Writer}
	if err := tx.insert(&n); err != nil {
		return taken(err, models.AlreadyMember, child.Name, "Group <"+child.Name+"> is already a member of group <"+parent.Name+">")
	}
	tx.membership(models.NestingAdded, parent, child.ID, child.Name)
	tx.audit("group.add", parent.Name, parent.DirectoryID, nil, map[string]string{"group": child.Name})
	return nil
}

// RemoveChild takes a group out of another, or answers NotMember.
func (tx *Tx) RemoveChild(parent, child *models.Group) error {
	r := tx.db.Where("parent_id = ? AND child_id = ?", parent.ID, child.ID).Delete(&models.Nesting{})
	if err := removed(r, child.Name, parent.Name); err != nil {
		return err
	}
	tx.membership(models.NestingRemoved, parent, child.ID, child.Name)
	tx.audit("group.remove", parent.Name, parent.DirectoryID, map[string]string{"group": child.Name}, nil)
	return nil
}

func removed(r *gorm.DB, member, group string) error {
	if r.Error != nil {
		return doing("remove a membership", r.Error)
	}
	if r.RowsAffected == 0 {
		return models.Fail(models.NotMember, member, "<"+member+"> is not a member of group <"+group+">")
	}
	return nil
}

func (tx *Tx) membership(kind models.ChangeKind, g *models.Group, member models.ID, name string) {
	tx.changed(models.Change{Kind: kind, DirectoryID: g.DirectoryID, RowID: g.ID, Name: g.Name, MemberID: member, Member: name})
}

// HasMember tells whether a user is directly in a group.
func (r *Reads) HasMember(ctx context.Context, group, user models.ID) (bool, error) {
	var n int64
	err := r.db.WithContext(ctx).Model(&models.Membership{}).Where("group_id = ? AND user_id = ?", group, user).Count(&n).Error
	return n > 0, doing("read a membership", err)
}

// HasChild tells whether a group is directly in another.
func (r *Reads) HasChild(ctx context.Context, parent, child models.ID) (bool, error) {
	var n int64
	err := r.db.WithContext(ctx).Model(&models.Nesting{}).Where("parent_id = ? AND child_id = ?", parent, child).Count(&n).Error
	return n > 0, doing("read a nesting", err)
}

// Contains tells whether group is inside of outer, directly or not, in their directory. It
// ends also where groups form a circle.
func (r *Reads) Contains(ctx context.Context, outer, group models.ID) (bool, error) {
	var n int64
	err := r.db.WithContext(ctx).Raw(`WITH RECURSIVE up(id) AS (
		SELECT parent_id FROM nestings WHERE child_id = ?
		UNION SELECT n.parent_id FROM nestings n JOIN up ON n.child_id = up.id
	) SELECT count(*) FROM up WHERE id = ?`, group, outer).Scan(&n).Error
	return n > 0, doing("read nested groups", err)
}

// GroupNamesOf lists the keys of all groups that a user is in within its directory, directly
// and, with nested, through other groups.
func (r *Reads) GroupNamesOf(ctx context.Context, user models.ID, nested bool) ([]string, error) {
	query := `SELECT g.name_key FROM memberships m JOIN groups g ON g.id = m.group_id WHERE m.user_id = ?`
	if nested {
		query = `WITH RECURSIVE up(id) AS (
			SELECT group_id FROM memberships WHERE user_id = ?
			UNION SELECT n.parent_id FROM nestings n JOIN up ON n.child_id = up.id
		) SELECT g.name_key FROM up JOIN groups g ON g.id = up.id`
	}
	var keys []string
	err := r.db.WithContext(ctx).Raw(query, user).Scan(&keys).Error
	return keys, doing("read a user's groups", err)
}
