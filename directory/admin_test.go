package directory_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

func TestCreateDirectory(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		readOnly := models.ReadOnly
		h.clock.Advance(time.Hour)
		staff, err := h.Create(t.Context(), operator, directory.NewDirectory{Name: "Staff"})
		if err != nil {
			t.Fatal(err)
		}
		want := &models.Directory{ID: staff.ID, Name: "Staff", Key: "staff", Kind: models.KindInternal, Active: true,
			Permissions: models.AllPermissions, CreatedAt: h.store.Now(), UpdatedAt: h.store.Now(), Settings: map[string]string{}}
		got, err := h.store.DirectoryByName(t.Context(), "STAFF")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("with defaults (-want +got):\n%s", diff)
		}
		full := directory.NewDirectory{Name: "partners", Kind: models.KindInternal, Description: "Who works with us",
			Permissions: &readOnly, Settings: map[string]string{"max-attempts": "5"}}
		if _, err := h.Create(t.Context(), operator, full); err != nil {
			t.Fatal(err)
		}
		got, err = h.store.DirectoryByName(t.Context(), "partners")
		if err != nil {
			t.Fatal(err)
		}
		if got.Description != full.Description || got.Permissions != readOnly || !cmp.Equal(full.Settings, got.Settings) {
			t.Errorf("want everything as it was given, got %+v", got)
		}
	})
}

func TestDirectoriesThatAreRefused(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.directory(t, "staff")
		before := h.lastChange(t)
		for what, c := range map[string]struct {
			n       directory.NewDirectory
			want    models.Code
			message string
		}{
			"no name":              {directory.NewDirectory{}, models.IllegalArgument, "the name is empty"},
			"a control character":  {directory.NewDirectory{Name: "sta\x07ff"}, models.IllegalArgument, "control character"},
			"a name that is taken": {directory.NewDirectory{Name: "STAFF"}, models.NameTaken, "already"},
			"a verb of sync":       {directory.NewDirectory{Name: "Approve"}, models.IllegalArgument, "rollcall sync"},
			"a kind there isn't":   {directory.NewDirectory{Name: "x", Kind: "nis"}, models.IllegalArgument, `no kind of directory "nis"`},
			"a long description":   {directory.NewDirectory{Name: "x", Description: strings.Repeat("x", 1001)}, models.IllegalArgument, "description"},
		} {
			_, err := h.Create(t.Context(), operator, c.n)
			wantMessage(t, what, c.want, c.message, err)
		}
		if after := h.lastChange(t); after != before {
			t.Errorf("refused directories wrote %d changes", after-before)
		}
	})
}

var wrongSettings = map[string]string{
	"password-min-length": "eight",
	"password-regex":      "(",
	"password-history":    "11",
	"password-max-age":    "-1",
	"password-required":   "yes",
	"password-message":    "a\x00b",
	"max-atempts":         "3",
	"max-attempts":        "3", // right
}

// All that is wrong is told at once, each with its name; the rest is not stored.
func TestSettingsAreCheckedTogether(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		wantAll := func(what string, err error) {
			t.Helper()
			wantCode(t, what, models.IllegalArgument, err)
			for name := range wrongSettings {
				if named := strings.Contains(err.Error(), "setting "+name) || strings.Contains(err.Error(), `setting "`+name+`"`); named != (name != "max-attempts") {
					t.Errorf("%s: is %s named? %t, in %q", what, name, named, err)
				}
			}
			if !strings.Contains(err.Error(), "it has password-min-length, ") {
				t.Errorf("%s: want the settings there are, got %q", what, err)
			}
		}
		_, err := h.Create(t.Context(), operator, directory.NewDirectory{Name: "partners", Settings: wrongSettings})
		wantAll("create", err)

		h.directory(t, "staff", "password-history=2")
		_, err = h.Set(t.Context(), operator, "staff", directory.Patch{Settings: wrongSettings, Description: new("changed")})
		wantAll("set", err)
		dir, err := h.store.DirectoryByName(t.Context(), "staff")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[string]string{"password-history": "2"}, dir.Settings); diff != "" || dir.Description != "" {
			t.Errorf("want nothing changed, got %q and (-want +got):\n%s", dir.Description, diff)
		}
	})
}

