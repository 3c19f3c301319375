package store

import (
	"errors"

	"github.com/rollcall-id/rollcall/models"
)

// InsertGroups adds groups as InsertUsers adds users. InvalidGroup when a name, or an external id,
// is in use.
func (tx *Tx) InsertGroups(groups []*models.Group) error {
	for _, g := range groups {
		if g.ID == 0 {
			return errors.New("insert groups: one has no id")
		}
		g.NameKey, g.DescriptionKey = models.Key(g.Name), models.Key(g.Description)
		if g.CreatedAt == 0 {
			g.CreatedAt = tx.at
		}
		g.UpdatedAt = tx.at
		if g.ExternalID == "" {
			g.ExternalID = randomUUID()
		}
	}
	v := groupBatch(groups)
	column(v, "directory_id", groups, func(g *models.Group) int64 { return int64(g.DirectoryID) })
	column(v, "name", groups, func(g *models.Group) string { return g.Name })
	column(v, "name_key", groups, func(g *models.Group) string { return g.NameKey })
	column(v, "external_id", groups, func(g *models.Group) string { return g.ExternalID })
	column(v, "created_at", groups, func(g *models.Group) int64 { return int64(g.CreatedAt) })
	_, err := tx.exec(v, `INSERT INTO groups (id, directory_id, name, name_key, description, description_key, active, external_id, created_at, updated_at)
		SELECT id, directory_id, name, name_key, description, description_key, active, external_id, created_at, ? FROM v`, tx.at)
	return inUse(err, models.InvalidGroup, "insert groups", "The name, or the external id, of a group to create is in use in the directory.")
}

// UpdateGroups stores descriptions and active flags of groups as they are now: a group keeps its
// name. GroupNotFound when a group is gone.
func (tx *Tx) UpdateGroups(groups []*models.Group) error {
	for _, g := range groups {
		g.DescriptionKey, g.UpdatedAt = models.Key(g.Description), tx.at
	}
	n, err := tx.exec(groupBatch(groups), `UPDATE groups SET description = v.description, description_key = v.description_key,
			active = v.active, updated_at = ?
		FROM v WHERE groups.id = v.id`, tx.at)
	if err == nil && n < int64(len(groups)) {
		return models.Fail(models.GroupNotFound, "", "A group to change is gone.")
	}
	return doing("update groups", err)
}

// RemoveGroups removes groups of a directory with their memberships, nestings and attributes.
// Those that are gone already are passed over.
func (tx *Tx) RemoveGroups(dir models.ID, ids []models.ID) error {
	_, err := tx.exec(idBatch(ids), "DELETE FROM groups WHERE +directory_id = ? AND id IN (SELECT id FROM v)", dir)
	return doing("remove groups", err)
}

func groupBatch(groups []*models.Group) *batch {
	v := &batch{}
	column(v, "id", groups, func(g *models.Group) int64 { return int64(g.ID) })
	column(v, "description", groups, func(g *models.Group) string { return g.Description })
	column(v, "description_key", groups, func(g *models.Group) string { return g.DescriptionKey })
	column(v, "active", groups, func(g *models.Group) bool { return g.Active })
	return v
}
