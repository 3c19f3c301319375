package fakecloud

import (
	"net/http"
	"slices"
)

// groupsFilter says what a filter of groups may compare.
func groupsFilter(field, op string) bool {
	switch field {
	case "id", "type":
		return op == "eq"
	case "lastUpdated", "lastMembershipUpdated":
		return slices.Contains([]string{"eq", "gt", "ge", "lt", "le"}, op)
	}
	return false
}

// listGroups answers GET /api/v1/groups.
func (o *Okta) listGroups(w http.ResponseWriter, r *http.Request) {
	place, limit, ok := o.place(w, r, listing{[]string{"filter", "search", "q", "expand", "sortBy", "sortOrder"}, 10_000, 10_000})
	if !ok {
		return
	}
	var x *oktaExpression
	if text := r.URL.Query().Get("filter"); text != "" {
		var err error
		if x, err = parseOkta(text, groupsFilter); err != nil {
			o.invalid(w, "E0000031", "Invalid search criteria.", err.Error())
			return
		}
	}
	b := []byte{'['}
	var next *oktaPlace
	if !o.settings().Blind {
		o.see(0, func(v *oktaView) { b, next = v.groupsPage(b, place.At, limit, x) })
	}
	o.sendList(w, r, append(b, ']'), next)
}

func (v *oktaView) groupsPage(b []byte, from, limit int, x *oktaExpression) ([]byte, *oktaPlace) {
	found := 0
	onlyEdited := x != nil && x.changedAfter(generatedUntil.Add(v.ahead))
	for n := GroupNo(from); int(n) < v.d.groupCount; n++ {
		if onlyEdited && v.o.index.groups[n] == nil && v.o.index.members[n] == nil {
			continue
		}
		g, ok := v.group(n)
		if !ok || x != nil && !x.holds(func(name string) (string, bool) { return g.field(v.o, name) }) {
			continue
		}
		if found == limit {
			return b, &oktaPlace{At: int(n)}
		}
		b = appendOktaGroup(comma(b), v.o, &g)
		found++
	}
	return b, nil
}

func appendOktaGroup(b []byte, o *Okta, g *oktaGroup) []byte {
	id := o.ids.group(g.n)
	b = append(b, '{')
	b = appendString(appendKey(b, "id"), id)
	b = appendString(appendKey(b, "created"), oktaTime(g.Created))
	b = appendString(appendKey(b, "lastUpdated"), oktaTime(g.updated))
	b = appendString(appendKey(b, "lastMembershipUpdated"), oktaTime(g.membership))
	b = append(appendKey(b, "objectClass"), `["okta:user_group"]`...)
	b = appendString(appendKey(b, "type"), g.kind)
	b = append(appendKey(b, "profile"), '{')
	b = appendString(appendKey(b, "name"), g.Name)
	b = appendText(appendKey(b, "description"), g.Description)
	b = append(b, '}')
	b = append(appendKey(b, "_links"), `{"users":{"href":`...)
	b = appendString(b, o.URL+"/api/v1/groups/"+id+"/users")
	return append(b, "}}}"...)
}

// getGroup answers GET /api/v1/groups/{id}.
func (o *Okta) getGroup(w http.ResponseWriter, r *http.Request) {
	var body []byte
	o.see(0, func(v *oktaView) {
		n, ok := o.ids.findGroup(r.PathValue("id"))
		if g, there := v.group(n); ok && there {
			body = appendOktaGroup(nil, o, &g)
		}
	})
	if body == nil {
		o.notFound(w, r.PathValue("id")+" (UserGroup)")
		return
	}
	o.write(w, http.StatusOK, body)
}

// groupUsers answers GET /api/v1/groups/{id}/users, with whole users.
func (o *Okta) groupUsers(w http.ResponseWriter, r *http.Request) {
	place, limit, ok := o.place(w, r, listing{nil, 1000, 1000})
	if !ok {
		return
	}
	n, known := o.ids.findGroup(r.PathValue("id"))
	b, there := []byte{'['}, false
	var next *oktaPlace
	o.see(0, func(v *oktaView) {
		if _, there = v.group(n); !known || !there {
			there = false
			return
		}
		found, end := 0, place.At
		v.members(n, place.At, func(u oktaUser, after int) bool {
			if found == limit {
				next = &oktaPlace{At: end}
				return false
			}
			b = appendOktaUser(comma(b), o, &u, lean(r))
			found, end = found+1, after
			return true
		})
	})
	if !there {
		o.notFound(w, r.PathValue("id")+" (UserGroup)")
		return
	}
	o.sendList(w, r, append(b, ']'), next)
}
