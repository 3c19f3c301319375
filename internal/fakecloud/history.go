package fakecloud

import (
	"slices"
	"time"
)

// A change is one line of a directory's history: what became different. Its number is its place
// in the history; a delta query asks what changed between two numbers.
type change struct {
	at     time.Time
	kind   changeKind
	user   UserNo
	group  GroupNo
	member Member // of group
	// How the user or group was before.
	life        life
	userBefore  User
	groupBefore Group
}

type changeKind int

const (
	userChanged changeKind = iota
	groupChanged
	memberChanged
)

// A userDelta is one user that changed in a part of the history, as it was before.
type userDelta struct {
	n      UserNo
	before User
	life   life
}

// usersChanged gives the users that changed between two numbers, in the order of their last
// changes.
func (d *Directory) usersChanged(from, to int) []userDelta {
	first := map[UserNo]userDelta{}
	var latest []UserNo // each once, latest change first
	seen := map[UserNo]bool{}
	part := d.history[from:to]
	for _, c := range part {
		if _, known := first[c.user]; !known && c.kind == userChanged {
			first[c.user] = userDelta{c.user, c.userBefore, c.life}
		}
	}
	for _, c := range slices.Backward(part) {
		if c.kind == userChanged && !seen[c.user] {
			seen[c.user] = true
			latest = append(latest, c.user)
		}
	}
	all := make([]userDelta, 0, len(latest))
	for _, n := range slices.Backward(latest) {
		all = append(all, first[n])
	}
	return all
}

// wasMember says whether somebody was in a group at a time: each change since then turned it round.
func (d *Directory) wasMember(g GroupNo, m Member, at time.Time) bool {
	in := d.isMember(g, m)
	for _, c := range slices.Backward(d.history) {
		if !c.at.After(at) {
			break
		}
		if c.kind == memberChanged && c.group == g && c.member == m {
			in = !in
		}
	}
	return in
}

// A groupDelta is one group that changed, itself or in who is in it.
type groupDelta struct {
	n       GroupNo
	changed bool // itself
	before  Group
	life    life
	members []Member // each once, in the order of their last changes
}

// groupsChanged is usersChanged for groups.
func (d *Directory) groupsChanged(from, to int) []groupDelta {
	byGroup := map[GroupNo]*groupDelta{}
	var latest []GroupNo
	part := d.history[from:to]
	for _, c := range part {
		if c.kind == userChanged {
			continue
		}
		g, known := byGroup[c.group]
		if !known {
			g = &groupDelta{n: c.group}
			byGroup[c.group] = g
		}
		switch {
		case c.kind == memberChanged:
			if i := slices.Index(g.members, c.member); i >= 0 {
				g.members = slices.Delete(g.members, i, i+1)
			}
			g.members = append(g.members, c.member)
		case !g.changed:
			g.changed, g.before, g.life = true, c.groupBefore, c.life
		}
	}
	seen := map[GroupNo]bool{}
	for _, c := range slices.Backward(part) {
		if c.kind != userChanged && !seen[c.group] {
			seen[c.group] = true
			latest = append(latest, c.group)
		}
	}
	all := make([]groupDelta, 0, len(latest))
	for _, n := range slices.Backward(latest) {
		all = append(all, *byGroup[n])
	}
	return all
}
