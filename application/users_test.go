package application_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/models"
)

// row finds a user in its directory, whatever any application sees.
func (h *house) row(t testing.TB, dir *models.Directory, name string) *models.User {
	t.Helper()
	u, err := h.store.UserByName(t.Context(), dir.ID, name)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func key(u *models.User) string { return fmt.Sprintf("%d:%s", u.DirectoryID, u.ExternalID) }

// wantUser looks a user up and compares "name@directory"; an empty want is nobody.
func wantUser(t testing.TB, v *application.View, name, want string) {
	t.Helper()
	u, err := v.User(t.Context(), name)
	if want == "" {
		wantMessage(t, name, models.UserNotFound, "User <"+name+"> does not exist", err)
		return
	}
	if err != nil {
		t.Errorf("%s: want %s, got %v", name, want, err)
		return
	}
	if got := u.Name + "@" + u.DirectoryName; got != want {
		t.Errorf("%s: want %s, got %s", name, want, got)
	}
}

// The first directory that has a name wins it; the order is the mappings'.
func TestFirstDirectoryShadowsLaterOnes(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		staff := h.fill(t, "staff", "ada", "Bob")
		partners := h.fill(t, "partners", "ADA", "carl")
		hidden := h.fill(t, "hidden", "dora")
		h.app(t, "jira", firstMatch, "staff", "partners")
		h.app(t, "wiki", firstMatch, "partners", "staff")
		h.app(t, "nothing", firstMatch)

		jira := h.view(t, "jira")
		wantUser(t, jira, "Ada", "ada@staff")
		wantUser(t, jira, "bob", "Bob@staff")
		wantUser(t, jira, "carl", "carl@partners")
		wantUser(t, jira, "dora", "")
		wantUser(t, h.view(t, "wiki"), "ada", "ADA@partners")
		wantUser(t, h.view(t, "nothing"), "ada", "")

		for what, c := range map[string]struct {
			key  string
			want models.Code
		}{
			"canonical":                    {key(h.row(t, staff, "ada")), ""},
			"shadowed":                     {key(h.row(t, partners, "ada")), models.UserNotFound},
			"of the second directory":      {key(h.row(t, partners, "carl")), ""},
			"of a directory not mapped":    {key(h.row(t, hidden, "dora")), models.UserNotFound},
			"of a directory there isn't":   {"4711:x", models.UserNotFound},
			"another's id in a directory":  {fmt.Sprintf("%d:%s", staff.ID, h.row(t, partners, "carl").ExternalID), models.UserNotFound},
			"no colon":                     {"17", models.IllegalArgument},
			"no number":                    {"staff:17", models.IllegalArgument},
			"no directory":                 {":17", models.IllegalArgument},
			"no id":                        {"1:", models.IllegalArgument},
			"a sign":                       {"+" + key(h.row(t, staff, "ada")), models.IllegalArgument},
			"a negative directory":         {"-1:17", models.IllegalArgument},
			"a number longer than any":     {strings.Repeat("9", 30) + ":17", models.IllegalArgument},
			"empty":                        {"", models.IllegalArgument},
			"a name is no key":             {"ada", models.IllegalArgument},
			"an id with a colon: its rest": {fmt.Sprintf("%d:a:b", staff.ID), models.UserNotFound},
		} {
			u, err := jira.UserByKey(t.Context(), c.key)
			wantCode(t, "key, "+what, c.want, err)
			if err == nil && key(&u.User) != c.key {
				t.Errorf("key, %s: want %s, got %s", what, c.key, key(&u.User))
			}
		}
		for what, c := range map[string]struct {
			row  *models.User
			want models.Code
		}{
			"canonical": {h.row(t, staff, "ada"), ""}, "shadowed": {h.row(t, partners, "ada"), models.UserNotFound},
			"not mapped": {h.row(t, hidden, "dora"), models.UserNotFound}, "gone": {&models.User{ID: 4711}, models.UserNotFound},
		} {
			_, err := jira.UserByRow(t.Context(), c.row.ID)
			wantCode(t, "row, "+what, c.want, err)
		}

		// When the first goes, the second comes out of the shadow.
		h.edit(t, func(e *directory.Edit) error { return e.DeleteUser(staff, "ada") })
		wantUser(t, h.view(t, "jira"), "ada", "ADA@partners")
	})
}

