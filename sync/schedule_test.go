package sync_test

import (
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
	"github.com/rollcall-id/rollcall/models"
)

// A clock that was a year ahead while a run ended, and was set back, keeps no directory from its
// next run, nor from its next full read.
func TestAClockThatIsSetBack(t *testing.T) {
	each(t, fakecloud.EntraConfig{DeltaLife: 2 * 365 * 24 * time.Hour, SecretEnds: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)}, nil, func(h *house) {
		team(h.cloud)
		now := h.clock.Now()
		h.clock.Advance(365 * 24 * time.Hour)
		h.apply(models.OutcomeApplied)
		h.clock.Set(now)
		if wait := h.due(); wait > 0 {
			h.t.Errorf("the next run is due in %v", wait)
		}
		if run := h.apply(models.OutcomeNothing); run.Mode != "full" {
			h.t.Errorf("the next run is a %s one: %s", run.Mode, run.Reason)
		}
		if run := h.apply(models.OutcomeNothing); run.Mode != "delta" {
			h.t.Errorf("the run after it is a %s one: %s", run.Mode, run.Reason)
		}
	})
}

// due tells how long it is until the next run by schedule.
func (h *house) due() time.Duration {
	h.t.Helper()
	_, settings, source, err := h.sync.Source(h.t.Context(), "cloud")
	h.must(err)
	source.Close()
	state := h.state()
	return settings.Due(&state, h.store.Now()).Sub(h.store.Now())
}

// Between two runs there is the interval, however the first of them ended.
func TestTheNextRun(t *testing.T) {
	each(t, fakecloud.EntraConfig{SecretEnds: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)}, []string{"guard-users=1,5%"}, func(h *house) {
		within := func(what string, from, to time.Duration) {
			h.t.Helper()
			if wait := h.due(); wait < from || wait > to {
				h.t.Errorf("%s: the next run is due in %v, want between %v and %v", what, wait, from, to)
			}
		}
		u, _ := crowd(h.cloud, 20, 1)
		h.apply(models.OutcomeApplied)
		within("applied", time.Hour, 66*time.Minute)
		h.cloud.Fail(fakecloud.Fault{Path: "/users/delta", Times: -1, Do: fakecloud.Forbidden})
		for _, longest := range []time.Duration{66 * time.Minute, 66 * time.Minute, 66 * time.Minute, 126 * time.Minute, 246 * time.Minute} {
			h.clock.Advance(2 * time.Hour)
			h.apply(models.OutcomeFailed)
			within("failed", longest-6*time.Minute, longest)
		}
		h.cloud.Heal()
		h.cloud.Edit(func(e *fakecloud.Edit) { deleteUsers(e, u[:3]) })
		for range 2 {
			h.clock.Advance(5 * time.Hour)
			h.apply(models.OutcomeHeld)
			within("held", time.Hour, 66*time.Minute)
		}
		h.must(h.sync.Discard(h.t.Context(), models.System, "cloud", h.state().HeldHash))
		within("dropped", time.Hour, 66*time.Minute)

		h.set("interval=168h")
		h.apply(models.OutcomeHeld)
		within("held for a week", 168*time.Hour, 169*time.Hour)
		h.set("interval=15m")
		within("the interval became shorter", 0, 17*time.Minute)
		h.clock.Advance(time.Hour)
		h.apply(models.OutcomeHeld)
		within("held again", 15*time.Minute, 17*time.Minute)
	})
}

// A cron text counts from when it was set.
func TestTheNextRunByCron(t *testing.T) {
	each(t, fakecloud.EntraConfig{SecretEnds: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)}, []string{"schedule=0 2 * * *"}, func(h *house) { // it is noon
		team(h.cloud)
		want := func(what string, wait time.Duration) {
			h.t.Helper()
			if got := h.due(); got != wait {
				h.t.Errorf("%s: the next run is due in %v, want %v", what, got, wait)
			}
		}
		want("before the first run", 14*time.Hour)
		h.clock.Advance(15 * time.Hour)
		want("before the first run, an hour late", -time.Hour)
		h.apply(models.OutcomeApplied)
		want("applied at three", 23*time.Hour)
		h.set("schedule=0 2 1 1 *")
		h.apply(models.OutcomeNothing)
		h.set("schedule=30 * * * *")
		want("the text became another", 30*time.Minute)
		h.clock.Advance(time.Hour)
		want("the text became another, half an hour ago", -30*time.Minute)
		h.apply(models.OutcomeNothing)
		want("applied at four", 30*time.Minute)
	})
}
