package fakecloud

import (
	"iter"
	"net/http"
	"strings"
)

// castTo are the types that a list of members can be narrowed to.
var castTo = map[string]MemberKind{
	"microsoft.graph.user": UserMember, "microsoft.graph.group": GroupMember, "microsoft.graph.device": Device,
	"microsoft.graph.servicePrincipal": ServicePrincipal, "microsoft.graph.orgContact": Contact,
}

// members answers GET /groups/{id}/members, also narrowed to one type.
func (e *Entra) members(w http.ResponseWriter, r *http.Request, a graphAccess) {
	e.listMembers(w, r, a, e.Directory.membersFrom)
}

// transitiveMembers answers GET /groups/{id}/transitiveMembers: those of nested groups, too,
// each once. Every page walks from the first member: the places are counted.
func (e *Entra) transitiveMembers(w http.ResponseWriter, r *http.Request, a graphAccess) {
	e.listMembers(w, r, a, func(g GroupNo, place int) iter.Seq2[Member, int] {
		return func(yield func(Member, int) bool) {
			at := 0
			for m := range e.Directory.membersThrough(g) {
				if at++; at > place && !yield(m, at) {
					return
				}
			}
		}
	})
}

// membersThrough gives the members of a group and of those nested in it, each once. A group that
// contains itself isn't its own member.
func (d *Directory) membersThrough(g GroupNo) iter.Seq[Member] {
	return func(yield func(Member) bool) {
		seen := map[Member]bool{{GroupMember, int(g)}: true}
		users := make([]uint64, d.userCount/64+1) // a bit each: there may be a million
		for todo := []GroupNo{g}; len(todo) > 0; todo = todo[1:] {
			for m := range d.membersFrom(todo[0], 0) {
				if m.Kind == UserMember {
					if users[m.N/64]>>(m.N%64)&1 == 1 {
						continue
					}
					users[m.N/64] |= 1 << (m.N % 64)
				} else if seen[m] {
					continue
				} else {
					seen[m] = true
				}
				if m.Kind == GroupMember {
					todo = append(todo, GroupNo(m.N))
				}
				if !yield(m) {
					return
				}
			}
		}
	}
}

func (e *Entra) listMembers(w http.ResponseWriter, r *http.Request, a graphAccess, members func(GroupNo, int) iter.Seq2[Member, int]) {
	n, group, found := e.findGroup(r.PathValue("id"))
	switch {
	case !a.groups():
		e.forbidden(w, r)
		return
	case !found:
		e.notFound(w, r, r.PathValue("id"))
		return
	case !a.membersOf(&group):
		e.forbidden(w, r)
		return
	}
	q, ok := e.readQuery(w, r, "$select", "$top", "$count", "$skiptoken")
	if !ok || !e.checkAdvanced(w, r, q, r.PathValue("type") != "") {
		return
	}
	only, cast := castTo[r.PathValue("type")]
	if r.PathValue("type") != "" && !cast {
		e.badQuery(w, r, "Resource not found for the segment '"+r.PathValue("type")+"'.")
		return
	}
	if cast && only == GroupMember && group.Kind == Unified && !strings.Contains(r.URL.Path, "/transitive") {
		e.refuse(w, r, http.StatusBadRequest, "Request_UnsupportedQuery", "A group of this type can't contain groups.")
		return
	}
	show, ok := e.memberFields(w, r, q, a)
	if !ok {
		return
	}
	total := func() (count int) {
		for m := range members(n, 0) {
			if !cast || m.Kind == only {
				count++
			}
		}
		return count
	}
	e.list(w, r, q, "directoryObjects", total, func(b []byte, at, room int) ([]byte, int, bool) {
		for m, next := range members(n, at) {
			if cast && m.Kind != only {
				continue
			}
			if room == 0 {
				return b, at, true
			}
			room--
			b, at = show(b, m), next
		}
		return b, at, false
	})
}

// memberFields makes a function that appends one member with the fields that a query asks for.
// They are null when the client may not see such objects: Graph doesn't refuse it.
func (e *Entra) memberFields(w http.ResponseWriter, r *http.Request, q graphQuery, a graphAccess) (func(b []byte, m Member) []byte, bool) {
	// A list of members has both: what only the other kind has is absent.
	users, unknown := fieldsNamed(graphUserFields, q.selected, usersWithoutSelect, func(name string) (graphField[User], bool) {
		f, known := extension(name)
		return f, known || named(graphGroupFields, name)
	})
	groups, unknownToo := fieldsNamed(graphGroupFields, q.selected, groupsWithoutSelect, absent[Group](func(name string) bool {
		return named(graphUserFields, name)
	}))
	if unknown != "" && unknownToo != "" {
		return nil, e.badQuery(w, r, "Could not find a property named '"+unknown+"' on type 'microsoft.graph.directoryObject'.")
	}
	users = a.visible(users)
	return func(b []byte, m Member) []byte {
		b = appendType(b, m.Kind)
		switch m.Kind {
		case UserMember:
			var u User
			if len(users) > 1 || len(users) == 1 && users[0].name != "id" {
				u, _ = e.Directory.user(UserNo(m.N))
			}
			b = appendFields(e, b, users, m.N, &u, a.users())
		case GroupMember:
			g, _ := e.Directory.group(GroupNo(m.N))
			b = appendFields(e, b, groups, m.N, &g, true)
		default:
			b = appendID(e, appendKey(b, "id"), m)
		}
		return append(b, '}')
	}, true
}
