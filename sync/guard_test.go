package sync_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	dirsync "github.com/rollcall-id/rollcall/sync"
)

// A liar is a source whose lists are not the truth, though each answer is a success.
type liar struct {
	dirsync.Source
	users  func(id string) bool // that the list has
	groups func(id string) bool
}

func (l *liar) Users(ctx context.Context, from dirsync.Checkpoint, page func([]dirsync.User, dirsync.Checkpoint) error) error {
	return l.Source.Users(ctx, from, func(users []dirsync.User, next dirsync.Checkpoint) error {
		var some []dirsync.User
		for _, u := range users {
			if l.users == nil || l.users(u.ID) {
				some = append(some, u)
			}
		}
		return page(some, next)
	})
}

func (l *liar) Groups(ctx context.Context, from dirsync.Checkpoint, page func([]dirsync.Group, dirsync.Checkpoint) error) error {
	return l.Source.Groups(ctx, from, func(groups []dirsync.Group, next dirsync.Checkpoint) error {
		var some []dirsync.Group
		for _, g := range groups {
			if l.groups == nil || l.groups(g.ID) {
				some = append(some, g)
			}
		}
		return page(some, next)
	})
}

func nobody(string) bool { return false }

// An answer that is a success and has nothing in it, or not all, is an error and never a plan.
func TestAListIsNoTruth(t *testing.T) {
	each(t, fakecloud.EntraConfig{}, unguarded, func(h *house) {
		team(h.cloud)
		var lone fakecloud.UserNo // in no group: members whom the list doesn't have are asked for singly
		h.cloud.Edit(func(e *fakecloud.Edit) { lone = e.CreateUser(fakecloud.User{Login: "lone"}) })
		h.apply(models.OutcomeApplied)
		before := h.contents()
		left := h.cloud.UserID(lone)
		for _, c := range []struct {
			name string
			lie  liar
			want string
		}{
			{"no users", liar{users: nobody}, "lists no users"},
			{"no groups", liar{groups: nobody}, "lists no groups"},
			{"one user less, who is there", liar{users: func(id string) bool { return id != left }}, "leaves out users that are there all the same (1 of 1"},
		} {
			h.wrap = func(s dirsync.Source) dirsync.Source { lie := c.lie; lie.Source = s; return &lie }
			run := h.apply(models.OutcomeFailed, dirsync.Options{Full: true})
			if !strings.Contains(run.Problem, c.want) || !strings.Contains(run.Problem, "directory cloud") {
				h.t.Errorf("%s: the problem is %q", c.name, run.Problem)
			}
			testkit.Diff(h.t, c.name, before, h.contents())
		}
		h.wrap = nil
		h.apply(models.OutcomeNothing)
	})
}

// crowd makes users and groups of which many leave.
func crowd(cloud *fakecloud.Entra, users, groups int) (u []fakecloud.UserNo, g []fakecloud.GroupNo) {
	cloud.Edit(func(e *fakecloud.Edit) {
		for i := range users {
			u = append(u, e.CreateUser(fakecloud.User{Login: fmt.Sprintf("user%03d", i)}))
		}
		for i := range groups {
			g = append(g, e.CreateGroup(fakecloud.Group{Name: fmt.Sprintf("group%03d", i)}))
			for _, n := range u {
				e.AddUser(g[i], n)
			}
		}
	})
	return u, g
}