func TestInactiveDirectoryDisappears(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		staff := h.fill(t, "staff", "ada", "devs: ada")
		h.fill(t, "partners", "Ada", "carl", "devs: carl")
		h.app(t, "jira", aggregated, "staff", "partners")
		before := h.view(t, "jira")
		k := key(h.row(t, staff, "ada"))

		if _, err := h.directories.Set(t.Context(), operator, "staff", directory.Patch{Active: new(false)}); err != nil {
			t.Fatal(err)
		}
		v := h.view(t, "jira")
		wantUser(t, v, "ada", "Ada@partners")
		_, err := v.UserByKey(t.Context(), k)
		wantCode(t, "by key", models.UserNotFound, err)
		members, err := v.Members(t.Context(), "devs", application.Direct, models.Everything)
		wantNames(t, "members", "carl", members, err)
		wantUser(t, before, "ada", "ada@staff") // a view belongs to its request

		if _, err := h.directories.Set(t.Context(), operator, "staff", directory.Patch{Active: new(true)}); err != nil {
			t.Fatal(err)
		}
		wantUser(t, h.view(t, "jira"), "ada", "ada@staff")
		if err := h.directories.Delete(t.Context(), operator, "staff"); err != nil {
			t.Fatal(err)
		}
		wantUser(t, h.view(t, "jira"), "ada", "Ada@partners")
	})
}

// With the switch, every name goes out in lower case; whatever is asked for is found.
func TestLowerCase(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.fill(t, "Staff", "Ada", "BOB", "Devs: Ada BOB", "All: @Devs")
		h.app(t, "jira", application.Options{LowerCase: new(true)}, "staff")
		h.app(t, "wiki", firstMatch, "staff")
		if err := h.SetAlias(t.Context(), operator, "jira", "bob", "Robert"); err != nil {
			t.Fatal(err)
		}
		v := h.view(t, "jira")
		wantUser(t, v, "ADA", "ada@Staff")
		wantUser(t, v, "Bob", "robert@Staff")
		wantUser(t, h.view(t, "wiki"), "ada", "Ada@Staff")
		members, err := v.Members(t.Context(), "DEVS", application.Direct, models.Everything)
		wantNames(t, "members", "ada robert", members, err)
		groups, err := v.GroupsOf(t.Context(), "ADA", application.Nested, models.Everything)
		wantNames(t, "groups", "all devs", groups, err)
		parents, err := v.Parents(t.Context(), "Devs", application.Direct, models.Everything)
		wantNames(t, "parents", "all", parents, err)
		children, err := v.Children(t.Context(), "ALL", application.Direct, models.Everything)
		wantNames(t, "children", "devs", children, err)
		if g, err := v.Group(t.Context(), "Devs"); err != nil || g.Name != "devs" {
			t.Errorf("want devs, got %v, %v", g, err)
		}
		u, _, err := v.CreateUser(t.Context(), application.NewUser{Name: "Carl"})
		if err != nil || u.Name != "carl" {
			t.Errorf("created: want carl, got %v, %v", u, err)
		}
		g, err := v.CreateGroup(t.Context(), application.NewGroup{Name: "Ops"})
		if err != nil || g.Name != "ops" {
			t.Errorf("created: want ops, got %v, %v", g, err)
		}
		u, err = v.RenameUser(t.Context(), "carl", "Carla")
		if err != nil || u.Name != "carla" {
			t.Errorf("renamed: want carla, got %v, %v", u, err)
		}
		wantUser(t, h.view(t, "wiki"), "carla", "Carla@Staff") // stored as written
	})
}

