package sourcetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
	dirsync "github.com/rollcall-id/rollcall/sync"
)

// A follower keeps a picture up to date by changes, as a run does.
type follower struct {
	*picture
	world  *World
	cursor dirsync.Cursor
	left   map[string]bool // groups that were gone
	gone   map[string]bool // users that were gone
}

// follow reads everything, as a run does: the cursor first, so that nothing falls in between.
func follow(t *testing.T, w *World) *follower {
	t.Helper()
	s := w.source(t, How{})
	cursor, err := s.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if cursor == "" {
		t.Fatal("a source that tells changes gave no cursor")
	}
	p, err := read(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return &follower{picture: p, world: w, cursor: cursor, left: map[string]bool{}, gone: map[string]bool{}}
}

// catchUp takes what changed.
func (f *follower) catchUp(t *testing.T) {
	t.Helper()
	s := f.world.source(t, How{})
	var back, backGroups []string
	next, err := s.Changes(t.Context(), f.cursor, func(c dirsync.Changes) error {
		seen := map[dirsync.Edge]bool{}
		for _, e := range c.Added {
			seen[e] = true
		}
		for _, e := range c.Removed {
			if seen[e] {
				t.Errorf("a page both adds and removes %v", e)
			}
		}
		f.take(c, &back, &backGroups)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if next == "" {
		t.Fatal("no cursor for the next time")
	}
	f.cursor = next
	f.askAgain(t.Context(), t, s, back, backGroups)
}

func (f *follower) take(c dirsync.Changes, back, backGroups *[]string) {
	for _, u := range c.Users {
		if f.gone[u.ID] {
			*back = append(*back, u.ID)
			delete(f.gone, u.ID)
		}
		f.Users[u.ID] = u
	}
	for _, id := range c.GoneUsers {
		delete(f.Users, id)
		f.gone[id] = true
		*back = slices.DeleteFunc(*back, func(b string) bool { return b == id })
	}
	for _, g := range c.Groups {
		if f.left[g.ID] {
			*backGroups = append(*backGroups, g.ID)
			delete(f.left, g.ID)
		}
		f.Groups[g.ID] = g
		if f.Members[g.ID] == nil {
			f.Members[g.ID] = map[string]dirsync.MemberKind{}
		}
	}
	for _, id := range c.GoneGroups {
		delete(f.Groups, id)
		delete(f.Members, id)
		f.left[id] = true
		*backGroups = slices.DeleteFunc(*backGroups, func(b string) bool { return b == id })
	}
	for _, e := range c.Removed {
		delete(f.Members[e.Group], e.Member.ID)
	}
	for _, e := range c.Added {
		if f.Members[e.Group] != nil {
			f.Members[e.Group][e.Member.ID] = e.Member.Kind
		}
	}
	anew := map[string]bool{}
	for _, m := range c.Members {
		if !anew[m.Group] && m.Unreadable == nil && f.Members[m.Group] != nil {
			anew[m.Group] = true
			clear(f.Members[m.Group])
		}
		_ = f.takeMembers(m)
	}
}

// askAgain asks for the memberships of who came back: clouds don't tell them.
func (f *follower) askAgain(ctx context.Context, t *testing.T, s dirsync.Source, users, groups []string) {
	t.Helper()
	err := s.GroupsOf(ctx, users, func(user string, in []string) error {
		for id, members := range f.Members {
			delete(members, user)
			if slices.Contains(in, id) {
				members[user] = dirsync.MemberUser
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range groups {
		clear(f.Members[id])
	}
	if err := s.Members(ctx, groups, f.takeMembers); err != nil {
		t.Fatal(err)
	}
}

// changes checks what a source tells of changes.
func changes(t *testing.T, p Provider) {
	gen := fakecloud.Gen{Seed: 7, Users: 40, Groups: 8, AvgMembers: 6, GuestPct: 20, DisabledPct: 10, UnicodePct: 20}
	if p.Nests {
		gen.NestedPct = 30
	}

	t.Run("nothing changed", func(t *testing.T) {
		t.Parallel()
		w := p.start(t, Setup{Gen: gen})
		f := follow(t, w)
		s := w.source(t, How{})
		next, err := s.Changes(t.Context(), f.cursor, func(c dirsync.Changes) error {
			if len(c.Users)+len(c.GoneUsers)+len(c.Groups)+len(c.GoneGroups)+len(c.Added)+len(c.Removed) > 0 {
				t.Errorf("told changes where there are none: %+v", c)
			}
			return nil
		})
		if err != nil || next == "" {
			t.Fatalf("want a cursor, got %q, %v", next, err)
		}
	})

	for _, c := range []struct {
		name string
		do   func(e *fakecloud.Edit)
	}{
		{"a user is new", func(e *fakecloud.Edit) {
			u := e.CreateUser(fakecloud.User{Login: "ada", Given: "Ada", Surname: "Lovelace", Mail: "ada@elsewhere.example"})
			e.AddUser(2, u)
		}},
		{"a user has another name", func(e *fakecloud.Edit) {
			e.UpdateUser(3, func(u *fakecloud.User) { u.Login = "renamed." + u.Login; u.Surname = "Byron" })
		}},
		{"two users swap names", func(e *fakecloud.Edit) {
			a, b := e.User(3), e.User(4)
			e.UpdateUser(3, func(u *fakecloud.User) { u.Login = "passing." + a.Login })
			e.UpdateUser(4, func(u *fakecloud.User) { u.Login, u.Mail = a.Login, a.Mail })
			e.UpdateUser(3, func(u *fakecloud.User) { u.Login, u.Mail = b.Login, b.Mail })
		}},
		{"a user is disabled", func(e *fakecloud.Edit) { e.UpdateUser(5, func(u *fakecloud.User) { u.Disabled = !u.Disabled }) }},
		{"a user is deleted", func(e *fakecloud.Edit) { e.DeleteUser(6) }},
		{"a user is deleted for good", func(e *fakecloud.Edit) { e.PurgeUser(7) }},
		{"a group is new", func(e *fakecloud.Edit) { e.AddUser(e.CreateGroup(fakecloud.Group{Name: "chess"}), 1) }},
		{"a group has another name", func(e *fakecloud.Edit) { e.UpdateGroup(1, func(g *fakecloud.Group) { g.Name = "go" }) }},
		{"a group is deleted", func(e *fakecloud.Edit) { e.DeleteGroup(1) }},
		{"a member comes and another goes", func(e *fakecloud.Edit) {
			g := e.CreateGroup(fakecloud.Group{Name: "movers"})
			e.AddUser(g, 1)
			e.RemoveUser(g, 1)
			e.AddUser(g, 2)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := p.start(t, Setup{Gen: gen})
			f := follow(t, w)
			w.Clock.Advance(time.Hour)
			w.Cloud.Edit(c.do)
			w.Clock.Advance(time.Minute)
			f.catchUp(t)
			same(t, w.truth(), f.picture)
		})
	}

	t.Run("a deleted user comes back into the groups", func(t *testing.T) {
		t.Parallel()
		w := p.start(t, Setup{Gen: gen})
		var g fakecloud.GroupNo
		w.Cloud.Edit(func(e *fakecloud.Edit) {
			g = e.CreateGroup(fakecloud.Group{Name: "returners"})
			e.AddUser(g, 6)
		})
		f := follow(t, w)
		for _, do := range []func(e *fakecloud.Edit){
			func(e *fakecloud.Edit) { e.DeleteUser(6) },
			func(e *fakecloud.Edit) { e.RestoreUser(6) },
		} {
			w.Clock.Advance(time.Hour)
			w.Cloud.Edit(do)
			w.Clock.Advance(time.Minute)
			f.catchUp(t)
			same(t, w.truth(), f.picture)
		}
		if _, in := f.Members[w.GroupID(g)][w.UserID(6)]; !in {
			t.Error("the user is back, and not in the group")
		}
	})

	t.Run("a large group changes on many pages", func(t *testing.T) {
		t.Parallel()
		w := p.start(t, Setup{Gen: fakecloud.Gen{Seed: 3, Users: 120, Groups: 4, AvgMembers: 3}, Awkward: true})
		var g fakecloud.GroupNo
		w.Cloud.Edit(func(e *fakecloud.Edit) {
			g = e.CreateGroup(fakecloud.Group{Name: "everybody in the building"})
			for n := range fakecloud.UserNo(60) {
				e.AddUser(g, n)
			}
		})
		f := follow(t, w)
		w.Clock.Advance(time.Hour)
		w.Cloud.Edit(func(e *fakecloud.Edit) {
			for n := range fakecloud.UserNo(60) {
				e.AddUser(g, 60+n)
			}
			for n := range fakecloud.UserNo(30) {
				e.RemoveUser(g, 2*n)
			}
		})
		w.Clock.Advance(time.Minute)
		f.catchUp(t)
		same(t, w.truth(), f.picture)
	})

	t.Run("some weeks of small changes", func(t *testing.T) {
		t.Parallel()
		w := p.start(t, Setup{Gen: gen, Awkward: true})
		f := follow(t, w)
		for range 25 {
			w.Clock.Advance(time.Hour)
			for range 7 {
				w.Cloud.Everyday()
			}
			w.Clock.Advance(time.Minute)
			f.catchUp(t)
		}
		same(t, w.truth(), f.picture)
	})

	t.Run("what happens during the full read is told after it", func(t *testing.T) {
		t.Parallel()
		w := p.start(t, Setup{Gen: gen})
		w.Cloud.After(w.Paths.Users, 1, func() {
			w.Cloud.Edit(func(e *fakecloud.Edit) {
				e.UpdateUser(0, func(u *fakecloud.User) { u.Surname = "Changed" })
				e.DeleteUser(1)
				e.AddUser(e.CreateGroup(fakecloud.Group{Name: "in between"}), e.CreateUser(fakecloud.User{Login: "late"}))
			})
		})
		f := follow(t, w)
		w.Clock.Advance(time.Minute)
		f.catchUp(t)
		same(t, w.truth(), f.picture)
	})

	for name := range p.Start(t, Setup{Clock: fakecloud.NewClock(Noon)}).Expire {
		t.Run("the cursor no longer counts: "+name, func(t *testing.T) {
			t.Parallel()
			w := p.start(t, Setup{Gen: gen})
			f := follow(t, w)
			w.Expire[name]()
			wantFullRead(t, w, f.cursor)
			f = follow(t, w) // and then it goes on
			w.Cloud.Edit(func(e *fakecloud.Edit) { e.UpdateUser(3, func(u *fakecloud.User) { u.Surname = "Byron" }) })
			w.Clock.Advance(time.Minute)
			f.catchUp(t)
			same(t, w.truth(), f.picture)
		})
	}

	for _, bad := range []dirsync.Cursor{"", "{}", "nonsense", `{"users":{"link":"https://evil.example/"}}`} {
		t.Run(fmt.Sprintf("a cursor that is none: %q", bad), func(t *testing.T) {
			t.Parallel()
			wantFullRead(t, p.start(t, Setup{Gen: gen}), bad)
		})
	}
}

func wantFullRead(t *testing.T, w *World, since dirsync.Cursor) {
	t.Helper()
	_, err := w.source(t, How{}).Changes(t.Context(), since, func(c dirsync.Changes) error {
		if len(c.GoneUsers)+len(c.GoneGroups)+len(c.Removed) > 0 {
			t.Errorf("an outdated cursor removed something: %+v", c)
		}
		return nil
	})
	var full *dirsync.FullRead
	if !errors.As(err, &full) || full.Reason == "" {
		t.Fatalf("want the wish for a full read, with a reason; got %v", err)
	}
}