// A plan is held when both the number and the part are exceeded: by type, and both ways.
func TestWhatTheGuardHolds(t *testing.T) {
	for _, c := range []struct {
		name     string
		settings []string
		change   func(e *fakecloud.Edit, u []fakecloud.UserNo, g []fakecloud.GroupNo)
		want     string // empty: it passes
	}{
		{"users: the number isn't exceeded", []string{"guard-users=3,5%"}, func(e *fakecloud.Edit, u []fakecloud.UserNo, _ []fakecloud.GroupNo) { deleteUsers(e, u[:3]) }, ""},
		{"users: the part isn't exceeded", []string{"guard-users=1,20%"}, func(e *fakecloud.Edit, u []fakecloud.UserNo, _ []fakecloud.GroupNo) { deleteUsers(e, u[:4]) }, ""},
		{"users: both are", []string{"guard-users=3,15%"}, func(e *fakecloud.Edit, u []fakecloud.UserNo, _ []fakecloud.GroupNo) { deleteUsers(e, u[:4]) }, "4 of 20 users would leave"},
		{"users: disabled ones count", []string{"guard-users=3,15%"}, func(e *fakecloud.Edit, u []fakecloud.UserNo, _ []fakecloud.GroupNo) {
			for _, n := range u[:4] {
				e.UpdateUser(n, func(u *fakecloud.User) { u.Disabled = true })
			}
		}, "4 of 20 users would leave"},
		{"groups", []string{"guard-groups=1,10%"}, func(e *fakecloud.Edit, _ []fakecloud.UserNo, g []fakecloud.GroupNo) {
			e.DeleteGroup(g[0])
			e.DeleteGroup(g[1])
		}, "2 of 4 groups"},
		{"groups: the number isn't exceeded", []string{"guard-groups=2,10%"}, func(e *fakecloud.Edit, _ []fakecloud.UserNo, g []fakecloud.GroupNo) {
			e.DeleteGroup(g[0])
			e.DeleteGroup(g[1])
		}, ""},
		{"memberships", []string{"guard-memberships=4,5%"}, func(e *fakecloud.Edit, u []fakecloud.UserNo, g []fakecloud.GroupNo) {
			for _, n := range u[:5] {
				e.RemoveUser(g[0], n)
			}
		}, "5 of 80 memberships"},
		{"additions: users", []string{"guard-adds=2,10%"}, func(e *fakecloud.Edit, _ []fakecloud.UserNo, _ []fakecloud.GroupNo) {
			for i := range 3 {
				e.CreateUser(fakecloud.User{Login: fmt.Sprint("new", i)})
			}
		}, "3 of 20 users would be created"},
		{"additions: groups", []string{"guard-adds=0,10%"}, func(e *fakecloud.Edit, _ []fakecloud.UserNo, _ []fakecloud.GroupNo) {
			e.CreateGroup(fakecloud.Group{Name: "new"})
		}, "1 of 4 groups would be created"},
		{"additions are not limited by default", nil, func(e *fakecloud.Edit, _ []fakecloud.UserNo, _ []fakecloud.GroupNo) {
			for i := range 60 {
				e.CreateUser(fakecloud.User{Login: fmt.Sprint("new", i)})
			}
		}, ""},
	} {
		for _, full := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s full=%v", c.name, full), func(t *testing.T) {
				t.Parallel()
				testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
					h := newHouse(t, db, fakecloud.EntraConfig{}, append([]string{"guard-users=100,50%", "guard-groups=100,50%", "guard-memberships=1000,50%"}, c.settings...)...)
					u, g := crowd(h.cloud, 20, 4)
					if strings.Contains(c.name, "additions") { // the first run is nothing but additions
						h.set("guard-adds=")
					}
					h.apply(models.OutcomeApplied)
					h.set(append([]string{"interval=2h"}, c.settings...)...)
					before := h.contents()
					h.cloud.Edit(func(e *fakecloud.Edit) { c.change(e, u, g) })
					plan := h.plan(dirsync.Options{Full: full})
					if !strings.Contains(plan.Guard, c.want) || (plan.Guard == "") != (c.want == "") {
						t.Errorf("the plan's guard says %q, want %q", plan.Guard, c.want)
					}
					if c.want == "" {
						h.apply(models.OutcomeApplied, dirsync.Options{Full: full})
						return
					}
					run := h.apply(models.OutcomeHeld, dirsync.Options{Full: full})
					if run.Problem != plan.Guard || run.Hash != plan.Hash {
						t.Errorf("held because %q (%s), and the plan said %q (%s)", run.Problem, run.Hash, plan.Guard, plan.Hash)
					}
					testkit.Diff(t, "the directory while a plan is held", before, h.contents())
				})
			})
		}
	}
}