func TestSettingsOfEachKindAreDocumented(t *testing.T) {
	t.Parallel()
	for _, kind := range directory.Kinds() {
		if kind == directory.KindMirror {
			continue
		}
		for _, s := range directory.Settings(kind) {
			if s.Doc == "" {
				t.Errorf("%s: setting %s has no sentence", kind, s.Name)
			}
			if s.Default != "" {
				if err := s.Check(s.Default); err != nil {
					t.Errorf("%s: the default of %s is refused: %v", kind, s.Name, err)
				}
			}
		}
	}
}

func TestSetDirectory(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		created := h.directory(t, "staff", "password-history=2", "max-attempts=3")
		h.clock.Advance(time.Minute)
		perms := models.UpdateUser | models.UpdateGroup
		_, err := h.Set(t.Context(), operator, "STAFF", directory.Patch{
			Description: new("Us"), Active: new(false), Permissions: &perms,
			Settings: map[string]string{"max-attempts": "", "password-max-age": "90"},
		})
		wantCode(t, "set", "", err)
		_, err = h.Set(t.Context(), operator, "staff", directory.Patch{}) // keeps everything
		wantCode(t, "set nothing", "", err)
		got, err := h.store.DirectoryByName(t.Context(), "staff")
		if err != nil {
			t.Fatal(err)
		}
		want := &models.Directory{ID: created.ID, Name: "staff", Key: "staff", Kind: models.KindInternal, Description: "Us",
			Permissions: perms, CreatedAt: created.CreatedAt, UpdatedAt: h.store.Now(),
			Settings: map[string]string{"password-history": "2", "password-max-age": "90"}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("the directory (-want +got):\n%s", diff)
		}
		_, err = h.Set(t.Context(), operator, "partners", directory.Patch{})
		wantCode(t, "one there isn't", models.DirectoryNotFound, err)
	})
}

// A secret setting is readable by the service alone: sealed in its row, and only named in the
// audit log and the feed.
// A directory that is kept equal to a source is shown by its first completed synchronisation, and
// can be hidden and shown after that.
func TestAMirroredDirectoryIsNotShownBeforeItsFirstRun(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		dir, err := h.Create(t.Context(), operator, directory.NewDirectory{Name: "cloud", Kind: models.KindEntra,
			Settings: map[string]string{"tenant": "t", "client-id": "c", "client-secret": "s"}})
		if err != nil || dir.Active {
			t.Fatalf("created: %+v, %v", dir, err)
		}
		if _, err = h.Set(t.Context(), operator, "cloud", directory.Patch{Active: new(true)}); !models.Is(err, models.Unsupported) || !strings.Contains(err.Error(), "was never synchronised") {
			t.Errorf("shown by hand: %v", err)
		}
		if dir, err = h.Set(t.Context(), operator, "cloud", directory.Patch{Active: new(false), Description: new("Us")}); err != nil || dir.Active {
			t.Errorf("changed: %+v, %v", dir, err)
		}
		err = h.store.Write(t.Context(), models.System, func(tx *store.Tx) error {
			return errors.Join(tx.SaveSyncState(&models.SyncState{DirectoryID: dir.ID, CompletedAt: 1}), tx.ActivateDirectory(dir))
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, active := range []bool{false, true} {
			if dir, err = h.Set(t.Context(), operator, "cloud", directory.Patch{Active: &active}); err != nil || dir.Active != active {
				t.Errorf("set to %t: %+v, %v", active, dir, err)
			}
		}
	})
}

func TestSecretSettings(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		h := newHouse(t, db)
		_, err := h.Create(t.Context(), operator, directory.NewDirectory{Name: "cloud", Kind: directory.KindMirror,
			Settings: map[string]string{"client-id": "public-words", "client-secret": "hidden-words-1"}})
		wantCode(t, "create", "", err)
		_, err = h.Set(t.Context(), operator, "cloud", directory.Patch{Settings: map[string]string{"client-secret": "hidden-words-2"}})
		wantCode(t, "set", "", err)
		dir, err := h.store.DirectoryByName(t.Context(), "cloud")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[string]string{"client-id": "public-words", "client-secret": "hidden-words-2"}, dir.Settings); diff != "" {
			t.Errorf("opened (-want +got):\n%s", diff)
		}
		if err := h.Delete(t.Context(), operator, "cloud"); err != nil {
			t.Fatal(err)
		}
		public := false
		for table, rows := range db.Contents(t) {
			for _, row := range rows {
				public = public || strings.Contains(row, "public-words")
				if strings.Contains(row, "hidden-words") {
					t.Errorf("%s shows the secret: %s", table, row)
				}
			}
		}
		if !public {
			t.Error("want the setting that is no secret in the audit log")
		}
	})
}

