package directory

import (
	"context"
	"errors"

	"github.com/rollcall-id/rollcall/internal/password"
	"github.com/rollcall-id/rollcall/models"
)

// NewUser says how to create a user. Names that are blank are derived. Without a password the
// user can't log in with one. Encrypted is a hash of one of the accepted schemes.
type NewUser struct {
	Name, FirstName, LastName, DisplayName, Email string
	ExternalID                                    string // empty: a random UUID
	Active                                        bool
	Password, Encrypted                           *models.Secret
	Attributes                                    []models.Attribute
}

// CreateUser adds a user with password and attributes in one transaction. The password is
// hashed before it, so that other writers don't wait. InvalidUser when the name is taken or
// can't be one, InvalidCredential when the policy refuses the password.
func (s *Service) CreateUser(ctx context.Context, by models.Actor, dir *models.Directory, n NewUser) (*models.User, error) {
	if err := allow(dir, by, users); err != nil {
		return nil, err
	}
	u := models.User{DirectoryID: dir.ID, Name: n.Name, FirstName: n.FirstName, LastName: n.LastName,
		DisplayName: n.DisplayName, Email: n.Email, ExternalID: n.ExternalID, Active: n.Active}
	if problem := models.NameProblem(n.Name); problem != "" {
		return nil, models.Fail(models.InvalidUser, n.Name, "User <"+printable(n.Name)+"> can't be created: "+problem)
	}
	CompleteNames(&u)
	if err := checkUser(&u); err != nil {
		return nil, err
	}
	hash, err := s.initialHash(ctx, dir, n)
	if err != nil {
		return nil, err
	}
	var created models.User
	err = s.Edit(ctx, by, func(e *Edit) error {
		created = u
		if err := e.tx.CreateUser(&created); err != nil {
			return err
		}
		if hash != "" {
			if err := e.tx.SetPassword(&created, hash, 0); err != nil {
				return err
			}
		}
		if len(n.Attributes) == 0 {
			return nil
		}
		return e.setUserAttributes(&created, n.Attributes)
	})
	return &created, err
}

// initialHash gives what to store for a new user's password; empty for none.
func (s *Service) initialHash(ctx context.Context, dir *models.Directory, n NewUser) (models.Secret, error) {
	switch {
	case n.Password != nil:
		return s.newHash(ctx, dir, nil, *n.Password)
	case n.Encrypted != nil && n.Encrypted.Reveal() != password.None:
		if err := password.Accepts(n.Encrypted.Reveal()); err != nil {
			return "", &models.Error{Code: models.InvalidCredential, Subject: n.Name, Message: err.Error(), Err: err}
		}
		return *n.Encrypted, nil
	case setting(dir, "password-required") == "true":
		return "", models.Fail(models.InvalidCredential, n.Name, "Directory <"+dir.Name+"> takes no users without a password")
	}
	return "", nil
}

// checkUser looks at a user's standard fields.
func checkUser(u *models.User) error {
	for _, f := range []struct {
		field, value string
		limit        int
	}{
		{"first name", u.FirstName, models.MaxName}, {"last name", u.LastName, models.MaxName},
		{"display name", u.DisplayName, models.MaxText}, {"email", u.Email, models.MaxName},
		{"external id", u.ExternalID, models.MaxName},
	} {
		if problem := models.TextProblem(f.value, f.limit); problem != "" {
			return models.Fail(models.InvalidUser, u.Name, "The "+f.field+" of user <"+u.Name+"> can't be stored: "+problem)
		}
	}
	return nil
}

// printable shortens a refused name for a message.
func printable(name string) string {
	if len(name) > 100 {
		return name[:100] + "…"
	}
	return name
}

// UserPatch says what to change of a user; nil fields stay.
type UserPatch struct {
	FirstName, LastName, DisplayName, Email *string
	Active                                  *bool
}

// UpdateUser changes a user's standard fields.
func (e *Edit) UpdateUser(dir *models.Directory, name string, p UserPatch) (*models.User, error) {
	u, err := e.user(dir, name)
	if err != nil {
		return nil, err
	}
	before := *u
	set(&u.FirstName, p.FirstName)
	set(&u.LastName, p.LastName)
	set(&u.DisplayName, p.DisplayName)
	set(&u.Email, p.Email)
	set(&u.Active, p.Active)
	CompleteNames(u)
	if err := checkUser(u); err != nil {
		return nil, err
	}
	return u, e.tx.SaveUser(&before, u)
}

// RenameUser gives a user another name; only its letter case may change too. InvalidUser when
// the name is taken or can't be one.
func (e *Edit) RenameUser(dir *models.Directory, name, to string) (*models.User, error) {
	u, err := e.user(dir, name)
	if err != nil {
		return nil, err
	}
	if problem := models.NameProblem(to); problem != "" {
		return nil, models.Fail(models.InvalidUser, to, "User <"+name+"> can't be renamed to <"+printable(to)+">: "+problem)
	}
	return u, e.tx.RenameUser(u, to)
}

// DeleteUser removes a user and all that hangs on it.
func (e *Edit) DeleteUser(dir *models.Directory, name string) error {
	u, err := e.user(dir, name)
	if err != nil {
		return err
	}
	return e.tx.DeleteUser(u)
}

// user finds the user that is to be changed, once the kind allows it.
func (e *Edit) user(dir *models.Directory, name string) (*models.User, error) {
	if err := allow(dir, e.by, users); err != nil {
		return nil, err
	}
	return e.tx.UserToChange(e.ctx, dir.ID, name)
}

// newHash checks a password against the directory's policy and hashes it. user is nil for a
// new one.
func (s *Service) newHash(ctx context.Context, dir *models.Directory, user *models.User, secret models.Secret) (models.Secret, error) {
	policy, err := password.NewPolicy(password.Policy{
		MinLength: settingNumber(dir, "password-min-length"), Message: setting(dir, "password-message"),
		History: settingNumber(dir, "password-history"),
	}, setting(dir, "password-regex"))
	if err != nil {
		return "", err
	}
	if err := policy.Check(secret.Reveal()); err != nil {
		return "", refusedPassword(err)
	}
	if user != nil && policy.History > 0 {
		if err := s.checkHistory(ctx, policy, user, secret); err != nil {
			return "", refusedPassword(err)
		}
	}
	hash, err := s.hasher.Hash(ctx, secret.Reveal())
	return models.Secret(hash), refusedPassword(err)
}

// checkHistory compares with the present password and the ones before it.
func (s *Service) checkHistory(ctx context.Context, policy password.Policy, user *models.User, secret models.Secret) error {
	credential, err := s.store.Credential(ctx, user.ID)
	if err != nil {
		return err
	}
	hashes, err := s.store.OldPasswords(ctx, user.ID, policy.History)
	if err != nil {
		return err
	}
	var old []string
	if credential.Hash != "" {
		old = append(old, credential.Hash.Reveal())
	}
	for _, hash := range hashes {
		old = append(old, hash.Reveal())
	}
	return policy.CheckHistory(ctx, s.hasher, old, secret.Reveal())
}

func refusedPassword(err error) error {
	switch {
	case errors.Is(err, password.ErrPolicy), errors.Is(err, password.ErrTooLong):
		return &models.Error{Code: models.InvalidCredential, Message: err.Error()}
	case errors.Is(err, password.ErrBusy):
		return busy(err)
	}
	return err
}

func busy(err error) error {
	return &models.Error{Code: models.Busy, Message: "Too many passwords are being checked at the moment; try again shortly.", Err: err}
}
