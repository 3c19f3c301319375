package store

import (
	"context"
	"encoding/json"

	"github.com/rollcall-id/rollcall/models"
)

// UserByName finds a user of a directory, or answers UserNotFound.
func (r *Reads) UserByName(ctx context.Context, dir models.ID, name string) (*models.User, error) {
	var u models.User
	if err := r.db.WithContext(ctx).Where("directory_id = ? AND name_key = ?", dir, models.Key(name)).Take(&u).Error; err != nil {
		return nil, found(err, models.UserNotFound, name)
	}
	return &u, nil
}

// UserByExternalID finds a user of a directory by its external id, or answers UserNotFound.
func (r *Reads) UserByExternalID(ctx context.Context, dir models.ID, id string) (*models.User, error) {
	var u models.User
	if err := r.db.WithContext(ctx).Where("directory_id = ? AND external_id = ?", dir, id).Take(&u).Error; err != nil {
		return nil, found(err, models.UserNotFound, id)
	}
	return &u, nil
}

// UserByID finds a user by its row, or answers UserNotFound.
func (r *Reads) UserByID(ctx context.Context, id models.ID) (*models.User, error) {
	var u models.User
	if err := r.db.WithContext(ctx).Where("id = ?", id).Take(&u).Error; err != nil {
		return nil, found(err, models.UserNotFound, "")
	}
	return &u, nil
}

// UserToChange finds a user of a directory and makes other writers of it wait until this
// transaction ends: what is changed is then what is stored, and not what somebody read before.
func (tx *Tx) UserToChange(ctx context.Context, dir models.ID, name string) (*models.User, error) {
	var u models.User
	if err := tx.locking().WithContext(ctx).Where("directory_id = ? AND name_key = ?", dir, models.Key(name)).Take(&u).Error; err != nil {
		return nil, found(err, models.UserNotFound, name)
	}
	return &u, nil
}

// LockUser reads a user by its row and makes other writers that lock or change it wait until
// this transaction ends, or answers UserNotFound. SQLite has one writer.
func (tx *Tx) LockUser(ctx context.Context, id models.ID) (*models.User, error) {
	if tx.store.dialect.postgres() {
		if err := tx.db.WithContext(ctx).Exec("SELECT id FROM users WHERE id = ? FOR NO KEY UPDATE", id).Error; err != nil {
			return nil, doing("lock the user", err)
		}
	}
	return tx.UserByID(ctx, id)
}

// UsersOf lists a directory's users by name, a page at a time: those whose key comes after
// the given one, at most limit.
func (r *Reads) UsersOf(ctx context.Context, dir models.ID, after string, limit int) ([]*models.User, error) {
	var users []*models.User
	err := r.db.WithContext(ctx).Where("directory_id = ? AND name_key > ?", dir, after).Order("name_key").Limit(limit).Find(&users).Error
	return users, doing("read users", err)
}

// CreateUser adds a user; it gets an external id where it has none. InvalidUser when the
// name, or the external id, is in use in the directory.
func (tx *Tx) CreateUser(u *models.User) error {
	u.NameKey = models.Key(u.Name)
	foldUser(u)
	u.CreatedAt, u.UpdatedAt = tx.at, tx.at
	if u.ExternalID == "" {
		u.ExternalID = randomUUID()
	}
	if err := tx.insert(u); err != nil {
		return taken(err, models.InvalidUser, u.Name, "User already exists")
	}
	tx.userChanged(models.UserCreated, u, "")
	tx.audit("user.create", u.Name, u.DirectoryID, nil, userShown(u))
	return nil
}

// SaveUser stores a user's standard fields as they are now; before is what they were. A user
// who becomes inactive loses all sessions.
func (tx *Tx) SaveUser(before, u *models.User) error {
	u.UpdatedAt = tx.at
	foldUser(u)
	err := tx.update(u, "first_name", "first_key", "last_name", "last_key", "display_name", "display_key",
		"email", "email_key", "active", "updated_at")
	if err != nil {
		return found(err, models.UserNotFound, u.Name)
	}
	if !u.Active { // whatever before says: another may have written in the meantime
		if err := tx.EndSessionsOf(u.ID, nil); err != nil {
			return err
		}
	}
	tx.userChanged(models.UserUpdated, u, "")
	tx.audit("user.set", u.Name, u.DirectoryID, userShown(before), userShown(u))
	return nil
}

func foldUser(u *models.User) {
	u.FirstKey, u.LastKey = models.Key(u.FirstName), models.Key(u.LastName)
	u.DisplayKey, u.EmailKey = models.Key(u.DisplayName), models.Key(u.Email)
}

// RenameUser gives a user another name; its external id stays. InvalidUser when the name is
// in use in the directory.
func (tx *Tx) RenameUser(u *models.User, name string) error {
	old := u.Name
	u.Name, u.NameKey, u.UpdatedAt = name, models.Key(name), tx.at
	if err := tx.update(u, "name", "name_key", "updated_at"); err != nil {
		return taken(found(err, models.UserNotFound, old), models.InvalidUser, name, "User already exists")
	}
	tx.userChanged(models.UserRenamed, u, old)
	tx.audit("user.rename", u.Name, u.DirectoryID, map[string]string{"name": old}, map[string]string{"name": name})
	return nil
}

// DeleteUser removes a user with everything that hangs on it: memberships, attributes,
// credential, identities, aliases, sessions. UserNotFound when it is gone already.
func (tx *Tx) DeleteUser(u *models.User) error {
	if err := tx.EndSessionsOf(u.ID, nil); err != nil {
		return err
	}
	if err := tx.remove(u); err != nil {
		return found(err, models.UserNotFound, u.Name)
	}
	tx.userChanged(models.UserDeleted, u, "")
	tx.audit("user.delete", u.Name, u.DirectoryID, userShown(u), nil)
	return nil
}

// touchUser moves a user's updated date, and by that makes other writers of the user wait.
func (tx *Tx) touchUser(u *models.User) error {
	u.UpdatedAt = tx.at
	return found(tx.update(u, "updated_at"), models.UserNotFound, u.Name)
}

func (tx *Tx) userChanged(kind models.ChangeKind, u *models.User, oldName string) {
	tx.changed(models.Change{Kind: kind, DirectoryID: u.DirectoryID, RowID: u.ID, Name: u.Name, Member: oldName, Data: userData(u, nil)})
}

func userData(u *models.User, attrs *models.ChangedAttributes) []byte {
	data, _ := json.Marshal(models.ChangedUser{ // plain fields always marshal
		FirstName: u.FirstName, LastName: u.LastName, DisplayName: u.DisplayName, Email: u.Email,
		Active: u.Active, ExternalID: u.ExternalID, CreatedAt: u.CreatedAt, UpdatedAt: u.UpdatedAt, Attributes: attrs,
	})
	return data
}

func userShown(u *models.User) any {
	return map[string]any{"name": u.Name, "first": u.FirstName, "last": u.LastName, "display": u.DisplayName,
		"email": u.Email, "active": u.Active, "external": u.ExternalID}
}
