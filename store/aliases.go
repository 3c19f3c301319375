package store

import (
	"context"
	"slices"

	"gorm.io/gorm/clause"

	"github.com/rollcall-id/rollcall/models"
)

// AliasByName finds the user that an application knows under a name, or answers AliasNotFound.
func (r *Reads) AliasByName(ctx context.Context, app models.ID, name string) (*models.Alias, error) {
	var a models.Alias
	if err := r.db.WithContext(ctx).Where("application_id = ? AND name_key = ?", app, models.Key(name)).Take(&a).Error; err != nil {
		return nil, found(err, models.AliasNotFound, name)
	}
	return &a, nil
}

// AliasesOf gives the aliases that an application has for these users.
func (r *Reads) AliasesOf(ctx context.Context, app models.ID, users []models.ID) (map[models.ID]string, error) {
	out := map[models.ID]string{}
	for batch := range slices.Chunk(users, 500) {
		var rows []models.Alias
		if err := r.db.WithContext(ctx).Where("application_id = ? AND user_id IN ?", app, batch).Find(&rows).Error; err != nil {
			return nil, doing("read aliases", err)
		}
		for _, row := range rows {
			out[row.UserID] = row.Name
		}
	}
	return out, nil
}

// Aliases lists an application's aliases by name.
func (r *Reads) Aliases(ctx context.Context, app models.ID) ([]models.Alias, error) {
	var rows []models.Alias
	err := r.db.WithContext(ctx).Where("application_id = ?", app).Order("name_key").Find(&rows).Error
	return rows, doing("read aliases", err)
}

// SetAlias gives a user a name in one application, or answers NameTaken.
func (tx *Tx) SetAlias(app *models.Application, u *models.User, alias string) error {
	row := models.Alias{ApplicationID: app.ID, UserID: u.ID, Name: alias, NameKey: models.Key(alias)}
	err := tx.db.Clauses(clause.OnConflict{
		Columns:   []clause.Column{{Name: "application_id"}, {Name: "user_id"}},
		DoUpdates: clause.AssignmentColumns([]string{"name", "name_key"}),
	}).Create(&row).Error
	if err != nil {
		return taken(err, models.NameTaken, alias, "Another user has this alias in the application already.")
	}
	tx.aliasChanged(app, u, "alias.set", nil, map[string]string{"user": u.Name, "alias": alias})
	return nil
}

// RemoveAlias takes a user's name in one application away, or answers AliasNotFound.
func (tx *Tx) RemoveAlias(app *models.Application, u *models.User) error {
	r := tx.db.Where("application_id = ? AND user_id = ?", app.ID, u.ID).Delete(&models.Alias{})
	if r.Error != nil {
		return doing("remove an alias", r.Error)
	}
	if r.RowsAffected == 0 {
		return models.Fail(models.AliasNotFound, u.Name, "The user has no alias in this application.")
	}
	tx.aliasChanged(app, u, "alias.remove", map[string]string{"user": u.Name}, nil)
	return nil
}

func (tx *Tx) aliasChanged(app *models.Application, u *models.User, action string, before, after any) {
	tx.changed(models.Change{Kind: models.AliasChanged, DirectoryID: u.DirectoryID, RowID: app.ID, MemberID: u.ID, Name: app.Name, Member: u.Name})
	tx.audit(action, app.Name, u.DirectoryID, before, after)
}
