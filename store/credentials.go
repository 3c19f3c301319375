package store

import (
	"context"
	"errors"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/rollcall-id/rollcall/models"
)

// Credential reads what is kept of a user's password and logins, what is only noted so far
// included. A user without any gets an empty one.
func (r *Reads) Credential(ctx context.Context, user models.ID) (models.Credential, error) {
	var c models.Credential
	err := r.store.notes.counted(ctx, func() error {
		c = models.Credential{UserID: user}
		err := r.db.WithContext(ctx).Where("user_id = ?", user).Take(&c).Error
		if errors.Is(err, gorm.ErrRecordNotFound) {
			return nil
		}
		return err
	}, func(p *noted) { p.overlayCredential(&c) })
	return c, doing("read a credential", err)
}

// Bookkeeping reads the bookkeeping of many users' logins at once, without any hash. Users
// without a row are left out.
func (r *Reads) Bookkeeping(ctx context.Context, users []models.ID) (map[models.ID]models.Credential, error) {
	out := make(map[models.ID]models.Credential, len(users))
	for start := 0; start < len(users); start += 500 {
		var rows []models.Credential
		err := r.store.notes.counted(ctx, func() error {
			return r.db.WithContext(ctx).Omit("hash").Where("user_id IN ?", users[start:min(start+500, len(users))]).Find(&rows).Error
		}, func(p *noted) {
			for i := range rows {
				p.overlayCredential(&rows[i])
			}
		})
		if err != nil {
			return nil, doing("read login bookkeeping", err)
		}
		for _, row := range rows {
			out[row.UserID] = row
		}
	}
	return out, nil
}

// OldPasswords reads a user's latest hashes before the present one, newest first.
func (r *Reads) OldPasswords(ctx context.Context, user models.ID, limit int) ([]models.Secret, error) {
	var rows []models.OldPassword
	err := r.db.WithContext(ctx).Where("user_id = ?", user).Order("id DESC").Limit(limit).Find(&rows).Error
	hashes := make([]models.Secret, len(rows))
	for i, row := range rows {
		hashes[i] = row.Hash
	}
	return hashes, doing("read the password history", err)
}

// SetPassword stores a user's new hash, remembers at most history old ones, ends all the
// user's sessions and delays, and clears what forced a change. An empty hash means that the
// user can't log in with a password.
func (tx *Tx) SetPassword(u *models.User, hash models.Secret, history int) error {
	if err := tx.touchUser(u); err != nil {
		return err
	}
	if err := tx.keepOldPassword(u.ID, history); err != nil {
		return err
	}
	c := models.Credential{UserID: u.ID, Hash: hash, ChangedAt: tx.at}
	err := tx.db.Clauses(clause.OnConflict{
		Columns:   []clause.Column{{Name: "user_id"}},
		DoUpdates: clause.AssignmentColumns([]string{"hash", "changed_at", "must_change", "failures"}),
	}).Create(&c).Error
	if err != nil {
		return doing("store the password", err)
	}
	if err := tx.db.Where("user_id = ?", u.ID).Delete(&models.Delay{}).Error; err != nil {
		return doing("end the delays", err)
	}
	tx.after = append(tx.after, func() { tx.store.notes.forgetUser(u.ID) })
	if err := tx.EndSessionsOf(u.ID, nil); err != nil {
		return err
	}
	tx.changed(models.Change{Kind: models.CredentialSet, DirectoryID: u.DirectoryID, RowID: u.ID, Name: u.Name, Data: userData(u, nil)})
	tx.audit("user.password", u.Name, u.DirectoryID, nil, nil)
	return nil
}

func (tx *Tx) keepOldPassword(user models.ID, history int) error {
	if history > 0 {
		err := tx.db.Exec("INSERT INTO old_passwords (user_id, hash) SELECT user_id, hash FROM credentials WHERE user_id = ? AND hash <> ''", user).Error
		if err != nil {
			return doing("keep the old password", err)
		}
	}
	err := tx.db.Exec("DELETE FROM old_passwords WHERE user_id = ? AND id NOT IN (SELECT id FROM old_passwords WHERE user_id = ? ORDER BY id DESC LIMIT ?)", user, user, history).Error
	return doing("shorten the password history", err)
}

// UpgradeHash replaces a user's hash by one of a better scheme for the same password. It does
// nothing when the password was changed meanwhile.
func (tx *Tx) UpgradeHash(user models.ID, old, hash models.Secret) error {
	r := tx.db.Model(&models.Credential{}).Where("user_id = ? AND hash = ?", user, old).Update("hash", hash)
	if r.Error == nil && r.RowsAffected > 0 {
		tx.changed(models.Change{Kind: models.CredentialUpgraded, RowID: user})
	}
	return doing("upgrade the password's hash", r.Error)
}

// SetBookkeeping stores the parts of a user's login bookkeeping that an operator or an
// application may set: must change, failures, last authenticated, last active. Setting the
// failures to zero also ends the user's delays.
func (tx *Tx) SetBookkeeping(u *models.User, c models.Credential) error {
	c.UserID = u.ID
	err := tx.db.Clauses(clause.OnConflict{
		Columns:   []clause.Column{{Name: "user_id"}},
		DoUpdates: clause.AssignmentColumns([]string{"changed_at", "must_change", "failures", "last_authenticated", "last_active"}),
	}).Create(&c).Error
	if err != nil {
		return doing("store login bookkeeping", err)
	}
	if c.Failures == 0 {
		if err := tx.db.Where("user_id = ?", u.ID).Delete(&models.Delay{}).Error; err != nil {
			return doing("end the delays", err)
		}
	}
	tx.after = append(tx.after, func() { tx.store.notes.forgetUser(u.ID) })
	tx.changed(models.Change{Kind: models.CredentialSet, DirectoryID: u.DirectoryID, RowID: u.ID, Name: u.Name, Data: userData(u, nil)})
	tx.audit("user.bookkeeping", u.Name, u.DirectoryID, nil, map[string]any{"mustChange": c.MustChange, "failures": c.Failures})
	return nil
}

// ExpirePasswords makes all users of the directories change their password at the next login,
// those included who have none. Passwords are no part of events: one line of the feed per
// directory says it.
func (tx *Tx) ExpirePasswords(dirs []*models.Directory) error {
	for _, dir := range dirs {
		r := tx.db.Exec(`INSERT INTO credentials (user_id, must_change) SELECT id, true FROM users WHERE directory_id = ? ORDER BY id
			ON CONFLICT (user_id) DO UPDATE SET must_change = true`, dir.ID)
		if r.Error != nil {
			return doing("expire passwords", r.Error)
		}
		tx.changed(models.Change{Kind: models.CredentialSet, DirectoryID: dir.ID, Name: dir.Name})
		tx.audit("directory.expire-passwords", dir.Name, dir.ID, nil, map[string]any{"users": r.RowsAffected})
	}
	return nil
}
