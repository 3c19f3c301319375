package directory_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

var refusedNames = map[string]string{
	"empty":                  "",
	"only blanks":            "  ",
	"a blank before":         " ada",
	"a blank behind":         "ada ",
	"a no-break space":       "ada\u00a0",
	"a line break":           "ada\nbob",
	"a zero byte":            "ada\x00",
	"a C1 control character": "ada\u0085b",
	"what XML can't carry":   "ada\uffff",
	"not UTF-8":              "ad\xe4",
	"256 characters":         strings.Repeat("ä", 256),
}

var oddNames = []string{"ada lovelace", `a/b\c&d+e`, "ada@example.test", "日本", "<ada>", "a:b", "o'hara", strings.Repeat("ä", 255)}

func TestNamesOfUsersAndGroups(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		dir := h.directory(t, "staff")
		h.user(t, dir, "ada", "")
		before := h.lastChange(t)
		for what, name := range refusedNames {
			_, err := h.CreateUser(t.Context(), operator, dir, directory.NewUser{Name: name})
			wantCode(t, "user with "+what, models.InvalidUser, err)
			wantCode(t, "rename to "+what, models.InvalidUser, h.edit(t, func(e *directory.Edit) error {
				_, err := e.RenameUser(dir, "ada", name)
				return err
			}))
			wantCode(t, "group with "+what, models.InvalidGroup, h.edit(t, func(e *directory.Edit) error {
				_, err := e.CreateGroup(dir, directory.NewGroup{Name: name})
				return err
			}))
		}
		if after := h.lastChange(t); after != before {
			t.Errorf("refused names wrote %d changes", after-before)
		}
		for _, name := range oddNames {
			if u := h.user(t, dir, name, ""); u.Name != name {
				t.Errorf("want the name as written, %q, got %q", name, u.Name)
			}
			h.groups(t, dir, name)
		}
	})
}

func TestFieldsThatAreRefused(t *testing.T) {
	long := strings.Repeat("x", models.MaxText+1)
	eachHouse(t, func(t *testing.T, h *house) {
		dir := h.directory(t, "staff")
		h.user(t, dir, "ada", "")
		h.groups(t, dir, "devs")
		before := h.lastChange(t)
		for field, n := range map[string]directory.NewUser{
			"first name":   {FirstName: "a\x00b"},
			"last name":    {LastName: "a\tb"},
			"display name": {LastName: "x", DisplayName: long},
			"email":        {Email: "\xff@example.test"},
			"external id":  {ExternalID: "a\nb"},
		} {
			n.Name = "bob"
			_, err := h.CreateUser(t.Context(), operator, dir, n)
			wantMessage(t, "create with a wrong "+field, models.InvalidUser, field, err)
		}
		wantCode(t, "update with a wrong mail", models.InvalidUser, h.edit(t, func(e *directory.Edit) error {
			_, err := e.UpdateUser(dir, "ada", directory.UserPatch{Email: &long})
			return err
		}))
		wantCode(t, "create with a wrong description", models.InvalidGroup, h.edit(t, func(e *directory.Edit) error {
			_, err := e.CreateGroup(dir, directory.NewGroup{Name: "ops", Description: long})
			return err
		}))
		wantCode(t, "update with a wrong description", models.InvalidGroup, h.edit(t, func(e *directory.Edit) error {
			_, err := e.UpdateGroup(dir, "devs", directory.GroupPatch{Description: new("a\x01b")})
			return err
		}))
		if after := h.lastChange(t); after != before {
			t.Errorf("refused fields wrote %d changes", after-before)
		}
	})
}

func TestNamesAreTakenWhateverTheirSpelling(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		staff, partners := h.directory(t, "staff"), h.directory(t, "partners")
		h.user(t, staff, "Zoë", "")
		h.groups(t, staff, "Zoë")
		for _, name := range []string{"Zoë", "ZOË", "zoe\u0308"} {
			_, err := h.CreateUser(t.Context(), operator, staff, directory.NewUser{Name: name})
			wantMessage(t, "user "+name, models.InvalidUser, "User already exists", err)
			wantMessage(t, "group "+name, models.InvalidGroup, "Group already exists", h.edit(t, func(e *directory.Edit) error {
				_, err := e.CreateGroup(staff, directory.NewGroup{Name: name})
				return err
			}))
		}
		h.user(t, partners, "zoë", "") // another directory has names of its own
		if u := h.userNamed(t, staff, "ZOË"); u.Name != "Zoë" {
			t.Errorf("want the stored spelling, got %q", u.Name)
		}
	})
}

