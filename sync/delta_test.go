package sync_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	dirsync "github.com/rollcall-id/rollcall/sync"
)

// What a delta once got wrong: after each change a full read finds nothing to do.
func TestWhatADeltaMustNotMiss(t *testing.T) {
	type cast struct {
		h *house
		u map[string]fakecloud.UserNo
		g map[string]fakecloud.GroupNo
	}
	edit := func(do func(e *fakecloud.Edit, c *cast)) func(*cast) {
		return func(c *cast) { c.h.cloud.Edit(func(e *fakecloud.Edit) { do(e, c) }) }
	}
	guest := func(e *fakecloud.Edit, c *cast) {
		e.UpdateUser(c.u["ada"], func(u *fakecloud.User) { u.Guest = true })
	}
	for _, c := range []struct {
		name     string
		settings []string
		steps    []func(*cast) // a run after each; the first one before the first run
		mode     string        // of the last run
	}{
		{"a group in itself", nil, []func(*cast){nil, edit(func(e *fakecloud.Edit, c *cast) { e.Nest(c.g["devs"], c.g["devs"]) })}, "delta"},
		{"a group in another that is deleted", nil, []func(*cast){nil, edit(func(e *fakecloud.Edit, c *cast) { e.DeleteGroup(c.g["devs"]) })}, "delta"},
		{"a new group with one in it that is here", nil, []func(*cast){nil, edit(func(e *fakecloud.Edit, c *cast) {
			e.Nest(e.CreateGroup(fakecloud.Group{Name: "new"}), c.g["devs"])
		})}, "delta"},
		{"a member directly, and through a group that doesn't come", []string{"groups=all"}, []func(*cast){
			edit(func(e *fakecloud.Edit, c *cast) { e.AddUser(c.g["all"], c.u["ada"]) }),
			edit(func(e *fakecloud.Edit, c *cast) { e.RemoveUser(c.g["all"], c.u["ada"]) })}, "delta"},
		{"a group goes whose members count as another's", []string{"groups=all"}, []func(*cast){nil,
			edit(func(e *fakecloud.Edit, c *cast) { e.DeleteGroup(c.g["devs"]) })}, "full"},
		{"a member of an inner group is no member of the outer one", []string{"users=members"}, []func(*cast){nil,
			edit(func(e *fakecloud.Edit, c *cast) { e.AddUser(c.g["ops"], c.u["ada"]) })}, "delta"},
		{"only in a group that goes", []string{"users=members"}, []func(*cast){nil, edit(func(e *fakecloud.Edit, c *cast) { e.DeleteGroup(c.g["ops"]) })}, "full"},
		{"who was left out joins a group", []string{"guests=exclude"}, []func(*cast){nil, edit(guest),
			edit(func(e *fakecloud.Edit, c *cast) { e.AddUser(c.g["ops"], c.u["ada"]) })}, "delta"},
		{"a protected group in another gets a name", nil, []func(*cast){
			edit(func(e *fakecloud.Edit, c *cast) {
				e.UpdateGroup(c.g["ops"], func(g *fakecloud.Group) { g.Name = "jira-administrators" })
			}),
			edit(func(e *fakecloud.Edit, c *cast) {
				e.UpdateGroup(c.g["ops"], func(g *fakecloud.Group) { g.Name = "ops" })
			})}, "full"},
		{"the loser of a name is not forgotten", []string{"username=upn-local-part"}, []func(*cast){
			edit(func(e *fakecloud.Edit, c *cast) {
				c.u["twin"] = e.CreateUser(fakecloud.User{Login: "ada@fabrikam.example"})
			}),
			edit(func(e *fakecloud.Edit, c *cast) {
				e.UpdateGroup(c.g["ops"], func(g *fakecloud.Group) { g.Description = "text" })
			}),
			edit(func(e *fakecloud.Edit, c *cast) {
				for _, name := range []string{"ada", "twin"} { // who has the name gives it away
					if c.h.names()[c.h.cloud.UserID(c.u[name])] == "ada" {
						e.UpdateUser(c.u[name], func(u *fakecloud.User) { u.Login = "countess" })
					}
				}
			})}, "delta"},
		{"a name is free because its owner is in no group any more", []string{"username=upn-local-part", "users=members"}, []func(*cast){
			edit(func(e *fakecloud.Edit, c *cast) {
				c.u["twin"] = e.CreateUser(fakecloud.User{Login: "ada@fabrikam.example"})
				e.AddUser(c.g["ops"], c.u["twin"])
			}),
			func(c *cast) {
				owner, from := "ada", "devs"
				if c.h.names()[c.h.cloud.UserID(c.u["twin"])] == "ada" {
					owner, from = "twin", "ops"
				}
				edit(func(e *fakecloud.Edit, c *cast) { e.RemoveUser(c.g[from], c.u[owner]) })(c)
			}}, "delta"},
		{"groups of one name that follow their names", []string{"group-names=follow"}, []func(*cast){nil,
			func(c *cast) { // ids are not made in order: one of these is lower than that of devs
				for range 6 {
					edit(func(e *fakecloud.Edit, c *cast) { e.CreateGroup(fakecloud.Group{Name: "devs"}) })(c)
				}
			},
			edit(func(e *fakecloud.Edit, c *cast) {
				e.UpdateGroup(c.g["devs"], func(g *fakecloud.Group) { g.Name = "was-devs" })
			}),
			edit(func(e *fakecloud.Edit, c *cast) { e.CreateGroup(fakecloud.Group{Name: "devs"}) })}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
				h := newHouse(t, db, fakecloud.EntraConfig{}, append(slices.Clone(unguarded), c.settings...)...)
				u, g := team(h.cloud)
				who := &cast{h, u, g}
				var run *models.Run
				for i, step := range c.steps {
					if step != nil && i == 0 {
						step(who)
						h.apply(models.OutcomeApplied)
						continue
					}
					if step != nil {
						step(who)
					}
					run = h.run()
					h.still(strings.TrimSpace(c.name))
					h.facts("cloud") // complains of members that left
				}
				if c.mode != "" && run.Mode != c.mode {
					t.Errorf("the last run was a %s one (%s), want %s", run.Mode, run.Reason, c.mode)
				}
			})
		})
	}
}

