package fakecloud_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
)

const groupsDelta = "/groups/delta?$select=id,displayName,members"

// membersTold merges what a delta query told of members: group id to member ids.
func membersTold(objects []map[string]any) map[string][]string {
	told := map[string]map[string]bool{}
	for _, o := range objects {
		id := fmt.Sprint(o["id"])
		if told[id] == nil {
			told[id] = map[string]bool{}
		}
		parts, _ := o["members@delta"].([]any)
		for _, part := range parts {
			m := part.(map[string]any)
			member := fmt.Sprint(m["id"])
			if m["@removed"] != nil {
				member = "-" + member
			}
			told[id][member] = true
		}
	}
	all := map[string][]string{}
	for id, members := range told {
		for m := range members {
			all[id] = append(all[id], m)
		}
	}
	return all
}

func TestFirstRoundOfDeltaHasEverything(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		set   fakecloud.EntraConfig
		split bool
		twice bool
	}{
		{"as it is", fakecloud.EntraConfig{}, false, false},
		{"large groups in parts", fakecloud.EntraConfig{DeltaPage: 7, DeltaMembers: 10}, true, false},
		{"other groups between the parts", fakecloud.EntraConfig{DeltaPage: 7, DeltaMembers: 10, ShuffleDeltaParts: true}, true, false},
		{"one user on two pages", fakecloud.EntraConfig{DeltaPage: 7, DeltaMembers: 10, Replays: true}, true, true},
		{"empty pages", fakecloud.EntraConfig{DeltaPage: 7, DeltaMembers: 10, EmptyPages: true}, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.set.Gen = fakecloud.Typical(100, 30)
			c.set.Gen.AvgMembers = 10
			cloud := startEntra(t, c.set)
			cloud.Edit(func(e *fakecloud.Edit) {
				e.DeleteUser(3)
				e.Add(1, fakecloud.Member{Kind: fakecloud.Device, N: 1})
				e.Add(1, fakecloud.Member{Kind: fakecloud.ServicePrincipal, N: 1})
				e.Add(1, fakecloud.Member{Kind: fakecloud.Contact, N: 1})
			})
			v := visit(t, cloud)
			users, delta, _ := v.all("/users/delta?$select=id,displayName")
			if delta == "" {
				t.Error("the last page has no delta link")
			}
			if twice := len(users) > 100; twice != c.twice {
				t.Errorf("want users told twice: %v, got %d", c.twice, len(users))
			}
			wantSame(t, "users", append(userIDs(cloud), "-"+cloud.UserID(3)), slices.Compact(slices.Sorted(slices.Values(ids(users)))))

			groups, delta, _ := v.all(groupsDelta)
			if delta == "" {
				t.Error("the last page has no delta link")
			}
			if split := len(groups) > 30; split != c.split {
				t.Errorf("want large groups in parts: %v, got %d objects", c.split, len(groups))
			}
			told := membersTold(groups)
			for n := range cloud.Directory.Groups() {
				wantSame(t, fmt.Sprintf("members of group %d", n), memberIDs(cloud, n), told[cloud.GroupID(n)])
			}
			if len(told) != 30 {
				t.Errorf("want 30 groups, got %d", len(told))
			}
			if c.set.ShuffleDeltaParts && !slices.ContainsFunc(ids(groups)[2:], func(id string) bool { return id == ids(groups)[0] }) {
				t.Error("no other group comes between the parts of the first one")
			}
		})
	}
}

