package application

import (
	"context"
	"slices"

	"github.com/rollcall-id/rollcall/models"
)

// MayLogin tells whether a user of this view may use the application: the mapping of its
// directory lets everybody in, or the user is in one of the mapping's groups in that
// directory, through other groups where the application counts those.
func (v *View) MayLogin(ctx context.Context, u *models.User) (bool, error) {
	m := v.mapping(u.DirectoryID)
	if m == nil {
		return false, nil
	}
	if m.AllowAll {
		return true, nil
	}
	if len(m.Groups) == 0 {
		return false, nil
	}
	keys, err := v.reads.GroupNamesOf(ctx, u.ID, v.app.Nested)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(m.Groups, func(name string) bool { return slices.Contains(keys, models.Key(name)) }), nil
}
