package store_test

import (
	"fmt"
	"testing"

	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

func TestApplicationIsReadWhole(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		staff, partners := addDirectory(t, s, "staff"), addDirectory(t, s, "partners")
		ada := addUser(t, s, staff, "ada")
		addApplication(t, s, "confluence")
		jira := &models.Application{Name: "Jira", Description: "issues", Active: true, Aggregate: true, LowerCase: true}
		password := models.ApplicationPassword{Hash: "hash", Hint: "since June", ExpiresAt: 99}
		mappings := []models.Mapping{
			{DirectoryID: partners.ID, Permissions: models.ReadOnly, Groups: []string{"Guests", "friends"}},
			{DirectoryID: staff.ID, Permissions: models.AllPermissions, AllowAll: true},
		}
		write(t, s, func(tx *store.Tx) error {
			for _, do := range []func() error{
				func() error { return tx.CreateApplication(jira) },
				func() error { return tx.AddApplicationPassword(jira, &password) },
				func() error {
					return tx.SetApplicationAddresses(jira, nil, []string{"::1", "10.0.0.0/8", "jira.test", "::1"})
				},
				func() error { return tx.SetMappings(jira, nil, mappings) },
				func() error { return tx.SetAlias(jira, ada, "countess") },
			} {
				if err := do(); err != nil {
					return err
				}
			}
			return nil
		})

		mappings[0].Groups = []string{"friends", "Guests"} // in the order of their keys
		want := &store.ApplicationRecord{
			Application: *jira, Passwords: []models.ApplicationPassword{password},
			Addresses: []string{"10.0.0.0/8", "::1", "jira.test"}, Mappings: mappings, HasAliases: true,
		}
		testkit.Diff(t, "jira", want, application(t, s, "JIRA"))
		if other := application(t, s, "confluence"); other.HasAliases || len(other.Passwords)+len(other.Addresses)+len(other.Mappings) > 0 {
			t.Errorf("confluence got something of jira's: %+v", other)
		}

		before := *jira
		jira.Name, jira.Description, jira.Active, jira.Aggregate, jira.LowerCase, jira.Nested = "Tickets", "", false, false, false, true
		write(t, s, func(tx *store.Tx) error { return tx.SaveApplication(&before, jira) })
		testkit.Diff(t, "saved", *jira, application(t, s, "tickets").Application)
	})
}

func TestSeveralApplicationPasswordsOverlap(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		jira, other := addApplication(t, s, "jira"), addApplication(t, s, "other")
		old, young := &models.ApplicationPassword{Hash: "old"}, &models.ApplicationPassword{Hash: "young"}
		remove := func(app *models.Application, id models.ID) (gone bool) {
			t.Helper()
			write(t, s, func(tx *store.Tx) (err error) {
				gone, err = tx.RemoveApplicationPassword(app, id)
				return err
			})
			return gone
		}
		hashes := func() (out []string) {
			t.Helper()
			for _, p := range application(t, s, "jira").Passwords {
				out = append(out, p.Hash.Reveal())
			}
			return out
		}
		write(t, s, func(tx *store.Tx) error { return tx.AddApplicationPassword(jira, old) })
		write(t, s, func(tx *store.Tx) error { return tx.AddApplicationPassword(jira, young) })
		testkit.Diff(t, "both", []string{"old", "young"}, hashes())
		if remove(other, old.ID) {
			t.Error("an application removed another's password")
		}
		if !remove(jira, old.ID) || remove(jira, old.ID) {
			t.Error("want the old password to go once")
		}
		testkit.Diff(t, "one", []string{"young"}, hashes())
	})
}