func TestRename(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		dir := h.directory(t, "staff")
		ada := h.user(t, dir, "ada", "difference")
		h.user(t, dir, "bob", "")
		h.groups(t, dir, "devs")
		h.must(t, func(e *directory.Edit) error { return e.AddMember(dir, "devs", "ada") })

		rename := func(from, to string) error {
			return h.edit(t, func(e *directory.Edit) error {
				_, err := e.RenameUser(dir, from, to)
				return err
			})
		}
		wantMessage(t, "to a name that is taken", models.InvalidUser, "User already exists", rename("ada", "BOB"))
		wantCode(t, "of nobody", models.UserNotFound, rename("carl", "carla"))

		h.clock.Advance(time.Minute)
		wantCode(t, "only the letter case", "", rename("ada", "Ada"))
		wantCode(t, "another name", "", rename("ADA", "countess"))

		got := h.userNamed(t, dir, "countess")
		want := *ada
		want.Name, want.NameKey, want.UpdatedAt = "countess", "countess", h.store.Now()
		if diff := cmp.Diff(&want, got); diff != "" {
			t.Errorf("all but the name and its date stay (-want +got):\n%s", diff)
		}
		if _, err := h.CheckPassword(t.Context(), dir, got, "difference"); err != nil {
			t.Errorf("the password after a rename: %v", err)
		}
		if in, err := h.store.GroupNamesOf(t.Context(), got.ID, false); err != nil || !cmp.Equal([]string{"devs"}, in) {
			t.Errorf("want still in devs, got %v, %v", in, err)
		}

		// The old name is free, for somebody else.
		other := h.user(t, dir, "ada", "")
		if other.ID == ada.ID || other.ExternalID == ada.ExternalID {
			t.Error("a new user of the old name got the old one's id")
		}
	})
}

func TestExternalIDs(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		staff, partners := h.directory(t, "staff"), h.directory(t, "partners")
		withID := func(dir *models.Directory, name, id string) (*models.User, error) {
			return h.CreateUser(t.Context(), operator, dir, directory.NewUser{Name: name, ExternalID: id})
		}
		ada, bob := h.user(t, staff, "ada", ""), h.user(t, staff, "bob", "")
		if len(ada.ExternalID) != 36 || ada.ExternalID == bob.ExternalID {
			t.Errorf("want a UUID for each, got %q and %q", ada.ExternalID, bob.ExternalID)
		}
		_, err := withID(staff, "carl", "00u1")
		wantCode(t, "an id from outside", "", err)
		_, err = withID(staff, "dora", "00u1")
		wantCode(t, "the same id in the directory", models.InvalidUser, err)
		_, err = withID(staff, "dora", "00U1")
		wantCode(t, "an id that differs by case", "", err)
		_, err = withID(partners, "dora", "00u1")
		wantCode(t, "the same id in another directory", "", err)

		h.must(t, func(e *directory.Edit) error { return e.DeleteUser(staff, "ada") })
		again := h.user(t, staff, "ada", "")
		if again.ExternalID == ada.ExternalID || again.ID == ada.ID {
			t.Error("a deleted user's id was used again")
		}
	})
}

// How somebody proves who they are is apart from the external id, which is the directory's.
func TestIdentitiesAreApartFromExternalIDs(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		dir := h.directory(t, "staff")
		ada, bob := h.user(t, dir, "ada", ""), h.user(t, dir, "bob", "")
		add := func(provider, subject string, u *models.User) error {
			return h.store.Write(t.Context(), operator, func(tx *store.Tx) error { return tx.AddIdentity(provider, subject, u) })
		}
		wantCode(t, "an identity that looks like another's external id", "", add("okta", bob.ExternalID, ada))
		wantCode(t, "one more at another provider", "", add("google", "117", ada))
		wantCode(t, "somebody else's", models.NameTaken, add("google", "117", bob))

		if u, err := h.store.UserByIdentity(t.Context(), "okta", bob.ExternalID); err != nil || u.ID != ada.ID {
			t.Errorf("by identity: want ada, got %v, %v", u, err)
		}
		if u, err := h.store.UserByExternalID(t.Context(), dir.ID, bob.ExternalID); err != nil || u.ID != bob.ID {
			t.Errorf("by external id: want bob, got %v, %v", u, err)
		}
		if u := h.userNamed(t, dir, "ada"); u.ExternalID != ada.ExternalID {
			t.Errorf("want ada's external id untouched, got %q", u.ExternalID)
		}
		h.must(t, func(e *directory.Edit) error { return e.DeleteUser(dir, "ada") })
		_, err := h.store.UserByIdentity(t.Context(), "google", "117")
		wantCode(t, "the identity of a user who is gone", models.UserNotFound, err)
	})
}