// A user who comes back while a full read is at the members is in those groups only that were read
// after that. No delta tells the others: the next one asks for them.
func TestAUserWhoComesBackWhileMembersAreRead(t *testing.T) {
	each(t, fakecloud.EntraConfig{}, unguarded, func(h *house) {
		u, g := team(h.cloud)
		h.cloud.Edit(func(e *fakecloud.Edit) { e.AddUser(g["ops"], u["ada"]); e.AddUser(g["all"], u["ada"]) })
		h.apply(models.OutcomeApplied)
		before := h.contents()
		h.cloud.Edit(func(e *fakecloud.Edit) { e.DeleteUser(u["ada"]) })
		h.apply(models.OutcomeApplied)
		h.wrap = func(s dirsync.Source) dirsync.Source {
			return &oneByOne{s, func(n int) {
				if n == 1 {
					h.cloud.Edit(func(e *fakecloud.Edit) { e.RestoreUser(u["ada"]) })
				}
			}}
		}
		if run := h.apply(models.OutcomeApplied, dirsync.Options{Full: true}); run.Users.Changed != 1 || run.Memberships.Added != 2 {
			h.t.Errorf("while she comes back: %+v", run)
		}
		h.wrap = nil
		if run := h.apply(models.OutcomeApplied); run.Mode != "delta" || run.Memberships != (models.MemberCounts{Added: 1}) {
			h.t.Errorf("the next run: %+v", run)
		}
		testkit.Diff(h.t, "the directory", before, h.contents())
		h.still("at the end")
		h.apply(models.OutcomeNothing)
	})
}

// A source that is asked for the members of one group after the other.
type oneByOne struct {
	dirsync.Source
	before func(n int)
}

func (o *oneByOne) Members(ctx context.Context, groups []string, part func(dirsync.Members) error) error {
	for n, group := range groups {
		o.before(n)
		if err := o.Source.Members(ctx, []string{group}, part); err != nil {
			return err
		}
	}
	return nil
}
