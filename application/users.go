package application

import (
	"context"
	"strconv"
	"strings"

	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// A User is a user as the application sees it: Name is the alias where there is one, in lower
// case where the application wants that.
type User struct {
	models.User
	DirectoryName string
	Unaliased     string // the name without the alias
}

// present shows users as the application sees them.
func (v *View) present(ctx context.Context, users []*models.User) ([]*User, error) {
	return v.presentFrom(ctx, &v.store.Reads, users)
}

func (v *View) presentFrom(ctx context.Context, r *store.Reads, users []*models.User) ([]*User, error) {
	aliases := map[models.ID]string{}
	if v.app.HasAliases {
		ids := make([]models.ID, len(users))
		for i, u := range users {
			ids[i] = u.ID
		}
		var err error
		if aliases, err = r.AliasesOf(ctx, v.app.ID, ids); err != nil {
			return nil, err
		}
	}
	out := make([]*User, len(users))
	for i, u := range users {
		shown := v.shown(u, aliases[u.ID])
		out[i] = &shown
	}
	return out, nil
}

// shown shows a user under its alias; an empty one is none.
func (v *View) shown(u *models.User, alias string) User {
	shown := User{User: *u, Unaliased: v.name(u.Name)}
	shown.Name = shown.Unaliased
	if alias != "" {
		shown.Name = v.name(alias)
	}
	if m := v.mapping(u.DirectoryID); m != nil {
		shown.DirectoryName = m.directory.Name
	}
	return shown
}

func (v *View) presentOne(ctx context.Context, u *models.User) (*User, error) {
	if !v.app.HasAliases {
		shown := v.shown(u, "")
		return &shown, nil
	}
	shown, err := v.present(ctx, []*models.User{u})
	if err != nil {
		return nil, err
	}
	return shown[0], nil
}

// User finds a user by name, or answers UserNotFound.
func (v *View) User(ctx context.Context, name string) (*User, error) {
	u, err := v.find(ctx, name)
	if err != nil {
		return nil, err
	}
	return v.presentOne(ctx, u)
}

// UserByKey finds a user by Crowd's key, "directory id:external id". IllegalArgument when it
// doesn't have that form; UserNotFound when the user isn't visible.
func (v *View) UserByKey(ctx context.Context, key string) (*User, error) {
	dir, external, ok := strings.Cut(key, ":")
	id, err := strconv.ParseUint(dir, 10, 63) // takes no sign
	if !ok || err != nil || external == "" {
		return nil, models.Fail(models.IllegalArgument, key, "A user's key has the form directory:id, with a number for the directory.")
	}
	if v.mapping(models.ID(id)) == nil {
		return nil, userNotFound(key)
	}
	u, err := sought(ctx, v, models.UserNotFound, func() (*models.User, error) {
		return v.byExternalID(ctx, models.ID(id), external, key)
	})
	if err != nil {
		return nil, err
	}
	return v.presentOne(ctx, u)
}

func (v *View) byExternalID(ctx context.Context, dir models.ID, external, key string) (*models.User, error) {
	u, err := v.reads.UserByExternalID(ctx, dir, external)
	if models.Is(err, models.UserNotFound) {
		return nil, userNotFound(key)
	}
	if err != nil {
		return nil, err
	}
	return v.unshadowed(ctx, v.reads, u, key)
}

// UserByRow finds the user of a row, such as a session's, or answers UserNotFound.
func (v *View) UserByRow(ctx context.Context, id models.ID) (*User, error) {
	u, err := sought(ctx, v, models.UserNotFound, func() (*models.User, error) { return v.byRow(ctx, v.reads, id, "") })
	if err != nil {
		return nil, err
	}
	return v.presentOne(ctx, u)
}

// Owner finds a user by name, with the directory that it belongs to.
func (v *View) Owner(ctx context.Context, name string) (*models.Directory, *models.User, error) {
	u, err := v.find(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	return v.mapping(u.DirectoryID).directory, u, nil
}

// Shown gives a user of this view as the application sees it.
func (v *View) Shown(ctx context.Context, u *models.User) (*User, error) { return v.presentOne(ctx, u) }

// UserAttributes reads a user's attributes by name, those of its logins included.
func (v *View) UserAttributes(ctx context.Context, name string) (*User, []models.Attribute, error) {
	u, err := v.User(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	attrs, err := v.AttributesOfUsers(ctx, []*User{u})
	return u, attrs[u.ID], err
}

// AttributesOfUsers reads the attributes of many users at once.
func (v *View) AttributesOfUsers(ctx context.Context, users []*User) (map[models.ID][]models.Attribute, error) {
	ids := make([]models.ID, len(users))
	for i, u := range users {
		ids[i] = u.ID
	}
	return v.service.directories.UserAttributes(ctx, ids)
}

// NewUser says how to create a user: see directory.NewUser.
type NewUser struct {
	Name, FirstName, LastName, DisplayName, Email string
	Active                                        bool
	Password, Encrypted                           *models.Secret
	Attributes                                    []models.Attribute
}

// CreateUser adds a user to the first directory in which the application may create users.
// InvalidUser when any of its directories has the name already.
func (v *View) CreateUser(ctx context.Context, n NewUser) (*User, []models.Attribute, error) {
	dir, err := v.firstDirectory(models.CreateUser, "users")
	if err != nil {
		return nil, nil, err
	}
	if err := v.nameFree(ctx, n.Name, 0); err != nil {
		return nil, nil, err
	}
	u, err := v.service.directories.CreateUser(ctx, v.by, dir, directory.NewUser{
		Name: n.Name, FirstName: n.FirstName, LastName: n.LastName, DisplayName: n.DisplayName, Email: n.Email,
		Active: n.Active, Password: n.Password, Encrypted: n.Encrypted, Attributes: n.Attributes,
	})
	if err != nil {
		return nil, nil, err
	}
	shown, err := v.presentOne(ctx, u)
	if err != nil {
		return nil, nil, err
	}
	attrs, err := v.AttributesOfUsers(ctx, []*User{shown})
	return shown, attrs[shown.ID], err
}

// nameFree answers InvalidUser when the application knows another user than the given one
// under the name, in whichever directory. What can't be a name is nobody's; package directory
// refuses it.
func (v *View) nameFree(ctx context.Context, name string, own models.ID) error {
	if models.NameProblem(name) != "" {
		return nil
	}
	taken := func(id models.ID) error {
		if id == own {
			return nil
		}
		return models.Fail(models.InvalidUser, name, "User already exists")
	}
	if v.app.HasAliases {
		alias, err := v.store.AliasByName(ctx, v.app.ID, name)
		if err == nil {
			err = taken(alias.UserID)
		}
		if err != nil && !models.Is(err, models.AliasNotFound) {
			return err
		}
	}
	users, err := v.store.UsersNamed(ctx, v.app.visible, name) // rows: what is written depends on it
	for _, u := range users {
		if err := taken(u.ID); err != nil {
			return err
		}
	}
	return err
}

// UserPatch says what to change of a user; nil fields stay. Name and DirectoryID only say
// which user is meant, and must agree.
type UserPatch struct {
	Name                                    string
	DirectoryID                             models.ID // zero: not said
	FirstName, LastName, DisplayName, Email *string
	Active                                  *bool
}

// UpdateUser changes a user's standard fields. It can't rename: another name in the patch is
// IllegalArgument.
func (v *View) UpdateUser(ctx context.Context, name string, p UserPatch) error {
	if models.Key(p.Name) != models.Key(name) {
		return models.Fail(models.IllegalArgument, p.Name, "The user name in the request's body <"+p.Name+"> is not the one in its address <"+name+">.")
	}
	dir, u, err := v.changing(ctx, name, models.UpdateUser)
	if err != nil {
		return err
	}
	if p.DirectoryID > 0 && p.DirectoryID != dir.ID {
		return models.Fail(models.InvalidUser, name, "User <"+name+"> is not in the directory that the request names.")
	}
	return v.edit(ctx, func(e *directory.Edit) error {
		_, err := e.UpdateUser(dir, u.Name, directory.UserPatch{
			FirstName: p.FirstName, LastName: p.LastName, DisplayName: p.DisplayName, Email: p.Email, Active: p.Active,
		})
		return err
	})
}

// changing finds the user that is to be changed, and its directory, once the application has
// the permission there.
func (v *View) changing(ctx context.Context, name string, need models.Permissions) (*models.Directory, *models.User, error) {
	dir, u, err := v.Owner(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	return dir, u, v.permitted(v.mapping(dir.ID), need)
}

// DeleteUser removes a user from its directory.
func (v *View) DeleteUser(ctx context.Context, name string) error {
	dir, u, err := v.changing(ctx, name, models.DeleteUser)
	if err != nil {
		return err
	}
	return v.edit(ctx, func(e *directory.Edit) error { return e.DeleteUser(dir, u.Name) })
}

// RenameUser gives a user another name. InvalidUser when the application knows another user
// of that name, in whichever directory.
func (v *View) RenameUser(ctx context.Context, name, to string) (*User, error) {
	dir, u, err := v.changing(ctx, name, models.UpdateUser)
	if err != nil {
		return nil, err
	}
	if err := v.nameFree(ctx, to, u.ID); err != nil {
		return nil, err
	}
	var renamed *models.User
	err = v.edit(ctx, func(e *directory.Edit) (err error) {
		renamed, err = e.RenameUser(dir, u.Name, to)
		return err
	})
	if err != nil {
		return nil, err
	}
	return v.presentOne(ctx, renamed)
}

// SetUserAttributes replaces the values of each named attribute; others stay.
func (v *View) SetUserAttributes(ctx context.Context, name string, attrs []models.Attribute) error {
	dir, u, err := v.changing(ctx, name, models.UpdateUserAttribute)
	if err != nil {
		return err
	}
	return v.edit(ctx, func(e *directory.Edit) error { return e.SetUserAttributes(dir, u.Name, attrs) })
}

// DeleteUserAttribute removes an attribute; it needn't exist.
func (v *View) DeleteUserAttribute(ctx context.Context, name, attribute string) error {
	return v.SetUserAttributes(ctx, name, []models.Attribute{{Name: attribute}})
}

// SetPassword gives a user a new password. InvalidCredential when the policy refuses it.
func (v *View) SetPassword(ctx context.Context, name string, password models.Secret) error {
	dir, u, err := v.changing(ctx, name, models.UpdateUser)
	if err != nil {
		return err
	}
	return v.service.directories.SetPassword(ctx, v.by, dir, u.Name, password)
}

// ClearPassword takes a user's password away.
func (v *View) ClearPassword(ctx context.Context, name string) error {
	dir, u, err := v.changing(ctx, name, models.UpdateUser)
	if err != nil {
		return err
	}
	return v.service.directories.ClearPassword(ctx, v.by, dir, u.Name)
}
