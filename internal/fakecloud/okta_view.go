package fakecloud

import (
	"maps"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"
)

// An oktaIndex knows where in the directory's history each user and group changed.
type oktaIndex struct {
	mu      sync.Mutex
	read    int // how much of the history it knows
	users   map[UserNo][]int
	groups  map[GroupNo][]int // the group itself
	members map[GroupNo][]int // who is in it
}

func newOktaIndex() oktaIndex {
	return oktaIndex{users: map[UserNo][]int{}, groups: map[GroupNo][]int{}, members: map[GroupNo][]int{}}
}

func (x *oktaIndex) follow(history []change) {
	for ; x.read < len(history); x.read++ {
		switch c := history[x.read]; c.kind {
		case userChanged:
			x.users[c.user] = append(x.users[c.user], x.read)
		case groupChanged:
			x.groups[c.group] = append(x.groups[c.group], x.read)
		case memberChanged:
			x.members[c.group] = append(x.members[c.group], x.read)
		}
	}
}

// An oktaView is the directory as it was at a moment of its history.
type oktaView struct {
	o     *Okta
	d     *Directory
	at    int           // how much of the history it has seen
	ahead time.Duration // of the org's clock
}

// see lets do look at the directory as it was a while ago. Meanwhile it is locked.
func (o *Okta) see(ago time.Duration, do func(v *oktaView)) {
	ahead := o.settings().ClockAhead
	d := o.Directory
	d.mu.RLock()
	defer d.mu.RUnlock()
	o.index.mu.Lock()
	o.index.follow(d.history)
	o.index.mu.Unlock() // nobody writes to it any more until the history grows, which waits for d.mu
	do(&oktaView{o: o, d: d, at: d.before(o.now().Add(-ago)), ahead: ahead})
}

// before says how much of the history happened until a time.
func (d *Directory) before(t time.Time) int {
	return sort.Search(len(d.history), func(i int) bool { return d.history[i].at.After(t) })
}

// An oktaUser is a user as Okta tells it.
type oktaUser struct {
	User
	n       UserNo
	status  string
	updated time.Time
}

// Okta's statuses that follow from what the directory says; Attributes["status"] names others.
const (
	oktaActive        = "ACTIVE"
	oktaProvisioned   = "PROVISIONED"
	oktaSuspended     = "SUSPENDED"
	oktaDeprovisioned = "DEPROVISIONED"
)

// user gives the n-th user; false when there is none, or none any more.
func (v *oktaView) user(n UserNo) (oktaUser, bool) {
	changes := v.o.index.users[n]
	i := sort.SearchInts(changes, v.at)
	u := oktaUser{n: n}
	var state life
	if i < len(changes) {
		later := v.d.history[changes[i]]
		u.User, state = later.userBefore, later.life
	} else {
		u.User, state = v.d.user(n)
	}
	u.updated = u.Created
	if i > 0 {
		u.updated = v.d.history[changes[i-1]].at
	}
	u.Created, u.updated = u.Created.Add(v.ahead), u.updated.Add(v.ahead)
	u.status = oktaStatus(u.User, state)
	return u, state == alive || state == deleted
}

// oktaStatus is what Okta calls a user's state. Who was deleted is what Okta calls deactivated;
// only who was purged is gone.
func oktaStatus(u User, state life) string {
	switch {
	case state == deleted:
		return oktaDeprovisioned
	case u.Attributes["status"] != "":
		return u.Attributes["status"]
	case u.Disabled:
		return oktaSuspended
	case u.Pending:
		return oktaProvisioned
	}
	return oktaActive
}

// An oktaGroup is a group as Okta tells it.
type oktaGroup struct {
	Group
	n                   GroupNo
	kind                string
	updated, membership time.Time
}

