package fakecloud

import (
	"cmp"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strings"
	"time"
)

// A googleUser is a user on the way out.
type googleUser struct {
	User
	id   string
	full bool // with the customer's own fields
}

// googleUserFields are those that the fake knows.
var googleUserFields = []googleField[googleUser]{
	text("kind", func(*googleUser) string { return "admin#directory#user" }),
	text("id", func(u *googleUser) string { return u.id }),
	text("etag", func(u *googleUser) string { return etag(fmt.Append(nil, u.User)) }),
	text("primaryEmail", func(u *googleUser) string { return u.Login }),
	{"name", putName},
	flag("isAdmin", func(*googleUser) bool { return false }),
	flag("isDelegatedAdmin", func(*googleUser) bool { return false }),
	text("creationTime", func(u *googleUser) string { return googleTime(u.Created) }),
	text("deletionTime", func(u *googleUser) string { return googleTime(u.deletedAt) }),
	flag("agreedToTerms", func(u *googleUser) bool { return !u.Pending }),
	flag("suspended", func(u *googleUser) bool { return u.Disabled }),
	text("suspensionReason", func(u *googleUser) string {
		if u.Disabled {
			return "ADMIN"
		}
		return ""
	}),
	flag("archived", func(u *googleUser) bool { return u.Attributes["archived"] == "true" }),
	{"isGuestUser", func(b []byte, u *googleUser, _ googleMask) []byte {
		if u.Guest {
			return append(b, "true"...)
		}
		return b // absent for everybody else
	}},
	{"emails", putEmails},
	{"aliases", func(b []byte, u *googleUser, _ googleMask) []byte {
		if aliases := u.aliases(); len(aliases) > 0 {
			return appendStrings(b, aliases)
		}
		return b
	}},
	{"externalIds", func(b []byte, u *googleUser, _ googleMask) []byte {
		if u.EmployeeID == "" {
			return b
		}
		return appendAny(b, []map[string]string{{"value": u.EmployeeID, "type": "organization"}})
	}},
	{"organizations", func(b []byte, u *googleUser, _ googleMask) []byte {
		if u.Department == "" && u.Title == "" {
			return b
		}
		return appendAny(b, []map[string]any{{"department": u.Department, "title": u.Title, "primary": true}})
	}},
	text("customerId", func(*googleUser) string { return GoogleCustomer }),
	text("orgUnitPath", func(u *googleUser) string { return cmp.Or(u.Attributes["orgUnitPath"], "/") }),
	flag("isMailboxSetup", func(*googleUser) bool { return true }),
	{"customSchemas", putSchemas},
}

// googleNameFields are the members of a user's name.
var googleNameFields = []googleField[googleUser]{
	text("givenName", func(u *googleUser) string { return u.Given }),
	text("familyName", func(u *googleUser) string { return u.Surname }),
	text("fullName", func(u *googleUser) string { return strings.TrimSpace(u.Given + " " + u.Surname) }),
	text("displayName", func(u *googleUser) string { // for those who have chosen one
		if u.Display == strings.TrimSpace(u.Given+" "+u.Surname) {
			return ""
		}
		return u.Display
	}),
}

func putName(b []byte, u *googleUser, mask googleMask) []byte {
	fields, wrong := toldFields(googleNameFields, mask)
	if wrong != nil {
		return b
	}
	return appendObject(b, fields, u)
}

func putEmails(b []byte, u *googleUser, _ googleMask) []byte {
	type email struct {
		Address string `json:"address"`
		Primary bool   `json:"primary,omitempty"`
	}
	all := []email{{u.Login, true}}
	for _, alias := range u.aliases() {
		all = append(all, email{Address: alias})
	}
	return appendAny(b, all)
}

// putSchemas tells Attributes of the form "Schema.field".
func putSchemas(b []byte, u *googleUser, _ googleMask) []byte {
	schemas := map[string]map[string]string{}
	for name, value := range u.Attributes {
		if schema, field, ok := strings.Cut(name, "."); ok && u.full {
			if schemas[schema] == nil {
				schemas[schema] = map[string]string{}
			}
			schemas[schema][field] = value
		}
	}
	if len(schemas) == 0 {
		return b
	}
	return appendAny(b, schemas)
}

// aliases are further addresses at which mail reaches a user: those of the account's domain.
func (u *googleUser) aliases() (aliases []string) {
	for _, mail := range u.OtherMails {
		if fold(mail) != fold(u.Login) {
			aliases = append(aliases, mail)
		}
	}
	return aliases
}

func googleTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

// listUsers answers GET /admin/directory/v1/users. Its order is that of our numbers whatever
// orderBy says: it doesn't change between pages, which is all that a client may rely on.
func (g *Google) listUsers(w http.ResponseWriter, r *http.Request) {
	if wrong := g.checkAccount(r); wrong != nil {
		wrong.send(w)
		return
	}
	full := r.FormValue("projection") == "full" || r.FormValue("projection") == "custom" && r.FormValue("customFieldMask") != ""
	want := alive
	if r.FormValue("showDeleted") == "true" {
		want = deleted
	}
	sendList(g, w, r, googleListing[googleUser]{
		name: "users", kind: "admin#directory#users", usual: 100, most: 500, fields: googleUserFields,
		from: func(place int) iter.Seq2[*googleUser, int] { return g.users(place, want, full) },
	})
}

// users gives users from a number on. The directory's lock is held.
func (g *Google) users(from int, want life, full bool) iter.Seq2[*googleUser, int] {
	return func(yield func(*googleUser, int) bool) {
		for n := from; n < g.Directory.userCount; n++ {
			u, state := g.Directory.user(UserNo(n))
			if state != want {
				continue
			}
			if !yield(g.shown(UserNo(n), u, full), n+1) {
				return
			}
		}
	}
}

func (g *Google) shown(n UserNo, u User, full bool) *googleUser {
	return &googleUser{User: u, id: g.ids.user(n), full: full}
}

// checkAccount checks the parameters by which a list is one of this account, in a known order.
func (g *Google) checkAccount(r *http.Request) *googleRefusal {
	customer, domain := r.FormValue("customer"), r.FormValue("domain")
	switch {
	case customer == "" && domain == "":
		return &googleRefusal{status: http.StatusBadRequest, reason: "badRequest", message: "Bad Request"}
	case customer != "" && customer != "my_customer" && customer != GoogleCustomer:
		return googleInvalid("customer")
	case domain != "" && fold(domain) != fold(g.Directory.gen.Domain):
		return &googleRefusal{status: http.StatusNotFound, reason: "notFound", message: "Domain not found."}
	case !slices.Contains([]string{"", "email", "familyName", "givenName"}, r.FormValue("orderBy")):
		return googleInvalid("orderBy")
	}
	return nil
}

// getUser answers GET /admin/directory/v1/users/{key}: an id, the address or an alias.
func (g *Google) getUser(w http.ResponseWriter, r *http.Request) {
	g.Directory.mu.RLock()
	n, wrong := g.findUser(r.PathValue("key"))
	u, _ := g.Directory.user(n)
	g.Directory.mu.RUnlock()
	if wrong != nil {
		wrong.send(w)
		return
	}
	sendOne(g, w, r, googleUserFields, g.shown(n, u, r.FormValue("projection") == "full" || r.FormValue("projection") == "custom"))
}

// findUser finds a living user by key. One that could still be restored is no longer there, but
// not like one that never was. The directory's lock is held.
func (g *Google) findUser(key string) (UserNo, *googleRefusal) {
	if n, ok := g.ids.userNo(key); ok {
		switch g.Directory.userLife(n) {
		case alive:
			return n, nil
		case deleted:
			return 0, &googleUserDeleted
		}
	}
	if !strings.Contains(key, "@") {
		return 0, googleNotFound("userKey")
	}
	if n, ok := g.Directory.userBy(key, func(u *User) string { return u.Login }); ok {
		return n, nil
	}
	for n, state := range g.Directory.users {
		alias := func(mail string) bool { return fold(mail) == fold(key) }
		if state.life == alive && slices.ContainsFunc(state.OtherMails, alias) {
			return n, nil
		}
	}
	if !strings.HasSuffix(fold(key), "@"+fold(g.Directory.gen.Domain)) {
		return 0, &googleForbidden // a stranger to the account
	}
	return 0, googleNotFound("userKey")
}

// sendOne answers with one object.
func sendOne[T any](g *Google, w http.ResponseWriter, r *http.Request, all []googleField[T], v *T) {
	mask, ok := parseMask(r.FormValue("fields"))
	if !ok {
		invalidField(r.FormValue("fields")).send(w)
		return
	}
	fields, wrong := toldFields(all, mask)
	if wrong != nil {
		wrong.send(w)
		return
	}
	g.send(w, r, appendObject(nil, fields, v))
}
