package sync_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
	dirsync "github.com/rollcall-id/rollcall/sync"
)

// A gate is a source that waits before it lists groups, until it is opened.
type gate struct {
	dirsync.Source
	reached chan struct{}
	open    chan struct{}
}

func (g *gate) Groups(ctx context.Context, from dirsync.Checkpoint, page func([]dirsync.Group, dirsync.Checkpoint) error) error {
	g.reached <- struct{}{}
	select {
	case <-g.open:
	case <-ctx.Done():
		return ctx.Err()
	}
	return g.Source.Groups(ctx, from, page)
}

// gated makes the next run wait in its middle.
func (h *house) gated() *gate {
	g := &gate{reached: make(chan struct{}, 1), open: make(chan struct{})}
	first := true
	h.wrap = func(s dirsync.Source) dirsync.Source {
		if !first {
			return s
		}
		first = false
		g.Source = s
		return g
	}
	return g
}

type ended struct {
	run *models.Run
	err error
}

// begin starts a full run and waits until it is in its middle.
func (h *house) begin(g *gate) <-chan ended {
	h.t.Helper()
	end := make(chan ended, 1)
	go func() {
		run, err := h.sync.Apply(h.t.Context(), "cloud", dirsync.Options{By: models.System, Full: true})
		end <- ended{run, err}
	}()
	select {
	case <-g.reached:
	case e := <-end:
		h.t.Fatalf("the run ended early: %+v, %v", e.run, e.err)
	}
	return end
}

// eachLease is each, with services that look after their leases often.
func eachLease(t *testing.T, do func(h *house)) {
	each(t, fakecloud.EntraConfig{}, nil, func(h *house) {
		h.sync = dirsync.New(h.store, dirsync.Config{Open: h.open, Log: testkit.Log(t), Lease: 300 * time.Millisecond})
		do(h)
	})
}

