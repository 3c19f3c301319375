package store

import (
	"context"
	"time"

	"gorm.io/gorm/clause"

	"github.com/rollcall-id/rollcall/models"
)

// A ResetToken lets whoever has it choose a user's password. A user has at most one: a new one
// takes the place of the old. Email and PasswordChangedAt are the user's own as they were when
// it was made; it counts only as long as they are.
type ResetToken struct {
	UserID            models.ID `gorm:"primaryKey;autoIncrement:false"`
	TokenHash         []byte    // SHA-256
	Email             string    // its Key
	PasswordChangedAt models.Time
	ExpiresAt         models.Time
}

// ResetToken finds a token by its hash, with the user it belongs to, who must be active, or
// answers InvalidToken.
func (r *Reads) ResetToken(ctx context.Context, hash []byte) (*models.User, error) {
	var token ResetToken
	if err := r.db.WithContext(ctx).Where("token_hash = ?", hash).Take(&token).Error; err != nil {
		return nil, found(err, models.InvalidToken, "")
	}
	u, err := r.UserByID(ctx, token.UserID)
	if err != nil {
		return nil, err
	}
	c, err := r.Credential(ctx, u.ID)
	if err != nil {
		return nil, err
	}
	if token.ExpiresAt <= r.store.Now() || !u.Active || u.EmailKey != token.Email || c.ChangedAt != token.PasswordChangedAt {
		return nil, models.Fail(models.InvalidToken, "", "")
	}
	return u, nil
}

// PutResetToken stores the hash of a user's token, in place of the one that the user had.
func (tx *Tx) PutResetToken(ctx context.Context, u *models.User, hash []byte, lifetime time.Duration) error {
	c, err := tx.Credential(ctx, u.ID)
	if err != nil {
		return err
	}
	if err := tx.db.Where("expires_at <= ?", tx.at).Delete(&ResetToken{}).Error; err != nil {
		return doing("forget old reset tokens", err)
	}
	row := ResetToken{UserID: u.ID, TokenHash: hash, Email: u.EmailKey, PasswordChangedAt: c.ChangedAt, ExpiresAt: tx.at.Add(lifetime)}
	err = tx.db.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "user_id"}}, UpdateAll: true}).Create(&row).Error
	return doing("store a reset token", err)
}

// TakeResetToken uses a token up, or answers InvalidToken where it doesn't count (any more).
func (tx *Tx) TakeResetToken(ctx context.Context, hash []byte) (*models.User, error) {
	u, err := tx.ResetToken(ctx, hash)
	if err != nil {
		return nil, err
	}
	r := tx.db.Where("user_id = ? AND token_hash = ?", u.ID, hash).Delete(&ResetToken{})
	if r.Error == nil && r.RowsAffected == 0 { // another took it while we looked
		return nil, models.Fail(models.InvalidToken, "", "")
	}
	return u, doing("use a reset token up", r.Error)
}

// A letterRequest remembers for a while that a letter was asked for.
type letterRequest struct {
	ID      models.ID `gorm:"primaryKey"`
	Subject string
	At      models.Time
}

// AskForLetter tells whether a letter may be written, and counts it: at most so many of one
// subject within the given time. Without the lock of a row of the subject's, some more may
// slip through that are asked for at the same moment.
func (tx *Tx) AskForLetter(subject string, most int64, within time.Duration) (bool, error) {
	from := tx.at.Add(-within)
	if err := tx.db.Where("at <= ?", from).Delete(&letterRequest{}).Error; err != nil {
		return false, doing("forget old letters", err)
	}
	var n int64
	if err := tx.db.Model(&letterRequest{}).Where("subject = ?", subject).Count(&n).Error; err != nil {
		return false, doing("count letters", err)
	}
	if n >= most {
		return false, nil
	}
	return true, doing("count a letter", tx.insert(&letterRequest{Subject: subject, At: tx.at}))
}
