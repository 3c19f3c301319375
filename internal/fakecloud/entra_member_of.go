package fakecloud

import (
	"net/http"
	"strings"
)

// memberOf answers GET /users/{id}/memberOf, and the same of a group: the groups that it is in
// directly.
func (e *Entra) memberOf(w http.ResponseWriter, r *http.Request, a graphAccess) {
	asOf := e.now().Add(-e.settings().MemberOfLag)
	e.listGroupsOf(w, r, a, func(m Member, from GroupNo, yield func(GroupNo) bool) {
		for g := from; int(g) < e.Directory.groupCount; g++ {
			if e.Directory.wasMember(g, m, asOf) && e.Directory.groupLife(g) == alive && !yield(g) {
				return
			}
		}
	})
}

// transitiveMemberOf answers GET /users/{id}/transitiveMemberOf: through nested groups, too.
func (e *Entra) transitiveMemberOf(w http.ResponseWriter, r *http.Request, a graphAccess) {
	e.listGroupsOf(w, r, a, func(m Member, from GroupNo, yield func(GroupNo) bool) {
		found := map[GroupNo]bool{}
		for todo := []Member{m}; len(todo) > 0; todo = todo[1:] {
			for g := range e.Directory.groupsOf(todo[0], 0) {
				if !found[g] {
					found[g] = true
					todo = append(todo, Member{GroupMember, int(g)})
				}
			}
		}
		for g := from; int(g) < e.Directory.groupCount; g++ {
			if found[g] && !yield(g) {
				return
			}
		}
	})
}

func (e *Entra) listGroupsOf(w http.ResponseWriter, r *http.Request, a graphAccess, groups func(m Member, from GroupNo, yield func(GroupNo) bool)) {
	if !a.groups() {
		e.forbidden(w, r)
		return
	}
	q, ok := e.readQuery(w, r, "$select", "$top", "$count", "$skiptoken")
	if !ok || !e.checkAdvanced(w, r, q, strings.HasSuffix(r.URL.Path, "/microsoft.graph.group")) {
		return
	}
	fields, ok := e.selectGroups(w, r, q)
	if !ok {
		return
	}
	m, ok := e.findMember(r)
	if !ok {
		e.notFound(w, r, r.PathValue("id"))
		return
	}
	total := func() (count int) {
		groups(m, 0, func(GroupNo) bool { count++; return true })
		return count
	}
	e.list(w, r, q, "directoryObjects", total, func(b []byte, at, room int) ([]byte, int, bool) {
		more := false
		groups(m, GroupNo(at), func(g GroupNo) bool {
			group, _ := e.Directory.group(g)
			if !a.membersOf(&group) { // left out without a word
				return true
			}
			at = int(g)
			if more = room == 0; more {
				return false
			}
			room--
			b = append(appendFields(e, appendType(b, GroupMember), fields, at, &group, true), '}')
			return true
		})
		return b, at, more
	})
}

// findMember finds the living user or group that an address names.
func (e *Entra) findMember(r *http.Request) (Member, bool) {
	if strings.HasPrefix(r.URL.Path, "/v1.0/groups/") {
		g, _, ok := e.findGroup(r.PathValue("id"))
		return Member{GroupMember, int(g)}, ok
	}
	u, _, ok := e.findUser(r.PathValue("id"))
	return Member{UserMember, int(u)}, ok
}
