package application

import (
	"context"

	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// ExpireAllPasswords makes all users of the directories in which the application may change
// users choose another password at their next login: all or none of them. PermissionDenied
// when there is no such directory.
func (v *View) ExpireAllPasswords(ctx context.Context) error {
	var dirs []*models.Directory
	for i := range v.app.mappings {
		m := &v.app.mappings[i]
		if m.allowed(models.UpdateUser) && directory.MayResetPassword(m.directory, v.by) == nil {
			dirs = append(dirs, m.directory)
		}
	}
	if len(dirs) == 0 {
		return models.Fail(models.PermissionDenied, v.app.Name,
			"Application <"+v.app.Name+"> has no directories that allow updating of users.")
	}
	return v.store.Write(ctx, v.by, func(tx *store.Tx) error { return tx.ExpirePasswords(dirs) })
}
