package store_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// syncing is the actor of a synchronisation.
var syncing = models.Actor{Kind: models.ActorSystem, Name: "sync", Writer: models.BySync}

func writeSync(t *testing.T, s *store.Store, do func(tx *store.Tx) error) {
	t.Helper()
	if err := s.Write(t.Context(), syncing, do); err != nil {
		t.Fatal(err)
	}
}

// insertUsers brings users into a directory as a synchronisation does.
func insertUsers(t *testing.T, s *store.Store, dir *models.Directory, names ...string) []*models.User {
	t.Helper()
	users := make([]*models.User, len(names))
	writeSync(t, s, func(tx *store.Tx) error {
		ids, err := tx.ReserveUserIDs(len(names))
		if err != nil {
			return err
		}
		for i, name := range names {
			users[i] = &models.User{ID: ids[i], DirectoryID: dir.ID, Name: name, FirstName: "First " + name, LastName: "Last " + name,
				DisplayName: "Display " + name, Email: name + "@Example.test", Active: true, ExternalID: "id of " + name}
		}
		return tx.InsertUsers(users)
	})
	return users
}

func insertGroups(t *testing.T, s *store.Store, dir *models.Directory, names ...string) []*models.Group {
	t.Helper()
	groups := make([]*models.Group, len(names))
	writeSync(t, s, func(tx *store.Tx) error {
		ids, err := tx.ReserveGroupIDs(len(names))
		if err != nil {
			return err
		}
		for i, name := range names {
			groups[i] = &models.Group{ID: ids[i], DirectoryID: dir.ID, Name: name, Description: "About " + name, Active: true, ExternalID: "id of " + name}
		}
		return tx.InsertGroups(groups)
	})
	return groups
}

// userNames lists the directory's users as "external id is called name".
func userNames(t *testing.T, s *store.Store, dir *models.Directory) []string {
	t.Helper()
	users, err := s.UsersOf(t.Context(), dir.ID, "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	names := []string{}
	for _, u := range users {
		if u.NameKey != models.Key(u.Name) {
			t.Errorf("%s has the key %q", u.Name, u.NameKey)
		}
		names = append(names, u.ExternalID+" is called "+u.Name)
	}
	return names
}

func TestUsersComeInBulkAsTheyComeAlone(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		staff := addDirectory(t, s, "staff")
		var names []string
		for i := range 257 { // more than one statement takes on SQLite
			names = append(names, fmt.Sprintf("User %03d", i))
		}
		users := insertUsers(t, s, staff, names...)
		for _, want := range users {
			got, err := s.UserByName(t.Context(), staff.ID, want.Name)
			if err != nil {
				t.Fatal(err)
			}
			testkit.Diff(t, want.Name, want, got)
		}
		if u := users[7]; u.EmailKey != "user 007@example.test" || u.LastKey != "last user 007" || u.CreatedAt == 0 || u.UpdatedAt != u.CreatedAt {
			t.Errorf("want folded texts and the transaction's moment, got %+v", u)
		}

		// What comes alone later gets other ids.
		alone := addUser(t, s, staff, "alone")
		if slices.ContainsFunc(users, func(u *models.User) bool { return u.ID == alone.ID }) {
			t.Errorf("the id %d was given twice", alone.ID)
		}
	})
}

func TestNumbersThatWereReservedAreNotGivenAgain(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		staff := addDirectory(t, s, "staff")
		given := map[models.ID]bool{}
		for range 2 {
			users := insertUsers(t, s, staff, "ada", "bob")
			for _, u := range users {
				if given[u.ID] {
					t.Errorf("the id %d was given twice", u.ID)
				}
				given[u.ID] = true
			}
			writeSync(t, s, func(tx *store.Tx) error { return tx.RemoveUsers(staff.ID, []models.ID{users[0].ID, users[1].ID}) })
		}
		groups := insertGroups(t, s, staff, "all", "some")
		if other := addGroup(t, s, staff, "other"); other.ID == groups[0].ID || other.ID == groups[1].ID {
			t.Errorf("the id %d was given twice", other.ID)
		}
	})
}

