package login_test

import (
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/login"
	"github.com/rollcall-id/rollcall/models"
)

// fail is wrong a number of times in a row; each time it waits until it is looked at.
func (r *replica) fail(clock *testkit.Clock, times int) {
	r.t.Helper()
	for range times {
		clock.Advance(15 * time.Minute)
		r.answers(models.InvalidPassword, "ada", wrong)
	}
}

func TestDelaysDouble(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		r, clock := world(t, db)
		r.user("staff", "ada", nil)
		r.fail(clock, 4)
		for _, c := range []struct {
			failures int
			delay    time.Duration
		}{
			{5, time.Second}, {6, 2 * time.Second}, {7, 4 * time.Second}, {8, 8 * time.Second}, {9, 16 * time.Second},
			{10, 32 * time.Second}, {11, 64 * time.Second}, {12, 128 * time.Second}, {13, 256 * time.Second},
			{14, 512 * time.Second}, {15, 15 * time.Minute}, {16, 15 * time.Minute}, {17, 15 * time.Minute},
		} {
			r.isLookedAt(true, wrong) // the failure that starts the delay
			clock.Advance(c.delay - time.Millisecond)
			r.isLookedAt(false, wrong)
			r.isLookedAt(false, wrong) // which is no failure and prolongs nothing
			clock.Advance(time.Millisecond)
			if t.Failed() {
				t.Fatalf("after %d failures", c.failures)
			}
		}
		r.answers("", "ada", right)
	})
}

// isLookedAt tries a password that must be refused and tells whether it was compared at all.
func (r *replica) isLookedAt(want bool, secret models.Secret) {
	r.t.Helper()
	r.view("jira") // whose own password is checked once
	hashes := r.hashes(func() { r.answers(models.InvalidPassword, "ada", secret) })
	if (hashes > 0) != want {
		r.t.Errorf("%d hashes were computed, want some: %v", hashes, want)
	}
}

func TestTheRightPasswordIsRefusedDuringADelay(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		r, clock := world(t, db)
		r.user("staff", "ada", nil)
		r.user("staff", "bob", nil)
		r.fail(clock, 5)
		r.isLookedAt(false, right)
		_, err := r.Authenticate(t.Context(), r.view("jira"), "ada", right)
		if got := message(err); got != "Failed to authenticate principal, password was invalid" {
			t.Errorf("the delay tells itself by %q", got)
		}
		_, err = r.StartSession(t.Context(), r.view("jira"), login.Start{Username: "ada", Password: right, CheckPassword: true})
		if !models.Is(err, models.InvalidPassword) {
			t.Errorf("StartSession during a delay: %v", err)
		}
		r.answers("", "bob", right) // it is ada's delay only
		if got, want := r.refused(), map[string]int{"wrong-password ada staff": 5, "delayed ada staff": 3}; !cmp.Equal(want, got) {
			t.Errorf("audited: %s", cmp.Diff(want, got))
		}
		clock.Advance(time.Second)
		r.answers("", "ada", right)
	})
}

func TestTheRightPasswordEndsWhatWasCounted(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		r, clock := world(t, db)
		ada := r.user("staff", "ada", nil)
		for range 3 {
			r.fail(clock, 4)
			r.answers("", "ada", right)
			if got := r.attributeOf(ada, "invalidPasswordAttempts"); got != "0" {
				t.Errorf("invalidPasswordAttempts = %s, want 0", got)
			}
			r.must(r.store.FlushNotes(t.Context()))
		}
		r.fail(clock, 4)
		r.isLookedAt(true, wrong)
		r.isLookedAt(false, wrong)
	})
}

func TestApplicationsAreDelayedApart(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		r, clock := world(t, db)
		r.app("confluence", "staff")
		r.user("staff", "ada", nil)
		r.fail(clock, 5)
		r.answers(models.InvalidPassword, "ada", right)
		if _, err := r.Authenticate(t.Context(), r.view("confluence"), "ada", right); err != nil {
			t.Errorf("through another application: %v", err)
		}
		r.answers(models.InvalidPassword, "ada", right) // which ends its own delay only
	})
}