// seize takes the lease as another process does after the holder was silent for too long.
func (h *house) seize() {
	h.t.Helper()
	ctx := h.t.Context()
	dir, err := h.store.DirectoryByName(ctx, "cloud")
	h.must(err)
	state, err := h.store.SyncState(ctx, dir.ID)
	h.must(err)
	h.must(h.store.GiveLease(ctx, dir.ID, state.Epoch))
	for try := 0; ; try++ { // the row is locked while the holder's heart beats
		if _, taken, err := h.store.TakeLease(ctx, dir.ID, "another process", time.Minute); err != nil || try == 100 {
			h.t.Fatalf("the lease can't be taken: %v", err)
		} else if taken {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// release gives a seized lease back.
func (h *house) release() {
	h.t.Helper()
	ctx := h.t.Context()
	dir, err := h.store.DirectoryByName(ctx, "cloud")
	h.must(err)
	state, err := h.store.SyncState(ctx, dir.ID)
	h.must(err)
	h.must(h.store.GiveLease(ctx, dir.ID, state.Epoch))
}

// Of two processes one runs; the other waits and gives the first one's record.
func TestTheSecondJoinsTheFirst(t *testing.T) {
	eachLease(t, func(h *house) {
		team(h.cloud)
		g := h.gated()
		end := h.begin(g)
		other := dirsync.New(h.db.Open(h.t, func(o *store.Options) { o.Now = h.clock.Now }), dirsync.Config{Open: h.open, Log: testkit.Log(h.t)})
		joined := make(chan ended, 1)
		waiting := make(chan string, 10)
		go func() {
			run, err := other.Apply(h.t.Context(), "cloud", dirsync.Options{By: models.System, Progress: func(p dirsync.Progress) { waiting <- p.Phase }})
			joined <- ended{run, err}
		}()
		if phase := <-waiting; phase != dirsync.PhaseJoining {
			h.t.Errorf("the second one is at %q", phase)
		}
		close(g.open)
		first, second := <-end, <-joined
		h.must(first.err)
		h.must(second.err)
		if first.run.Outcome != models.OutcomeApplied || first.run.Joined || !second.run.Joined || second.run.ID != first.run.ID {
			h.t.Errorf("the first: %+v\nthe second: %+v", first.run, second.run)
		}
		if runs, err := h.sync.History(h.t.Context(), "cloud", 10); err != nil || len(runs) != 1 {
			h.t.Errorf("%d runs are recorded (%v), want one", len(runs), err)
		}
	})
}

// A process that was silent for so long that another one took over writes nothing any more.
func TestALateProcessWritesNothing(t *testing.T) {
	for _, when := range []string{"noticed by its heartbeat", "noticed when it writes"} {
		t.Run(when, func(t *testing.T) {
			each(t, fakecloud.EntraConfig{}, nil, func(h *house) {
				lease := time.Hour // its heart doesn't beat within the test
				if when == "noticed by its heartbeat" {
					lease = 60 * time.Millisecond
				}
				h.sync = dirsync.New(h.store, dirsync.Config{Open: h.open, Log: testkit.Log(t), Lease: lease})
				u, _ := team(h.cloud)
				h.apply(models.OutcomeApplied)
				before := h.contents()
				h.cloud.Edit(func(e *fakecloud.Edit) { e.DeleteUser(u["ada"]) })
				g := h.gated()
				end := h.begin(g)
				h.seize()
				if lease == time.Hour {
					close(g.open)
				}
				late := <-end
				if !models.Is(late.err, models.LeaseLost) || late.run.Outcome != models.OutcomeFailed {
					h.t.Errorf("the late run: %+v, %v", late.run, late.err)
				}
				testkit.Diff(h.t, "the directory", before, h.contents())
				state := h.state()
				if state.Owner != "another process" || state.Failures != 0 {
					h.t.Errorf("the late run touched the other's state: %+v", state)
				}
				h.release()
				h.apply(models.OutcomeApplied)
			})
		})
	}
}

func (h *house) state() models.SyncState {
	h.t.Helper()
	dir, err := h.store.DirectoryByName(h.t.Context(), "cloud")
	h.must(err)
	state, err := h.store.SyncState(h.t.Context(), dir.ID)
	h.must(err)
	return state
}

// An operator stops a run: nothing is written, and the next one goes on where it was.
func TestCancel(t *testing.T) {
	eachLease(t, func(h *house) {
		team(h.cloud)
		g := h.gated()
		end := h.begin(g)
		if running, err := h.sync.Cancel(h.t.Context(), models.System, "cloud"); err != nil || !running {
			h.t.Fatalf("cancel: %v, %v", running, err)
		}
		stopped := <-end
		if stopped.err == nil || stopped.run.Outcome != models.OutcomeFailed || !strings.Contains(stopped.run.Problem, "an operator cancelled the run") {
			h.t.Errorf("the run: %+v, %v", stopped.run, stopped.err)
		}
		h.wants("nothing came")
		h.cloud.ForgetRequests()
		h.apply(models.OutcomeApplied)
		if n := h.cloud.Requests("GET /v1.0/users"); n != 0 {
			h.t.Errorf("the next run read users anew: %d requests", n)
		}
		if running, err := h.sync.Cancel(h.t.Context(), models.System, "cloud"); err != nil || running {
			h.t.Errorf("cancel when nothing runs: %v, %v", running, err)
		}
	})
}

// What was read before a run failed isn't read again; what changed since comes with the next
// delta. With other settings everything is read anew.
func TestARunGoesOnWhereTheLastOneFailed(t *testing.T) {
	each(t, fakecloud.EntraConfig{PageLimit: 2}, nil, func(h *house) {
		u, g := team(h.cloud)
		fail := fakecloud.Fault{Path: `/groups/[^/]+/members`, Times: -1, Do: fakecloud.ForeignLink}
		h.cloud.Edit(func(e *fakecloud.Edit) { // so that there is a second page
			for _, name := range []string{"x1", "x2", "x3"} {
				e.AddUser(g["devs"], e.CreateUser(fakecloud.User{Login: name}))
			}
		})
		h.cloud.Fail(fail)
		h.apply(models.OutcomeFailed)
		h.wants("nothing came")
		h.cloud.Heal()
		h.cloud.ForgetRequests()
		h.cloud.Edit(func(e *fakecloud.Edit) {
			e.DeleteUser(u["ada"])
			e.UpdateUser(u["bob"], func(u *fakecloud.User) { u.Login = "robert@contoso.example" })
			e.AddUser(g["ops"], e.CreateUser(fakecloud.User{Login: "new"}))
		})
		h.apply(models.OutcomeApplied)
		if users, groups := h.cloud.Requests("GET /v1.0/users"), h.cloud.Requests("GET /v1.0/groups"); users != 0 || groups != 0 {
			h.t.Errorf("%d pages of users and %d of groups were read again", users, groups)
		}
		if run := h.apply(models.OutcomeApplied); run.Mode != "delta" || run.Users.Deactivated != 1 {
			h.t.Errorf("what changed in between: %+v", run)
		}
		h.still("after the delta")

		h.set("groups=devs,ops")
		h.cloud.Fail(fail)
		h.apply(models.OutcomeFailed)
		h.cloud.Heal()
		h.cloud.ForgetRequests()
		h.set("groups=*")
		h.run()
		if h.cloud.Requests("GET /v1.0/users") == 0 {
			h.t.Error("with other settings the run went on with what was read before")
		}
		h.still("with other settings")
	})
}

// Rows that somebody else changes between comparison and writing make the run compare again.
func TestRowsThatMoveWhileTheyAreCompared(t *testing.T) {
	each(t, fakecloud.EntraConfig{}, nil, func(h *house) {
		u, g := team(h.cloud)
		h.apply(models.OutcomeApplied)
		for _, full := range []bool{false, true} {
			h.cloud.Edit(func(e *fakecloud.Edit) {
				e.RemoveUser(g["devs"], u["ada"])
				e.AddUser(g["ops"], u["ada"])
			})
			moves := 2
			h.sync = dirsync.New(h.store, dirsync.Config{Open: h.open, Log: testkit.Log(h.t)})
			run := h.apply(models.OutcomeApplied, dirsync.Options{Full: full, Progress: func(p dirsync.Progress) {
				if p.Phase == "apply" && moves > 0 {
					moves--
					h.touch()
				}
			}})
			if run.Memberships != (models.MemberCounts{Added: 1, Removed: 1}) || moves != 0 {
				h.t.Errorf("full=%v: %+v, with %d moves left", full, run, moves)
			}
			h.still("after rows moved")
			h.cloud.Edit(func(e *fakecloud.Edit) {
				e.AddUser(g["devs"], u["ada"])
				e.RemoveUser(g["ops"], u["ada"])
			})
			h.apply(models.OutcomeApplied)
		}
	})
}

// touch writes to the directory as somebody else would.
func (h *house) touch() {
	h.t.Helper()
	dir, err := h.store.DirectoryByName(h.t.Context(), "cloud")
	h.must(err)
	h.must(h.store.Write(h.t.Context(), models.System, func(tx *store.Tx) error { tx.DirectoryReplaced(dir); return nil }))
}

// What was read more than an hour ago is no longer what the source has, and its links to next
// pages are dead: everything is read anew.
func TestOldStagingIsOfNoUse(t *testing.T) {
	each(t, fakecloud.EntraConfig{PageLimit: 2}, nil, func(h *house) {
		u, _ := team(h.cloud)
		h.cloud.Edit(func(e *fakecloud.Edit) {
			for _, name := range []string{"x1", "x2", "x3"} {
				e.CreateUser(fakecloud.User{Login: name})
			}
		})
		h.wrap = func(s dirsync.Source) dirsync.Source { return &stumbling{s} }
		h.apply(models.OutcomeFailed)
		h.wrap = nil
		h.cloud.Edit(func(e *fakecloud.Edit) { e.DeleteUser(u["ada"]) })
		h.clock.Advance(2 * time.Hour)
		run := h.apply(models.OutcomeApplied)
		if run.Users.Created != 5 {
			h.t.Errorf("after two hours: %+v", run.Users)
		}
		h.apply(models.OutcomeNothing)
	})
}

// A stumbling source fails after the first page of users.
type stumbling struct{ dirsync.Source }

func (s *stumbling) Users(ctx context.Context, from dirsync.Checkpoint, page func([]dirsync.User, dirsync.Checkpoint) error) error {
	n := 0
	return s.Source.Users(ctx, from, func(users []dirsync.User, next dirsync.Checkpoint) error {
		if n++; n > 1 {
			return errors.New("the source stumbles")
		}
		return page(users, next)
	})
}

// The rows moved while a delta was compared, and the second time the source knows its cursor no
// longer: what the delta had read is not taken for all that there is.
func TestACursorThatEndsWhileRowsMove(t *testing.T) {
	each(t, fakecloud.EntraConfig{}, unguarded, func(h *house) {
		u, g := team(h.cloud)
		h.apply(models.OutcomeApplied)
		h.cloud.Edit(func(e *fakecloud.Edit) {
			e.UpdateUser(u["ada"], func(u *fakecloud.User) { u.Mail = "a@mail.example" })
			e.AddUser(g["ops"], u["ada"])
			e.AddUser(g["ops"], u["bob"])
		})
		first := true
		run := h.apply(models.OutcomeApplied, dirsync.Options{Progress: func(p dirsync.Progress) {
			if p.Phase == "apply" && first {
				first = false
				h.touch()
				h.cloud.ResetDelta()
				h.cloud.Edit(func(e *fakecloud.Edit) {
					e.UpdateUser(u["ada"], func(u *fakecloud.User) { u.Mail = "new@mail.example" })
					e.DeleteUser(u["bob"]) // between the two reads: only the first knew him
				})
			}
		}})
		if run.Mode != "full" || run.Users != (models.UserCounts{Changed: 1, Deactivated: 1}) || run.Memberships != (models.MemberCounts{Added: 1, Removed: 1}) {
			h.t.Errorf("the run: %+v", run)
		}
		if ada := h.row(h.cloud.UserID(u["ada"])); ada.Email != "new@mail.example" {
			h.t.Errorf("ada's address is %s", ada.Email)
		}
		h.still("at the end")
	})
}