func TestMappingsAreReplacedInOrder(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		jira := addApplication(t, s, "jira")
		dirs := map[string]*models.Directory{}
		for _, name := range []string{"a", "b", "c"} {
			dirs[name] = addDirectory(t, s, name)
		}
		order := func() (out []string) {
			t.Helper()
			for i, m := range application(t, s, "jira").Mappings {
				for name, dir := range dirs {
					if dir.ID == m.DirectoryID {
						out = append(out, fmt.Sprintf("%s %s %v", name, m.Permissions, m.Groups))
					}
				}
				if m.Position != i+1 {
					t.Errorf("positions count from 1, got %d at %d", m.Position, i)
				}
			}
			return out
		}
		set := func(mappings ...models.Mapping) []models.Mapping {
			t.Helper()
			write(t, s, func(tx *store.Tx) error { return tx.SetMappings(jira, nil, mappings) })
			return application(t, s, "jira").Mappings
		}
		was := set(models.Mapping{DirectoryID: dirs["a"].ID, Groups: []string{"x"}}, models.Mapping{DirectoryID: dirs["b"].ID, Groups: []string{"y"}})
		testkit.Diff(t, "two", []string{"a read [x]", "b read [y]"}, order())

		a := was[0]
		a.Permissions, a.Groups = models.CreateUser, []string{"Z", "z", "x"}
		now := set(models.Mapping{DirectoryID: dirs["c"].ID}, a)
		testkit.Diff(t, "one gone, one new, one moved", []string{"c read []", "a create-user [x Z]"}, order())
		if now[1].ID != a.ID {
			t.Errorf("a mapping with an ID keeps its row: want %d, got %d", a.ID, now[1].ID)
		}
		set(now[1], now[0])
		testkit.Diff(t, "turned round", []string{"a create-user [x Z]", "c read []"}, order())
		set()
		testkit.Diff(t, "none", nil, order())
	})
}

func TestWritesToAnApplicationThatIsGoneAnswerSo(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		jira := addApplication(t, s, "jira")
		write(t, s, func(tx *store.Tx) error { return tx.DeleteApplication(jira) })
		for what, do := range map[string]func(tx *store.Tx) error{
			"save":   func(tx *store.Tx) error { return tx.SaveApplication(jira, jira) },
			"delete": func(tx *store.Tx) error { return tx.DeleteApplication(jira) },
		} {
			wantCode(t, what, models.AppNotFound, s.Write(t.Context(), jane, do))
		}
	})
}

func TestAliasNamesOneUserOfAnApplication(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		staff := addDirectory(t, s, "staff")
		ada, bob := addUser(t, s, staff, "ada"), addUser(t, s, staff, "bob")
		jira, wiki := addApplication(t, s, "jira"), addApplication(t, s, "wiki")
		set := func(app *models.Application, u *models.User, alias string) error {
			return s.Write(t.Context(), jane, func(tx *store.Tx) error { return tx.SetAlias(app, u, alias) })
		}
		remove := func(app *models.Application, u *models.User) error {
			return s.Write(t.Context(), jane, func(tx *store.Tx) error { return tx.RemoveAlias(app, u) })
		}
		wantCode(t, "set", "", set(jira, ada, "Lovelace"))
		wantCode(t, "set anew", "", set(jira, ada, "Countess"))
		wantCode(t, "the same spelt otherwise", "", set(jira, ada, "COUNTESS"))
		wantCode(t, "of another user", models.NameTaken, set(jira, bob, "countess"))
		wantCode(t, "in another application", "", set(wiki, bob, "countess"))

		got, err := s.AliasByName(t.Context(), jira.ID, "countess")
		if err != nil {
			t.Fatal(err)
		}
		want := models.Alias{ApplicationID: jira.ID, UserID: ada.ID, Name: "COUNTESS", NameKey: "countess"}
		testkit.Diff(t, "alias", &want, got)
		all, err := s.Aliases(t.Context(), jira.ID)
		if err != nil {
			t.Fatal(err)
		}
		testkit.Diff(t, "all of jira", []models.Alias{want}, all)
		_, err = s.AliasByName(t.Context(), jira.ID, "lovelace")
		wantCode(t, "the alias before", models.AliasNotFound, err)

		wantCode(t, "remove", "", remove(jira, ada))
		wantCode(t, "remove again", models.AliasNotFound, remove(jira, ada))
	})
}
