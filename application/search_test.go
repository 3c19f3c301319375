package application_test

import (
	"errors"
	"fmt"
	"reflect"
	"testing"

	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// allFound gathers what a search finds, and how large its batches were.
type allFound[T any] struct {
	entries    []T
	attributes map[models.ID][]models.Attribute
	batches    []int
}

func (a *allFound[T]) add(f application.Found[T]) error {
	for _, e := range f.Entries {
		a.entries = append(a.entries, *e)
	}
	for id, attrs := range f.Attributes {
		if a.attributes == nil {
			a.attributes = map[models.ID][]models.Attribute{}
		}
		a.attributes[id] = attrs
	}
	a.batches = append(a.batches, len(f.Entries))
	return nil
}

// many puts so many users, and half as many groups, into a directory, each third with an
// attribute.
func (h *house) many(t *testing.T, dir *models.Directory, n int) {
	t.Helper()
	err := h.store.Write(t.Context(), operator, func(tx *store.Tx) error {
		tx.Quiet()
		for i := range n {
			u := &models.User{DirectoryID: dir.ID, Name: fmt.Sprintf("User %04d", i), Email: fmt.Sprintf("%d@%s.test", i, dir.Name), Active: i%5 > 0}
			if err := tx.CreateUser(u); err != nil {
				return err
			}
			if i%3 == 0 {
				if err := tx.SetUserAttributes(u, room); err != nil {
					return err
				}
			}
			if i%2 == 1 {
				continue
			}
			g := &models.Group{DirectoryID: dir.ID, Name: fmt.Sprintf("Group %04d", i), Description: dir.Name, Active: true}
			if err := tx.CreateGroup(g); err != nil {
				return err
			}
			if i%3 == 0 {
				if err := tx.SetGroupAttributes(g, room); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A search finds the same in memory as in SQL, page by page, with and without attributes.
func TestSearchFindsTheSameInMemory(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		clock := testkit.NewClock()
		sql, memory := newHouse(t, db, clock), newHouse(t, db, clock)
		sql.many(t, sql.fill(t, "staff", "ada"), 200)
		sql.many(t, sql.fill(t, "guests", "ada", "bob"), 240) // most names are in both
		sql.app(t, "jira", application.Options{LowerCase: new(true)}, "staff", "guests")
		memory.remember(t)

		staffMail := models.Filter{Logic: models.Compare, Property: "email", Match: models.EndsWith, Text: "staff.test"}
		guests := models.Filter{Logic: models.Compare, Property: "description", Match: models.Contains, Text: "guests"}
		names := models.Filter{Logic: models.Compare, Property: "name", Match: models.StartsWith, Text: "user 000"}
		attribute := models.Filter{Logic: models.Compare, Property: room[0].Name, Text: models.Key(room[0].Values[0])}
		for what, f := range map[string]models.Filter{"everything": {}, "a mail": staffMail, "a description": guests, "names": names, "an attribute": attribute} {
			for _, p := range []models.Page{models.Everything, {Start: 110, Max: 100}, {}, {Start: 9999, Max: -1}} {
				if err := memory.store.CatchUp(t.Context()); err != nil { // a slow machine must not make memory's news old
					t.Fatal(err)
				}
				for _, attributes := range []bool{false, true} {
					what := fmt.Sprintf("%s, %+v, attributes %t", what, p, attributes)
					var users, wantUsers allFound[application.User]
					err := errors.Join(sql.view(t, "jira").SearchUsers(t.Context(), f, p, attributes, wantUsers.add),
						memory.view(t, "jira").SearchUsers(t.Context(), f, p, attributes, users.add))
					withoutUserKeys(wantUsers.entries, users.entries)
					same(t, "users, "+what, err, wantUsers, users)

					var groups, wantGroups allFound[models.Group]
					err = errors.Join(sql.view(t, "jira").SearchGroups(t.Context(), f, p, attributes, wantGroups.add),
						memory.view(t, "jira").SearchGroups(t.Context(), f, p, attributes, groups.add))
					withoutGroupKeys(wantGroups.entries, groups.entries)
					same(t, "groups, "+what, err, wantGroups, groups)
				}
			}
		}
	})
}

// Memory has no keys for searches, which nobody asks for either.
func withoutUserKeys(lists ...[]application.User) {
	for _, users := range lists {
		for i := range users {
			u := &users[i]
			u.FirstKey, u.LastKey, u.DisplayKey, u.EmailKey = "", "", "", ""
		}
	}
}

func withoutGroupKeys(lists ...[]models.Group) {
	for _, groups := range lists {
		for i := range groups {
			groups[i].DescriptionKey = ""
		}
	}
}

func same[T any](t *testing.T, what string, err error, want, got allFound[T]) {
	t.Helper()
	if err != nil {
		t.Errorf("%s: %v", what, err)
	}
	want.batches, got.batches = nil, nil // they may differ
	if !reflect.DeepEqual(want, got) {   // else the search for the difference is not worth its time
		testkit.Diff(t, what, want.entries, got.entries)
		testkit.Diff(t, what+": attributes", want.attributes, got.attributes)
	}
}

// A long answer begins before it is found as a whole, and its batches share their room.
func TestSearchInMemoryIsStreamed(t *testing.T) {
	t.Parallel()
	h := newHouse(t, testkit.NewSQLite(t), testkit.NewClock())
	staff := h.fill(t, "staff")
	h.many(t, staff, 700)
	h.app(t, "jira", firstMatch, "staff")
	h.remember(t)
	var all allFound[application.User]
	if err := h.view(t, "jira").SearchUsers(t.Context(), models.Filter{}, models.Everything, false, all.add); err != nil {
		t.Fatal(err)
	}
	testkit.Diff(t, "batches", []int{20, 100, 500, 80}, all.batches)

	stop := errors.New("stop")
	seen := 0
	err := h.view(t, "jira").SearchUsers(t.Context(), models.Filter{}, models.Everything, false, func(f application.Found[application.User]) error {
		seen += len(f.Entries)
		return stop
	})
	if !errors.Is(err, stop) || seen != 20 {
		t.Errorf("want %v after the first batch, got %v after %d", stop, err, seen)
	}
}

// Whoever is found for a letter stays who they are while others are looked for.
func TestUsersWithAMailAreKept(t *testing.T) {
	eachReader(t, func(t *testing.T, h *house) {
		staff := h.fill(t, "staff")
		h.app(t, "jira", firstMatch, "staff")
		const many = 130 // more than a few batches
		err := h.store.Write(t.Context(), operator, func(tx *store.Tx) error {
			tx.Quiet()
			for i := range many {
				u := &models.User{DirectoryID: staff.ID, Name: fmt.Sprintf("user%04d", i), Email: "Shared@example.test"}
				if err := tx.CreateUser(u); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		users, more, err := h.view(t, "jira").UsersWithEmail(t.Context(), "shared@EXAMPLE.test", many)
		if err != nil || more || len(users) != many {
			t.Fatalf("%d users, more %t, %v", len(users), more, err)
		}
		for i, u := range users {
			if want := fmt.Sprintf("user%04d", i); u.Name != want {
				t.Fatalf("want %s, got %s", want, u.Name)
			}
		}
	})
}
