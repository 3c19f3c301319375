package store_test

import (
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

func startRun(t *testing.T, s *store.Store, dir *models.Directory) *models.Run {
	t.Helper()
	run := &models.Run{DirectoryID: dir.ID, Directory: dir.Name, Mode: "full", Reason: "the first one"}
	if err := s.StartRun(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	return run
}

func endRun(t *testing.T, s *store.Store, run *models.Run, outcome models.Outcome) {
	t.Helper()
	run.Outcome = outcome
	if err := s.EndRun(t.Context(), run); err != nil {
		t.Fatal(err)
	}
}

func TestRunsAreKeptWhole(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		clock := testkit.NewClock()
		s := db.Open(t, func(o *store.Options) { o.Now = clock.Now })
		staff, other := addDirectory(t, s, "staff"), addDirectory(t, s, "other")
		first := startRun(t, s, staff)
		startRun(t, s, other)
		first.Requests = 3
		clock.Advance(time.Minute)
		if err := s.Heartbeat(t.Context(), first); err != nil {
			t.Fatal(err)
		}
		running, err := s.RunByID(t.Context(), first.ID)
		if err != nil || running.Outcome != models.OutcomeRunning || running.Requests != 3 || running.Ended != 0 {
			t.Errorf("want a run that goes on, got %+v, %v", running, err)
		}

		first.Hash, first.Users.Created = "hash", 2
		first.Steps = []models.Step{{Kind: models.StepCreateUser, ID: "1", Name: "ada", Fields: []models.Field{{Name: "mail", New: "ada@example.test"}}}}
		first.Skipped = []models.Skipped{{Kind: "user", ID: "2", Name: "bob", Reason: "has no mail address"}}
		endRun(t, s, first, models.OutcomeApplied)
		second := startRun(t, s, staff)
		if first.Ended != s.Now() || second.Started != s.Now() {
			t.Errorf("want the store's time, got %v, %v", first.Ended, second.Started)
		}
		got, err := s.Runs(t.Context(), staff.ID, 10)
		if err != nil {
			t.Fatal(err)
		}
		testkit.Diff(t, "runs, the newest first", []*models.Run{second, first}, got)

		_, err = s.RunByID(t.Context(), 77)
		wantCode(t, "a run that isn't there", models.NoSuchResource, err)
	})
}

func TestOldRunsAreRemovedButForTheHeldOne(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		clock := testkit.NewClock()
		s := db.Open(t, func(o *store.Options) { o.Now = clock.Now })
		staff, other := addDirectory(t, s, "staff"), addDirectory(t, s, "other")
		held := startRun(t, s, staff)
		endRun(t, s, held, models.OutcomeHeld)
		write(t, s, func(tx *store.Tx) error {
			return tx.SaveSyncState(&models.SyncState{DirectoryID: staff.ID, HeldRun: held.ID})
		})
		endRun(t, s, startRun(t, s, staff), models.OutcomeNothing)
		startRun(t, s, staff) // killed
		endRun(t, s, startRun(t, s, other), models.OutcomeNothing)
		long := startRun(t, s, staff)
		clock.Advance(time.Hour)
		if err := s.Heartbeat(t.Context(), long); err != nil {
			t.Fatal(err)
		}
		recent := startRun(t, s, staff)

		if n, err := s.PruneRuns(t.Context(), staff.ID, s.Now()); n != 2 || err != nil {
			t.Errorf("want two to go, got %d, %v", n, err)
		}
		var left []models.ID
		runs, err := s.Runs(t.Context(), staff.ID, 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, run := range runs {
			left = append(left, run.ID)
		}
		testkit.Diff(t, "what is left", []models.ID{recent.ID, long.ID, held.ID}, left)
		if runs, err := s.Runs(t.Context(), other.ID, 10); err != nil || len(runs) != 1 {
			t.Errorf("want another directory's runs to stay, got %d, %v", len(runs), err)
		}
	})
}
