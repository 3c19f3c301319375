package store

import (
	"database/sql"
	"errors"

	"gorm.io/gorm"

	"github.com/rollcall-id/rollcall/models"
)

// temporaryKey is an SQL expression for the key of a user's name while names change hands. It
// begins with a character that no name has.
const temporaryKey = "'\x01' || users.id"

// InsertUsers adds users of one directory with ids that ReserveUserIDs gave; one gets an external
// id where it has none, and the transaction's moment where it has no CreatedAt. InvalidUser when a
// name, or an external id, is in use.
func (tx *Tx) InsertUsers(users []*models.User) error {
	for _, u := range users {
		if u.ID == 0 {
			return errors.New("insert users: one has no id")
		}
		u.NameKey = models.Key(u.Name)
		foldUser(u)
		if u.CreatedAt == 0 {
			u.CreatedAt = tx.at
		}
		u.UpdatedAt = tx.at
		if u.ExternalID == "" {
			u.ExternalID = randomUUID()
		}
	}
	v := userBatch(users)
	column(v, "directory_id", users, func(u *models.User) int64 { return int64(u.DirectoryID) })
	column(v, "external_id", users, func(u *models.User) string { return u.ExternalID })
	column(v, "created_at", users, func(u *models.User) int64 { return int64(u.CreatedAt) })
	_, err := tx.exec(v, `INSERT INTO users (id, directory_id, name, name_key, first_name, first_key, last_name, last_key, display_name, display_key,
			email, email_key, active, external_id, created_at, updated_at)
		SELECT id, directory_id, name, name_key, first_name, first_key, last_name, last_key, display_name, display_key,
			email, email_key, active, external_id, created_at, ? FROM v`, tx.at)
	return inUse(err, models.InvalidUser, "insert users", "The name, or the external id, of a user to create is in use in the directory.")
}

// UpdateUsers stores names and standard fields of users as they are now. Names may be swapped and
// passed on among the users of one call; across calls FreeUserNames goes before. Those that are
// inactive lose all sessions, which the feed tells. InvalidUser when a name is in use,
// UserNotFound when a user is gone.
func (tx *Tx) UpdateUsers(users []*models.User) error {
	for _, u := range users {
		u.NameKey = models.Key(u.Name)
		foldUser(u)
		u.UpdatedAt = tx.at
	}
	v := userBatch(users)
	_, err := tx.exec(v, "UPDATE users SET name_key = "+temporaryKey+" FROM v WHERE users.id = v.id AND users.name_key <> v.name_key")
	if err != nil {
		return doing("free the names of users", err)
	}
	n, err := tx.exec(v, `UPDATE users SET name = v.name, name_key = v.name_key, first_name = v.first_name, first_key = v.first_key,
			last_name = v.last_name, last_key = v.last_key, display_name = v.display_name, display_key = v.display_key,
			email = v.email, email_key = v.email_key, active = v.active, updated_at = ?
		FROM v WHERE users.id = v.id`, tx.at)
	if err != nil {
		return inUse(err, models.InvalidUser, "update users", "The new name of a user is in use in the directory.")
	}
	if n < int64(len(users)) {
		return models.Fail(models.UserNotFound, "", "A user to change is gone.")
	}
	return tx.endSessions(inactive(users))
}

func inactive(users []*models.User) (ids []models.ID) {
	for _, u := range users {
		if !u.Active {
			ids = append(ids, u.ID)
		}
	}
	return ids
}

// FreeUserNames lets the names of users be taken by others in this transaction, which has to give
// each of them a name by UpdateUsers before it ends.
func (tx *Tx) FreeUserNames(ids []models.ID) error {
	_, err := tx.exec(idBatch(ids), "UPDATE users SET name_key = "+temporaryKey+" FROM v WHERE users.id = v.id")
	return doing("free the names of users", err)
}

// RemoveUsers removes users of a directory with everything that hangs on them: memberships,
// attributes, credentials, identities, aliases, and sessions, whose end the feed tells. Those that
// are gone already are passed over.
func (tx *Tx) RemoveUsers(dir models.ID, ids []models.ID) error {
	if err := tx.endSessions(ids); err != nil {
		return err
	}
	_, err := tx.exec(idBatch(ids), "DELETE FROM users WHERE +directory_id = ? AND id IN (SELECT id FROM v)", dir)
	return doing("remove users", err)
}

// endSessions ends all sessions of users, as EndSessionsOf does.
func (tx *Tx) endSessions(users []models.ID) error {
	told := map[models.ID]bool{}
	err := tx.query(tx.db.Statement.Context, idBatch(users), "DELETE FROM sessions WHERE user_id IN (SELECT id FROM v) RETURNING user_id", nil, func(rows *sql.Rows) error {
		var id models.ID
		if err := rows.Scan(&id); err != nil {
			return err
		}
		if !told[id] {
			told[id] = true
			tx.changed(models.Change{Kind: models.SessionsEnded, RowID: id})
		}
		return nil
	})
	return doing("end the users' sessions", err)
}

func userBatch(users []*models.User) *batch {
	v := &batch{}
	column(v, "id", users, func(u *models.User) int64 { return int64(u.ID) })
	column(v, "name", users, func(u *models.User) string { return u.Name })
	column(v, "name_key", users, func(u *models.User) string { return u.NameKey })
	column(v, "first_name", users, func(u *models.User) string { return u.FirstName })
	column(v, "first_key", users, func(u *models.User) string { return u.FirstKey })
	column(v, "last_name", users, func(u *models.User) string { return u.LastName })
	column(v, "last_key", users, func(u *models.User) string { return u.LastKey })
	column(v, "display_name", users, func(u *models.User) string { return u.DisplayName })
	column(v, "display_key", users, func(u *models.User) string { return u.DisplayKey })
	column(v, "email", users, func(u *models.User) string { return u.Email })
	column(v, "email_key", users, func(u *models.User) string { return u.EmailKey })
	column(v, "active", users, func(u *models.User) bool { return u.Active })
	return v
}

// inUse turns a unique violation into the code; the operator sees what lay underneath.
func inUse(err error, code models.Code, what, message string) error {
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return &models.Error{Code: code, Message: message, Err: err}
	}
	return doing(what, err)
}
