package application_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/models"
)

// A viewWrite is one way in which an application changes something.
type viewWrite struct {
	name string
	need models.Permissions
	do   func(ctx context.Context, v *application.View) error
}

var room = []models.Attribute{{Name: "room", Values: []string{"12"}}}

// viewWrites holds every write that a View has. Each works on a directory that is filled with
// filling.
var viewWrites = []viewWrite{
	{"create a user", models.CreateUser, func(ctx context.Context, v *application.View) error {
		_, _, err := v.CreateUser(ctx, application.NewUser{Name: "carl", Password: new(models.Secret("difference")), Attributes: room})
		return err
	}},
	{"update a user", models.UpdateUser, func(ctx context.Context, v *application.View) error {
		return v.UpdateUser(ctx, "ada", application.UserPatch{Name: "ada", Email: new("ada@example.test")})
	}},
	{"rename a user", models.UpdateUser, func(ctx context.Context, v *application.View) error {
		_, err := v.RenameUser(ctx, "ada", "countess")
		return err
	}},
	{"set a password", models.UpdateUser, func(ctx context.Context, v *application.View) error {
		return v.SetPassword(ctx, "ada", "difference")
	}},
	{"clear a password", models.UpdateUser, func(ctx context.Context, v *application.View) error { return v.ClearPassword(ctx, "ada") }},
	{"set a user's attributes", models.UpdateUserAttribute, func(ctx context.Context, v *application.View) error {
		return v.SetUserAttributes(ctx, "ada", room)
	}},
	{"set an attribute of logins", models.UpdateUserAttribute, func(ctx context.Context, v *application.View) error {
		return v.SetUserAttributes(ctx, "ada", []models.Attribute{{Name: "requiresPasswordChange", Values: []string{"true"}}})
	}},
	{"remove a user's attribute", models.UpdateUserAttribute, func(ctx context.Context, v *application.View) error {
		return v.DeleteUserAttribute(ctx, "ada", "room")
	}},
	{"expire all passwords", models.UpdateUser, func(ctx context.Context, v *application.View) error { return v.ExpireAllPasswords(ctx) }},
	{"delete a user", models.DeleteUser, func(ctx context.Context, v *application.View) error { return v.DeleteUser(ctx, "ada") }},
	{"create a group", models.CreateGroup, func(ctx context.Context, v *application.View) error {
		_, err := v.CreateGroup(ctx, application.NewGroup{Name: "sales"})
		return err
	}},
	{"update a group", models.UpdateGroup, func(ctx context.Context, v *application.View) error {
		_, err := v.UpdateGroup(ctx, "devs", application.GroupPatch{Name: "devs", Description: new("Developers")})
		return err
	}},
	{"set a group's attributes", models.UpdateGroupAttribute, func(ctx context.Context, v *application.View) error {
		return v.SetGroupAttributes(ctx, "devs", room)
	}},
	{"remove a group's attribute", models.UpdateGroupAttribute, func(ctx context.Context, v *application.View) error {
		return v.DeleteGroupAttribute(ctx, "devs", "room")
	}},
	{"delete a group", models.DeleteGroup, func(ctx context.Context, v *application.View) error { return v.DeleteGroup(ctx, "devs") }},
	{"add a member", models.UpdateGroup, func(ctx context.Context, v *application.View) error { return v.AddMember(ctx, "bob", "devs") }},
	{"remove a member", models.UpdateGroup, func(ctx context.Context, v *application.View) error { return v.RemoveMember(ctx, "ada", "devs") }},
	{"nest a group", models.UpdateGroup, func(ctx context.Context, v *application.View) error { return v.AddChild(ctx, "ops", "devs") }},
	{"take a group out", models.UpdateGroup, func(ctx context.Context, v *application.View) error { return v.RemoveChild(ctx, "devs", "all") }},
}

// filling is what viewWrites need in their directory.
var filling = []string{"bob", "devs: ada", "all: @devs", "ops:"}

// Each write needs one permission, of the mapping and of the directory alike: with all others
// it is refused and changes nothing, with it alone it passes.
func TestPermissions(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		for i, w := range viewWrites {
			name := fmt.Sprint("w", i)
			h.fill(t, name, filling...)
			h.app(t, name, firstMatch, name)
			for _, c := range []struct {
				name               string
				mapping, directory models.Permissions
				want               models.Code
			}{
				{"the mapping permits all else", models.AllPermissions &^ w.need, models.AllPermissions, models.PermissionDenied},
				{"the directory permits all else", models.AllPermissions, models.AllPermissions &^ w.need, models.PermissionDenied},
				{"both permit just it", w.need, w.need, ""},
			} {
				if _, err := h.directories.Set(t.Context(), operator, name, directory.Patch{Permissions: &c.directory}); err != nil {
					t.Fatal(err)
				}
				if _, err := h.Map(t.Context(), operator, name, application.NewMapping{Directory: name, Permissions: c.mapping}); err != nil {
					t.Fatal(err)
				}
				v, before := h.view(t, name), h.lastChange(t)
				err := w.do(t.Context(), v)
				wantCode(t, w.name+": "+c.name, c.want, err)
				wrote := h.lastChange(t) - before
				if c.want != "" && wrote != 0 {
					t.Errorf("%s: %s: was refused, and yet wrote %d changes", w.name, c.name, wrote)
				}
				if c.want == "" && wrote == 0 {
					t.Errorf("%s: %s: wrote nothing", w.name, c.name)
				}
			}
		}
	})
}

// Reading needs no permission.
func TestReadingNeedsNoPermission(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.fill(t, "staff", filling...)
		h.create(t, application.NewApplication{Name: "jira", Directories: []string{"staff"}})
		v := h.view(t, "jira")
		wantUser(t, v, "ada", "ada@staff")
		groups, err := v.GroupsOf(t.Context(), "ada", application.Nested, models.Everything)
		wantNames(t, "groups", "all devs", groups, err)
		_, _, err = v.UserAttributes(t.Context(), "ada")
		wantCode(t, "attributes", "", err)
		wantCode(t, "dump", "", v.Memberships(t.Context(), readOnly))
	})
}