func TestDeltaTellsWhatChanged(t *testing.T) {
	t.Parallel()
	cloud := startEntra(t, fakecloud.EntraConfig{Gen: fakecloud.Gen{Users: 50, Groups: 5, AvgMembers: 4}})
	v := visit(t, cloud)
	_, usersLink, _ := v.all("/users/delta?$select=id,displayName,accountEnabled")
	_, groupsLink, _ := v.all(groupsDelta)
	latest := v.page("/users/delta?$select=id,displayName&$deltatoken=latest")
	if len(latest.Value) != 0 || latest.Delta == "" {
		t.Errorf("want a delta link only, got %+v", latest)
	}
	type told struct{ users, groups []string }
	round := func() (told, map[string][]string) {
		t.Helper()
		var users, groups []map[string]any
		users, usersLink, _ = v.all(usersLink)
		groups, groupsLink, _ = v.all(groupsLink)
		return told{ids(users), ids(groups)}, membersTold(groups)
	}
	var u fakecloud.UserNo
	var g fakecloud.GroupNo
	user := func(n fakecloud.UserNo) string { return cloud.UserID(n) }
	group := func(n fakecloud.GroupNo) string { return cloud.GroupID(n) }
	in := func(m fakecloud.GroupNo, has bool) (n fakecloud.UserNo) {
		for n = range cloud.Directory.Users() {
			if cloud.Directory.IsMember(m, fakecloud.Member{N: int(n)}) == has {
				return n
			}
		}
		t.Fatal("nobody")
		return 0
	}
	outside, inside := in(1, false), in(1, true)
	for _, c := range []struct {
		name          string
		edit          func(e *fakecloud.Edit)
		users, groups func() []string
		members       func() []string // of group 1
	}{
		{"nothing", func(*fakecloud.Edit) {}, nil, nil, nil},
		{"somebody is renamed", func(e *fakecloud.Edit) { e.UpdateUser(4, func(u *fakecloud.User) { u.Display = "X" }) },
			func() []string { return []string{user(4)} }, nil, nil},
		{"somebody gets another title, which isn't selected", func(e *fakecloud.Edit) { e.UpdateUser(4, func(u *fakecloud.User) { u.Title = "X" }) }, nil, nil, nil},
		{"somebody is disabled, and somebody else twice", func(e *fakecloud.Edit) {
			e.UpdateUser(5, func(u *fakecloud.User) { u.Disabled = true })
			e.UpdateUser(6, func(u *fakecloud.User) { u.Disabled = true })
			e.UpdateUser(5, func(u *fakecloud.User) { u.Display = "Y" })
		}, func() []string { return []string{user(6), user(5)} }, nil, nil},
		{"somebody is new, in a new group", func(e *fakecloud.Edit) {
			u = e.CreateUser(fakecloud.User{Login: "ada"})
			g = e.CreateGroup(fakecloud.Group{Name: "devs"})
			e.AddUser(g, u)
		}, func() []string { return []string{user(u)} }, func() []string { return []string{group(g)} }, nil},
		{"somebody joins and somebody leaves", func(e *fakecloud.Edit) {
			e.AddUser(1, outside)
			e.RemoveUser(1, inside)
		}, nil, func() []string { return []string{group(1)} }, func() []string { return []string{user(outside), "-" + user(inside)} }},
		{"a member is deleted: groups don't tell", func(e *fakecloud.Edit) { e.DeleteUser(outside) },
			func() []string { return []string{"-" + user(outside)} }, nil, nil},
		{"and restored: groups don't tell", func(e *fakecloud.Edit) { e.RestoreUser(outside) },
			func() []string { return []string{user(outside)} }, nil, nil},
		{"and deleted for good: groups tell at last", func(e *fakecloud.Edit) { e.PurgeUser(outside) },
			func() []string { return []string{"-" + user(outside)} }, nil, func() []string { return []string{"-" + user(outside)} }},
		{"a group is nested in itself", func(e *fakecloud.Edit) { e.Nest(1, 1) }, nil,
			func() []string { return []string{group(1)} }, func() []string { return []string{group(1)} }},
		{"a group is deleted", func(e *fakecloud.Edit) { e.DeleteGroup(2) }, nil, func() []string { return []string{"-" + group(2)} }, nil},
		{"and restored", func(e *fakecloud.Edit) { e.RestoreGroup(2) }, nil, func() []string { return []string{group(2)} }, nil},
		{"and deleted for good", func(e *fakecloud.Edit) { e.PurgeGroup(2) }, nil, func() []string { return []string{"-" + group(2)} }, nil},
		{"a member becomes a guest", func(e *fakecloud.Edit) {
			e.UpdateUser(7, func(u *fakecloud.User) { u.Guest, u.External, u.Display = true, true, "Guest" })
		}, func() []string { return []string{user(7)} }, nil, nil},
	} {
		cloud.Edit(c.edit)
		got, members := round()
		wantSame(t, c.name+": users", called(c.users), got.users)
		if c.groups != nil || c.members == nil {
			wantSame(t, c.name+": groups", called(c.groups), got.groups)
		}
		wantSame(t, c.name+": members", called(c.members), members[group(1)])
	}
	if again, _ := round(); len(again.users)+len(again.groups) != 0 {
		t.Errorf("want nothing in a round after nothing, got %v", again)
	}
}

func called(f func() []string) []string {
	if f == nil {
		return nil
	}
	return f()
}

func TestDeltaOfRemovedGroupHasOnlyItsID(t *testing.T) {
	t.Parallel()
	cloud := startEntra(t, fakecloud.EntraConfig{Gen: fakecloud.Gen{Users: 5, Groups: 3}})
	v := visit(t, cloud)
	_, link, _ := v.all(groupsDelta)
	cloud.Edit(func(e *fakecloud.Edit) {
		e.UpdateGroup(0, func(g *fakecloud.Group) { g.Name = "other" })
		e.DeleteGroup(0)
		e.PurgeGroup(1)
		e.UpdateGroup(2, func(g *fakecloud.Group) { g.Kind = fakecloud.Distribution })
		e.DeleteGroup(2) // one for mail only is gone at once
	})
	removed, _, _ := v.all(link)
	for i, reason := range []string{"changed", "deleted", "deleted"} {
		o := removed[i]
		if len(o) != 2 || fmt.Sprint(o["@removed"]) != "map[reason:"+reason+"]" {
			t.Errorf("want an id and the reason %q, got %v", reason, o)
		}
	}
}

