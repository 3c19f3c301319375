package login

import (
	"context"
	"errors"
	"fmt"

	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/internal/password"
	"github.com/rollcall-id/rollcall/models"
)

// wrongPassword is Crowd's sentence for it. Package directory says the same where it compared
// the password, and something else where there was nothing to compare.
const wrongPassword = "Failed to authenticate principal, password was invalid"

// Authenticate tells whether a password is a user's, and whether the user may use the view's
// application. UserNotFound, UserInactive, InvalidPassword, PasswordExpired, in this order;
// then InvalidPassword, or LoginDenied with Options.TellDenied, for who may not use the
// application. Busy when too many passwords wait to be checked.
func (s *Service) Authenticate(ctx context.Context, v *application.View, username string, secret models.Secret) (*application.User, error) {
	a := &attempt{view: v, name: username}
	err := s.authenticate(ctx, a, secret)
	s.ended(a, err)
	if err != nil {
		return nil, fmt.Errorf("authenticate: %w", err)
	}
	return a.user, nil
}

func (s *Service) authenticate(ctx context.Context, a *attempt, secret models.Secret) error {
	if err := s.identify(ctx, a); err != nil {
		return err
	}
	if err := s.checkPassword(ctx, a, secret); err != nil {
		return err
	}
	err := s.checkAccess(ctx, a)
	if models.Is(err, models.LoginDenied) && !s.o.TellDenied {
		return a.refuse(Denied, models.InvalidPassword, wrongPassword)
	}
	return err
}

// Notify notes that the application let a user in by its own means. UserNotFound,
// UserInactive.
func (s *Service) Notify(ctx context.Context, v *application.View, username string) (*application.User, error) {
	a := &attempt{view: v, name: username}
	if err := s.identify(ctx, a); err != nil {
		return nil, fmt.Errorf("note a login: %w", err)
	}
	s.store.NoteSeen(a.row.ID)
	return a.user, nil
}

// identify finds out who is meant, and refuses the inactive.
func (s *Service) identify(ctx context.Context, a *attempt) error {
	dir, row, err := a.view.Owner(ctx, a.name)
	if models.Is(err, models.UserNotFound) {
		a.outcome = UnknownUser
	}
	if err != nil {
		return err
	}
	a.dir, a.row = dir, row
	if a.user, err = a.view.Shown(ctx, row); err != nil {
		return err
	}
	if !row.Active {
		return a.refuse(Inactive, models.UserInactive, "Account with name <"+a.user.Name+"> is inactive")
	}
	return nil
}

// checkPassword compares the password, unless it can't be right or attempts are delayed, and
// notes whether it was right.
func (s *Service) checkPassword(ctx context.Context, a *attempt, secret models.Secret) error {
	if text := secret.Reveal(); text == "" || len(text) > password.MaxLength {
		return a.refuse(WrongPassword, models.InvalidPassword, wrongPassword)
	}
	if err := s.checkDelay(ctx, a); err != nil {
		return err
	}
	checked, err := s.directories.CheckPassword(ctx, a.dir, a.row, secret)
	if err != nil && !compared(err) {
		if models.Is(err, models.InvalidPassword) {
			a.outcome = NoPassword
		}
		return err
	}
	// While this one waited for its hash, others may have been wrong: guesses that are made
	// side by side must not be worth more than those made in turn.
	if err := s.checkDelay(ctx, a); err != nil {
		return err
	}
	if err != nil {
		a.outcome = WrongPassword
		s.store.NoteFailure(a.view.Application().ID, a.row.ID)
		return err
	}
	s.store.NoteLogin(a.row.ID, checked.MustChange)
	s.store.NoteDelayEnd(a.view.Application().ID, a.row.ID)
	if checked.MustChange {
		return a.refuse(Expired, models.PasswordExpired, "The password of user <"+a.user.Name+"> has expired and must be changed")
	}
	return nil
}

// compared tells whether a password was refused because it is another than the user's.
func compared(err error) bool {
	e, ok := errors.AsType[*models.Error](err)
	return ok && e.Code == models.InvalidPassword && e.Message == wrongPassword
}

// checkAccess refuses who may not use the application.
func (s *Service) checkAccess(ctx context.Context, a *attempt) error {
	may, err := a.view.MayLogin(ctx, a.row)
	if err != nil {
		return err
	}
	if !may {
		return a.refuse(Denied, models.LoginDenied, denied(a.user.Name, a.view))
	}
	return nil
}

func denied(name string, v *application.View) string {
	return "User <" + name + "> is not allowed to use the application <" + v.Application().Name + ">"
}