func TestNamesChangeHands(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		calls [][]string // what the users a, b, c, … are called after it; each call takes as many as it has
	}{
		{"a swap", [][]string{{"b", "a"}}},
		{"a circle", [][]string{{"b", "c", "a"}}},
		{"a chain", [][]string{{"b", "c", "d", "new"}}},
		{"a chain the other way", [][]string{{"new", "a", "b", "c"}}},
		{"another spelling", [][]string{{"A"}}},
		{"a swap across calls", [][]string{{"c", "b"}, {"a"}}},
		{"a chain across calls", [][]string{{"b"}, {"c"}, {"d"}, {"e"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
				s := db.Open(t)
				staff := addDirectory(t, s, "staff")
				users := insertUsers(t, s, staff, "a", "b", "c", "d")
				var want []string
				var ids []models.ID
				writeSync(t, s, func(tx *store.Tx) error {
					for _, u := range users {
						ids = append(ids, u.ID)
					}
					if len(c.calls) > 1 {
						if err := tx.FreeUserNames(ids); err != nil {
							return err
						}
					}
					rest := users
					for _, names := range c.calls {
						var call []*models.User
						for _, name := range names {
							u := *rest[0]
							u.Name, rest = name, rest[1:]
							call = append(call, &u)
							want = append(want, u.ExternalID+" is called "+name)
						}
						if err := tx.UpdateUsers(call); err != nil {
							return err
						}
					}
					for _, u := range rest {
						want = append(want, u.ExternalID+" is called "+u.Name)
					}
					return tx.UpdateUsers(rest)
				})
				got := userNames(t, s, staff)
				slices.Sort(got)
				testkit.Diff(t, "names", want, got)
			})
		})
	}
}

func TestNamesOfOthersStayTheirs(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		staff, other := addDirectory(t, s, "staff"), addDirectory(t, s, "other")
		users := insertUsers(t, s, staff, "ada", "bob")
		groups := insertGroups(t, s, staff, "all")
		insertUsers(t, s, other, "ada") // another directory has names of its own
		before := db.Contents(t)
		for _, c := range []struct {
			name string
			want models.Code
			do   func(tx *store.Tx) error
		}{
			{"a new user of a name", models.InvalidUser, func(tx *store.Tx) error {
				return tx.InsertUsers([]*models.User{{ID: 500, DirectoryID: staff.ID, Name: "free"}, {ID: 501, DirectoryID: staff.ID, Name: "ADA"}})
			}},
			{"a new user of an external id", models.InvalidUser, func(tx *store.Tx) error {
				return tx.InsertUsers([]*models.User{{ID: 500, DirectoryID: staff.ID, Name: "new", ExternalID: "id of ada"}})
			}},
			{"a rename", models.InvalidUser, func(tx *store.Tx) error {
				u := *users[1]
				u.Name = "Ada"
				return tx.UpdateUsers([]*models.User{&u})
			}},
			{"a change of a user that is gone", models.UserNotFound, func(tx *store.Tx) error {
				return tx.UpdateUsers([]*models.User{{ID: 500, Name: "new"}})
			}},
			{"a new group of a name", models.InvalidGroup, func(tx *store.Tx) error {
				return tx.InsertGroups([]*models.Group{{ID: 500, DirectoryID: staff.ID, Name: "All"}})
			}},
			{"a new group of an external id", models.InvalidGroup, func(tx *store.Tx) error {
				return tx.InsertGroups([]*models.Group{{ID: 500, DirectoryID: staff.ID, Name: "new", ExternalID: groups[0].ExternalID}})
			}},
			{"a change of a group that is gone", models.GroupNotFound, func(tx *store.Tx) error {
				return tx.UpdateGroups([]*models.Group{{ID: 500}})
			}},
			{"a user without an id", models.Internal, func(tx *store.Tx) error {
				return tx.InsertUsers([]*models.User{{DirectoryID: staff.ID, Name: "new"}})
			}},
		} {
			wantCode(t, c.name, c.want, s.Write(t.Context(), syncing, c.do))
		}
		testkit.Diff(t, "what is left of it", before, db.Contents(t))
	})
}

