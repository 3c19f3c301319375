package fakecloud

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// usersFilter says what a filter of users may compare: little, and mostly equality.
func usersFilter(field, op string) bool {
	switch field {
	case "lastUpdated":
		return slices.Contains([]string{"eq", "gt", "ge", "lt", "le"}, op)
	case "status", "id", "profile.login", "profile.email", "profile.firstName", "profile.lastName":
		return op == "eq"
	}
	return false
}

// usersSearch says what a search of users may compare.
func usersSearch(field, op string) bool {
	return slices.Contains([]string{"eq", "gt", "ge", "lt", "le", "sw", "co"}, op) &&
		(strings.HasPrefix(field, "profile.") || slices.Contains([]string{"id", "status", "created", "lastUpdated"}, field))
}

var usersListing = listing{[]string{"search", "filter", "q", "sortBy", "sortOrder", "fields"}, 200, 200}

// listUsers answers GET /api/v1/users: all but the deactivated ones, or whom a filter or a
// search finds, the deactivated ones too. A search asks an index, which is behind, and shows no
// more than so many results.
func (o *Okta) listUsers(w http.ResponseWriter, r *http.Request) {
	place, limit, ok := o.place(w, r, usersListing)
	if !ok {
		return
	}
	c, query := o.settings(), r.URL.Query()
	text, may, lag := query.Get("filter"), usersFilter, c.SearchLag
	if text == "" {
		text, may = query.Get("search"), usersSearch
	} else {
		lag = 0
	}
	var x *oktaExpression
	if text != "" {
		var err error
		if x, err = parseOkta(text, may); err != nil {
			o.invalid(w, "E0000031", "Invalid search criteria.", err.Error())
			return
		}
	} else {
		lag = 0
	}
	if query.Has("search") {
		if place.Seen >= c.SearchMost {
			o.invalid(w, "E0000031", "Invalid search criteria.", "Invalid search query.")
			return
		}
		limit = min(limit, c.SearchMost-place.Seen)
	}
	b := []byte{'['}
	var next *oktaPlace
	if !c.Blind {
		o.see(lag, func(v *oktaView) { b, next = v.usersPage(b, place, limit, x, c.Repeats, lean(r)) })
	}
	o.sendList(w, r, append(b, ']'), next)
}

// usersPage appends a page of users and says where the next one begins.
func (v *oktaView) usersPage(b []byte, place oktaPlace, limit int, x *oktaExpression, repeats, lean bool) ([]byte, *oktaPlace) {
	var list []UserNo
	narrow := false
	if x != nil {
		list, narrow = v.candidates(x)
	}
	if repeats && place.Last > 0 {
		if u, ok := v.user(UserNo(place.Last - 1)); ok {
			b = appendOktaUser(comma(b), v.o, &u, lean)
		}
	}
	i, found, last := 0, 0, 0
	if narrow {
		i, _ = slices.BinarySearch(list, UserNo(place.At))
	}
	for n := UserNo(place.At); ; n++ {
		if narrow {
			if i == len(list) {
				return b, nil
			}
			n = list[i]
			i++
		} else if int(n) >= v.d.userCount {
			return b, nil
		}
		u, ok := v.user(n)
		if !ok || x == nil && u.status == oktaDeprovisioned || x != nil && !x.holds(func(name string) (string, bool) { return u.field(v.o, name) }) {
			continue
		}
		if found == limit {
			return b, &oktaPlace{At: int(n), Last: last + 1, Seen: place.Seen + found}
		}
		b = appendOktaUser(comma(b), v.o, &u, lean)
		found, last = found+1, int(n)
	}
}

// lean says whether a client asks for users without what nobody needs who only reads.
func lean(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Content-Type"), "okta-response=omitCredentials")
}

