package fakecloud

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// An Edit changes a directory. All edits of one Cloud.Edit become visible together, and each
// becomes a line of the history. Editing what isn't there is a mistake of the test and panics.
// Asking the Directory meanwhile waits for ever: ask the Edit.
type Edit struct {
	d   *Directory
	now time.Time
}

// edit makes changes under the directory's lock.
func (d *Directory) edit(now time.Time, do func(*Edit)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	do(&Edit{d: d, now: now})
}

// User gives the n-th user as it is.
func (e *Edit) User(n UserNo) User {
	u, state := e.d.user(n)
	if state != alive {
		panic(fmt.Sprintf("fakecloud: there is no user %d", n))
	}
	return u
}

// Group gives the n-th group as it is.
func (e *Edit) Group(n GroupNo) Group {
	g, state := e.d.group(n)
	if state != alive {
		panic(fmt.Sprintf("fakecloud: there is no group %d", n))
	}
	return g
}

// HasUser says whether the n-th user is there.
func (e *Edit) HasUser(n UserNo) bool { return e.d.userLife(n) == alive }

// CanRestoreUser says whether the n-th user is deleted and may come back.
func (e *Edit) CanRestoreUser(n UserNo) bool { return e.d.userLife(n) == deleted }

// HasGroup says whether the n-th group is there.
func (e *Edit) HasGroup(n GroupNo) bool { return e.d.groupLife(n) == alive }

// CanRestoreGroup says whether the n-th group is deleted and may come back.
func (e *Edit) CanRestoreGroup(n GroupNo) bool { return e.d.groupLife(n) == deleted }

// IsMember says whether somebody is in a group directly.
func (e *Edit) IsMember(g GroupNo, m Member) bool { return e.d.isMember(g, m) }

// CreateUser makes a user. Without a domain, Login gets the directory's; without a Display it
// is made of the other names.
func (e *Edit) CreateUser(u User) UserNo {
	if u.Login == "" {
		panic("fakecloud: a user needs a Login")
	}
	if !strings.Contains(u.Login, "@") {
		u.Login += "@" + e.d.gen.Domain
	}
	if u.Display == "" {
		u.Display = strings.TrimSpace(u.Given + " " + u.Surname)
	}
	if u.Display == "" {
		u.Display = localPart(u.Login)
	}
	if u.Created.IsZero() {
		u.Created = e.now
	}
	n := UserNo(e.d.userCount)
	e.d.userCount++
	e.d.liveUsers++
	e.d.users[n] = &userState{User: u}
	e.log(change{kind: userChanged, user: n, life: unborn})
	return n
}

// UpdateUser changes what a user is: a name, a mail address, enabled or not, guest or member.
func (e *Edit) UpdateUser(n UserNo, do func(*User)) {
	before := e.User(n)
	after := before
	after.Attributes, after.OtherMails = maps.Clone(before.Attributes), slices.Clone(before.OtherMails)
	do(&after)
	e.userState(n, before).User = after
	e.log(change{kind: userChanged, user: n, userBefore: before, life: alive})
}

// DeleteUser deletes a user, who may be restored: memberships are kept.
func (e *Edit) DeleteUser(n UserNo) { e.moveUser(n, alive, deleted) }

// RestoreUser brings a deleted user back.
func (e *Edit) RestoreUser(n UserNo) { e.moveUser(n, deleted, alive) }

// PurgeUser deletes a user for good, and then the memberships.
func (e *Edit) PurgeUser(n UserNo) {
	if e.d.userLife(n) == alive {
		e.DeleteUser(n)
	}
	e.moveUser(n, deleted, gone)
	e.leaveAll(Member{UserMember, int(n)})
}

func (e *Edit) moveUser(n UserNo, from, to life) {
	u, state := e.d.user(n)
	if state != from {
		panic(fmt.Sprintf("fakecloud: user %d can't be deleted or restored: it is in state %d", n, state))
	}
	s := e.userState(n, u)
	s.life, s.deletedAt = to, deletedAt(to, e.now)
	e.d.liveUsers += livesOf(to) - livesOf(from)
	e.log(change{kind: userChanged, user: n, userBefore: u, life: from})
}

func livesOf(l life) int {
	if l == alive {
		return 1
	}
	return 0
}

func deletedAt(l life, now time.Time) time.Time {
	if l == alive {
		return time.Time{}
	}
	return now
}

// CreateGroup makes a group.
func (e *Edit) CreateGroup(g Group) GroupNo {
	if g.Created.IsZero() {
		g.Created = e.now
	}
	n := GroupNo(e.d.groupCount)
	e.d.groupCount++
	e.d.liveGroups++
	e.d.groups[n] = &groupState{Group: g, is: map[Member]bool{}}
	e.log(change{kind: groupChanged, group: n, life: unborn})
	return n
}

