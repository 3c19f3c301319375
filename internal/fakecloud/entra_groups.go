package fakecloud

import (
	"net/http"
	"strconv"
	"strings"
	"unicode"
)

// graphGroupFields are the properties of a group that the fake has.
var graphGroupFields = []graphField[Group]{
	{"id", func(e *Entra, b []byte, n int, _ *Group) []byte { return appendID(e, b, Member{GroupMember, n}) }},
	{"displayName", func(_ *Entra, b []byte, _ int, g *Group) []byte { return appendString(b, g.Name) }},
	{"description", func(_ *Entra, b []byte, _ int, g *Group) []byte { return appendText(b, g.Description) }},
	{"mail", func(_ *Entra, b []byte, _ int, g *Group) []byte { return appendText(b, g.Mail) }},
	{"mailNickname", func(_ *Entra, b []byte, n int, g *Group) []byte { return appendString(b, nickname(n, g)) }},
	{"mailEnabled", func(_ *Entra, b []byte, _ int, g *Group) []byte { return strconv.AppendBool(b, g.Kind != Security) }},
	{"securityEnabled", func(_ *Entra, b []byte, _ int, g *Group) []byte {
		return strconv.AppendBool(b, g.Kind == Security || g.Kind == MailSecurity)
	}},
	{"groupTypes", func(_ *Entra, b []byte, _ int, g *Group) []byte {
		var types []string
		if g.Kind == Unified {
			types = append(types, "Unified")
		}
		if g.Dynamic {
			types = append(types, "DynamicMembership")
		}
		return appendStrings(b, types)
	}},
	{"membershipRule", func(_ *Entra, b []byte, _ int, g *Group) []byte {
		if g.Dynamic {
			return append(b, `"user.accountEnabled -eq true"`...)
		}
		return append(b, "null"...)
	}},
	{"visibility", func(_ *Entra, b []byte, _ int, g *Group) []byte {
		switch {
		case g.Hidden:
			return append(b, `"HiddenMembership"`...)
		case g.Kind == Unified:
			return append(b, `"Private"`...)
		}
		return append(b, "null"...)
	}},
	{"onPremisesSamAccountName", func(_ *Entra, b []byte, _ int, _ *Group) []byte { return append(b, "null"...) }},
	{"onPremisesSecurityIdentifier", func(_ *Entra, b []byte, _ int, _ *Group) []byte { return append(b, "null"...) }},
	{"isAssignableToRole", func(_ *Entra, b []byte, _ int, _ *Group) []byte { return append(b, "null"...) }},
	{"createdDateTime", func(_ *Entra, b []byte, _ int, g *Group) []byte { return appendTime(b, g.Created) }},
	{"deletedDateTime", func(_ *Entra, b []byte, _ int, g *Group) []byte { return appendTime(b, g.deletedAt) }},
}

// groupsWithoutSelect come when a client doesn't say what it wants.
var groupsWithoutSelect = []string{
	"id", "deletedDateTime", "createdDateTime", "description", "displayName", "groupTypes", "mail", "mailEnabled",
	"mailNickname", "membershipRule", "onPremisesSamAccountName", "onPremisesSecurityIdentifier", "securityEnabled", "visibility",
}

// nickname is a group's mailNickname: ASCII without blanks.
func nickname(n int, g *Group) string {
	if g.Mail != "" {
		return localPart(g.Mail)
	}
	plain := strings.Map(func(r rune) rune {
		if r > unicode.MaxASCII || unicode.IsSpace(r) {
			return -1
		}
		return r
	}, g.Name)
	if plain == "" {
		return "group" + strconv.Itoa(n)
	}
	return plain
}

func (e *Entra) selectGroups(w http.ResponseWriter, r *http.Request, q graphQuery) ([]graphField[Group], bool) {
	fields, unknown := fieldsNamed(graphGroupFields, q.selected, groupsWithoutSelect, absent[Group](func(name string) bool {
		return strings.HasPrefix(name, "extension_")
	}))
	if unknown != "" {
		return nil, e.badQuery(w, r, "Could not find a property named '"+unknown+"' on type 'microsoft.graph.group'.")
	}
	return fields, true
}

// listGroups answers GET /groups.
func (e *Entra) listGroups(w http.ResponseWriter, r *http.Request, a graphAccess) {
	if !a.groups() {
		e.forbidden(w, r)
		return
	}
	q, ok := e.readQuery(w, r, "$select", "$top", "$filter", "$search", "$count", "$skiptoken")
	if !ok || !e.checkAdvanced(w, r, q, false) {
		return
	}
	if fields, ok := e.selectGroups(w, r, q); ok {
		listObjects(e, w, r, graphGroups, q, fields, alive, true)
	}
}

// countGroups answers GET /groups/$count.
func (e *Entra) countGroups(w http.ResponseWriter, r *http.Request, a graphAccess) {
	writeCount(e, w, r, graphGroups, a.groups())
}

// getGroup answers GET /groups/{id}.
func (e *Entra) getGroup(w http.ResponseWriter, r *http.Request, a graphAccess) {
	if !a.groups() {
		e.forbidden(w, r)
		return
	}
	q, ok := e.readQuery(w, r, "$select")
	if !ok {
		return
	}
	fields, ok := e.selectGroups(w, r, q)
	if !ok {
		return
	}
	n, g, ok := e.findGroup(r.PathValue("id"))
	if !ok {
		e.notFound(w, r, r.PathValue("id"))
		return
	}
	writeObject(e, w, r, graphGroups, fields, int(n), &g, true)
}

// findGroup finds a living group by id.
func (e *Entra) findGroup(id string) (GroupNo, Group, bool) {
	m, ok := e.Find(id)
	g, there := e.Directory.Group(GroupNo(m.N))
	return GroupNo(m.N), g, ok && there && m.Kind == GroupMember
}
