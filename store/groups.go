package store

import (
	"context"
	"encoding/json"

	"github.com/rollcall-id/rollcall/models"
)

// GroupByName finds a group of a directory, or answers GroupNotFound.
func (r *Reads) GroupByName(ctx context.Context, dir models.ID, name string) (*models.Group, error) {
	var g models.Group
	if err := r.db.WithContext(ctx).Where("directory_id = ? AND name_key = ?", dir, models.Key(name)).Take(&g).Error; err != nil {
		return nil, found(err, models.GroupNotFound, name)
	}
	return &g, nil
}

// GroupToChange finds a group of a directory and makes other writers of it wait until this
// transaction ends.
func (tx *Tx) GroupToChange(ctx context.Context, dir models.ID, name string) (*models.Group, error) {
	var g models.Group
	if err := tx.locking().WithContext(ctx).Where("directory_id = ? AND name_key = ?", dir, models.Key(name)).Take(&g).Error; err != nil {
		return nil, found(err, models.GroupNotFound, name)
	}
	return &g, nil
}

// GroupsOf lists a directory's groups by name, a page at a time: those whose key comes after
// the given one, at most limit.
func (r *Reads) GroupsOf(ctx context.Context, dir models.ID, after string, limit int) ([]*models.Group, error) {
	var groups []*models.Group
	err := r.db.WithContext(ctx).Where("directory_id = ? AND name_key > ?", dir, after).Order("name_key").Limit(limit).Find(&groups).Error
	return groups, doing("read groups", err)
}

// CreateGroup adds a group; it gets an external id where it has none. InvalidGroup when the
// name, or the external id, is in use in the directory.
func (tx *Tx) CreateGroup(g *models.Group) error {
	g.NameKey, g.DescriptionKey = models.Key(g.Name), models.Key(g.Description)
	g.CreatedAt, g.UpdatedAt = tx.at, tx.at
	if g.ExternalID == "" {
		g.ExternalID = randomUUID()
	}
	if err := tx.insert(g); err != nil {
		return taken(err, models.InvalidGroup, g.Name, "Group already exists")
	}
	tx.groupChanged(models.GroupCreated, g, nil)
	tx.audit("group.create", g.Name, g.DirectoryID, nil, groupShown(g))
	return nil
}

// SaveGroup stores a group's description and active flag as they are now.
func (tx *Tx) SaveGroup(before, g *models.Group) error {
	g.DescriptionKey, g.UpdatedAt = models.Key(g.Description), tx.at
	if err := tx.update(g, "description", "description_key", "active", "updated_at"); err != nil {
		return found(err, models.GroupNotFound, g.Name)
	}
	tx.groupChanged(models.GroupUpdated, g, nil)
	tx.audit("group.set", g.Name, g.DirectoryID, groupShown(before), groupShown(g))
	return nil
}

// DeleteGroup removes a group with its memberships, nestings and attributes, or answers
// GroupNotFound.
func (tx *Tx) DeleteGroup(g *models.Group) error {
	if err := tx.remove(g); err != nil {
		return found(err, models.GroupNotFound, g.Name)
	}
	tx.groupChanged(models.GroupDeleted, g, nil)
	tx.audit("group.delete", g.Name, g.DirectoryID, groupShown(g), nil)
	return nil
}

func (tx *Tx) touchGroup(g *models.Group) error {
	g.UpdatedAt = tx.at
	return found(tx.update(g, "updated_at"), models.GroupNotFound, g.Name)
}

func (tx *Tx) groupChanged(kind models.ChangeKind, g *models.Group, attrs *models.ChangedAttributes) {
	data, _ := json.Marshal(models.ChangedGroup{ // plain fields always marshal
		Description: g.Description, Active: g.Active, ExternalID: g.ExternalID, CreatedAt: g.CreatedAt, UpdatedAt: g.UpdatedAt,
		Attributes: attrs,
	})
	tx.changed(models.Change{Kind: kind, DirectoryID: g.DirectoryID, RowID: g.ID, Name: g.Name, Data: data})
}

func groupShown(g *models.Group) any {
	return map[string]any{"name": g.Name, "description": g.Description, "active": g.Active}
}

// GroupByID finds a group by its row, or answers GroupNotFound.
func (r *Reads) GroupByID(ctx context.Context, id models.ID) (*models.Group, error) {
	var g models.Group
	if err := r.db.WithContext(ctx).Where("id = ?", id).Take(&g).Error; err != nil {
		return nil, found(err, models.GroupNotFound, "")
	}
	return &g, nil
}