// A name that the application knows in any of its directories, or as an alias, is taken.
func TestNamesAreTakenAcrossDirectories(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.fill(t, "staff", "ada")
		h.fill(t, "partners", "Carl")
		h.fill(t, "others", "Dora")
		h.app(t, "jira", firstMatch, "staff", "partners")
		if err := h.SetAlias(t.Context(), operator, "jira", "ada", "Countess"); err != nil {
			t.Fatal(err)
		}
		if err := h.SetAlias(t.Context(), operator, "jira", "carl", "ada2"); err != nil {
			t.Fatal(err)
		}
		v := h.view(t, "jira")
		for _, name := range []string{"ADA", "carl", "countess"} {
			_, _, err := v.CreateUser(t.Context(), application.NewUser{Name: name})
			wantMessage(t, "create "+name, models.InvalidUser, "User already exists", err)
		}
		for _, name := range []string{"carl", "ADA2"} {
			_, err := v.RenameUser(t.Context(), "ada", name)
			wantMessage(t, "rename to "+name, models.InvalidUser, "User already exists", err)
		}
		for _, name := range []string{"dora", "Ada", "countess"} { // unknown here; its own; its own alias
			_, err := v.RenameUser(t.Context(), "countess", name)
			wantCode(t, "rename to "+name, "", err)
		}
		for _, name := range []string{"", " x", "a\x00b", strings.Repeat("x", 256)} {
			_, _, err := v.CreateUser(t.Context(), application.NewUser{Name: name})
			wantCode(t, fmt.Sprintf("create %q", name), models.InvalidUser, err)
			_, err = v.RenameUser(t.Context(), "carl", name)
			wantCode(t, fmt.Sprintf("rename to %q", name), models.InvalidUser, err)
		}
		_, err := v.RenameUser(t.Context(), "nobody", "x")
		wantCode(t, "rename nobody", models.UserNotFound, err)
	})
}

// A user is created in the first directory that lets the application create users.
func TestCreateUserGoesToTheFirstPermittedDirectory(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.fill(t, "staff")
		readOnly := models.ReadOnly
		if _, err := h.directories.Create(t.Context(), operator, directory.NewDirectory{Name: "archive", Permissions: &readOnly}); err != nil {
			t.Fatal(err)
		}
		partners := h.fill(t, "partners")
		h.fill(t, "others")
		h.app(t, "jira", firstMatch, "archive", "staff", "partners", "others")
		if _, err := h.Map(t.Context(), operator, "jira", application.NewMapping{Directory: "staff", Permissions: models.AllPermissions &^ models.CreateUser}); err != nil {
			t.Fatal(err)
		}
		v := h.view(t, "jira")
		u, attrs, err := v.CreateUser(t.Context(), application.NewUser{Name: "Ada", FirstName: "Ada", LastName: "Lovelace", Email: "Ada@example.test",
			Active: true, Password: new(models.Secret("difference")), Attributes: []models.Attribute{{Name: "room", Values: []string{"12"}}}})
		if err != nil {
			t.Fatal(err)
		}
		if u.DirectoryName != "partners" || u.DirectoryID != partners.ID || u.DisplayName != "Ada Lovelace" || !u.Active || u.ExternalID == "" {
			t.Errorf("want a whole user in partners, got %+v", u)
		}
		if names := attributeNames(attrs); !slices.Equal(names, []string{"invalidPasswordAttempts", "passwordLastChanged", "requiresPasswordChange", "room"}) {
			t.Errorf("want its attributes, those of logins too; got %v", names)
		}
		if _, err := h.directories.CheckPassword(t.Context(), partners, &u.User, "difference"); err != nil {
			t.Errorf("the password: %v", err)
		}

		h.app(t, "reader", firstMatch, "archive")
		_, _, err = h.view(t, "reader").CreateUser(t.Context(), application.NewUser{Name: "bob"})
		wantMessage(t, "nowhere", models.PermissionDenied, "has no directories that allow adding of users", err)
		h.app(t, "nothing", firstMatch)
		_, _, err = h.view(t, "nothing").CreateUser(t.Context(), application.NewUser{Name: "bob"})
		wantCode(t, "no directory at all", models.PermissionDenied, err)
	})
}

func attributeNames(attrs []models.Attribute) (names []string) {
	for _, a := range attrs {
		names = append(names, a.Name)
	}
	return names
}

