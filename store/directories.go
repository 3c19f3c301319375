package store

import (
	"context"
	"encoding/base64"
	"fmt"

	"github.com/rollcall-id/rollcall/models"
)

// Directories lists all directories with their settings, by name.
func (r *Reads) Directories(ctx context.Context) ([]*models.Directory, error) {
	var dirs []*models.Directory
	if err := r.db.WithContext(ctx).Order("key").Find(&dirs).Error; err != nil {
		return nil, doing("read directories", err)
	}
	return dirs, r.fillSettings(ctx, dirs)
}

// DirectoryByName finds a directory, or answers DirectoryNotFound.
func (r *Reads) DirectoryByName(ctx context.Context, name string) (*models.Directory, error) {
	var dir models.Directory
	if err := r.db.WithContext(ctx).Where("key = ?", models.Key(name)).Take(&dir).Error; err != nil {
		return nil, found(err, models.DirectoryNotFound, name)
	}
	return &dir, r.fillSettings(ctx, []*models.Directory{&dir})
}

func (r *Reads) fillSettings(ctx context.Context, dirs []*models.Directory) error {
	if len(dirs) == 0 {
		return nil
	}
	byID := make(map[models.ID]*models.Directory, len(dirs))
	ids := make([]models.ID, len(dirs))
	for i, dir := range dirs {
		dir.Settings = map[string]string{}
		byID[dir.ID], ids[i] = dir, dir.ID
	}
	var rows []models.DirectorySetting
	if err := r.db.WithContext(ctx).Where("directory_id IN ?", ids).Find(&rows).Error; err != nil {
		return doing("read directory settings", err)
	}
	for _, row := range rows {
		value, err := r.openSetting(row)
		if err != nil {
			return doing("read setting "+row.Name+" of directory "+byID[row.DirectoryID].Name, err)
		}
		byID[row.DirectoryID].Settings[row.Name] = value
	}
	return nil
}

func settingLabel(row models.DirectorySetting) string { return "directory setting " + row.Name }

func (r *Reads) openSetting(row models.DirectorySetting) (string, error) {
	if !row.Sealed {
		return row.Value, nil
	}
	sealed, err := base64.StdEncoding.DecodeString(row.Value)
	if err != nil {
		return "", fmt.Errorf("a sealed setting is not base64: %w", err)
	}
	secret, err := r.store.Unseal(settingLabel(row), sealed)
	return string(secret), err
}

// DirectoryContents counts what a directory holds: what goes with it when it is deleted.
type DirectoryContents struct {
	Users, Groups, Memberships int64
	Applications               []string // the names of those that are mapped to it
}

// ContentsOf counts a directory's users, groups, memberships and mapped applications.
func (r *Reads) ContentsOf(ctx context.Context, dir models.ID) (c DirectoryContents, err error) {
	db := r.db.WithContext(ctx)
	for _, count := range []struct {
		of   any
		into *int64
	}{{models.User{}, &c.Users}, {models.Group{}, &c.Groups}, {models.Membership{}, &c.Memberships}} {
		if err := db.Model(count.of).Where("directory_id = ?", dir).Count(count.into).Error; err != nil {
			return c, doing("count the directory's contents", err)
		}
	}
	err = db.Raw("SELECT a.name FROM applications a JOIN mappings m ON m.application_id = a.id WHERE m.directory_id = ? ORDER BY a.key", dir).
		Scan(&c.Applications).Error
	return c, doing("read the directory's applications", err)
}

// CreateDirectory adds a directory with its settings; secrets names the settings to seal.
// NameTaken when the name is in use.
func (tx *Tx) CreateDirectory(dir *models.Directory, secrets map[string]bool) error {
	dir.Key, dir.CreatedAt, dir.UpdatedAt = models.Key(dir.Name), tx.at, tx.at
	if err := tx.insert(dir); err != nil {
		return taken(err, models.NameTaken, dir.Name, "There is a directory of this name already.")
	}
	for name, value := range dir.Settings {
		if err := tx.putSetting(dir.ID, name, value, secrets[name]); err != nil {
			return err
		}
	}
	tx.directoryChanged(models.DirectoryChanged, dir, "directory.create", nil, shown(dir, secrets))
	return nil
}