// UpdateGroup changes what a group is: its name, its description, whether its members are hidden.
func (e *Edit) UpdateGroup(n GroupNo, do func(*Group)) {
	before := e.Group(n)
	after := before
	do(&after)
	e.groupState(n).Group = after
	e.log(change{kind: groupChanged, group: n, groupBefore: before, life: alive})
}

// DeleteGroup deletes a group, which may be restored with its members; one for mail only can't
// be and is gone at once.
func (e *Edit) DeleteGroup(n GroupNo) {
	if e.Group(n).Kind == Distribution {
		e.moveGroup(n, alive, gone)
		e.leaveAll(Member{GroupMember, int(n)})
		return
	}
	e.moveGroup(n, alive, deleted)
}

// RestoreGroup brings a deleted group back.
func (e *Edit) RestoreGroup(n GroupNo) { e.moveGroup(n, deleted, alive) }

// PurgeGroup deletes a group for good.
func (e *Edit) PurgeGroup(n GroupNo) {
	if e.d.groupLife(n) == alive {
		e.DeleteGroup(n)
	}
	if e.d.groupLife(n) == deleted {
		e.moveGroup(n, deleted, gone)
		e.leaveAll(Member{GroupMember, int(n)})
	}
}

func (e *Edit) moveGroup(n GroupNo, from, to life) {
	g, state := e.d.group(n)
	if state != from {
		panic(fmt.Sprintf("fakecloud: group %d can't be deleted or restored: it is in state %d", n, state))
	}
	s := e.groupState(n)
	s.life, s.deletedAt = to, deletedAt(to, e.now)
	e.d.liveGroups += livesOf(to) - livesOf(from)
	e.log(change{kind: groupChanged, group: n, groupBefore: g, life: from})
}

// AddUser puts a user into a group.
func (e *Edit) AddUser(g GroupNo, u UserNo) { e.Add(g, Member{UserMember, int(u)}) }

// RemoveUser takes a user out of a group.
func (e *Edit) RemoveUser(g GroupNo, u UserNo) { e.Remove(g, Member{UserMember, int(u)}) }

// Nest puts a group into another one, or into itself: clouds don't prevent cycles.
func (e *Edit) Nest(parent, child GroupNo) { e.Add(parent, Member{GroupMember, int(child)}) }

// Unnest takes a group out of another one.
func (e *Edit) Unnest(parent, child GroupNo) { e.Remove(parent, Member{GroupMember, int(child)}) }

// Add puts somebody or something into a group: also a device, a service, a contact.
func (e *Edit) Add(g GroupNo, m Member) { e.setMember(g, m, true) }

// Remove takes somebody or something out of a group.
func (e *Edit) Remove(g GroupNo, m Member) { e.setMember(g, m, false) }

func (e *Edit) setMember(g GroupNo, m Member, in bool) {
	e.Group(g)
	if state := e.d.memberLife(m); state == unborn || state == gone {
		panic(fmt.Sprintf("fakecloud: there is no member %v", m))
	}
	if e.d.isMember(g, m) == in {
		panic(fmt.Sprintf("fakecloud: that %v is in group %d is %v already", m, g, in))
	}
	s := e.groupState(g)
	if _, edited := s.is[m]; !edited && in {
		s.extras = append(s.extras, m)
	}
	s.is[m] = in
	e.log(change{kind: memberChanged, group: g, member: m})
}

// leaveAll takes somebody who is gone for good out of all groups.
func (e *Edit) leaveAll(m Member) {
	for g := range GroupNo(e.d.groupCount) {
		if e.d.isMember(g, m) {
			e.groupState(g).is[m] = false
			e.log(change{kind: memberChanged, group: g, member: m})
		}
	}
}

func (e *Edit) log(c change) {
	c.at = e.now
	e.d.history = append(e.d.history, c)
}

// userState gives what is kept of an edited user, from now on.
func (e *Edit) userState(n UserNo, u User) *userState {
	s, ok := e.d.users[n]
	if !ok {
		s = &userState{User: u}
		e.d.users[n] = s
	}
	return s
}

func (e *Edit) groupState(n GroupNo) *groupState {
	s, ok := e.d.groups[n]
	if !ok {
		s = &groupState{Group: e.d.gen.group(n), is: map[Member]bool{}}
		e.d.groups[n] = s
	}
	return s
}

// fold makes names comparable in any spelling.
func fold(name string) string { return strings.ToLower(name) }

// localPart is what stands before the "@".
func localPart(address string) string {
	local, _, _ := strings.Cut(address, "@")
	return local
}
