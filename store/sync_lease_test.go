package store_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// takeLease takes a directory's lease, which nobody holds.
func takeLease(t *testing.T, s *store.Store, dir *models.Directory, ttl time.Duration) int64 {
	t.Helper()
	epoch, taken, err := s.TakeLease(t.Context(), dir.ID, "here", ttl)
	if err != nil || !taken {
		t.Fatalf("want the lease, got %v, %v", taken, err)
	}
	return epoch
}

// hold writes under a lease.
func hold(t *testing.T, s *store.Store, dir *models.Directory, epoch int64) error {
	t.Helper()
	return s.Write(t.Context(), jane, func(tx *store.Tx) error { return tx.HoldLease(dir.ID, epoch) })
}

func TestOneOfManyTakesTheLease(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		stores := []*store.Store{db.Open(t), db.Open(t)}
		staff := addDirectory(t, stores[0], "staff")
		var won atomic.Int64
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				_, taken, err := stores[i%2].TakeLease(t.Context(), staff.ID, fmt.Sprint(i), time.Hour)
				if err != nil {
					t.Error(err)
				}
				if taken {
					won.Add(1)
				}
			})
		}
		all.Wait()
		st, err := stores[0].SyncState(t.Context(), staff.ID)
		if err != nil || won.Load() != 1 || st.Epoch != 1 {
			t.Errorf("want one to win, got %d and %+v, %v", won.Load(), st, err)
		}
	})
}

func TestLeaseThatRanOutCountsUntilAnotherTakesIt(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s, other := db.Open(t), db.Open(t)
		staff := addDirectory(t, s, "staff")
		first := takeLease(t, s, staff, 0)
		if err := hold(t, s, staff, first); err != nil {
			t.Errorf("want to write under a lease that nobody took, got %v", err)
		}
		if _, err := s.KeepLease(t.Context(), staff.ID, first, 0); err != nil {
			t.Errorf("want to keep a lease that nobody took, got %v", err)
		}

		second := takeLease(t, other, staff, time.Hour)
		wantCode(t, "a late write", models.LeaseLost, hold(t, s, staff, first))
		_, err := s.KeepLease(t.Context(), staff.ID, first, time.Hour)
		wantCode(t, "keeping a lease that another has", models.LeaseLost, err)
		if err := s.GiveLease(t.Context(), staff.ID, first); err != nil {
			t.Error(err)
		}
		if err := hold(t, other, staff, second); err != nil {
			t.Errorf("want the new holder to go on, got %v", err)
		}
	})
}

func TestLeaseThatWasGivenBackIsOver(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		staff := addDirectory(t, s, "staff")
		epoch := takeLease(t, s, staff, time.Hour)
		if _, taken, err := s.TakeLease(t.Context(), staff.ID, "other", time.Hour); taken || err != nil {
			t.Errorf("want a lease that is held to stay, got %v, %v", taken, err)
		}
		if err := s.GiveLease(t.Context(), staff.ID, epoch); err != nil {
			t.Fatal(err)
		}
		// A heartbeat that comes after the end must not bring the lease back.
		_, err := s.KeepLease(t.Context(), staff.ID, epoch, time.Hour)
		wantCode(t, "keeping it", models.LeaseLost, err)
		wantCode(t, "writing under it", models.LeaseLost, hold(t, s, staff, epoch))
		if next := takeLease(t, s, staff, time.Hour); next != epoch+1 {
			t.Errorf("want the next epoch, got %d after %d", next, epoch)
		}
	})
}

func TestNobodyTakesADirectoryWhosePlanIsBeingApplied(t *testing.T) {
	t.Parallel()
	testkit.OnPostgres(t, func(t *testing.T, db testkit.Database) {
		s, other := db.Open(t), db.Open(t)
		staff := addDirectory(t, s, "staff")
		epoch := takeLease(t, s, staff, 0)
		write(t, s, func(tx *store.Tx) error {
			if err := tx.HoldLease(staff.ID, epoch); err != nil {
				return err
			}
			_, taken, err := other.TakeLease(t.Context(), staff.ID, "other", time.Hour)
			if err != nil || taken {
				t.Errorf("want the lease to stay while a transaction holds it, got %v, %v", taken, err)
			}
			_, err = s.KeepLease(t.Context(), staff.ID, epoch, 0)
			return err
		})
		takeLease(t, other, staff, time.Hour)
	})
}