func appendOktaUser(b []byte, o *Okta, u *oktaUser, lean bool) []byte {
	id := o.ids.user(u.n)
	b = append(b, '{')
	b = appendString(appendKey(b, "id"), id)
	b = appendString(appendKey(b, "status"), u.status)
	b = appendString(appendKey(b, "created"), oktaTime(u.Created))
	b = appendString(appendKey(b, "statusChanged"), oktaTime(u.updated))
	b = append(appendKey(b, "lastLogin"), "null"...)
	b = appendString(appendKey(b, "lastUpdated"), oktaTime(u.updated))
	b = append(appendKey(b, "type"), `{"id":"otyfakefakefakefake0"}`...)
	b = append(appendKey(b, "profile"), '{')
	b = appendString(appendKey(b, "login"), u.Login)
	b = appendText(appendKey(b, "email"), u.Mail)
	b = appendText(appendKey(b, "firstName"), u.Given)
	b = appendText(appendKey(b, "lastName"), u.Surname)
	for _, field := range []struct{ name, value string }{
		{"displayName", u.Display}, {"department", u.Department}, {"title", u.Title}, {"employeeNumber", u.EmployeeID},
	} {
		if field.value != "" { // null may be left out
			b = appendString(appendKey(b, field.name), field.value)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(u.Attributes)) {
		if name != "status" {
			b = appendString(appendKey(b, name), u.Attributes[name])
		}
	}
	b = append(b, '}')
	if !lean {
		b = append(appendKey(b, "credentials"), `{"password":{},"provider":{"type":"OKTA","name":"OKTA"}}`...)
		b = append(appendKey(b, "_links"), `{"self":{"href":`...)
		b = append(appendString(b, o.URL+"/api/v1/users/"+id), "}}"...)
	}
	return append(b, '}')
}

// getUser answers GET /api/v1/users/{id}: by id or login name, at once what was changed. "me" is
// whose API token it is.
func (o *Okta) getUser(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	if id == "me" {
		if !strings.HasPrefix(r.Header.Get("Authorization"), "SSWS ") {
			o.notFound(w, "me (User)") // a service app is nobody
			return
		}
		owner := oktaUser{n: tokenOwner, status: oktaActive, User: User{Login: "rollcall@" + o.Directory.gen.Domain, Given: "Rollcall", Surname: "Service", Created: firstDay}, updated: firstDay}
		o.write(w, http.StatusOK, appendOktaUser(nil, o, &owner, lean(r)))
		return
	}
	var body []byte
	o.see(0, func(v *oktaView) {
		n, ok := o.ids.findUser(id)
		if !ok {
			n, ok = v.d.userBy(id, func(u *User) string { return u.Login })
		}
		if u, there := v.user(n); ok && there {
			body = appendOktaUser(nil, o, &u, lean(r))
		}
	})
	if body == nil {
		o.notFound(w, id+" (User)")
		return
	}
	o.write(w, http.StatusOK, body)
}

// tokenOwner is the number of the account that the API token belongs to, which is in no list.
const tokenOwner UserNo = 1<<40 - 1

// groupsOfUser answers GET /api/v1/users/{id}/groups.
func (o *Okta) groupsOfUser(w http.ResponseWriter, r *http.Request) {
	place, limit, ok := o.place(w, r, listing{nil, 200, 1000})
	if !ok {
		return
	}
	n, known := o.ids.findUser(r.PathValue("id"))
	b, there := []byte{'['}, false
	var next *oktaPlace
	o.see(0, func(v *oktaView) {
		if _, there = v.user(n); !known || !there {
			there = false
			return
		}
		found := 0
		for g := range v.d.groupsOf(Member{UserMember, int(n)}, GroupNo(place.At)) {
			group, _ := v.group(g)
			if found == limit {
				next = &oktaPlace{At: int(g)}
				return
			}
			b = appendOktaGroup(comma(b), o, &group)
			found++
		}
	})
	if !there {
		o.notFound(w, r.PathValue("id")+" (User)")
		return
	}
	o.sendList(w, r, append(b, ']'), next)
}
