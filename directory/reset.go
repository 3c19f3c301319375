package directory

import (
	"context"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// MayResetPassword answers PermissionDenied where the directory's kind doesn't let the actor set
// passwords: who is asked for a letter shouldn't send one whose link can't work.
func MayResetPassword(dir *models.Directory, by models.Actor) error { return allow(dir, by, users) }

// ResetPassword gives the user of a row a new password, as SetPassword does, once allowed has
// agreed in the same transaction. A password that the policy refuses is refused before that.
func (s *Service) ResetPassword(ctx context.Context, by models.Actor, dir *models.Directory, u *models.User, secret models.Secret, allowed func(tx *store.Tx) error) error {
	if err := allow(dir, by, users); err != nil {
		return err
	}
	hash, err := s.newHash(ctx, dir, u, secret)
	if err != nil {
		return err
	}
	return s.store.Write(ctx, by, func(tx *store.Tx) error {
		row, err := tx.LockUser(ctx, u.ID)
		if err != nil {
			return err
		}
		if err := allowed(tx); err != nil {
			return err
		}
		return tx.SetPassword(row, hash, settingNumber(dir, "password-history"))
	})
}