func TestANewPasswordEndsADelay(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name  string
		reset func(r *replica) models.Secret
	}{
		{"a new password", func(r *replica) models.Secret {
			r.must(r.directories.SetPassword(r.t.Context(), models.System, r.dir("staff"), "ada", "another"))
			return "another"
		}},
		{"failures set to zero", func(r *replica) models.Secret {
			r.attribute("staff", "ada", "invalidPasswordAttempts", "0")
			return right
		}},
	}
	eachCase(t, len(cases), func(i int) string { return cases[i].name }, func(i int, r *replica, clock *testkit.Clock) {
		r.user("staff", "ada", nil)
		r.fail(clock, 4)
		r.must(r.store.FlushNotes(r.t.Context())) // some are stored, some only noted
		r.fail(clock, 2)
		r.answers(models.InvalidPassword, "ada", right)
		r.answers("", "ada", cases[i].reset(r))
		r.isLookedAt(true, wrong)
	})
}

func TestDelaysAreSharedByReplicas(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		r, clock := world(t, db)
		r.user("staff", "ada", nil)
		other := newReplica(t, db, clock, login.Options{})
		r.fail(clock, 3)
		other.fail(clock, 2)
		r.must(r.store.FlushNotes(t.Context()))
		other.must(other.store.FlushNotes(t.Context()))
		r.isLookedAt(false, right)
		other.isLookedAt(false, right)

		clock.Advance(time.Second)
		other.answers("", "ada", right)
		r.fail(clock, 2)
		other.must(other.store.FlushNotes(t.Context()))
		r.must(r.store.FlushNotes(t.Context()))
		r.isLookedAt(true, wrong)
		r.isLookedAt(true, wrong)
	})
}

func TestADelaySurvivesARestart(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		r, clock := world(t, db)
		r.user("staff", "ada", nil)
		r.fail(clock, 5)
		r.must(r.store.FlushNotes(t.Context())) // as Close does
		again := newReplica(t, db, clock, login.Options{})
		again.isLookedAt(false, right)
		clock.Advance(time.Second)
		again.answers("", "ada", right)
	})
}

// Guesses that are sent all at once, before the first has failed, must not be worth more than
// those sent one after the other.
func TestParallelGuessesAreNoWayAroundTheDelay(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		r, _ := world(t, db)
		ada := r.user("staff", "ada", nil)
		v := r.view("jira")
		var wg sync.WaitGroup
		for range 40 {
			wg.Go(func() { r.Authenticate(t.Context(), v, "ada", wrong) })
		}
		wg.Wait()
		counts := map[login.Outcome]int{}
		for _, o := range r.counted() {
			counts[o]++
		}
		// A few may be compared at the same moment as the fifth.
		if compared := counts[login.WrongPassword]; compared < 5 || compared > 15 || compared+counts[login.Delayed] != 40 {
			t.Errorf("of 40 guesses at once: %v", counts)
		}
		if got := r.refused(); got["wrong-password ada staff"]+got["delayed ada staff"] != 40 {
			t.Errorf("audited: %v, want 40 in all", got)
		}
		if d, err := r.store.Delay(t.Context(), v.Application().ID, ada.ID); err != nil || d.Failures != counts[login.WrongPassword] {
			t.Errorf("counted: %+v, %v", d, err)
		}
	})
}

func TestAClockThatWasSetBackLocksNobodyOut(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		r, clock := world(t, db)
		r.user("staff", "ada", nil)
		r.fail(clock, 6)
		r.isLookedAt(false, right)
		clock.Advance(-24 * time.Hour)
		r.answers("", "ada", right)
	})
}

func TestAHundredWrongPasswordsAreCounted(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		r, _ := world(t, db)
		r.user("staff", "ada", nil)
		for range 100 {
			r.answers(models.InvalidPassword, "ada", wrong)
		}
		want := map[string]int{"wrong-password ada staff": 5, "delayed ada staff": 95}
		if diff := cmp.Diff(want, r.refused()); diff != "" {
			t.Error(diff)
		}
	})
}
