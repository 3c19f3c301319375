package fakecloud

import (
	"cmp"
	"fmt"
	"iter"
	"net/http"
	"strconv"
	"strings"
)

// A googleGroup is a group on the way out.
type googleGroup struct {
	Group
	id      string
	address string
	members func() int
}

var googleGroupFields = []googleField[googleGroup]{
	text("kind", func(*googleGroup) string { return "admin#directory#group" }),
	text("id", func(t *googleGroup) string { return t.id }),
	text("etag", func(t *googleGroup) string { return etag(fmt.Append(nil, t.Group)) }),
	text("email", func(t *googleGroup) string { return t.address }),
	text("name", func(t *googleGroup) string { return t.Name }),
	text("directMembersCount", func(t *googleGroup) string { return strconv.Itoa(t.members()) }), // a string, yes
	{"description", func(b []byte, t *googleGroup, _ googleMask) []byte { return appendString(b, t.Description) }},
	flag("adminCreated", func(*googleGroup) bool { return true }),
}

// listGroups answers GET /admin/directory/v1/groups, of the account or of one user.
func (g *Google) listGroups(w http.ResponseWriter, r *http.Request) {
	from := g.groups
	if key := r.FormValue("userKey"); key != "" {
		if r.FormValue("customer") != "" {
			(&googleRefusal{status: http.StatusBadRequest, reason: "badRequest", message: "Bad Request"}).send(w)
			return
		}
		g.Directory.mu.RLock()
		n, wrong := g.findUser(key)
		g.Directory.mu.RUnlock()
		if wrong != nil {
			wrong.send(w)
			return
		}
		from = func(place int) iter.Seq2[*googleGroup, int] { return g.groupsOf(n, place) }
	} else if wrong := g.checkAccount(r); wrong != nil {
		wrong.send(w)
		return
	}
	sendList(g, w, r, googleListing[googleGroup]{name: "groups", kind: "admin#directory#groups", usual: 200, most: 200, fields: googleGroupFields, from: from})
}

// groups gives groups from a number on. The directory's lock is held.
func (g *Google) groups(from int) iter.Seq2[*googleGroup, int] {
	return func(yield func(*googleGroup, int) bool) {
		for n := from; n < g.Directory.groupCount; n++ {
			if team, state := g.Directory.group(GroupNo(n)); state == alive && !yield(g.shownGroup(GroupNo(n), team), n+1) {
				return
			}
		}
	}
}

// groupsOf gives those that a user is in directly. The directory's lock is held.
func (g *Google) groupsOf(u UserNo, from int) iter.Seq2[*googleGroup, int] {
	return func(yield func(*googleGroup, int) bool) {
		for n := range g.Directory.groupsOf(Member{UserMember, int(u)}, GroupNo(from)) {
			if team, _ := g.Directory.group(n); !yield(g.shownGroup(n, team), int(n)+1) {
				return
			}
		}
	}
}

func (g *Google) shownGroup(n GroupNo, team Group) *googleGroup {
	return &googleGroup{team, g.ids.group(n), g.GroupAddress(n, team), func() (count int) {
		for range g.Directory.membersFrom(n, 0) {
			count++
		}
		return count
	}}
}

// GroupAddress is a group's address: here every group has one, and no two have the same.
func (g *Google) GroupAddress(n GroupNo, team Group) string {
	plain := func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-', r == '.':
			return r
		case r == ' ':
			return '-'
		}
		return -1
	}
	return cmp.Or(team.Mail, strings.Map(plain, fold(team.Name))+"."+strconv.Itoa(int(n))+"@"+g.Directory.gen.Domain)
}

// getGroup answers GET /admin/directory/v1/groups/{key}: an id or the address.
func (g *Google) getGroup(w http.ResponseWriter, r *http.Request) {
	g.Directory.mu.RLock()
	n, found := g.findGroup(r.PathValue("key"))
	team, _ := g.Directory.group(n)
	shown := g.shownGroup(n, team)
	count := 0
	if found {
		count = shown.members()
	}
	g.Directory.mu.RUnlock()
	if !found {
		googleNotFound("groupKey").send(w)
		return
	}
	shown.members = func() int { return count }
	sendOne(g, w, r, googleGroupFields, shown)
}

// findGroup finds a living group by key. The directory's lock is held.
func (g *Google) findGroup(key string) (GroupNo, bool) {
	if n, ok := g.ids.groupNo(key); ok && g.Directory.groupLife(n) == alive {
		return n, true
	}
	for n := range GroupNo(g.Directory.groupCount) {
		if team, state := g.Directory.group(n); state == alive && strings.Contains(key, "@") && fold(g.GroupAddress(n, team)) == fold(key) {
			return n, true
		}
	}
	return 0, false
}