// An update can't rename, nor move a user; a missing field stays.
func TestUpdateUser(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		staff := h.fill(t, "staff", "Ada")
		partners := h.fill(t, "partners", "ada", "carl")
		h.app(t, "jira", firstMatch, "staff", "partners")
		v := h.view(t, "jira")
		update := func(name string, p application.UserPatch) error { return v.UpdateUser(t.Context(), name, p) }
		wantCode(t, "another name in the body", models.IllegalArgument, update("ada", application.UserPatch{Name: "bob"}))
		wantCode(t, "no name in the body", models.IllegalArgument, update("ada", application.UserPatch{}))
		wantCode(t, "nobody", models.UserNotFound, update("dora", application.UserPatch{Name: "dora"}))
		wantCode(t, "another directory", models.InvalidUser, update("ada", application.UserPatch{Name: "ada", DirectoryID: partners.ID}))
		wantCode(t, "no directory", "", update("ada", application.UserPatch{Name: "ADA", DirectoryID: -1, Email: new("ada@example.test")}))
		wantCode(t, "its directory", "", update("ada", application.UserPatch{Name: "ada", DirectoryID: staff.ID, Active: new(false)}))
		u := h.row(t, staff, "ada")
		if u.Name != "Ada" || u.Email != "ada@example.test" || u.Active {
			t.Errorf("want Ada, with a mail and inactive; got %+v", u)
		}
		if shadowed := h.row(t, partners, "ada"); shadowed.Email != "" || !shadowed.Active {
			t.Errorf("want the shadowed user untouched, got %+v", shadowed)
		}
		// Inactive users are seen like all others.
		wantUser(t, v, "ada", "Ada@staff")
	})
}

// A write concerns the canonical user alone.
func TestWritesConcernTheCanonicalUser(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		staff := h.fill(t, "staff", "ada")
		partners := h.fill(t, "partners", "ada")
		h.app(t, "jira", aggregated, "staff", "partners")
		v := h.view(t, "jira")
		for what, err := range map[string]error{
			"attributes": v.SetUserAttributes(t.Context(), "ada", []models.Attribute{{Name: "room", Values: []string{"12"}}, {Name: "floor", Values: []string{"1"}}}),
			"password":   v.SetPassword(t.Context(), "ada", "difference"),
		} {
			wantCode(t, what, "", err)
		}
		wantCode(t, "remove an attribute", "", v.DeleteUserAttribute(t.Context(), "ada", "floor"))
		wantCode(t, "remove one that isn't there", "", v.DeleteUserAttribute(t.Context(), "ada", "none"))
		_, attrs, err := v.UserAttributes(t.Context(), "ADA")
		if names := attributeNames(attrs); err != nil || !slices.Contains(names, "room") || slices.Contains(names, "floor") {
			t.Errorf("want room and no floor, got %v, %v", names, err)
		}
		_, _, err = v.UserAttributes(t.Context(), "nobody")
		wantCode(t, "attributes of nobody", models.UserNotFound, err)

		dir, owner, err := v.Owner(t.Context(), "ada")
		if err != nil || dir.ID != staff.ID || owner.ID != h.row(t, staff, "ada").ID {
			t.Errorf("want ada of staff, got %v of %v, %v", owner, dir, err)
		}
		if _, err := h.directories.CheckPassword(t.Context(), staff, h.row(t, staff, "ada"), "difference"); err != nil {
			t.Errorf("the canonical user's password: %v", err)
		}
		_, err = h.directories.CheckPassword(t.Context(), partners, h.row(t, partners, "ada"), "difference")
		wantCode(t, "the shadowed user's password", models.InvalidPassword, err)
		wantCode(t, "clear", "", v.ClearPassword(t.Context(), "ada"))
		_, err = h.directories.CheckPassword(t.Context(), staff, h.row(t, staff, "ada"), "difference")
		wantCode(t, "cleared", models.InvalidPassword, err)
		wantCode(t, "a blank password", models.InvalidCredential, v.SetPassword(t.Context(), "ada", " "))

		wantCode(t, "delete", "", v.DeleteUser(t.Context(), "ada"))
		wantUser(t, v, "ada", "ada@partners")
	})
}
