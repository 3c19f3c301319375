package fakecloud

import (
	"iter"
	"sync"
)

// A Directory is the people, groups and memberships of one cloud: what its Gen makes up, with
// edits on top. Only what was edited takes memory.
type Directory struct {
	gen generator

	mu     sync.RWMutex
	users  map[UserNo]*userState   // those that were edited or created
	groups map[GroupNo]*groupState // the same
	// How many there are, generated, created and deleted ones together: their numbers are below.
	userCount, groupCount int
	// How many of them are there to be seen.
	liveUsers, liveGroups int
	history               []change
	everyday              uint64 // how many everyday changes were made
}

// life says whether something is there.
type life int

const (
	alive   life = iota
	deleted      // may be restored, with its memberships
	gone
	unborn
)

type userState struct {
	User
	life life
}

type groupState struct {
	Group
	life   life
	extras []Member        // members that the generator didn't make, in the order they were added
	is     map[Member]bool // whether somebody is a member, where an edit said so
}

func newDirectory(g Gen) *Directory {
	return &Directory{
		gen:   newGenerator(g),
		users: map[UserNo]*userState{}, groups: map[GroupNo]*groupState{},
		userCount: g.Users, groupCount: g.Groups, liveUsers: g.Users, liveGroups: g.Groups,
	}
}

// Users gives every user there is, with its number. The directory must not be edited meanwhile.
func (d *Directory) Users() iter.Seq2[UserNo, User] {
	return func(yield func(UserNo, User) bool) {
		d.mu.RLock()
		defer d.mu.RUnlock()
		for n := range UserNo(d.userCount) {
			if u, state := d.user(n); state == alive && !yield(n, u) {
				return
			}
		}
	}
}

// Groups gives every group there is. The directory must not be edited meanwhile.
func (d *Directory) Groups() iter.Seq2[GroupNo, Group] {
	return func(yield func(GroupNo, Group) bool) {
		d.mu.RLock()
		defer d.mu.RUnlock()
		for n := range GroupNo(d.groupCount) {
			if g, state := d.group(n); state == alive && !yield(n, g) {
				return
			}
		}
	}
}

// Members gives who is in a group directly, without those that are deleted. The directory must
// not be edited meanwhile.
func (d *Directory) Members(g GroupNo) iter.Seq[Member] {
	return func(yield func(Member) bool) {
		d.mu.RLock()
		defer d.mu.RUnlock()
		for m := range d.membersFrom(g, 0) {
			if !yield(m) {
				return
			}
		}
	}
}

// User gives the n-th user; false when there is none, or none any more.
func (d *Directory) User(n UserNo) (User, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	u, state := d.user(n)
	return u, state == alive
}

// UserByLogin finds a user by login name.
func (d *Directory) UserByLogin(login string) (UserNo, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.userBy(login, func(u *User) string { return u.Login })
}

// Group gives the n-th group; false when there is none, or none any more.
func (d *Directory) Group(n GroupNo) (Group, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	g, state := d.group(n)
	return g, state == alive
}

// IsMember says whether somebody is in a group directly; also somebody who is deleted and may be
// restored.
func (d *Directory) IsMember(g GroupNo, m Member) bool {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.isMember(g, m)
}

// What follows needs d.mu.

func (d *Directory) user(n UserNo) (User, life) {
	if len(d.users) > 0 {
		if s, ok := d.users[n]; ok {
			return s.User, s.life
		}
	}
	if n < 0 || int(n) >= d.gen.Users {
		return User{}, unborn
	}
	return d.gen.user(n), alive
}

func (d *Directory) userLife(n UserNo) life {
	if len(d.users) > 0 {
		if s, ok := d.users[n]; ok {
			return s.life
		}
	}
	if n < 0 || int(n) >= d.gen.Users {
		return unborn
	}
	return alive
}

func (d *Directory) group(n GroupNo) (Group, life) {
	if s, ok := d.groups[n]; ok {
		return s.Group, s.life
	}
	if n < 0 || int(n) >= d.gen.Groups {
		return Group{}, unborn
	}
	return d.gen.group(n), alive
}

func (d *Directory) groupLife(n GroupNo) life {
	if s, ok := d.groups[n]; ok {
		return s.life
	}
	if n < 0 || int(n) >= d.gen.Groups {
		return unborn
	}
	return alive
}

// memberLife says whether a member is there; devices and their kin always are.
func (d *Directory) memberLife(m Member) life {
	switch m.Kind {
	case UserMember:
		return d.userLife(UserNo(m.N))
	case GroupMember:
		return d.groupLife(GroupNo(m.N))
	}
	return alive
}

func (d *Directory) isMember(g GroupNo, m Member) bool {
	if s, ok := d.groups[g]; ok {
		if is, edited := s.is[m]; edited {
			return is
		}
	}
	return d.generated(g, m)
}

// generated says whether the generator made a membership.
func (d *Directory) generated(g GroupNo, m Member) bool {
	if int(g) >= d.gen.Groups {
		return false
	}
	switch m.Kind {
	case UserMember:
		return d.gen.hasUser(g, UserNo(m.N))
	case GroupMember:
		parent, nested := d.gen.parent(GroupNo(m.N))
		return nested && parent == g && m.N < d.gen.Groups
	}
	return false
}

// membersFrom gives the members of a group that are there, from a place on. Each comes with the
// place after it. Places don't move when members come and go.
func (d *Directory) membersFrom(g GroupNo, place int) iter.Seq2[Member, int] {
	return func(yield func(Member, int) bool) {
		s := d.groups[g]
		untouched := s == nil && len(d.users) == 0
		show := func(m Member, next int) bool {
			if s != nil {
				if is, edited := s.is[m]; edited && !is {
					return true
				}
			}
			return d.memberLife(m) != alive || yield(m, next)
		}
		users, children := 0, 0
		if int(g) < d.gen.Groups {
			users, children = d.gen.size(g), fanOut
			shuffled := d.gen.members(g)
			for ; place < users; place++ {
				m := Member{UserMember, shuffled.at(place)}
				if untouched && !yield(m, place+1) || !untouched && !show(m, place+1) {
					return
				}
			}
			for ; place < users+children; place++ {
				if c, nested := d.gen.child(g, place-users); nested && !show(Member{GroupMember, int(c)}, place+1) {
					return
				}
			}
		}
		for ; s != nil && place < users+children+len(s.extras); place++ {
			if !show(s.extras[place-users-children], place+1) {
				return
			}
		}
	}
}

// groupsOf gives the groups, from one on, that have a member directly.
func (d *Directory) groupsOf(m Member, from GroupNo) iter.Seq[GroupNo] {
	return func(yield func(GroupNo) bool) {
		for g := from; int(g) < d.groupCount; g++ {
			if d.isMember(g, m) && d.groupLife(g) == alive && !yield(g) {
				return
			}
		}
	}
}

// userBy finds a living user of whom name gives a name, in any spelling.
func (d *Directory) userBy(name string, of func(*User) string) (UserNo, bool) {
	want := fold(name)
	for n, s := range d.users {
		if s.life == alive && fold(of(&s.User)) == want {
			return n, true
		}
	}
	n, ok := d.gen.userByLocal(localPart(want))
	if _, edited := d.users[n]; !ok || edited {
		return 0, false
	}
	u := d.gen.user(n)
	return n, fold(of(&u)) == want
}
