package main

import (
	"fmt"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
	"github.com/rollcall-id/rollcall/models"
)

// A changeSet is what happens in a cloud between two runs.
type changeSet struct {
	renamed, disabled, created, deleted int // users
	groups, joins, leaves               int // groups, and what happens in each
	largest                             int // group that members come to or leave; zero: any
}

// A changesMade is what the next run must find. Who is deleted leaves groups beside the counted
// leaves.
type changesMade struct {
	Renamed, Deactivated, Created int
	Added, Removed                int
	Deleted                       int
	Surname                       string // of the renamed
}

// changes are a thousand of a million users: 700 users and 300 memberships; at Okta, which tells
// members by a request for each group that changed, and the groups of who is new by one each, 980
// and 20.
func (c cloudShape) changes() changeSet {
	of := func(n int) int { return max(1, n*c.Users/1_000_000) }
	if c.Kind == models.KindOkta {
		return changeSet{renamed: of(920), disabled: of(50), created: of(10), groups: of(5), joins: 2, leaves: 2, largest: 200}
	}
	return changeSet{renamed: of(610), disabled: of(40), created: of(40), deleted: of(10), groups: of(60), joins: 3, leaves: 2}
}

// make makes the changes; each turn takes other users than those before.
func (s changeSet) make(c *fakecloud.Cloud, turn int) changesMade {
	state := stateOf(c)
	need := s.renamed + s.disabled + s.deleted
	next := turn * 2 * need // by steps over the whole directory
	somebody := func() fakecloud.UserNo {
		for {
			n := fakecloud.UserNo(next * 7919 % state.Users)
			next++
			if u, ok := c.Directory.User(n); ok && !u.Disabled {
				return n
			}
		}
	}
	pick := func(n int) (list []fakecloud.UserNo) {
		for range n {
			list = append(list, somebody())
		}
		return list
	}
	renamed, disabled, deleted := pick(s.renamed), pick(s.disabled), pick(s.deleted)
	leaving := s.leaving(c, turn, deleted)
	made := changesMade{Renamed: s.renamed, Deactivated: s.disabled + s.deleted, Created: s.created, Deleted: s.deleted,
		Surname: fmt.Sprintf("Turn%d", turn)}
	c.Edit(func(e *fakecloud.Edit) {
		for _, n := range renamed {
			e.UpdateUser(n, func(u *fakecloud.User) { u.Surname, u.Display = made.Surname, u.Given+" "+made.Surname })
		}
		for _, n := range disabled {
			e.UpdateUser(n, func(u *fakecloud.User) { u.Disabled = true })
		}
		for i := range s.created {
			e.CreateUser(fakecloud.User{Login: fmt.Sprintf("new-%d-%d", turn, i), Given: "New", Surname: "Comer"})
		}
		at := 0
		for _, l := range leaving {
			for _, u := range l.users {
				e.RemoveUser(l.group, u)
				made.Removed++
			}
			for joined := 0; joined < s.joins; at++ {
				if u := renamed[at%len(renamed)]; !e.IsMember(l.group, fakecloud.Member{Kind: fakecloud.UserMember, N: int(u)}) {
					e.AddUser(l.group, u)
					made.Added++
					joined++
				}
			}
		}
		for _, n := range deleted {
			e.DeleteUser(n)
		}
	})
	return made
}

// A leave is users that leave a group.
type leave struct {
	group fakecloud.GroupNo
	users []fakecloud.UserNo
}

// leaving finds groups from which members can go.
func (s changeSet) leaving(c *fakecloud.Cloud, turn int, not []fakecloud.UserNo) (all []leave) {
	without := map[int]bool{}
	for _, n := range not {
		without[int(n)] = true
	}
	for n := 1 + turn*2*s.groups; len(all) < s.groups; n++ {
		if _, ok := c.Directory.Group(fakecloud.GroupNo(n)); !ok {
			break
		}
		l, size := leave{group: fakecloud.GroupNo(n)}, 0
		for m := range c.Directory.Members(l.group) {
			size++
			if m.Kind == fakecloud.UserMember && len(l.users) < s.leaves && !without[m.N] {
				l.users = append(l.users, fakecloud.UserNo(m.N))
			}
		}
		if len(l.users) == s.leaves && (s.largest == 0 || size+s.joins <= s.largest) {
			all = append(all, l)
		}
	}
	return all
}