// group gives the n-th group. Okta has no way back for a deleted one.
func (v *oktaView) group(n GroupNo) (oktaGroup, bool) {
	changes := v.o.index.groups[n]
	i := sort.SearchInts(changes, v.at)
	g := oktaGroup{n: n, kind: v.kindOf(n)}
	var state life
	if i < len(changes) {
		later := v.d.history[changes[i]]
		g.Group, state = later.groupBefore, later.life
	} else {
		g.Group, state = v.d.group(n)
	}
	g.updated = g.Created
	if i > 0 {
		g.updated = v.d.history[changes[i-1]].at
	}
	g.membership = g.Created
	moves := v.o.index.members[n]
	if i := sort.SearchInts(moves, v.at); i > 0 {
		g.membership = v.d.history[moves[i-1]].at
	}
	if g.kind == builtIn {
		g.Name, g.Description = "Everyone", "All users in your organization"
	} else if g.Kind != Security {
		g.kind = "APP_GROUP"
	}
	g.Created, g.updated, g.membership = g.Created.Add(v.ahead), g.updated.Add(v.ahead), g.membership.Add(v.ahead)
	return g, state == alive
}

const builtIn = "BUILT_IN"

func (v *oktaView) kindOf(n GroupNo) string {
	if v.d.gen.Everyone && n == 0 {
		return builtIn
	}
	return "OKTA_GROUP"
}

// members gives who is in a group, from a place on, each with the place after it: also who was
// deactivated, whom Okta leaves in all groups.
func (v *oktaView) members(g GroupNo, place int, yield func(u oktaUser, next int) bool) {
	state := v.d.groups[g]
	made := 0
	if int(g) < v.d.gen.Groups {
		made = v.d.gen.size(g)
	}
	shuffled := v.d.gen.members(g)
	for ; ; place++ {
		var m Member
		switch {
		case place < made:
			m = Member{UserMember, shuffled.at(place)}
		case state != nil && place < made+len(state.extras):
			m = state.extras[place-made]
		default:
			return
		}
		if m.Kind != UserMember || state != nil && !v.d.isMember(g, m) {
			continue
		}
		if u, ok := v.user(UserNo(m.N)); ok && !yield(u, place+1) {
			return
		}
	}
}

// generatedUntil is the last day on which something was made that no edit made.
var generatedUntil = firstDay.AddDate(5, 0, 0)

// candidates gives the users, in order, among whom those that an expression wants are; false: it
// may be anybody. A million users are too many to look at for each page.
func (v *oktaView) candidates(x *oktaExpression) (list []UserNo, ok bool) {
	if x.changedAfter(generatedUntil.Add(v.ahead)) {
		return v.edited(), true
	}
	if t := x.test; t != nil {
		return v.named(t)
	}
	for _, part := range x.parts {
		some, narrow := v.candidates(part)
		switch {
		case !x.any && narrow:
			return some, true
		case x.any && !narrow:
			return nil, false
		}
		list = append(list, some...)
	}
	slices.Sort(list)
	return slices.Compact(list), x.any
}

// edited gives the users that an edit touched.
func (v *oktaView) edited() []UserNo { return slices.Sorted(maps.Keys(v.o.index.users)) }

// named gives the users that a test of equality names.
func (v *oktaView) named(t *oktaTest) ([]UserNo, bool) {
	if t.op != "eq" {
		return nil, false
	}
	var n UserNo
	var ok bool
	switch t.field {
	case "id":
		n, ok = v.o.ids.findUser(t.value)
	case "profile.login":
		n, ok = v.d.userBy(t.value, func(u *User) string { return u.Login })
	case "profile.email":
		n, ok = v.d.userBy(t.value, func(u *User) string { return u.Mail })
	case "status":
		return v.edited(), t.value == oktaDeprovisioned
	default:
		return nil, false
	}
	if !ok {
		return nil, true
	}
	return []UserNo{n}, true
}

// field gives what an expression compares, and whether the user has it.
func (u *oktaUser) field(o *Okta, name string) (string, bool) {
	values := map[string]string{
		"id": o.ids.user(u.n), "status": u.status, "lastUpdated": oktaTime(u.updated), "created": oktaTime(u.Created),
		"profile.login": u.Login, "profile.email": u.Mail, "profile.firstName": u.Given, "profile.lastName": u.Surname,
	}
	if value, ok := values[name]; ok {
		return value, true
	}
	value, ok := u.Attributes[strings.TrimPrefix(name, "profile.")]
	return value, ok
}

func (g *oktaGroup) field(o *Okta, name string) (string, bool) {
	value, ok := map[string]string{
		"id": o.ids.group(g.n), "type": g.kind, "lastUpdated": oktaTime(g.updated), "lastMembershipUpdated": oktaTime(g.membership),
	}[name]
	return value, ok
}

// oktaTime is how Okta writes a time: always with milliseconds.
func oktaTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
