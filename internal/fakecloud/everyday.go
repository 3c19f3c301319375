package fakecloud

import "strconv"

// Everyday makes one small change, as they happen all day in a company: somebody changes the
// surname, moves to another group, leaves, or begins. It says what it did.
func (c *Cloud) Everyday() (did string) {
	c.Edit(func(e *Edit) { did = e.everyday() })
	return did
}

func (e *Edit) everyday() string {
	turn := e.d.everyday
	e.d.everyday++
	pick := e.d.gen.hash(saltEveryday, int(turn))
	u, ok := e.somebody(pick)
	if !ok || turn%4 == 3 {
		return e.begin(pick)
	}
	name := e.User(u).Login
	switch turn % 4 {
	case 0:
		surname := surnames[pick>>32%uint64(len(surnames))]
		e.UpdateUser(u, func(u *User) { u.Surname, u.Display = surname, u.Given+" "+surname })
		return name + " is now called " + e.User(u).Display
	case 1:
		return e.move(u, pick)
	default:
		e.UpdateUser(u, func(u *User) { u.Disabled = !u.Disabled })
		if e.User(u).Disabled {
			return name + " was disabled"
		}
		return name + " was enabled again"
	}
}

// begin makes a new user, in one group.
func (e *Edit) begin(pick uint64) string {
	n := e.d.userCount
	given, surname := givenNames[pick>>16%uint64(len(givenNames))], surnames[pick>>32%uint64(len(surnames))]
	local := fold(given+"."+surname) + ".new" + strconv.Itoa(n)
	u := e.CreateUser(User{Login: local, Given: given, Surname: surname, Mail: local + "@" + e.d.gen.Domain})
	if g, ok := e.someGroup(pick >> 8); ok {
		e.AddUser(g, u)
	}
	return e.User(u).Login + " began"
}

// move takes somebody into a group, or out of it.
func (e *Edit) move(u UserNo, pick uint64) string {
	g, ok := e.someGroup(pick >> 8)
	if !ok {
		return e.begin(pick)
	}
	if e.d.isMember(g, Member{UserMember, int(u)}) {
		e.RemoveUser(g, u)
		return e.User(u).Login + " left " + e.Group(g).Name
	}
	e.AddUser(g, u)
	return e.User(u).Login + " joined " + e.Group(g).Name
}

// somebody finds a living user at or after a random place.
func (e *Edit) somebody(pick uint64) (UserNo, bool) {
	for i := range e.d.userCount {
		n := UserNo((pick + uint64(i)) % uint64(e.d.userCount))
		if e.d.userLife(n) == alive {
			return n, true
		}
	}
	return 0, false
}

func (e *Edit) someGroup(pick uint64) (GroupNo, bool) {
	for i := range e.d.groupCount {
		n := GroupNo((pick + uint64(i)) % uint64(e.d.groupCount))
		if g, state := e.d.group(n); state == alive && !g.Dynamic {
			return n, true
		}
	}
	return 0, false
}
