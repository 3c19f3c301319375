package store_test

import (
	"fmt"
	"testing"

	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

func TestUserIsFoundByNameExternalIDAndRow(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		clock := testkit.NewClock()
		s := db.Open(t, func(o *store.Options) { o.Now = clock.Now })
		staff, partners := addDirectory(t, s, "staff"), addDirectory(t, s, "partners")
		want := &models.User{
			DirectoryID: staff.ID, Name: "Zoë", FirstName: "Zoë", LastName: "O'Hara", DisplayName: "Zoë O'Hara",
			Email: "Zoe@Example.test", Active: true, ExternalID: "00u1",
		}
		write(t, s, func(tx *store.Tx) error { return tx.CreateUser(want) })

		for what, find := range map[string]func() (*models.User, error){
			"name, decomposed": func() (*models.User, error) { return s.UserByName(t.Context(), staff.ID, "ZOE\u0308") },
			"external id":      func() (*models.User, error) { return s.UserByExternalID(t.Context(), staff.ID, "00u1") },
			"row":              func() (*models.User, error) { return s.UserByID(t.Context(), want.ID) },
		} {
			got, err := find()
			if err != nil {
				t.Fatalf("by %s: %v", what, err)
			}
			testkit.Diff(t, "by "+what, want, got)
		}
		if want.NameKey != "zoë" || want.EmailKey != "zoe@example.test" || want.CreatedAt != models.TimeOf(clock.Now()) {
			t.Errorf("want folded keys and the time of the write, got %+v", want)
		}

		for what, find := range map[string]func() (*models.User, error){
			"name in another directory": func() (*models.User, error) { return s.UserByName(t.Context(), partners.ID, "zoë") },
			"external id in other case": func() (*models.User, error) { return s.UserByExternalID(t.Context(), staff.ID, "00U1") },
			"row of nobody":             func() (*models.User, error) { return s.UserByID(t.Context(), 999) },
		} {
			_, err := find()
			wantCode(t, what, models.UserNotFound, err)
		}
	})
}

func TestUserWithoutExternalIDGetsOneOfItsOwn(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		staff := addDirectory(t, s, "staff")
		ada, bob := addUser(t, s, staff, "ada"), addUser(t, s, staff, "bob")
		if len(ada.ExternalID) != 36 || ada.ExternalID == bob.ExternalID {
			t.Errorf("want two different UUIDs, got %q and %q", ada.ExternalID, bob.ExternalID)
		}
	})
}

func TestSavedUserKeepsNameAndExternalID(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		staff := addDirectory(t, s, "staff")
		before := addUser(t, s, staff, "ada")
		after := *before
		after.FirstName, after.LastName, after.DisplayName, after.Email, after.Active = "Ada", "Lovelace", "Ada L.", "ada@example.test", false
		changed := after
		changed.Name, changed.NameKey, changed.ExternalID = "someone", "someone", "else"
		write(t, s, func(tx *store.Tx) error { return tx.SaveUser(before, &changed) })

		got, err := s.UserByName(t.Context(), staff.ID, "ada")
		if err != nil {
			t.Fatal(err)
		}
		after.UpdatedAt, after.FirstKey, after.LastKey, after.DisplayKey, after.EmailKey = changed.UpdatedAt, "ada", "lovelace", "ada l.", "ada@example.test"
		testkit.Diff(t, "user", &after, got)
	})
}

func TestRenamedUserKeepsEverythingElse(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		staff := addDirectory(t, s, "staff")
		ada := addUser(t, s, staff, "ada")
		admins := addGroup(t, s, staff, "admins")
		addMember(t, s, admins, ada)
		id := ada.ExternalID
		write(t, s, func(tx *store.Tx) error { return tx.RenameUser(ada, "Countess") })

		got, err := s.UserByName(t.Context(), staff.ID, "countess")
		if err != nil {
			t.Fatal(err)
		}
		if got.Name != "Countess" || got.ExternalID != id {
			t.Errorf("want Countess with external id %s, got %+v", id, got)
		}
		if in, err := s.HasMember(t.Context(), admins.ID, got.ID); err != nil || !in {
			t.Errorf("the membership is lost: %v, %v", in, err)
		}
		_, err = s.UserByName(t.Context(), staff.ID, "ada")
		wantCode(t, "the old name", models.UserNotFound, err)
		write(t, s, func(tx *store.Tx) error { return tx.RenameUser(got, "COUNTESS") })
		changes, err := s.ChangesAfter(t.Context(), 0, 1000)
		if err != nil {
			t.Fatal(err)
		}
		last := changes[len(changes)-1]
		if last.Kind != models.UserRenamed || last.Name != "COUNTESS" || last.Member != "Countess" {
			t.Errorf("want a rename from Countess to COUNTESS in the feed, got %+v", last)
		}
	})
}

