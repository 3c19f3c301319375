package store

import (
	"context"
	"slices"
	"strings"

	"github.com/rollcall-id/rollcall/models"
)

// attributeRow is one value, of a user or a group.
type attributeRow struct {
	Owner models.ID
	Name  string
	Value string
}

// UserAttributes reads the attributes of many users at once, each by name.
func (r *Reads) UserAttributes(ctx context.Context, users []models.ID) (map[models.ID][]models.Attribute, error) {
	return r.attributes(ctx, "SELECT user_id AS owner, name, value FROM user_attributes WHERE user_id IN ? ORDER BY user_id, name, position", users)
}

// GroupAttributes reads the attributes of many groups at once, each by name.
func (r *Reads) GroupAttributes(ctx context.Context, groups []models.ID) (map[models.ID][]models.Attribute, error) {
	return r.attributes(ctx, "SELECT group_id AS owner, name, value FROM group_attributes WHERE group_id IN ? ORDER BY group_id, name, position", groups)
}

func (r *Reads) attributes(ctx context.Context, query string, owners []models.ID) (map[models.ID][]models.Attribute, error) {
	out := make(map[models.ID][]models.Attribute, len(owners))
	for batch := range slices.Chunk(owners, 500) {
		var rows []attributeRow
		if err := r.db.WithContext(ctx).Raw(query, batch).Scan(&rows).Error; err != nil {
			return nil, doing("read attributes", err)
		}
		for _, row := range rows {
			list := out[row.Owner]
			if n := len(list); n > 0 && list[n-1].Name == row.Name {
				list[n-1].Values = append(list[n-1].Values, row.Value)
			} else {
				list = append(list, models.Attribute{Name: row.Name, Values: []string{row.Value}})
			}
			out[row.Owner] = list
		}
	}
	return out, nil
}

// SetUserAttributes replaces the values of each named attribute; one without values is
// deleted. Attributes that are not named stay.
func (tx *Tx) SetUserAttributes(u *models.User, attrs []models.Attribute) error {
	if err := tx.touchUser(u); err != nil {
		return err
	}
	for _, a := range attrs {
		if err := tx.db.Where("user_id = ? AND name = ?", u.ID, a.Name).Delete(&models.UserAttribute{}).Error; err != nil {
			return doing("replace an attribute", err)
		}
		for i, value := range distinct(a.Values) {
			if err := tx.insert(&models.UserAttribute{UserID: u.ID, Name: a.Name, Position: i, Value: value, ValueKey: models.Key(value), Writer: tx.by.Writer}); err != nil {
				return doing("store an attribute", err)
			}
		}
	}
	tx.changed(models.Change{Kind: models.UserAttributes, DirectoryID: u.DirectoryID, RowID: u.ID, Name: u.Name, Data: userData(u, attributesTouched(attrs))})
	tx.audit("user.attributes", u.Name, u.DirectoryID, nil, attributesShown(attrs))
	return nil
}

// SetGroupAttributes replaces the values of each named attribute, as SetUserAttributes does.
func (tx *Tx) SetGroupAttributes(g *models.Group, attrs []models.Attribute) error {
	if err := tx.touchGroup(g); err != nil {
		return err
	}
	for _, a := range attrs {
		if err := tx.db.Where("group_id = ? AND name = ?", g.ID, a.Name).Delete(&models.GroupAttribute{}).Error; err != nil {
			return doing("replace an attribute", err)
		}
		for i, value := range distinct(a.Values) {
			if err := tx.insert(&models.GroupAttribute{GroupID: g.ID, Name: a.Name, Position: i, Value: value, ValueKey: models.Key(value), Writer: tx.by.Writer}); err != nil {
				return doing("store an attribute", err)
			}
		}
	}
	tx.groupChanged(models.GroupAttributes, g, attributesTouched(attrs))
	tx.audit("group.attributes", g.Name, g.DirectoryID, nil, attributesShown(attrs))
	return nil
}

// distinct drops values that come twice: an attribute is a set.
func distinct(values []string) []string {
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	return slices.Compact(sorted)
}

func attributesTouched(attrs []models.Attribute) *models.ChangedAttributes {
	touched := &models.ChangedAttributes{}
	for _, a := range attrs {
		if len(a.Values) == 0 {
			touched.Deleted = append(touched.Deleted, a.Name)
		} else {
			touched.Set = append(touched.Set, models.Attribute{Name: a.Name, Values: distinct(a.Values)})
		}
	}
	return touched
}

func attributesShown(attrs []models.Attribute) any {
	shown := map[string]string{}
	for _, a := range attrs {
		shown[a.Name] = strings.Join(a.Values, ", ")
	}
	return shown
}
