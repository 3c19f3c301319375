package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// What Load reads is what is there, on both databases: SQLite gives a row as one text, and a group's
// members as another.
func TestLoadReadsWhatIsThere(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		staff, other := addDirectory(t, s, "staff"), addDirectory(t, s, "other")
		insertUsers(t, s, other, "ada")
		groups, users := insertGroups(t, s, staff, "empty", "x,y|z", "Größe"), insertUsers(t, s, staff, "zoë", "ada", "bob")
		users[1].FirstName, users[1].LastName, users[1].Email, users[1].DisplayName, users[1].Active = "", "", "", "", false
		users[2].DisplayName = strings.Repeat("é", 255)
		var pairs []store.Pair
		for _, u := range []int{2, 0, 1} {
			pairs = append(pairs, store.Pair{Top: groups[1].ID, Bottom: users[u].ID})
		}
		pairs = append(pairs, store.Pair{Top: groups[2].ID, Bottom: users[0].ID})
		writeSync(t, s, func(tx *store.Tx) error {
			if err := tx.UpdateUsers(users); err != nil {
				return err
			}
			return tx.InsertMemberships(staff.ID, pairs)
		})
		byHand := store.Pair{Top: groups[2].ID, Bottom: users[2].ID}
		if err := s.Write(t.Context(), models.Actor{Kind: models.ActorSystem, Name: "hand"}, func(tx *store.Tx) error {
			return tx.InsertMemberships(staff.ID, []store.Pair{byHand})
		}); err != nil {
			t.Fatal(err)
		}
		text := func(row *store.Row) string {
			return fmt.Sprintf("%d %t %d %d %q", row.ID, row.Active, row.CreatedAt, row.UpdatedAt, row.Texts)
		}
		var byKey, byID, ofGroups []string
		var all, synced []store.Pair
		err := s.Load(t.Context(), func(l *store.Load) error {
			for _, read := range []func() error{
				func() error {
					return l.Users(staff.ID, func(r *store.Row) error { byKey = append(byKey, text(r)); return nil })
				},
				func() error {
					return l.UsersByID(staff.ID, func(r *store.Row) error { byID = append(byID, text(r)); return nil })
				},
				func() error {
					return l.Groups(staff.ID, func(r *store.Row) error { ofGroups = append(ofGroups, text(r)); return nil })
				},
				func() error {
					return l.Memberships(staff.ID, func(g, u models.ID) error { all = append(all, store.Pair{Top: g, Bottom: u}); return nil })
				},
				func() error {
					return l.SyncedMemberships(staff.ID, func(g, u models.ID) error { synced = append(synced, store.Pair{Top: g, Bottom: u}); return nil })
				},
			} {
				if err := read(); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		var wantUsers, wantGroups []string
		for _, u := range users {
			wantUsers = append(wantUsers, fmt.Sprintf("%d %t %d %d %q", u.ID, u.Active, u.CreatedAt, u.UpdatedAt,
				[]string{u.Name, u.NameKey, u.FirstName, u.LastName, u.DisplayName, u.Email, u.ExternalID}))
		}
		for _, g := range []*models.Group{groups[0], groups[2], groups[1]} {
			wantGroups = append(wantGroups, fmt.Sprintf("%d %t %d %d %q", g.ID, g.Active, g.CreatedAt, g.UpdatedAt, []string{g.Name, g.NameKey, g.Description, g.ExternalID}))
		}
		testkit.Diff(t, "users by id", wantUsers, byID)
		testkit.Diff(t, "users by key", []string{wantUsers[1], wantUsers[2], wantUsers[0]}, byKey)
		testkit.Diff(t, "groups by key", wantGroups, ofGroups)
		slices.SortFunc(pairs, comparePairs)
		testkit.Diff(t, "memberships of a synchronisation", pairs, synced)
		slices.SortFunc(all, comparePairs)
		pairs = append(pairs, byHand)
		slices.SortFunc(pairs, comparePairs)
		testkit.Diff(t, "memberships", pairs, all)
	})
}

func comparePairs(a, b store.Pair) int {
	if a.Top != b.Top {
		return int(a.Top - b.Top)
	}
	return int(a.Bottom - b.Bottom)
}

// A text that no program writes is told, and not taken for two.
func TestLoadTellsRowsThatCannotBe(t *testing.T) {
	t.Parallel()
	testkit.OnSQLite(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		staff := addDirectory(t, s, "staff")
		insertUsers(t, s, staff, "ada")
		if _, err := db.Raw(t).ExecContext(t.Context(), "UPDATE users SET first_name = 'A' || char(31) || 'B'"); err != nil {
			t.Fatal(err)
		}
		err := s.Load(t.Context(), func(l *store.Load) error { return l.Users(staff.ID, func(*store.Row) error { return nil }) })
		if err == nil || !strings.Contains(err.Error(), "a row of users") {
			t.Errorf("got %v", err)
		}
	})
}