func TestDeletedUserTakesEverythingOfItsOwn(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		staff := addDirectory(t, s, "staff")
		all := addGroup(t, s, staff, "all")
		jira := addApplication(t, s, "jira")
		left := []string{"changes", "audit_entries", "sqlite_sequence", "mappings", "mapping_groups", "directories", "directory_settings",
			"groups", "group_attributes", "applications", "application_passwords", "application_addresses"}
		before := db.Contents(t, left...)
		ada := addUser(t, s, staff, "ada")
		addMember(t, s, all, ada)
		write(t, s, func(tx *store.Tx) error { return hangOn(tx, jira, staff, ada, all) })
		s.NoteFailure(jira.ID, ada.ID)
		if err := s.FlushNotes(t.Context()); err != nil {
			t.Fatal(err)
		}
		write(t, s, func(tx *store.Tx) error { return tx.DeleteUser(ada) })
		testkit.Diff(t, "what is left", before, db.Contents(t, left...))
	})
}

func TestWritesToAUserThatIsGoneAnswerSo(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		staff := addDirectory(t, s, "staff")
		ada := addUser(t, s, staff, "ada")
		write(t, s, func(tx *store.Tx) error { return tx.DeleteUser(ada) })
		before := db.Contents(t)
		for what, do := range map[string]func(tx *store.Tx) error{
			"save":       func(tx *store.Tx) error { return tx.SaveUser(ada, ada) },
			"rename":     func(tx *store.Tx) error { u := *ada; return tx.RenameUser(&u, "countess") },
			"delete":     func(tx *store.Tx) error { return tx.DeleteUser(ada) },
			"attributes": func(tx *store.Tx) error { return tx.SetUserAttributes(ada, nil) },
			"password":   func(tx *store.Tx) error { return tx.SetPassword(ada, "hash", 0) },
		} {
			wantCode(t, what, models.UserNotFound, s.Write(t.Context(), jane, do))
		}
		testkit.Diff(t, "the database", before, db.Contents(t))
	})
}

func TestUsersAndGroupsAreListedByKeyInPages(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		staff, partners := addDirectory(t, s, "staff"), addDirectory(t, s, "partners")
		// Bytes order the keys, on PostgreSQL too, whose locale would put them otherwise.
		want := []string{"a b", "a-b", "a.b", "A1", "a_b", "ab", "B", "zz", "éa"}
		for _, name := range []string{"zz", "ab", "éa", "a_b", "a-b", "B", "a b", "A1", "a.b"} {
			addUser(t, s, staff, name)
			addGroup(t, s, staff, name)
			addUser(t, s, partners, "x "+name)
		}
		var users, groups []string
		for after := ""; ; {
			page, err := s.UsersOf(t.Context(), staff.ID, after, 4)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			for _, u := range page {
				users, after = append(users, u.Name), u.NameKey
			}
		}
		for after := ""; ; {
			page, err := s.GroupsOf(t.Context(), staff.ID, after, 4)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			for _, g := range page {
				groups, after = append(groups, g.Name), g.NameKey
			}
		}
		testkit.Diff(t, "users", want, users)
		testkit.Diff(t, "groups", want, groups)
	})
}

