package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

func TestSyncLeavesMembershipsThatOthersMade(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		staff := addDirectory(t, s, "staff")
		users, groups := insertUsers(t, s, staff, "ada", "bob"), insertGroups(t, s, staff, "all", "some", "other")
		addMember(t, s, groups[0], users[0])
		addChild(t, s, groups[0], groups[1])
		members := []store.Pair{{Top: groups[0].ID, Bottom: users[1].ID}, {Top: groups[0].ID, Bottom: users[0].ID}, {Top: groups[1].ID, Bottom: users[0].ID}}
		nested := []store.Pair{{Top: groups[0].ID, Bottom: groups[2].ID}, {Top: groups[0].ID, Bottom: groups[1].ID}}
		for range 2 { // what is there already changes nothing
			writeSync(t, s, func(tx *store.Tx) error {
				if err := tx.InsertMemberships(staff.ID, members); err != nil {
					return err
				}
				return tx.InsertNestings(staff.ID, nested)
			})
		}
		gotMembers, gotNested := synced(t, s, staff)
		testkit.Diff(t, "memberships of the sync, by group and user", []store.Pair{members[0], members[2]}, gotMembers)
		testkit.Diff(t, "nestings of the sync, by parent and child", nested[:1], gotNested)

		for range 2 {
			writeSync(t, s, func(tx *store.Tx) error {
				if err := tx.RemoveMemberships(staff.ID, members); err != nil {
					return err
				}
				return tx.RemoveNestings(staff.ID, nested)
			})
		}
		gotMembers, gotNested = synced(t, s, staff)
		if len(gotMembers) > 0 || len(gotNested) > 0 {
			t.Errorf("want nothing of the sync, got %v, %v", gotMembers, gotNested)
		}
		for what, ask := range map[string]func() (bool, error){
			"the operator's member": func() (bool, error) { return s.HasMember(t.Context(), groups[0].ID, users[0].ID) },
			"the operator's child":  func() (bool, error) { return s.HasChild(t.Context(), groups[0].ID, groups[1].ID) },
		} {
			if is, err := ask(); !is || err != nil {
				t.Errorf("want %s to stay, got %v, %v", what, is, err)
			}
		}
	})
}

// synced reads the memberships and nestings that a synchronisation brought.
func synced(t *testing.T, s *store.Store, dir *models.Directory) (members, nested []store.Pair) {
	t.Helper()
	err := s.Load(t.Context(), func(l *store.Load) error {
		err := l.SyncedMemberships(dir.ID, func(group, user models.ID) error {
			members = append(members, store.Pair{Top: group, Bottom: user})
			return nil
		})
		if err != nil {
			return err
		}
		return l.SyncedNestings(dir.ID, func(parent, child models.ID) error {
			nested = append(nested, store.Pair{Top: parent, Bottom: child})
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return members, nested
}

func TestSyncReplacesItsOwnAttributes(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		staff, other := addDirectory(t, s, "staff"), addDirectory(t, s, "other")
		users := insertUsers(t, s, staff, "ada", "bob", "eve")
		stranger := insertUsers(t, s, other, "ada")[0]
		write(t, s, func(tx *store.Tx) error {
			return tx.SetUserAttributes(users[0], []models.Attribute{{Name: "desk", Values: []string{"operator's"}}})
		})
		var many []string
		for i := range 150 { // more than one statement takes on SQLite
			many = append(many, fmt.Sprintf("%03d", i))
		}
		of := func(u *models.User, attrs ...models.Attribute) store.AttributesOf {
			return store.AttributesOf{User: u.ID, Attributes: attrs}
		}
		one := func(name string, values ...string) models.Attribute {
			return models.Attribute{Name: name, Values: values}
		}
		writeSync(t, s, func(tx *store.Tx) error {
			return tx.ReplaceUserAttributes([]store.AttributesOf{
				of(users[0], one("desk", "sync's"), one("floor", "2", "1", "2")), of(users[1], one("badge", many...)), of(users[2], one("floor", "3")),
				of(stranger, one("floor", "9")),
			})
		})
		want := [][]models.Attribute{{one("desk", "operator's"), one("floor", "1", "2")}, {one("badge", many...)}, {one("floor", "3")}}
		testkit.Diff(t, "attributes", want, attributesOf(t, s, users))

		writeSync(t, s, func(tx *store.Tx) error {
			return tx.ReplaceUserAttributes([]store.AttributesOf{of(users[0], one("room", "7")), of(users[1])})
		})
		want = [][]models.Attribute{{one("desk", "operator's"), one("room", "7")}, nil, {one("floor", "3")}}
		testkit.Diff(t, "attributes after the next run", want, attributesOf(t, s, users))

		var loaded []string
		err := s.Load(t.Context(), func(l *store.Load) error {
			return l.SyncedUserAttributes(staff.ID, func(user models.ID, name, value []byte) error {
				loaded = append(loaded, fmt.Sprintf("%d %s=%s", user, name, value))
				return nil
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		testkit.Diff(t, "what a sync brought, by user", []string{fmt.Sprintf("%d room=7", users[0].ID), fmt.Sprintf("%d floor=3", users[2].ID)}, loaded)
	})
}

func attributesOf(t *testing.T, s *store.Store, users []*models.User) [][]models.Attribute {
	t.Helper()
	var ids []models.ID
	for _, u := range users {
		ids = append(ids, u.ID)
	}
	all, err := s.UserAttributes(t.Context(), ids)
	if err != nil {
		t.Fatal(err)
	}
	var got [][]models.Attribute
	for _, id := range ids {
		got = append(got, all[id])
	}
	return got
}

func TestDeparturesAreRemembered(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		clock := testkit.NewClock()
		s := db.Open(t, func(o *store.Options) { o.Now = clock.Now })
		staff, other := addDirectory(t, s, "staff"), addDirectory(t, s, "other")
		users, groups := insertUsers(t, s, staff, "ada", "bob", "eve"), insertGroups(t, s, staff, "all", "some")
		depart := func(kind string, ids ...models.ID) {
			t.Helper()
			writeSync(t, s, func(tx *store.Tx) error { return tx.Departed(staff.ID, kind, ids) })
		}
		first := s.Now()
		depart("user", users[0].ID, users[1].ID, users[2].ID)
		depart("group", groups[0].ID)
		clock.Advance(time.Hour)
		depart("user", users[0].ID)
		depart("group", groups[1].ID)
		writeSync(t, s, func(tx *store.Tx) error {
			if err := tx.Returned(other.ID, "user", []models.ID{users[0].ID}); err != nil {
				return err
			}
			return tx.Returned(staff.ID, "user", []models.ID{users[1].ID})
		})
		writeSync(t, s, func(tx *store.Tx) error { return tx.RemoveUsers(staff.ID, []models.ID{users[2].ID}) })

		got, err := s.Departures(t.Context(), staff.ID)
		if err != nil {
			t.Fatal(err)
		}
		testkit.Diff(t, "departures", map[string]map[models.ID]models.Time{
			"user": {users[0].ID: first}, "group": {groups[0].ID: first, groups[1].ID: s.Now()},
		}, got)
		err = s.Write(t.Context(), syncing, func(tx *store.Tx) error { return tx.Departed(staff.ID, "robot", nil) })
		wantCode(t, "a departure of something else", models.Internal, err)
	})
}
