package store_test

import (
	"context"
	"testing"

	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

func TestDirectoryIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		clock := testkit.NewClock()
		s := db.Open(t, func(o *store.Options) { o.Now = clock.Now })
		want := &models.Directory{
			Name: "Staff", Kind: models.KindInternal, Description: "who works here", Active: true,
			Permissions: models.CreateUser | models.DeleteGroup, Settings: map[string]string{"host": "ldap.test", "password": "hunter2"},
		}
		secret := map[string]bool{"password": true}
		write(t, s, func(tx *store.Tx) error { return tx.CreateDirectory(want, secret) })

		got, err := s.DirectoryByName(t.Context(), "STAFF")
		if err != nil {
			t.Fatal(err)
		}
		testkit.Diff(t, "directory", want, got)
		if got.ID == 0 || got.Key != "staff" || got.CreatedAt != models.TimeOf(clock.Now()) {
			t.Errorf("want an id, the key staff and the time of the write, got %+v", got)
		}

		before := *got
		got.Name, got.Description, got.Active, got.Permissions = "People", "", false, models.ReadOnly
		got.Settings = map[string]string{"password": "swordfish"}
		write(t, s, func(tx *store.Tx) error { return tx.SaveDirectory(&before, got, secret) })
		if _, err := s.DirectoryByName(t.Context(), "staff"); !models.Is(err, models.DirectoryNotFound) {
			t.Errorf("the old name: want %s, got %v", models.DirectoryNotFound, err)
		}
		testkit.Diff(t, "all directories", []*models.Directory{got}, read(t, s.Directories))
	})
}

func TestDeletedDirectoryTakesEverythingInIt(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		empty := db.Contents(t, "changes", "audit_entries", "sqlite_sequence")
		staff := addDirectory(t, s, "staff")
		ada, bob := addUser(t, s, staff, "ada"), addUser(t, s, staff, "bob")
		all, some := addGroup(t, s, staff, "all"), addGroup(t, s, staff, "some")
		addMember(t, s, some, ada)
		addMember(t, s, some, bob)
		addChild(t, s, all, some)
		jira := addApplication(t, s, "jira")
		write(t, s, func(tx *store.Tx) error { return hangOn(tx, jira, staff, ada, all) })

		contents, err := s.ContentsOf(t.Context(), staff.ID)
		if err != nil {
			t.Fatal(err)
		}
		testkit.Diff(t, "contents", store.DirectoryContents{Users: 2, Groups: 2, Memberships: 2, Applications: []string{"jira"}}, contents)

		write(t, s, func(tx *store.Tx) error { return tx.DeleteDirectory(staff) })
		write(t, s, func(tx *store.Tx) error { return tx.DeleteApplication(jira) })
		testkit.Diff(t, "what is left", empty, db.Contents(t, "changes", "audit_entries", "sqlite_sequence"))
	})
}

// hangOn gives a directory, a user, a group and an application one of everything that
// belongs to them.
func hangOn(tx *store.Tx, app *models.Application, dir *models.Directory, u *models.User, g *models.Group) error {
	values := []models.Attribute{{Name: "colour", Values: []string{"red", "blue"}}}
	session := models.Session{UserID: u.ID, TokenHash: []byte("hash of " + u.Name), Sealed: []byte("sealed"), Factors: []byte{}, Lifetime: 1000}
	dir.Settings = map[string]string{"host": "ldap.test"}
	mapping := models.Mapping{DirectoryID: dir.ID, Permissions: models.ReadOnly, Groups: []string{g.Name}}
	for _, do := range []func() error{
		func() error { return tx.SaveDirectory(dir, dir, nil) },
		func() error { return tx.SetUserAttributes(u, values) },
		func() error { return tx.SetGroupAttributes(g, values) },
		func() error { return tx.AddIdentity("okta", "00u"+u.Name, u) },
		func() error { return tx.SetPassword(u, "old hash", 5) },
		func() error { return tx.SetPassword(u, "new hash", 5) },
		func() error { return tx.CreateSession(&session) },
		func() error { return tx.SetMappings(app, nil, []models.Mapping{mapping}) },
		func() error { return tx.AddApplicationPassword(app, &models.ApplicationPassword{Hash: "hash"}) },
		func() error { return tx.SetApplicationAddresses(app, nil, []string{"127.0.0.1", "::1"}) },
		func() error { return tx.SetAlias(app, u, "lovelace") },
	} {
		if err := do(); err != nil {
			return err
		}
	}
	return nil
}

func TestWritesToADirectoryThatIsGoneAnswerSo(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		staff := addDirectory(t, s, "staff")
		write(t, s, func(tx *store.Tx) error { return tx.DeleteDirectory(staff) })
		before := db.Contents(t)
		for what, do := range map[string]func(tx *store.Tx) error{
			"save":   func(tx *store.Tx) error { return tx.SaveDirectory(staff, staff, nil) },
			"delete": func(tx *store.Tx) error { return tx.DeleteDirectory(staff) },
		} {
			wantCode(t, what, models.DirectoryNotFound, s.Write(t.Context(), jane, do))
		}
		testkit.Diff(t, "the database", before, db.Contents(t))
	})
}

func TestAuditNamesTheDirectoryAsItIs(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		create := func(name string) func(tx *store.Tx) error {
			return func(tx *store.Tx) error {
				dir := &models.Directory{Name: name, Kind: models.KindInternal}
				if err := tx.CreateDirectory(dir, nil); err != nil {
					return err
				}
				return tx.CreateUser(&models.User{DirectoryID: dir.ID, Name: "ada in " + name})
			}
		}
		// SQLite gives the number of a row that was rolled back to the next one.
		_ = s.Write(t.Context(), jane, func(tx *store.Tx) error {
			_ = create("rolled back")(tx)
			return context.Canceled
		})
		write(t, s, create("staff"))
		staff, err := s.DirectoryByName(t.Context(), "staff")
		if err != nil {
			t.Fatal(err)
		}
		renamed := *staff
		renamed.Name = "people"
		write(t, s, func(tx *store.Tx) error {
			if err := tx.CreateUser(&models.User{DirectoryID: staff.ID, Name: "before"}); err != nil {
				return err
			}
			if err := tx.SaveDirectory(staff, &renamed, nil); err != nil {
				return err
			}
			return tx.CreateUser(&models.User{DirectoryID: staff.ID, Name: "after"})
		})
		addUser(t, s, &renamed, "later")

		got := map[string]string{}
		entries, err := s.SearchAudit(t.Context(), store.AuditSearch{Action: "user", Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			got[e.Subject] = e.Directory
		}
		testkit.Diff(t, "directory of each user", map[string]string{
			"ada in staff": "staff", "before": "staff", "after": "people", "later": "people",
		}, got)
	})
}
