package fakecloud_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
)

// A mirror is what a client that does everything right knows from delta queries. It keeps the
// memberships of deleted users, as nobody tells of them when a user comes back; and it reads
// those of whoever comes back, as nobody tells of what was added shortly before either.
type mirror struct {
	users  map[string]bool
	groups map[string]map[string]bool // id to members
	back   map[string]bool            // users and groups that came back: their memberships have to be read
}

func (m *mirror) take(users, groups []map[string]any) {
	for _, u := range users {
		id := fmt.Sprint(u["id"])
		here := u["@removed"] == nil
		if was, known := m.users[id]; known && !was && here {
			m.back[id] = true
		}
		m.users[id] = here
	}
	for _, g := range groups {
		id := fmt.Sprint(g["id"])
		if g["@removed"] != nil {
			delete(m.groups, id)
			continue
		}
		if m.groups[id] == nil {
			m.groups[id] = map[string]bool{}
			m.back[id] = true
		}
		for _, member := range membersTold([]map[string]any{g})[id] {
			if id2, gone := strings.CutPrefix(member, "-"); gone {
				delete(m.groups[id], id2)
			} else {
				m.groups[id][member] = true
			}
		}
	}
}

func TestDeltasLeadToWhereAFullReadDoes(t *testing.T) {
	t.Parallel()
	for _, c := range []fakecloud.EntraConfig{
		{},
		{DeltaPage: 3, DeltaMembers: 4, ShuffleDeltaParts: true, EmptyPages: true},
		{DeltaPage: 3, DeltaMembers: 4, Replays: true},
	} {
		c.Gen = fakecloud.Typical(40, 8)
		c.Gen.AvgMembers = 8
		cloud := startEntra(t, c)
		v := visit(t, cloud)
		m := &mirror{users: map[string]bool{}, groups: map[string]map[string]bool{}, back: map[string]bool{}}
		usersLink, groupsLink := "/users/delta?$select=id,displayName,accountEnabled", groupsDelta
		random := rand.New(rand.NewPCG(1, 2))
		for range 40 {
			var users, groups []map[string]any
			users, usersLink, _ = v.all(usersLink)
			groups, groupsLink, _ = v.all(groupsLink)
			m.take(users, groups)
			m.read(v)
			compareMirror(t, cloud, m)
			cloud.Edit(func(e *fakecloud.Edit) {
				for range random.IntN(10) {
					editAtRandom(e, random)
				}
			})
		}
	}
}

// read reads the memberships of whoever came back.
func (m *mirror) read(v *visitor) {
	for id := range m.back {
		list := "/users/"
		if m.groups[id] != nil {
			list = "/groups/"
		}
		above, _, _ := v.all(list + id + "/memberOf?$select=id")
		for _, g := range ids(above) {
			m.groups[g][id] = true
		}
		if m.groups[id] == nil {
			continue
		}
		members, _, _ := v.all("/groups/" + id + "/members?$select=id")
		for _, member := range ids(members) {
			m.groups[id][member] = true
		}
	}
	clear(m.back)
}

func compareMirror(t *testing.T, cloud *fakecloud.Entra, m *mirror) {
	t.Helper()
	var users, groups []string
	for id, here := range m.users {
		if here {
			users = append(users, id)
		}
	}
	wantSame(t, "users", userIDs(cloud), users)
	for id, members := range m.groups {
		groups = append(groups, id)
		var known []string
		for member := range members {
			_, isGroup := m.groups[member]
			if m.users[member] || isGroup {
				known = append(known, member)
			}
		}
		g, ok := cloud.Find(id)
		if !ok {
			t.Fatalf("there is no group %s", id)
		}
		wantSame(t, "members", memberIDs(cloud, fakecloud.GroupNo(g.N)), known)
	}
	wantSame(t, "groups", groupIDs(cloud), groups)
	if t.Failed() {
		t.FailNow()
	}
}

// editAtRandom makes one edit, if it makes sense.
func editAtRandom(e *fakecloud.Edit, random *rand.Rand) {
	u, g := fakecloud.UserNo(random.IntN(40)), fakecloud.GroupNo(random.IntN(8))
	hasUser, hasGroup := e.HasUser(u), e.HasGroup(g)
	switch member := (fakecloud.Member{N: int(u)}); random.IntN(9) {
	case 0:
		if hasUser {
			e.DeleteUser(u)
		}
	case 1:
		if e.CanRestoreUser(u) {
			e.RestoreUser(u)
		}
	case 2:
		if hasUser && random.IntN(4) == 0 {
			e.PurgeUser(u)
		}
	case 3:
		if hasUser {
			e.UpdateUser(u, func(u *fakecloud.User) { u.Display += "x" })
		}
	case 4:
		if hasGroup {
			e.DeleteGroup(g)
		} else if e.CanRestoreGroup(g) {
			e.RestoreGroup(g)
		}
	case 5:
		e.AddUser(e.CreateGroup(fakecloud.Group{Name: "new"}), e.CreateUser(fakecloud.User{Login: fmt.Sprintf("new%d", random.Int())}))
	default:
		if !hasGroup || !hasUser {
			return
		}
		if e.IsMember(g, member) {
			e.Remove(g, member)
		} else {
			e.Add(g, member)
		}
	}
}

func TestMostAtOnce(t *testing.T) {
	t.Parallel()
	cloud := startEntra(t, fakecloud.EntraConfig{Gen: fakecloud.Gen{Users: 5}})
	v := visit(t, cloud)
	cloud.Fail(fakecloud.Fault{Path: "/v1.0/", Do: fakecloud.Slow, Delay: 300 * time.Millisecond, Times: -1})
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			if _, err := v.do("GET", "/users?$select=id", ""); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if n := cloud.MostAtOnce(); n < 2 || n > 4 {
		t.Errorf("want up to 4 at once, got %d", n)
	}
}