// A user is created with password and attributes, or not at all.
func TestCreateUserIsOneTransaction(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		dir := h.directory(t, "staff")
		before := h.lastChange(t)
		_, err := h.CreateUser(t.Context(), operator, dir, directory.NewUser{
			Name: "ada", Password: new(models.Secret("difference")), Attributes: []models.Attribute{{Name: "a\x00b", Values: []string{"x"}}},
		})
		wantCode(t, "a wrong attribute", models.IllegalArgument, err)
		_, err = h.CreateUser(t.Context(), operator, dir, directory.NewUser{Name: "ada", Password: new(models.Secret(" "))})
		wantCode(t, "a wrong password", models.InvalidCredential, err)
		if after := h.lastChange(t); after != before {
			t.Errorf("refused users wrote %d changes", after-before)
		}
		_, err = h.store.UserByName(t.Context(), dir.ID, "ada")
		wantCode(t, "the refused user", models.UserNotFound, err)
	})
}

func TestMissingUsersAndGroups(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		dir := h.directory(t, "staff")
		for what, do := range map[string]func(e *directory.Edit) error{
			"update":     func(e *directory.Edit) error { _, err := e.UpdateUser(dir, "ada", directory.UserPatch{}); return err },
			"delete":     func(e *directory.Edit) error { return e.DeleteUser(dir, "ada") },
			"attributes": func(e *directory.Edit) error { return e.SetUserAttributes(dir, "ada", nil) },
		} {
			wantCode(t, "user: "+what, models.UserNotFound, h.edit(t, do))
		}
		wantCode(t, "user: password", models.UserNotFound, h.SetPassword(t.Context(), operator, dir, "ada", "difference"))
		wantCode(t, "user: clear password", models.UserNotFound, h.ClearPassword(t.Context(), operator, dir, "ada"))
		for what, do := range map[string]func(e *directory.Edit) error{
			"update": func(e *directory.Edit) error {
				_, err := e.UpdateGroup(dir, "devs", directory.GroupPatch{})
				return err
			},
			"delete":     func(e *directory.Edit) error { return e.DeleteGroup(dir, "devs") },
			"attributes": func(e *directory.Edit) error { return e.SetGroupAttributes(dir, "devs", nil) },
		} {
			wantCode(t, "group: "+what, models.GroupNotFound, h.edit(t, do))
		}
	})
}

func TestUpdateGroup(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		dir := h.directory(t, "staff")
		h.groups(t, dir, "Devs")
		created, err := h.store.GroupByName(t.Context(), dir.ID, "devs")
		if err != nil {
			t.Fatal(err)
		}
		h.clock.Advance(time.Minute)
		h.must(t, func(e *directory.Edit) error {
			_, err := e.UpdateGroup(dir, "devs", directory.GroupPatch{Description: new("Developers")})
			return err
		})
		h.must(t, func(e *directory.Edit) error {
			_, err := e.UpdateGroup(dir, "devs", directory.GroupPatch{Active: new(false)})
			return err
		})
		got, err := h.store.GroupByName(t.Context(), dir.ID, "devs")
		if err != nil {
			t.Fatal(err)
		}
		want := models.Group{ID: created.ID, DirectoryID: dir.ID, Name: "Devs", NameKey: "devs", Description: "Developers",
			Active: false, ExternalID: created.ExternalID, CreatedAt: created.CreatedAt, UpdatedAt: h.store.Now()}
		got.DescriptionKey = "" // the store's own, for search
		if diff := cmp.Diff(&want, got); diff != "" {
			t.Errorf("the group (-want +got):\n%s", diff)
		}
	})
}
