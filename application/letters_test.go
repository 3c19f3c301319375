package application_test

import (
	"fmt"
	"testing"

	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/models"
)

// mail gives a user of a directory a mail address.
func (h *house) mail(t *testing.T, dir *models.Directory, name, address string) {
	t.Helper()
	h.edit(t, func(e *directory.Edit) error {
		_, err := e.UpdateUser(dir, name, directory.UserPatch{Email: &address})
		return err
	})
}

func TestWhoHasAMailAddress(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		staff, partners := h.fill(t, "staff", "ada", "bob"), h.fill(t, "partners", "ada", "carl", "dora")
		hidden := h.fill(t, "hidden", "eve")
		for _, line := range []struct {
			dir           *models.Directory
			name, address string
		}{
			{staff, "ada", "Team@Example.test"}, {staff, "bob", "bob@example.test"}, {partners, "ada", "shadow@example.test"},
			{partners, "carl", "team@example.TEST"}, {partners, "dora", "xteam@example.test"}, {hidden, "eve", "team@example.test"},
		} {
			h.mail(t, line.dir, line.name, line.address)
		}
		h.app(t, "jira", firstMatch, "staff", "partners")
		wantCode(t, "alias", "", h.SetAlias(t.Context(), operator, "jira", "carl", "charles"))
		v := h.view(t, "jira")
		for _, c := range []struct {
			email string
			most  int
			want  string
			more  bool
		}{
			{"team@example.test", 10, "ada charles", false},
			{"TEAM@EXAMPLE.TEST", 2, "ada charles", false},
			{"team@example.test", 1, "ada", true},
			{"shadow@example.test", 10, "", false}, // the user is shadowed
			{"te%@example.test", 10, "", false},
			{"nobody@example.test", 10, "", false},
		} {
			users, more, err := v.UsersWithEmail(t.Context(), c.email, c.most)
			wantNames(t, c.email, c.want, users, err)
			if more != c.more {
				t.Errorf("%s: more %t", c.email, more)
			}
		}
	})
}

func TestOfManyWithOneAddressSomeAreListed(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		dir := h.fill(t, "staff")
		for i := range 12 {
			name := fmt.Sprintf("user%02d", i)
			h.ensureUser(t, dir, name)
			h.mail(t, dir, name, "all@example.test")
		}
		h.app(t, "jira", firstMatch, "staff")
		users, more, err := h.view(t, "jira").UsersWithEmail(t.Context(), "all@example.test", 11)
		if err != nil || len(users) != 11 || !more || users[10].Name != "user10" {
			t.Errorf("%d users, more %t, %v", len(users), more, err)
		}
	})
}

func TestWhosePasswordMayBeReset(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.fill(t, "staff", "ada")
		h.create(t, application.NewApplication{Name: "jira", Directories: []string{"staff"}, Permissions: models.UpdateUser})
		h.create(t, application.NewApplication{Name: "wiki", Directories: []string{"staff"}, Permissions: models.AllPermissions &^ models.UpdateUser})
		dir, u, err := h.view(t, "jira").Resettable(t.Context(), "ADA")
		if err != nil || dir.Name != "staff" || u.Name != "ada" {
			t.Errorf("%v, %v, %v", dir, u, err)
		}
		_, _, err = h.view(t, "wiki").Resettable(t.Context(), "ada")
		wantCode(t, "without the permission", models.PermissionDenied, err)
		_, _, err = h.view(t, "jira").Resettable(t.Context(), "bob")
		wantCode(t, "unknown", models.UserNotFound, err)
	})
}
