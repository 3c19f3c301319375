package directory

import (
	"context"
	"errors"
	"time"

	"github.com/rollcall-id/rollcall/internal/password"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// SetPassword gives a user a new password, which ends all the user's sessions and delays.
// InvalidCredential when the policy refuses it.
func (s *Service) SetPassword(ctx context.Context, by models.Actor, dir *models.Directory, name string, secret models.Secret) error {
	if err := allow(dir, by, users); err != nil {
		return err
	}
	u, err := s.store.UserByName(ctx, dir.ID, name)
	if err != nil {
		return err
	}
	hash, err := s.newHash(ctx, dir, u, secret)
	if err != nil {
		return err
	}
	return s.putHash(ctx, by, dir, name, hash)
}

// ClearPassword takes a user's password away: nobody can log in with one any more.
func (s *Service) ClearPassword(ctx context.Context, by models.Actor, dir *models.Directory, name string) error {
	return s.putHash(ctx, by, dir, name, "")
}

func (s *Service) putHash(ctx context.Context, by models.Actor, dir *models.Directory, name string, hash models.Secret) error {
	return s.Edit(ctx, by, func(e *Edit) error {
		u, err := e.user(dir, name)
		if err != nil {
			return err
		}
		return e.tx.SetPassword(u, hash, settingNumber(dir, "password-history"))
	})
}

// Checked is what else is to be known of a right password.
type Checked struct {
	MustChange bool // it has expired: whoever knew it must choose another first
}

// CheckPassword tells whether a password is a user's, in the order of Crowd's internal
// directory: inactive (UserInactive, with any password), no password at all, too many
// attempts, wrong password (each InvalidPassword), then right. It notes nothing: login does.
// Busy when too many hashes wait.
func (s *Service) CheckPassword(ctx context.Context, dir *models.Directory, u *models.User, secret models.Secret) (Checked, error) {
	if !u.Active {
		return Checked{}, models.Fail(models.UserInactive, u.Name, "Account with name <"+u.Name+"> is inactive")
	}
	c, err := s.store.Credential(ctx, u.ID)
	if err != nil {
		return Checked{}, err
	}
	if c.Hash == "" {
		return Checked{}, models.Fail(models.InvalidPassword, u.Name, "User <"+u.Name+"> is not allowed to log in with a password")
	}
	if most := settingNumber(dir, "max-attempts"); most > 0 && c.Failures >= most {
		return Checked{}, s.tooManyAttempts(ctx, u, c)
	}
	verdict, err := s.hasher.Check(ctx, c.Hash.Reveal(), secret.Reveal())
	switch {
	case errors.Is(err, password.ErrBusy):
		return Checked{}, busy(err)
	case errors.Is(err, password.ErrTooLong):
		return Checked{}, wrongPassword(u)
	case err != nil:
		return Checked{}, err
	case !verdict.OK:
		return Checked{}, wrongPassword(u)
	}
	if verdict.Upgrade {
		s.upgradeHash(ctx, dir, u, c.Hash, secret)
	}
	return Checked{MustChange: c.MustChange || s.expired(dir, c)}, nil
}

func wrongPassword(u *models.User) error {
	return models.Fail(models.InvalidPassword, u.Name, "Failed to authenticate principal, password was invalid")
}

// tooManyAttempts stores, as Crowd does, that the password must be changed.
func (s *Service) tooManyAttempts(ctx context.Context, u *models.User, c models.Credential) error {
	if !c.MustChange {
		c.MustChange = true
		if err := s.store.Write(ctx, models.System, func(tx *store.Tx) error { return tx.SetBookkeeping(u, c) }); err != nil {
			return err
		}
	}
	return models.Fail(models.InvalidPassword, u.Name, "Maximum allowed invalid password attempts has been reached")
}

// expired tells whether the directory limits a password's age and this one is older.
func (s *Service) expired(dir *models.Directory, c models.Credential) bool {
	days := settingNumber(dir, "password-max-age")
	return days > 0 && s.store.Now().Sub(c.ChangedAt) > time.Duration(days)*24*time.Hour
}

// upgradeHash replaces a hash of an older scheme. A login never fails for it: the next one
// tries again.
func (s *Service) upgradeHash(ctx context.Context, dir *models.Directory, u *models.User, old, secret models.Secret) {
	hash, err := s.hasher.Hash(ctx, secret.Reveal())
	if err == nil {
		err = s.store.Write(ctx, models.System, func(tx *store.Tx) error { return tx.UpgradeHash(u.ID, old, models.Secret(hash)) })
	}
	if err != nil {
		s.log.WarnContext(ctx, "a password hash could not be upgraded; the next login tries again", "directory", dir.Name, "error", err)
	}
}