func TestMinimalDelta(t *testing.T) {
	t.Parallel()
	cloud := startEntra(t, fakecloud.EntraConfig{Gen: fakecloud.Gen{Users: 5, Groups: 2}})
	v := visit(t, cloud)
	_, users, _ := v.all("/users/delta?$select=id,displayName,mail,accountEnabled")
	_, groups, _ := v.all(groupsDelta)
	cloud.Edit(func(e *fakecloud.Edit) {
		e.UpdateUser(1, func(u *fakecloud.User) { u.Mail = "" })
		e.RemoveUser(1, 2)
	})
	whole := v.page(users).Value
	v.header.Set("Prefer", "return=minimal")
	small, membership := v.page(users).Value, v.page(groups).Value
	if len(whole[0]) != 4 || len(small[0]) != 2 || small[0]["mail"] != nil {
		t.Errorf("want 4 fields, then id and mail, got %v and %v", whole, small)
	}
	if len(membership) != 1 || membership[0]["displayName"] != nil || membership[0]["members@delta"] == nil {
		t.Errorf("want id and members@delta, got %v", membership)
	}
}

func TestDeltaLinksGrowOld(t *testing.T) {
	t.Parallel()
	clock := fakecloud.NewClock(time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC))
	cloud := startEntra(t, fakecloud.EntraConfig{Gen: fakecloud.Gen{Users: 5, Groups: 2}, Now: clock.Now, TokenLife: 100 * 24 * time.Hour})
	v := visit(t, cloud)
	_, link, _ := v.all(groupsDelta)
	clock.Advance(7 * 24 * time.Hour)
	v.page(link) // just young enough
	clock.Advance(time.Second)
	if r := v.get(link); r.status != http.StatusBadRequest || !strings.Contains(r.body, "syncStateNotFound") {
		t.Errorf("want 400 syncStateNotFound, got %d %s", r.status, r.body)
	}
	cloud.Set(func(c *fakecloud.EntraConfig) { c.Stale = fakecloud.GoneWithLocation })
	r := v.get(link)
	if r.status != http.StatusGone || !strings.HasSuffix(r.header.Get("Location"), "$deltatoken=") {
		t.Errorf("want 410 with a Location, got %d %v", r.status, r.header)
	}
	again, fresh, _ := v.all(r.header.Get("Location"))
	wantSame(t, "groups from the beginning", groupIDs(cloud), ids(again))
	if again[0]["members@delta"] == nil {
		t.Error("the new beginning has forgotten what was selected")
	}
	cloud.ResetDelta()
	if r := v.get(fresh); r.status != http.StatusGone || r.header.Get("Location") == "" {
		t.Errorf("want 410 after a reset, got %d %v", r.status, r.header)
	}
}

func TestDeltaOfSomeGroups(t *testing.T) {
	t.Parallel()
	cloud := startEntra(t, fakecloud.EntraConfig{Gen: fakecloud.Gen{Users: 5, Groups: 10}})
	v := visit(t, cloud)
	groups, link, _ := v.all("/groups/delta?$select=id,displayName,members&$filter=id%20eq%20'" + cloud.GroupID(3) + "'%20or%20id%20eq%20'" + cloud.GroupID(4) + "'")
	wantSame(t, "groups", []string{cloud.GroupID(3), cloud.GroupID(4)}, ids(groups))
	cloud.Edit(func(e *fakecloud.Edit) {
		e.UpdateGroup(4, func(g *fakecloud.Group) { g.Name = "x" })
		e.UpdateGroup(5, func(g *fakecloud.Group) { g.Name = "y" })
	})
	changed, _, _ := v.all(link)
	wantSame(t, "changed", []string{cloud.GroupID(4)}, ids(changed))
}

// The numbers are those of a day in a large company.
func TestThousandChangesAmongAMillionAreFewPages(t *testing.T) {
	t.Parallel()
	cloud := startEntra(t, fakecloud.EntraConfig{Gen: fakecloud.Typical(1_000_000, 100_000)})
	v := visit(t, cloud)
	users := v.page("/users/delta?$select=id,displayName&$deltatoken=latest").Delta
	groups := v.page(groupsDelta + "&$deltatoken=latest").Delta
	cloud.Edit(func(e *fakecloud.Edit) {
		for n := range fakecloud.UserNo(700) {
			e.UpdateUser(n*1000, func(u *fakecloud.User) { u.Display += " II" })
		}
		for i := range 300 {
			g, m := fakecloud.GroupNo(i%60*100), fakecloud.Member{N: i * 7}
			if e.IsMember(g, m) {
				e.Remove(g, m)
			} else {
				e.Add(g, m)
			}
		}
	})
	began := time.Now()
	_, _, userPages := v.all(users)
	told, _, groupPages := v.all(groups)
	if userPages > 4 || groupPages > 1 || len(told) != 60 {
		t.Errorf("want 4 pages of users and one of 60 groups, got %d and %d of %d", userPages, groupPages, len(told))
	}
	t.Logf("%d pages in %v", userPages+groupPages, time.Since(began))
}
