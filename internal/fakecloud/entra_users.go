package fakecloud

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// graphUserFields are the properties of a user that the fake has.
var graphUserFields = []graphField[User]{
	{"id", func(e *Entra, b []byte, n int, _ *User) []byte { return appendID(e, b, Member{UserMember, n}) }},
	{"userPrincipalName", func(e *Entra, b []byte, _ int, u *User) []byte { return appendString(b, e.upn(u)) }},
	{"displayName", func(_ *Entra, b []byte, _ int, u *User) []byte { return appendText(b, u.Display) }},
	{"givenName", func(_ *Entra, b []byte, _ int, u *User) []byte { return appendText(b, u.Given) }},
	{"surname", func(_ *Entra, b []byte, _ int, u *User) []byte { return appendText(b, u.Surname) }},
	{"mail", func(_ *Entra, b []byte, _ int, u *User) []byte { return appendText(b, u.Mail) }},
	{"otherMails", func(_ *Entra, b []byte, _ int, u *User) []byte { return appendStrings(b, u.OtherMails) }},
	{"proxyAddresses", func(_ *Entra, b []byte, _ int, u *User) []byte {
		if u.Mail == "" {
			return append(b, "[]"...)
		}
		return append(appendString(append(b, '['), "SMTP:"+u.Mail), ']')
	}},
	{"accountEnabled", func(_ *Entra, b []byte, _ int, u *User) []byte { return strconv.AppendBool(b, !u.Disabled) }},
	{"userType", func(_ *Entra, b []byte, _ int, u *User) []byte {
		switch {
		case u.Untyped:
			return append(b, "null"...)
		case u.Guest:
			return append(b, `"Guest"`...)
		}
		return append(b, `"Member"`...)
	}},
	{"externalUserState", func(_ *Entra, b []byte, _ int, u *User) []byte {
		switch {
		case u.External && u.Pending:
			return append(b, `"PendingAcceptance"`...)
		case u.External:
			return append(b, `"Accepted"`...)
		}
		return append(b, "null"...)
	}},
	{"creationType", func(_ *Entra, b []byte, _ int, u *User) []byte {
		if u.External {
			return append(b, `"Invitation"`...)
		}
		return append(b, "null"...)
	}},
	{"mailNickname", func(e *Entra, b []byte, _ int, u *User) []byte { return appendString(b, localPart(e.upn(u))) }},
	{"onPremisesSamAccountName", func(_ *Entra, b []byte, _ int, u *User) []byte { return appendText(b, u.OnPremName) }},
	{"onPremisesUserPrincipalName", func(_ *Entra, b []byte, _ int, u *User) []byte {
		if u.OnPremName == "" {
			return append(b, "null"...)
		}
		return appendString(b, u.Login)
	}},
	{"onPremisesImmutableId", func(e *Entra, b []byte, n int, u *User) []byte {
		if u.OnPremName == "" {
			return append(b, "null"...)
		}
		id := e.ids.of(Member{UserMember, n})
		return appendAny(b, id[:])
	}},
	{"employeeId", func(_ *Entra, b []byte, _ int, u *User) []byte { return appendText(b, u.EmployeeID) }},
	{"department", func(_ *Entra, b []byte, _ int, u *User) []byte { return appendText(b, u.Department) }},
	{"jobTitle", func(_ *Entra, b []byte, _ int, u *User) []byte { return appendText(b, u.Title) }},
	{"companyName", func(_ *Entra, b []byte, _ int, _ *User) []byte { return append(b, "null"...) }},
	{"preferredLanguage", func(_ *Entra, b []byte, _ int, _ *User) []byte { return append(b, "null"...) }},
	{"businessPhones", func(_ *Entra, b []byte, _ int, _ *User) []byte { return append(b, "[]"...) }},
	{"mobilePhone", func(_ *Entra, b []byte, _ int, _ *User) []byte { return append(b, "null"...) }},
	{"officeLocation", func(_ *Entra, b []byte, _ int, _ *User) []byte { return append(b, "null"...) }},
	{"createdDateTime", func(_ *Entra, b []byte, _ int, u *User) []byte { return appendTime(b, u.Created) }},
	{"deletedDateTime", func(_ *Entra, b []byte, _ int, u *User) []byte { return appendTime(b, u.deletedAt) }},
}

// usersWithoutSelect come when a client doesn't say what it wants: neither accountEnabled nor
// userType is among them.
var usersWithoutSelect = []string{
	"businessPhones", "displayName", "givenName", "id", "jobTitle", "mail", "mobilePhone", "officeLocation",
	"preferredLanguage", "surname", "userPrincipalName",
}