func TestRunIsAskedToStop(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		staff := addDirectory(t, s, "staff")
		if running, err := s.CancelRun(t.Context(), jane, staff); running || err != nil {
			t.Errorf("want no run, got %v, %v", running, err)
		}
		epoch := takeLease(t, s, staff, time.Hour)
		if cancel, err := s.KeepLease(t.Context(), staff.ID, epoch, time.Hour); cancel || err != nil {
			t.Errorf("want the run to go on, got %v, %v", cancel, err)
		}
		if running, err := s.CancelRun(t.Context(), jane, staff); !running || err != nil {
			t.Errorf("want a run, got %v, %v", running, err)
		}
		if cancel, err := s.KeepLease(t.Context(), staff.ID, epoch, time.Hour); !cancel || err != nil {
			t.Errorf("want the run to stop, got %v, %v", cancel, err)
		}
		entries, err := s.SearchAudit(t.Context(), store.AuditSearch{Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		if e := entries[0]; e.Action != "sync.cancel" || e.Directory != "staff" || e.Actor != "jane" || len(entries) != 2 {
			t.Errorf("want one entry of who cancelled what, got %+v", entries)
		}

		if err := s.GiveLease(t.Context(), staff.ID, epoch); err != nil {
			t.Fatal(err)
		}
		next := takeLease(t, s, staff, time.Hour)
		if cancel, err := s.KeepLease(t.Context(), staff.ID, next, time.Hour); cancel || err != nil {
			t.Errorf("want the next run to go on, got %v, %v", cancel, err)
		}
	})
}

func TestLeaseOfNoDirectory(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		_, _, err := s.TakeLease(t.Context(), 77, "here", time.Hour)
		wantCode(t, "taking it", models.DirectoryNotFound, err)

		staff := addDirectory(t, s, "staff")
		epoch := takeLease(t, s, staff, time.Hour)
		write(t, s, func(tx *store.Tx) error { return tx.DeleteDirectory(staff) })
		wantCode(t, "writing for a directory that was deleted", models.LeaseLost, hold(t, s, staff, epoch))
	})
}

func TestStateIsKeptAndItsCursorSealed(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		staff, other := addDirectory(t, s, "staff"), addDirectory(t, s, "other")
		epoch := takeLease(t, s, staff, time.Hour)
		want := models.SyncState{
			DirectoryID: staff.ID, Scheduled: true, NextRunAt: 1, Cursor: "https://cloud.example/delta?token=precious", CursorAt: 2, FullAt: 3,
			CompletedAt: 4, Settings: "hash", Failures: 5, AlarmedAt: 6, HeldRun: 7, HeldHash: "held",
		}
		for range 2 { // insert, update
			write(t, s, func(tx *store.Tx) error {
				st, err := tx.SyncStateToChange(t.Context(), staff.ID)
				want.Owner, want.Epoch, want.HeldUntil = st.Owner, st.Epoch, st.HeldUntil
				return errors.Join(err, tx.SaveSyncState(&want))
			})
		}
		got, err := s.SyncState(t.Context(), staff.ID)
		if err != nil || want.Epoch != epoch || want.HeldUntil == 0 {
			t.Fatalf("want the lease to stay, got %+v, %v", got, err)
		}
		testkit.Diff(t, "the state", want, got)

		write(t, s, func(tx *store.Tx) error {
			return tx.SaveSyncState(&models.SyncState{DirectoryID: other.ID, Scheduled: true})
		})
		all, err := s.SyncStates(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		testkit.Diff(t, "all states", []models.SyncState{want, {DirectoryID: other.ID, Scheduled: true}}, all)

		var stored string
		if err := db.Raw(t).QueryRowContext(t.Context(), fmt.Sprintf("SELECT cursor FROM sync_states WHERE directory_id = %d", staff.ID)).Scan(&stored); err != nil {
			t.Fatal(err)
		}
		if len(stored) < 40 || stored == want.Cursor.Reveal() {
			t.Errorf("want a sealed cursor, got %q", stored)
		}
	})
}

func TestStateOfADirectoryThatNobodySynchronised(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		staff := addDirectory(t, s, "staff")
		got, err := s.SyncState(t.Context(), staff.ID)
		if err != nil {
			t.Fatal(err)
		}
		testkit.Diff(t, "the state", models.SyncState{DirectoryID: staff.ID}, got)
	})
}

func TestClockOfLeasesIsTheDatabases(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t, func(o *store.Options) {
			if db.Kind == testkit.Postgres { // SQLite has no clock of its own
				o.Now = func() time.Time { return time.Now().Add(24 * time.Hour) }
			}
		})
		now, err := s.Clock(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if off := time.Since(now.Std()).Abs(); off > time.Minute {
			t.Errorf("want the database's time, got one that is off by %v", off)
		}
	})
}