func TestIdentityNamesOneUser(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		staff := addDirectory(t, s, "staff")
		ada, bob := addUser(t, s, staff, "ada"), addUser(t, s, staff, "bob")
		write(t, s, func(tx *store.Tx) error { return tx.AddIdentity("okta", "00u1", ada) })
		write(t, s, func(tx *store.Tx) error { return tx.AddIdentity("entra", "00u1", bob) })

		for provider, want := range map[string]string{"okta": "ada", "entra": "bob"} {
			got, err := s.UserByIdentity(t.Context(), provider, "00u1")
			if err != nil || got.Name != want {
				t.Errorf("%s: want %s, got %v, %v", provider, want, got, err)
			}
		}
		_, err := s.UserByIdentity(t.Context(), "okta", "00U1")
		wantCode(t, "another subject", models.UserNotFound, err)
		err = s.Write(t.Context(), jane, func(tx *store.Tx) error { return tx.AddIdentity("okta", "00u1", bob) })
		wantCode(t, "a subject twice", models.NameTaken, err)
	})
}

func TestAttributesAreSetsOfValues(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		staff := addDirectory(t, s, "staff")
		ada, bob := addUser(t, s, staff, "ada"), addUser(t, s, staff, "bob")
		admins := addGroup(t, s, staff, "admins")
		set := func(attrs ...models.Attribute) {
			t.Helper()
			write(t, s, func(tx *store.Tx) error {
				if err := tx.SetUserAttributes(ada, attrs); err != nil {
					return err
				}
				return tx.SetGroupAttributes(admins, attrs)
			})
		}
		set(models.Attribute{Name: "colour", Values: []string{"red", "blue", "red"}}, models.Attribute{Name: "Colour", Values: []string{"x"}})
		set(models.Attribute{Name: "size", Values: []string{"tall"}}, models.Attribute{Name: "Colour"})

		want := []models.Attribute{{Name: "colour", Values: []string{"blue", "red"}}, {Name: "size", Values: []string{"tall"}}}
		users, err := s.UserAttributes(t.Context(), []models.ID{ada.ID, bob.ID})
		if err != nil {
			t.Fatal(err)
		}
		testkit.Diff(t, "of users", map[models.ID][]models.Attribute{ada.ID: want}, users)
		groups, err := s.GroupAttributes(t.Context(), []models.ID{admins.ID})
		if err != nil {
			t.Fatal(err)
		}
		testkit.Diff(t, "of groups", map[models.ID][]models.Attribute{admins.ID: want}, groups)
	})
}

func TestManyOwnersAreReadInBatches(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		staff := addDirectory(t, s, "staff")
		jira := addApplication(t, s, "jira")
		var ids []models.ID
		write(t, s, func(tx *store.Tx) error {
			ids = nil
			for i := range 3 {
				u := &models.User{DirectoryID: staff.ID, Name: fmt.Sprintf("user %d", i)}
				if err := tx.CreateUser(u); err != nil {
					return err
				}
				if err := tx.SetUserAttributes(u, []models.Attribute{{Name: "n", Values: []string{u.Name}}}); err != nil {
					return err
				}
				if err := tx.SetAlias(jira, u, "alias "+u.Name); err != nil {
					return err
				}
				if err := tx.SetPassword(u, "hash", 0); err != nil {
					return err
				}
				ids = append(ids, u.ID)
			}
			return nil
		})
		// One owner is in the first batch, one at a border, one in the last.
		asked := make([]models.ID, 1100)
		for i := range asked {
			asked[i] = models.ID(1_000_000 + i)
		}
		asked[0], asked[500], asked[1099] = ids[0], ids[1], ids[2]
		attrs, err := s.UserAttributes(t.Context(), asked)
		if err != nil || len(attrs) != 3 {
			t.Errorf("attributes: want 3 owners, got %d, %v", len(attrs), err)
		}
		aliases, err := s.AliasesOf(t.Context(), jira.ID, asked)
		if err != nil || len(aliases) != 3 {
			t.Errorf("aliases: want 3 owners, got %d, %v", len(aliases), err)
		}
		kept, err := s.Bookkeeping(t.Context(), asked)
		if err != nil || len(kept) != 3 {
			t.Errorf("bookkeeping: want 3 owners, got %d, %v", len(kept), err)
		}
	})
}