// notInDirectory are properties of users that live elsewhere and can't be listed.
var notInDirectory = []string{"aboutMe", "birthday", "hireDate", "interests", "mySite", "pastProjects", "responsibilities", "schools", "skills"}

// extension makes a field of an attribute that users may have beside the known ones.
func extension(name string) (graphField[User], bool) {
	known := strings.HasPrefix(name, "extension_") || strings.HasPrefix(name, "ext") || name == "onPremisesExtensionAttributes"
	return graphField[User]{name, func(_ *Entra, b []byte, _ int, u *User) []byte {
		if name == "onPremisesExtensionAttributes" {
			all := map[string]*string{}
			for i := range 15 {
				key := "extensionAttribute" + strconv.Itoa(i+1)
				all[key] = nil
				if value, ok := u.Attributes[key]; ok {
					all[key] = &value
				}
			}
			return appendAny(b, all)
		}
		if value, ok := u.Attributes[name]; ok {
			return appendString(b, value)
		}
		return b
	}}, known
}

func appendID(e *Entra, b []byte, m Member) []byte {
	b = append(b, '"')
	return append(e.ids.of(m).append(b), '"')
}

// upn is a user's userPrincipalName. That of an account at home elsewhere is made of its mail
// address.
func (e *Entra) upn(u *User) string {
	if !u.External {
		return u.Login
	}
	tenant, _, _ := strings.Cut(e.Directory.gen.Domain, ".")
	return strings.ReplaceAll(u.Login, "@", "_") + "#EXT#@" + tenant + ".onmicrosoft.com"
}

// selectUsers finds the fields that a query asks for, as far as somebody may see them.
func (e *Entra) selectUsers(w http.ResponseWriter, r *http.Request, a graphAccess, q graphQuery, without []string) ([]graphField[User], bool) {
	for _, name := range q.selected {
		if slices.Contains(notInDirectory, name) {
			e.refuse(w, r, http.StatusNotImplemented, "NotImplemented", "The property '"+name+"' isn't kept in the directory.")
			return nil, false
		}
	}
	fields, unknown := fieldsNamed(graphUserFields, q.selected, without, extension)
	if unknown != "" {
		return nil, e.badQuery(w, r, "Could not find a property named '"+unknown+"' on type 'microsoft.graph.user'.")
	}
	return a.visible(fields), true
}

// listUsers answers GET /users. A client that may read groups only isn't refused: it gets users
// of whom all but the id is null.
func (e *Entra) listUsers(w http.ResponseWriter, r *http.Request, a graphAccess) {
	if !a.users() && !a.groups() {
		e.forbidden(w, r)
		return
	}
	q, ok := e.readQuery(w, r, "$select", "$top", "$filter", "$search", "$count", "$skiptoken")
	if !ok || !e.checkAdvanced(w, r, q, false) {
		return
	}
	if fields, ok := e.selectUsers(w, r, a, q, usersWithoutSelect); ok {
		listObjects(e, w, r, graphUsers, q, fields, alive, a.users())
	}
}

// countUsers answers GET /users/$count.
func (e *Entra) countUsers(w http.ResponseWriter, r *http.Request, a graphAccess) {
	writeCount(e, w, r, graphUsers, a.users())
}

// getUser answers GET /users/{id or userPrincipalName}.
func (e *Entra) getUser(w http.ResponseWriter, r *http.Request, a graphAccess) {
	if !a.users() && !a.groups() {
		e.forbidden(w, r)
		return
	}
	q, ok := e.readQuery(w, r, "$select")
	if !ok {
		return
	}
	fields, ok := e.selectUsers(w, r, a, q, usersWithoutSelect)
	if !ok {
		return
	}
	n, u, ok := e.findUser(r.PathValue("id"))
	if !ok {
		e.notFound(w, r, r.PathValue("id"))
		return
	}
	writeObject(e, w, r, graphUsers, fields, int(n), &u, a.users())
}

// findUser finds a living user by id or userPrincipalName.
func (e *Entra) findUser(name string) (UserNo, User, bool) {
	m, ok := e.Find(name)
	n := UserNo(m.N)
	if !ok {
		// What is unusual in a name may have been escaped twice on its way through a batch.
		if unescaped, err := url.PathUnescape(name); err == nil {
			name = unescaped
		}
		e.Directory.mu.RLock()
		n, ok = e.Directory.userBy(name, e.upn)
		e.Directory.mu.RUnlock()
	}
	u, there := e.Directory.User(n)
	return n, u, ok && there && m.Kind == UserMember
}
