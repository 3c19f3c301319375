package sync_test

import (
	"context"
	"errors"
	"testing"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	dirsync "github.com/rollcall-id/rollcall/sync"
)

// An approval that meets a run that is going on is not lost: the plan is applied after it.
func TestAnApprovalMeetsARun(t *testing.T) {
	eachLease(t, func(h *house) {
		h.set("guard-users=1,5%")
		u, _ := crowd(h.cloud, 20, 1)
		h.apply(models.OutcomeApplied)
		h.cloud.Edit(func(e *fakecloud.Edit) { deleteUsers(e, u[:3]) })
		held := h.apply(models.OutcomeHeld)
		g := h.gated()
		end := h.begin(g)
		other := dirsync.New(h.store, dirsync.Config{Open: h.open, Log: testkit.Log(h.t)})
		approved := make(chan ended, 1)
		waiting := make(chan string, 100)
		go func() {
			run, err := other.Apply(h.t.Context(), "cloud", dirsync.Options{By: models.System, Approve: held.Hash, Progress: func(p dirsync.Progress) { waiting <- p.Phase }})
			approved <- ended{run, err}
		}()
		if phase := <-waiting; phase != dirsync.PhaseJoining {
			h.t.Errorf("the approval is at %q", phase)
		}
		close(g.open)
		first, second := <-end, <-approved
		h.must(first.err)
		h.must(second.err)
		if first.run.Outcome != models.OutcomeHeld || second.run.Outcome != models.OutcomeApplied || second.run.Users.Deactivated != 3 {
			h.t.Errorf("the run that was going on: %+v\nthe approval: %+v", first.run, second.run)
		}
	})
}

// A process that ends says nothing of its directories: no failure is counted, and the next process
// goes on at once with what was read.
func TestAProcessThatEnds(t *testing.T) {
	each(t, fakecloud.EntraConfig{}, nil, func(h *house) {
		team(h.cloud)
		h.apply(models.OutcomeApplied)
		before := h.state()
		g := h.gated()
		ctx, stop := context.WithCancel(h.t.Context())
		go func() {
			<-g.reached
			stop()
		}()
		run, err := h.sync.Apply(ctx, "cloud", dirsync.Options{By: models.System, Full: true})
		if !errors.Is(err, context.Canceled) || run.Outcome != models.OutcomeFailed {
			h.t.Errorf("the run: %+v, %v", run, err)
		}
		if after := h.state(); after.Failures != 0 || after.NextRunAt != before.NextRunAt {
			h.t.Errorf("%d failures are counted, and the next run is at %v, want %v", after.Failures, after.NextRunAt, before.NextRunAt)
		}
		h.cloud.ForgetRequests()
		h.apply(models.OutcomeNothing, dirsync.Options{Full: true})
		if n := h.cloud.Requests("GET /v1.0/users"); n != 0 {
			h.t.Errorf("users were read anew: %d requests", n)
		}
	})
}

// A run that fails otherwise after it lost its lease is not left as one that goes on.
func TestTheRecordOfALateRun(t *testing.T) {
	each(t, fakecloud.EntraConfig{}, nil, func(h *house) {
		team(h.cloud)
		h.apply(models.OutcomeApplied)
		h.wrap = func(s dirsync.Source) dirsync.Source { return &seized{s, h} }
		h.apply(models.OutcomeFailed, dirsync.Options{Full: true})
		if n := h.outcomes(models.OutcomeRunning); n != 0 {
			h.t.Errorf("%d records say that a run goes on", n)
		}
	})
}

// A seized source loses the lease and fails.
type seized struct {
	dirsync.Source
	h *house
}

func (s *seized) Groups(context.Context, dirsync.Checkpoint, func([]dirsync.Group, dirsync.Checkpoint) error) error {
	s.h.seize()
	return errors.New("the source stumbles")
}