func TestUsersWhoLeaveLoseTheirSessions(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		staff := addDirectory(t, s, "staff")
		users := insertUsers(t, s, staff, "ada", "bob", "eve", "joe")
		for _, u := range users {
			addSession(t, s, u, u.Name)
		}
		addSession(t, s, users[0], "ada's second")
		var ended []models.ID
		s.OnCommit(func(changes []models.Change) {
			for _, c := range changes {
				if c.Kind != models.SessionsEnded || c.Writer != models.BySync {
					t.Errorf("want the ends of sessions alone, got %+v", c)
				}
				ended = append(ended, c.RowID)
			}
		})
		writeSync(t, s, func(tx *store.Tx) error {
			ada, eve := *users[0], *users[2]
			ada.Active = false
			if err := tx.UpdateUsers([]*models.User{&ada, &eve}); err != nil {
				return err
			}
			return tx.RemoveUsers(staff.ID, []models.ID{users[1].ID, 4711})
		})
		testkit.Diff(t, "whose sessions ended", []models.ID{users[0].ID, users[1].ID}, ended)
		for token, want := range map[string]bool{"ada": false, "ada's second": false, "bob": false, "eve": true, "joe": true} {
			if got := live(t, s, token); got != want {
				t.Errorf("session of %s: want %v, got %v", token, want, got)
			}
		}
	})
}

func TestRemovingInBulkStaysInTheDirectory(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		staff, other := addDirectory(t, s, "staff"), addDirectory(t, s, "other")
		ada, all := insertUsers(t, s, staff, "ada")[0], insertGroups(t, s, staff, "all")[0]
		writeSync(t, s, func(tx *store.Tx) error {
			return tx.InsertMemberships(staff.ID, []store.Pair{{Top: all.ID, Bottom: ada.ID}})
		})
		before := db.Contents(t)
		writeSync(t, s, func(tx *store.Tx) error {
			if err := tx.RemoveMemberships(other.ID, []store.Pair{{Top: all.ID, Bottom: ada.ID}}); err != nil {
				return err
			}
			if err := tx.RemoveGroups(other.ID, []models.ID{all.ID}); err != nil {
				return err
			}
			return tx.RemoveUsers(other.ID, []models.ID{ada.ID})
		})
		testkit.Diff(t, "another directory's rows", before, db.Contents(t))
		writeSync(t, s, func(tx *store.Tx) error { return tx.RemoveGroups(staff.ID, []models.ID{all.ID}) })
		_, err := s.GroupByName(t.Context(), staff.ID, "all")
		wantCode(t, "the group", models.GroupNotFound, err)
		if is, err := s.HasMember(t.Context(), all.ID, ada.ID); is || err != nil {
			t.Errorf("want the membership to go with its group, got %v, %v", is, err)
		}
	})
}

func TestGroupsComeAndChangeInBulk(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		staff := addDirectory(t, s, "staff")
		for _, g := range insertGroups(t, s, staff, "All", "some") {
			g.Description, g.Active = "Now "+g.Name, false
			writeSync(t, s, func(tx *store.Tx) error { return tx.UpdateGroups([]*models.Group{g}) })
			got, err := s.GroupByName(t.Context(), staff.ID, g.Name)
			if err != nil {
				t.Fatal(err)
			}
			testkit.Diff(t, g.Name, g, got)
			if got.DescriptionKey != models.Key("Now "+g.Name) {
				t.Errorf("want the folded description, got %q", got.DescriptionKey)
			}
		}
	})
}
