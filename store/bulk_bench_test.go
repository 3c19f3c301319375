package store_test

import (
	"fmt"
	"testing"

	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// BenchmarkBulk brings users, groups and memberships into an empty directory in one transaction, as
// a first synchronisation does; it tells the rows of each in a second.
//
//	go test ./store -run - -bench Bulk -benchtime 1x
func BenchmarkBulk(b *testing.B) {
	for _, kind := range []string{testkit.SQLite, testkit.Postgres} {
		b.Run(kind, func(b *testing.B) {
			for range b.N {
				bulkOnce(b, testkit.Fresh(b, kind).Open(b), 200_000, 20_000, 1_000_000)
			}
		})
	}
}

func bulkOnce(b *testing.B, s *store.Store, users, groups, members int) {
	const slice = 5000
	dir := &models.Directory{Name: "staff", Kind: models.KindInternal, Active: true}
	if err := s.Write(b.Context(), jane, func(tx *store.Tx) error { return tx.CreateDirectory(dir, nil) }); err != nil {
		b.Fatal(err)
	}
	err := s.Write(b.Context(), syncing, func(tx *store.Tx) error {
		var userIDs, groupIDs []models.ID
		measure(b, "users/s", users, slice, func(from, to int) error {
			ids, err := tx.ReserveUserIDs(to - from)
			if err != nil {
				return err
			}
			userIDs = append(userIDs, ids...)
			rows := make([]*models.User, to-from)
			for i, id := range ids {
				name := fmt.Sprintf("user%07d", (from+i)*7919%users)
				rows[i] = &models.User{ID: id, DirectoryID: dir.ID, Name: name, FirstName: "First " + name, LastName: "Last " + name,
					DisplayName: name, Email: name + "@example.test", Active: true}
			}
			return tx.InsertUsers(rows)
		})
		measure(b, "groups/s", groups, slice, func(from, to int) error {
			ids, err := tx.ReserveGroupIDs(to - from)
			if err != nil {
				return err
			}
			groupIDs = append(groupIDs, ids...)
			rows := make([]*models.Group, to-from)
			for i, id := range ids {
				rows[i] = &models.Group{ID: id, DirectoryID: dir.ID, Name: fmt.Sprintf("group%07d", from+i), Active: true}
			}
			return tx.InsertGroups(rows)
		})
		each := members / groups
		measure(b, "memberships/s", members, slice, func(from, to int) error {
			pairs := make([]store.Pair, 0, to-from)
			for i := from; i < to; i++ { // by group, as a source tells them
				pairs = append(pairs, store.Pair{Top: groupIDs[i/each], Bottom: userIDs[i*7919%users]})
			}
			return tx.InsertMemberships(dir.ID, pairs)
		})
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}

// measure calls do for slices of n rows, and reports how many go in a second.
func measure(b *testing.B, unit string, n, slice int, do func(from, to int) error) {
	before := b.Elapsed()
	for from := 0; from < n; from += slice {
		if err := do(from, min(from+slice, n)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)/(b.Elapsed()-before).Seconds(), unit)
}
