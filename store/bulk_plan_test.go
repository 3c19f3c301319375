package store_test

import (
	"errors"
	"fmt"
	"regexp"
	"testing"

	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// wide matches the step of a plan that looks at a whole table, or at all that is in a directory.
var wide = regexp.MustCompile(`^SCAN (users|groups|memberships|nestings|sessions|\w+_departures|user_attributes)\b|\(directory_id=\?\)$`)

// What a bulk write costs is what it changes, however much else is there.
func TestBulkWritesLookAtNoMoreThanTheyChange(t *testing.T) {
	t.Parallel()
	testkit.OnSQLite(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		staff := addDirectory(t, s, "staff")
		users, groups := insertUsers(t, s, staff, "ada", "bob", "eve"), insertGroups(t, s, staff, "admins", "staff")
		pairs := []store.Pair{{Top: groups[0].ID, Bottom: users[0].ID}, {Top: groups[1].ID, Bottom: users[1].ID}}
		nestings := []store.Pair{{Top: groups[0].ID, Bottom: groups[1].ID}}
		ids := []models.ID{users[0].ID, users[1].ID}
		writeSync(t, s, func(tx *store.Tx) error {
			statements := 0
			tx = store.Planned(tx, func(query, step string) {
				statements++
				if wide.MatchString(step) {
					t.Errorf("%s\n%s", step, query)
				}
			})
			err := errors.Join(
				tx.UpdateUsers(users), tx.UpdateGroups(groups),
				tx.InsertMemberships(staff.ID, pairs), tx.InsertNestings(staff.ID, nestings),
				tx.ReplaceUserAttributes([]store.AttributesOf{{User: ids[0], Attributes: []models.Attribute{{Name: "title", Values: []string{"x"}}}}}),
				tx.Departed(staff.ID, "user", ids), tx.Returned(staff.ID, "user", ids),
				tx.Departed(staff.ID, "group", ids[:1]), tx.Returned(staff.ID, "group", ids[:1]),
				tx.RemoveMemberships(staff.ID, pairs), tx.RemoveNestings(staff.ID, nestings),
				tx.FreeUserNames(ids), tx.RemoveUsers(staff.ID, ids), tx.RemoveGroups(staff.ID, []models.ID{groups[0].ID}))
			if statements < 20 {
				t.Errorf("only %d steps were seen", statements)
			}
			return err
		})
	})
}

// PostgreSQL knows how large a directory is as soon as it is asked to count.
func TestALargeChangeIsCounted(t *testing.T) {
	t.Parallel()
	testkit.OnPostgres(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		staff := addDirectory(t, s, "staff")
		names := make([]string, 3000)
		for i := range names {
			names[i] = fmt.Sprintf("user%d", i)
		}
		insertUsers(t, s, staff, names...)
		if err := s.Analyze(t.Context()); err != nil {
			t.Fatal(err)
		}
		var users float64
		err := db.Raw(t).QueryRowContext(t.Context(), "SELECT reltuples FROM pg_class WHERE relname = 'users' AND relnamespace = 'public'::regnamespace").Scan(&users)
		if err != nil || users != 3000 {
			t.Errorf("PostgreSQL counts %v users, %v", users, err)
		}
	})
}
