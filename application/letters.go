package application

import (
	"context"
	"errors"

	"github.com/rollcall-id/rollcall/models"
)

// Resettable finds the user whom a letter may let choose a new password, with the directory
// that it belongs to. UserNotFound, and PermissionDenied where the application may not set
// passwords.
func (v *View) Resettable(ctx context.Context, name string) (*models.Directory, *models.User, error) {
	return v.changing(ctx, name, models.UpdateUser)
}

// errEnough ends a search that has found as much as is wanted.
var errEnough = errors.New("enough")

// UsersWithEmail lists the users with a mail address, in any case, as the application sees
// them, by name: at most so many, and whether there are more.
func (v *View) UsersWithEmail(ctx context.Context, email string, most int) (users []*User, more bool, err error) {
	f := models.Filter{Logic: models.Compare, Property: "email", Match: models.Equals, Text: models.Key(email)}
	err = v.SearchUsers(ctx, f, models.Page{Max: most + 1}, false, func(found Found[User]) error {
		for _, u := range found.Entries {
			kept := *u
			users = append(users, &kept)
		}
		if len(users) > most {
			return errEnough
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return nil, false, err
	}
	return users[:min(len(users), most)], len(users) > most, nil
}