func deleteUsers(e *fakecloud.Edit, list []fakecloud.UserNo) {
	for _, n := range list {
		e.DeleteUser(n)
	}
}

// A held plan waits: equal ones are one record; approving applies what was shown, and refuses
// when the source moved on; a plan that takes less away ends it.
func TestAHeldPlan(t *testing.T) {
	each(t, fakecloud.EntraConfig{}, []string{"guard-users=1,5%", "guard-memberships=1000,50%"}, func(h *house) {
		u, _ := crowd(h.cloud, 20, 1)
		h.apply(models.OutcomeApplied)
		before := h.contents()
		h.cloud.Edit(func(e *fakecloud.Edit) { deleteUsers(e, u[:3]) })
		held := h.apply(models.OutcomeHeld)
		again := h.apply(models.OutcomeHeld, dirsync.Options{Full: true})
		if held.Hash == "" || again.Hash != held.Hash {
			h.t.Fatalf("the hashes of one plan by delta and by full read are %q and %q", held.Hash, again.Hash)
		}
		if n := h.outcomes(models.OutcomeHeld); n != 1 {
			h.t.Errorf("%d records say held, want one as long as the plan is the same", n)
		}
		// New users don't change what the plan takes away.
		h.cloud.Edit(func(e *fakecloud.Edit) { e.CreateUser(fakecloud.User{Login: "new"}) })
		if run := h.apply(models.OutcomeHeld); run.Hash != held.Hash {
			h.t.Errorf("the hash moved to %s because of a new user", run.Hash)
		}
		// One more leaves: another plan.
		h.cloud.Edit(func(e *fakecloud.Edit) { deleteUsers(e, u[3:4]) })
		_, err := h.sync.Apply(h.t.Context(), "cloud", dirsync.Options{By: models.System, Approve: held.Hash})
		if !models.Is(err, models.PlanMoved) {
			h.t.Fatalf("approving a plan that has moved gave %v", err)
		}
		testkit.Diff(h.t, "the directory after an approval that was refused", before, h.contents())
		moved := h.apply(models.OutcomeHeld)
		if moved.Hash == held.Hash || !strings.Contains(err.Error(), moved.Hash) {
			h.t.Errorf("the refusal says %q, want the new hash %s in it", err, moved.Hash)
		}
		if err := h.sync.Discard(h.t.Context(), models.System, "cloud", held.Hash); !models.Is(err, models.PlanMoved) {
			h.t.Errorf("discarding a plan that has moved gave %v", err)
		}
		h.must(h.sync.Discard(h.t.Context(), models.System, "cloud", moved.Hash))
		if runs, err := h.sync.History(h.t.Context(), "cloud", 20); err != nil || !runs[0].Discarded && !runs[1].Discarded {
			h.t.Errorf("no record is discarded: %v", err)
		}
		shown := h.apply(models.OutcomeHeld) // made anew
		run := h.apply(models.OutcomeApplied, dirsync.Options{Approve: shown.Hash})
		testkit.Diff(h.t, "what was shown and what was applied", shown.Steps, run.Steps)
		if run.Users.Deactivated != 4 || run.Users.Created != 1 {
			h.t.Errorf("applied: %+v", run.Users)
		}
		h.apply(models.OutcomeNothing)

		// A plan that no longer trips ends the held one.
		h.cloud.Edit(func(e *fakecloud.Edit) { deleteUsers(e, u[4:7]) })
		gone := h.apply(models.OutcomeHeld)
		h.cloud.Edit(func(e *fakecloud.Edit) { e.RestoreUser(u[4]); e.RestoreUser(u[5]) })
		h.apply(models.OutcomeApplied)
		if err := h.sync.Discard(h.t.Context(), models.System, "cloud", gone.Hash); !models.Is(err, models.PlanMoved) {
			h.t.Errorf("a held plan outlived a run that was applied: %v", err)
		}
	})
}