// SaveDirectory stores the directory as it is now: name, description, active, permissions and
// all settings. before is what it was.
func (tx *Tx) SaveDirectory(before, dir *models.Directory, secrets map[string]bool) error {
	dir.Key, dir.UpdatedAt = models.Key(dir.Name), tx.at
	if err := tx.update(dir, "name", "key", "description", "active", "permissions", "updated_at"); err != nil {
		return taken(found(err, models.DirectoryNotFound, dir.Name), models.NameTaken, dir.Name, "There is a directory of this name already.")
	}
	if err := tx.db.Where("directory_id = ?", dir.ID).Delete(&models.DirectorySetting{}).Error; err != nil {
		return doing("replace the directory's settings", err)
	}
	for name, value := range dir.Settings {
		if err := tx.putSetting(dir.ID, name, value, secrets[name]); err != nil {
			return err
		}
	}
	tx.directoryChanged(models.DirectoryChanged, dir, "directory.set", shown(before, secrets), shown(dir, secrets))
	return nil
}

// ActivateDirectory shows a directory to its applications, whose event tokens expire by it: what
// they knew of it was nothing.
func (tx *Tx) ActivateDirectory(dir *models.Directory) error {
	dir.Active, dir.UpdatedAt = true, tx.at
	if err := tx.update(dir, "active", "updated_at"); err != nil {
		return found(err, models.DirectoryNotFound, dir.Name)
	}
	tx.directoryChanged(models.DirectoryChanged, dir, "directory.activate", nil, map[string]bool{"active": true})
	return nil
}

// DeleteDirectory removes a directory and everything in it, or answers DirectoryNotFound.
func (tx *Tx) DeleteDirectory(dir *models.Directory) error {
	if err := tx.remove(dir); err != nil {
		return found(err, models.DirectoryNotFound, dir.Name)
	}
	tx.directoryChanged(models.DirectoryDeleted, dir, "directory.delete", shown(dir, nil), nil)
	return nil
}

// DirectoryReplaced says that this transaction changes more of a directory than the feed should
// tell line by line: whoever follows the feed reads the directory anew. Lines of the same
// transaction about its rows may stand beside it, before or after. It has no entry in the audit
// log: who replaces a directory has one of their own.
func (tx *Tx) DirectoryReplaced(dir *models.Directory) {
	tx.changed(models.Change{Kind: models.DirectoryReplaced, DirectoryID: dir.ID, RowID: dir.ID, Name: dir.Name})
}

func (tx *Tx) directoryChanged(kind models.ChangeKind, dir *models.Directory, action string, before, after any) {
	tx.names[dir.ID] = dir.Name
	tx.changed(models.Change{Kind: kind, DirectoryID: dir.ID, RowID: dir.ID, Name: dir.Name})
	if !tx.silent {
		tx.Audit(Act{Action: action, Subject: dir.Name, Directory: dir.Name, Before: before, After: after})
	}
}

func (tx *Tx) putSetting(dir models.ID, name, value string, secret bool) error {
	row := models.DirectorySetting{DirectoryID: dir, Name: name, Value: value, Sealed: secret}
	if secret {
		row.Value = base64.StdEncoding.EncodeToString(tx.store.Seal(settingLabel(row), []byte(value)))
	}
	return doing("store setting "+name, tx.insert(&row))
}

// shown is a directory as the audit log shows it: secrets by name only.
func shown(dir *models.Directory, secrets map[string]bool) any {
	settings := map[string]string{}
	for name, value := range dir.Settings {
		if secrets == nil || secrets[name] {
			value = "[secret]"
		}
		settings[name] = value
	}
	return map[string]any{"name": dir.Name, "kind": dir.Kind, "description": dir.Description,
		"active": dir.Active, "permissions": dir.Permissions, "settings": settings}
}

// directoryName names a directory for the audit log; empty when it is gone. This process
// remembers names until a directory changes, and those that a transaction read only once it
// is kept: the directory may be the transaction's own.
func (tx *Tx) directoryName(id models.ID) string {
	if name, ok := tx.names[id]; ok {
		return name
	}
	if name, ok := tx.store.directoryNames.Load(id); ok {
		return name.(string)
	}
	var names []string
	tx.db.Raw("SELECT name FROM directories WHERE id = ?", id).Scan(&names)
	if len(names) == 0 {
		return ""
	}
	tx.names[id] = names[0]
	tx.after = append(tx.after, func() { tx.store.directoryNames.Store(id, names[0]) })
	return names[0]
}

// LockDirectory makes other writers that lock the same directory wait until this transaction
// ends: whoever checks for circles of groups must not be overtaken. SQLite has one writer.
func (tx *Tx) LockDirectory(id models.ID) error {
	if !tx.store.dialect.postgres() {
		return nil
	}
	return doing("lock the directory", tx.db.Exec("SELECT id FROM directories WHERE id = ? FOR NO KEY UPDATE", id).Error)
}
