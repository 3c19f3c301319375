package fakecloud

import (
	"fmt"
	"iter"
	"net/http"
	"strings"
)

// GoogleStranger is a member with an account elsewhere. The list of members calls him a user, as
// it calls everybody; only that the list of users doesn't have him tells.
const GoogleStranger MemberKind = Everybody + 1

// A googleMember is a member of a group on the way out.
type googleMember struct{ id, email, kind, status string }

var googleMemberFields = []googleField[googleMember]{
	text("kind", func(*googleMember) string { return "admin#directory#member" }),
	text("etag", func(m *googleMember) string { return etag(fmt.Append(nil, *m)) }),
	text("id", func(m *googleMember) string { return m.id }),
	text("email", func(m *googleMember) string { return m.email }),
	text("role", func(*googleMember) string { return "MEMBER" }),
	text("type", func(m *googleMember) string { return m.kind }),
	text("status", func(m *googleMember) string { return m.status }),
}

// listMembers answers GET /admin/directory/v1/groups/{key}/members: the direct ones, or those
// of the groups in it, too. Nobody is more than a member here.
func (g *Google) listMembers(w http.ResponseWriter, r *http.Request) {
	g.Directory.mu.RLock()
	n, found := g.findGroup(r.PathValue("key"))
	g.Directory.mu.RUnlock()
	if !found {
		googleNotFound("groupKey").send(w)
		return
	}
	roles := r.FormValue("roles")
	sendList(g, w, r, googleListing[googleMember]{
		name: "members", kind: "admin#directory#members", usual: 200, most: 200, fields: googleMemberFields,
		from: func(place int) iter.Seq2[*googleMember, int] {
			return func(yield func(*googleMember, int) bool) {
				if roles != "" && !strings.Contains(roles, "MEMBER") {
					return
				}
				members := g.Directory.membersFrom(n, place)
				if r.FormValue("includeDerivedMembership") == "true" {
					members = g.derived(n, place)
				}
				for m, after := range members {
					if !yield(g.shownMember(m), after) {
						return
					}
				}
			}
		},
	})
}

// derived gives the members of a group and of the groups in it from a place on, and too few of
// them, as the real service was seen to do: not those of the groups in these. The directory's lock
// is held.
func (g *Google) derived(n GroupNo, from int) iter.Seq2[Member, int] {
	var all []Member
	seen := map[Member]bool{}
	add := func(m Member) {
		if !seen[m] {
			seen[m] = true
			all = append(all, m)
		}
	}
	for m := range g.Directory.membersFrom(n, 0) {
		add(m)
		if m.Kind == GroupMember {
			for below := range g.Directory.membersFrom(GroupNo(m.N), 0) {
				add(below)
			}
		}
	}
	return func(yield func(Member, int) bool) {
		for i := from; i < len(all) && yield(all[i], i+1); i++ {
		}
	}
}

// shownMember says what a member is in Google's words. The directory's lock is held.
func (g *Google) shownMember(m Member) *googleMember {
	shown := &googleMember{id: g.MemberID(m), status: "ACTIVE"}
	switch m.Kind {
	case UserMember:
		u, _ := g.Directory.user(UserNo(m.N))
		shown.kind, shown.email = "USER", u.Login
		if u.Disabled {
			shown.status = "SUSPENDED"
		}
	case GroupMember:
		team, _ := g.Directory.group(GroupNo(m.N))
		shown.kind, shown.email = "GROUP", g.GroupAddress(GroupNo(m.N), team)
	case Everybody:
		shown.kind, shown.status = "CUSTOMER", ""
	case GoogleStranger:
		shown.kind, shown.email = "USER", fmt.Sprintf("friend%d@mail.example", m.N)
	case Contact, ServicePrincipal:
		shown.kind, shown.email = "EXTERNAL", fmt.Sprintf("outside%d@project.iam.example", m.N)
	default:
		shown.kind, shown.status = "OTHER", "UNKNOWN"
	}
	return shown
}
