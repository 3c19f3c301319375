package application_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/models"
)

// An alias is a user's name in one application. It is found by either name, and shown by the
// alias; where it is also somebody's real name, the alias wins.
func TestAliases(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		staff := h.fill(t, "staff", "ada", "bob", "countess", "devs: ada bob")
		h.fill(t, "partners", "countess", "dora")
		h.app(t, "jira", firstMatch, "staff", "partners")
		h.app(t, "wiki", firstMatch, "staff", "partners")
		set := func(user, alias string, want models.Code) {
			t.Helper()
			wantCode(t, user+" as "+alias, want, h.SetAlias(t.Context(), operator, "jira", user, alias))
		}
		set("Ada", "Lovelace", "")
		set("bob", "countess", "")
		set("dora", "LOVELACE", models.NameTaken)
		set("nobody", "x", models.UserNotFound)
		set("dora", " x", models.IllegalArgument)
		wantCode(t, "of no application", models.AppNotFound, h.SetAlias(t.Context(), operator, "none", "ada", "x"))

		v := h.view(t, "jira")
		wantUser(t, v, "lovelace", "Lovelace@staff")
		wantUser(t, v, "ada", "Lovelace@staff")
		wantUser(t, v, "countess", "countess@staff")
		if u, err := v.User(t.Context(), "countess"); err != nil || u.ID != h.row(t, staff, "bob").ID || u.Unaliased != "bob" {
			t.Errorf("want bob by the name that is an alias, got %+v, %v", u, err)
		}
		wantUser(t, h.view(t, "wiki"), "ada", "ada@staff")
		wantUser(t, h.view(t, "wiki"), "lovelace", "")
		members, err := v.Members(t.Context(), "devs", application.Direct, models.Everything)
		wantNames(t, "members", "Lovelace countess", members, err)
		groups, err := v.GroupsOf(t.Context(), "LOVELACE", application.Direct, models.Everything)
		wantNames(t, "groups", "devs", groups, err)
		wantCode(t, "is a member, by alias", "", v.CheckMember(t.Context(), "lovelace", "devs", application.Direct))
		if u, err := v.UserByKey(t.Context(), key(h.row(t, staff, "ada"))); err != nil || u.Name != "Lovelace" {
			t.Errorf("by key: want Lovelace, got %v, %v", u, err)
		}

		// Writes by alias reach the user; a rename leaves the alias.
		wantCode(t, "update", "", v.UpdateUser(t.Context(), "lovelace", application.UserPatch{Name: "Lovelace", Email: new("ada@example.test")}))
		wantCode(t, "remove", "", v.RemoveMember(t.Context(), "lovelace", "devs"))
		wantCode(t, "add", "", v.AddMember(t.Context(), "lovelace", "devs"))
		if u, err := v.RenameUser(t.Context(), "lovelace", "augusta"); err != nil || u.Name != "Lovelace" || u.Unaliased != "augusta" {
			t.Errorf("renamed: want Lovelace, who is augusta; got %+v, %v", u, err)
		}
		if u := h.row(t, staff, "augusta"); u.Email != "ada@example.test" {
			t.Errorf("want the mail that was set by alias, got %q", u.Email)
		}

		lines, err := h.Aliases(t.Context(), "JIRA")
		want := []application.AliasedUser{{User: "bob", Directory: "staff", Alias: "countess"}, {User: "augusta", Directory: "staff", Alias: "Lovelace"}}
		if diff := cmp.Diff(want, lines); diff != "" || err != nil {
			t.Errorf("aliases, %v (-want +got):\n%s", err, diff)
		}

		set("augusta", "Ada", "") // another instead
		wantCode(t, "remove", "", h.RemoveAlias(t.Context(), operator, "jira", "bob"))
		wantCode(t, "remove again", models.AliasNotFound, h.RemoveAlias(t.Context(), operator, "jira", "bob"))
		v = h.view(t, "jira")
		wantUser(t, v, "lovelace", "")
		wantUser(t, v, "ada", "Ada@staff")
		if u, err := v.User(t.Context(), "countess"); err != nil || u.ID != h.row(t, staff, "countess").ID {
			t.Errorf("want the real countess, got %+v, %v", u, err)
		}
		wantCode(t, "delete", "", v.DeleteUser(t.Context(), "ada"))
		set("dora", "ADA", "") // a deleted user's alias is free
	})
}

// An alias whose user the application doesn't see hides nobody: whom a list names, that name
// finds.
func TestAliasOfSomebodyUnseenHidesNobody(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.fill(t, "staff", "ada", "zoe")
		h.fill(t, "partners", "boss", "devs: boss")
		h.app(t, "jira", firstMatch, "staff", "partners")
		if err := h.SetAlias(t.Context(), operator, "jira", "ada", "boss"); err != nil {
			t.Fatal(err)
		}
		wantUser(t, h.view(t, "jira"), "boss", "boss@staff")
		if _, err := h.directories.Set(t.Context(), operator, "staff", directory.Patch{Active: new(false)}); err != nil {
			t.Fatal(err)
		}
		v := h.view(t, "jira")
		members, err := v.Members(t.Context(), "devs", application.Direct, models.Everything)
		wantNames(t, "members", "boss", members, err)
		wantUser(t, v, "boss", "boss@partners")
	})
}

// Before, an alias let its user take a name that another directory's user has.
func TestOwnAliasDoesNotFreeAnothersName(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.fill(t, "staff", "ada")
		h.fill(t, "partners", "boss")
		h.app(t, "jira", firstMatch, "staff", "partners")
		if err := h.SetAlias(t.Context(), operator, "jira", "ada", "boss"); err != nil {
			t.Fatal(err)
		}
		_, err := h.view(t, "jira").RenameUser(t.Context(), "ada", "boss")
		wantMessage(t, "rename", models.InvalidUser, "User already exists", err)
	})
}
