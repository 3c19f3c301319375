package application_test

import (
	"testing"

	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/models"
)

// Passwords expire in the directories in which the application may change users, and in no
// other, whoever shadows whom.
func TestExpireAllPasswords(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		staff, partners := h.fill(t, "staff", "ada", "bob"), h.fill(t, "partners", "bob", "carl")
		guests := h.fill(t, "guests", "dora")
		h.app(t, "jira", firstMatch, "staff", "partners")
		if _, err := h.Map(t.Context(), operator, "jira", application.NewMapping{Directory: "guests", Permissions: models.ReadOnly}); err != nil {
			t.Fatal(err)
		}
		h.create(t, application.NewApplication{Name: "reader", Directories: []string{"staff"}, Permissions: models.AllPermissions &^ models.UpdateUser})

		wantCode(t, "without permission", models.PermissionDenied, h.view(t, "reader").ExpireAllPasswords(t.Context()))
		mustChange := func(dir *models.Directory, name string) bool {
			u, err := h.store.UserByName(t.Context(), dir.ID, name)
			if err != nil {
				t.Fatal(err)
			}
			c, err := h.store.Credential(t.Context(), u.ID)
			if err != nil {
				t.Fatal(err)
			}
			return c.MustChange
		}
		if mustChange(staff, "ada") {
			t.Error("a refusal expired a password")
		}
		if err := h.view(t, "jira").ExpireAllPasswords(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			dir  *models.Directory
			name string
			want bool
		}{
			{staff, "ada", true}, {staff, "bob", true}, {partners, "bob", true}, {partners, "carl", true}, {guests, "dora", false},
		} {
			if got := mustChange(c.dir, c.name); got != c.want {
				t.Errorf("%s of %s must change the password: want %t, got %t", c.name, c.dir.Name, c.want, got)
			}
		}
	})
}
