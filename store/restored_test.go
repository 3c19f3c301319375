package store_test

import (
	"testing"

	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// A dump that is restored into another server brings lines of the feed whose transactions lie
// ahead of that server's: they must neither be told again, nor let old tokens count.
func TestFeedOfARestoredDatabaseIsPutBehind(t *testing.T) {
	t.Parallel()
	testkit.OnPostgres(t, func(t *testing.T, db testkit.Database) {
		before := db.Open(t)
		err := before.Write(t.Context(), models.System, func(tx *store.Tx) error {
			return tx.CreateDirectory(&models.Directory{Name: "staff", Kind: models.KindInternal, Active: true}, nil)
		})
		if err != nil {
			t.Fatal(err)
		}
		place, err := before.Place(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Raw(t).ExecContext(t.Context(), "UPDATE changes SET tx = 1000000000000"); err != nil {
			t.Fatal(err)
		}
		after := db.Open(t)
		told := 0
		after.OnCommit(func(c []models.Change) { told += len(c) })
		if err := after.CatchUp(t.Context()); err != nil || told != 0 {
			t.Errorf("%d changes were told again (%v), want none", told, err)
		}
		floor, err := after.FeedFloor(t.Context())
		if err != nil || floor < place {
			t.Errorf("the floor is %d (%v), want at least %d", floor, err, place)
		}
	})
}
