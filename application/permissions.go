package application

import "github.com/rollcall-id/rollcall/models"

// allowed tells whether the application may make a kind of change in a mapped directory: its
// mapping and the directory itself must both allow it.
func (m *mapping) allowed(need models.Permissions) bool {
	return m.Permissions.Has(need) && m.directory.Permissions.Has(need)
}

// permitted answers PermissionDenied when the application may not.
func (v *View) permitted(m *mapping, need models.Permissions) error {
	if m.allowed(need) {
		return nil
	}
	return models.Fail(models.PermissionDenied, v.app.Name,
		"Application <"+v.app.Name+"> lacks the permission "+need.String()+" in directory <"+m.directory.Name+">.")
}

// firstDirectory gives the first directory in which the application may make a kind of change.
func (v *View) firstDirectory(need models.Permissions, what string) (*models.Directory, error) {
	for i := range v.app.mappings {
		if m := &v.app.mappings[i]; m.allowed(need) {
			return m.directory, nil
		}
	}
	return nil, models.Fail(models.PermissionDenied, v.app.Name,
		"Application <"+v.app.Name+"> has no directories that allow adding of "+what+".")
}
