package store

import (
	"context"

	"github.com/rollcall-id/rollcall/models"
)

// UserByIdentity finds the user whom a provider calls subject, or answers UserNotFound.
func (r *Reads) UserByIdentity(ctx context.Context, provider, subject string) (*models.User, error) {
	var u models.User
	err := r.db.WithContext(ctx).Joins("JOIN identities i ON i.user_id = users.id").
		Where("i.provider = ? AND i.subject = ?", provider, subject).Take(&u).Error
	if err != nil {
		return nil, found(err, models.UserNotFound, subject)
	}
	return &u, nil
}

// AddIdentity says that a provider's subject is this user; NameTaken when it is another's.
func (tx *Tx) AddIdentity(provider, subject string, u *models.User) error {
	if err := tx.insert(&models.Identity{Provider: provider, Subject: subject, UserID: u.ID}); err != nil {
		return taken(err, models.NameTaken, subject, "This identity belongs to another user already.")
	}
	tx.userChanged(models.UserUpdated, u, "")
	tx.audit("identity.add", u.Name, u.DirectoryID, nil, map[string]string{"provider": provider, "subject": subject})
	return nil
}