func TestRenameDirectory(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		staff := h.directory(t, "staff", "max-attempts=3")
		h.directory(t, "partners")
		u := h.user(t, staff, "ada", "")
		rename := func(from, to string) error {
			_, err := h.Rename(t.Context(), operator, from, to)
			return err
		}
		wantCode(t, "to a name that is taken", models.NameTaken, rename("staff", "Partners"))
		wantCode(t, "to a verb of sync", models.IllegalArgument, rename("staff", "history"))
		wantCode(t, "to nothing", models.IllegalArgument, rename("staff", ""))
		wantCode(t, "of one there isn't", models.DirectoryNotFound, rename("people", "staff"))
		wantCode(t, "only the letter case", "", rename("staff", "Staff"))
		wantCode(t, "another name", "", rename("STAFF", "people"))
		got, err := h.store.DirectoryByName(t.Context(), "people")
		if err != nil {
			t.Fatal(err)
		}
		if got.ID != staff.ID || got.Settings["max-attempts"] != "3" {
			t.Errorf("want the same directory with its settings, got %+v", got)
		}
		if h.userNamed(t, got, "ada").ID != u.ID {
			t.Error("want its users")
		}
	})
}

// Deleting a directory takes all that is in it, and nothing else.
func TestDeleteDirectory(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		h := newHouse(t, db)
		fill := func(name string) *models.Directory {
			dir := h.directory(t, name, "password-history=2")
			ada := h.user(t, dir, "ada", "difference")
			h.user(t, dir, "bob", "")
			h.groups(t, dir, "devs", "all")
			h.must(t, func(e *directory.Edit) error {
				for _, err := range []error{
					e.AddMember(dir, "devs", "ada"), e.AddMember(dir, "all", "bob"), e.AddChild(dir, "all", "devs"),
					e.SetUserAttributes(dir, "ada", []models.Attribute{attr("room", "12")}),
					e.SetGroupAttributes(dir, "devs", []models.Attribute{attr("room", "12")}),
				} {
					if err != nil {
						return err
					}
				}
				return nil
			})
			wantCode(t, "set", "", h.setPassword(t, dir, "ada", "engine"))
			err := h.store.Write(t.Context(), operator, func(tx *store.Tx) error {
				if err := tx.AddIdentity("okta", name, ada); err != nil {
					return err
				}
				app := &models.Application{Name: "app of " + name}
				if err := tx.CreateApplication(app); err != nil {
					return err
				}
				if err := tx.SetAlias(app, ada, "countess"); err != nil {
					return err
				}
				return tx.SetMappings(app, nil, []models.Mapping{{DirectoryID: dir.ID, Groups: []string{"devs"}}})
			})
			wantCode(t, "fill", "", err)
			return dir
		}
		fill("partners")
		ofApplications := []string{"applications", "changes", "audit_entries"}
		before := db.Contents(t, ofApplications...)
		staff := fill("staff")

		contents, err := h.store.ContentsOf(t.Context(), staff.ID)
		want := store.DirectoryContents{Users: 2, Groups: 2, Memberships: 2, Applications: []string{"app of staff"}}
		if diff := cmp.Diff(want, contents); diff != "" || err != nil {
			t.Errorf("what would go with it, %v (-want +got):\n%s", err, diff)
		}
		wantCode(t, "one there isn't", models.DirectoryNotFound, h.Delete(t.Context(), operator, "people"))
		wantCode(t, "delete", "", h.Delete(t.Context(), operator, "STAFF"))
		if diff := cmp.Diff(before, db.Contents(t, ofApplications...)); diff != "" {
			t.Errorf("want everything as it was before the directory (-want +got):\n%s", diff)
		}
		wantCode(t, "once more", models.DirectoryNotFound, h.Delete(t.Context(), operator, "staff"))
	})
}