func (h *house) outcomes(of models.Outcome) (n int) {
	h.t.Helper()
	runs, err := h.sync.History(h.t.Context(), "cloud", 100)
	h.must(err)
	for _, r := range runs {
		if r.Outcome == of {
			n++
		}
	}
	return n
}

// A group that the settings name and the source no longer has under that name: nobody is
// removed because of it, unless an operator says so.
func TestAGroupThatTheSettingsNameIsGone(t *testing.T) {
	each(t, fakecloud.EntraConfig{}, append([]string{"groups=devs,ops"}, unguarded...), func(h *house) {
		_, g := team(h.cloud)
		h.apply(models.OutcomeApplied)
		before := h.contents()
		h.cloud.Edit(func(e *fakecloud.Edit) { e.UpdateGroup(g["devs"], func(g *fakecloud.Group) { g.Name = "developers" }) })
		run := h.apply(models.OutcomeHeld)
		if !strings.Contains(run.Problem, "doesn't have: devs") {
			h.t.Errorf("held because %q", run.Problem)
		}
		testkit.Diff(h.t, "the directory", before, h.contents())
		h.set("groups=developers,ops")
		h.apply(models.OutcomeNothing)
	})
}

// A plan that is held because too much comes has a hash, too: it can be approved and dropped.
func TestAPlanThatBringsTooMuch(t *testing.T) {
	each(t, fakecloud.EntraConfig{}, nil, func(h *house) {
		u, _ := crowd(h.cloud, 20, 1)
		h.apply(models.OutcomeApplied)
		h.set("guard-adds=2,10%")
		add := func(name string) {
			h.cloud.Edit(func(e *fakecloud.Edit) { e.CreateUser(fakecloud.User{Login: name}) })
		}
		add("new1")
		add("new2")
		add("new3")
		held := h.apply(models.OutcomeHeld)
		if again := h.apply(models.OutcomeHeld, dirsync.Options{Full: true}); held.Hash == "" || again.Hash != held.Hash {
			h.t.Fatalf("the hashes of one plan by delta and by full read are %q and %q", held.Hash, again.Hash)
		}
		add("new4")
		_, err := h.sync.Apply(h.t.Context(), "cloud", dirsync.Options{By: models.System, Approve: held.Hash})
		if !models.Is(err, models.PlanMoved) {
			h.t.Errorf("approving a plan that has moved gave %v", err)
		}
		h.must(h.sync.Discard(h.t.Context(), models.System, "cloud", held.Hash))
		held = h.apply(models.OutcomeHeld)
		if run := h.apply(models.OutcomeApplied, dirsync.Options{Approve: held.Hash}); run.Users.Created != 4 {
			h.t.Errorf("approved: %+v", run.Users)
		}
		h.cloud.Edit(func(e *fakecloud.Edit) { deleteUsers(e, u[:1]) })
		h.apply(models.OutcomeApplied)
	})
}

// A group that the settings name, and that is removed between the list and its members, isn't there.
func TestAGroupThatTheSettingsNameGoesWhileItIsRead(t *testing.T) {
	each(t, fakecloud.EntraConfig{}, append([]string{"groups=devs,ops"}, unguarded...), func(h *house) {
		_, g := team(h.cloud)
		h.apply(models.OutcomeApplied)
		before := h.contents()
		h.wrap = func(s dirsync.Source) dirsync.Source {
			return &late{s, func() { h.cloud.Edit(func(e *fakecloud.Edit) { e.DeleteGroup(g["devs"]) }) }}
		}
		if run := h.apply(models.OutcomeHeld, dirsync.Options{Full: true}); !strings.Contains(run.Problem, "doesn't have: devs") {
			h.t.Errorf("held because %q", run.Problem)
		}
		testkit.Diff(h.t, "the directory", before, h.contents())
	})
}

// A late source changes before members are read.
type late struct {
	dirsync.Source
	before func()
}

func (l *late) Members(ctx context.Context, groups []string, part func(dirsync.Members) error) error {
	l.before()
	return l.Source.Members(ctx, groups, part)
}
