package entra

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/rollcall-id/rollcall/models"
	dirsync "github.com/rollcall-id/rollcall/sync"
)

// userDecoder decodes users with the attributes that the settings ask for. Their names are known
// only at run time: the type that a page is decoded into is made once, so that no user takes
// a map.
type userDecoder struct {
	fields     string // for $select
	attributes []attribute
	row        reflect.Type // struct{ graphUser; A0, A1… texts or map[string]texts }
	page       reflect.Type // struct{ Value []row; NextLink, DeltaLink }
}

// An attribute is one that the settings ask for. "onPremisesExtensionAttributes.extensionAttribute1"
// is a field inside another one, and Graph selects the outer.
type attribute struct {
	name         string
	outer, inner string
	field        int                       // of row
	standard     func(*graphUser) []string // of those that we read anyway
}

// standard are fields that row has already: JSON goes to one of two fields of the same name.
var standard = map[string]func(*graphUser) []string{
	"id":                func(u *graphUser) []string { return text(u.ID) },
	"userPrincipalName": func(u *graphUser) []string { return text(u.UserPrincipalName) },
	"displayName":       func(u *graphUser) []string { return text(u.DisplayName) },
	"givenName":         func(u *graphUser) []string { return text(u.GivenName) },
	"surname":           func(u *graphUser) []string { return text(u.Surname) },
	"mail":              func(u *graphUser) []string { return text(u.Mail) },
	"otherMails":        func(u *graphUser) []string { return u.OtherMails },
	"userType":          func(u *graphUser) []string { return text(u.UserType) },
	"accountEnabled":    func(u *graphUser) []string { return text(fmt.Sprint(u.AccountEnabled == nil || *u.AccountEnabled)) },
}

func text(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

func newUserDecoder(names []string) (*userDecoder, error) {
	d := &userDecoder{fields: userFields}
	fields := []reflect.StructField{{Name: "GraphUser", Type: reflect.TypeFor[graphUser](), Anonymous: true}}
	asked := map[string]int{}
	for _, name := range names {
		if !plain(name) {
			return nil, fmt.Errorf("attribute %q: Graph's names are letters, digits, _ and one dot, such as employeeId or onPremisesExtensionAttributes.extensionAttribute1", name)
		}
		a := attribute{name: name, standard: standard[name]}
		a.outer, a.inner, _ = strings.Cut(name, ".")
		if a.standard == nil {
			nested := a.inner != ""
			field, known := asked[a.outer]
			if !known {
				field = len(fields)
				asked[a.outer] = field
				kind := reflect.TypeFor[texts]()
				if nested {
					kind = reflect.TypeFor[map[string]texts]()
				}
				fields = append(fields, reflect.StructField{Name: fmt.Sprintf("A%d", field), Type: kind, Tag: reflect.StructTag(fmt.Sprintf("json:%q", a.outer))})
				d.fields += "," + a.outer
			} else if (fields[field].Type.Kind() == reflect.Map) != nested {
				return nil, fmt.Errorf("attribute %q: it is asked for as a whole and in parts; ask for its parts only", a.outer)
			}
			a.field = field
		}
		d.attributes = append(d.attributes, a)
	}
	d.row = reflect.StructOf(fields)
	d.page = reflect.StructOf([]reflect.StructField{
		{Name: "Value", Type: reflect.SliceOf(d.row), Tag: `json:"value"`},
		{Name: "NextLink", Type: reflect.TypeFor[string](), Tag: `json:"@odata.nextLink"`},
		{Name: "DeltaLink", Type: reflect.TypeFor[string](), Tag: `json:"@odata.deltaLink"`},
	})
	return d, nil
}

// plain tells a name that may stand in an address, of a field or of a field inside one.
func plain(name string) bool {
	dots := 0
	for i, r := range name {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '_'
		switch {
		case letter, r >= '0' && r <= '9' && i > 0:
		case r == '.' && i > 0 && i < len(name)-1:
			dots++
		default:
			return false
		}
	}
	return name != "" && dots <= 1
}

// A userPage is a page of users, decoded.
type userPage struct {
	users []decodedUser
	next  string
	delta string
}

type decodedUser struct {
	*graphUser
	attributes []models.Attribute
}

func (u decodedUser) user() dirsync.User {
	user := u.graphUser.user()
	user.Attributes = u.attributes
	return user
}

// decode decodes a page, of a list or of a delta query.
func (d *userDecoder) decode(body []byte) (userPage, error) {
	if len(d.attributes) == 0 {
		return decodePlain(body)
	}
	page := reflect.New(d.page)
	if err := json.Unmarshal(body, page.Interface()); err != nil {
		return userPage{}, err
	}
	rows := page.Elem().Field(0)
	if rows.IsNil() {
		return userPage{}, errNoList
	}
	p := userPage{
		users: make([]decodedUser, rows.Len()),
		next:  page.Elem().Field(1).String(), delta: page.Elem().Field(2).String(),
	}
	for i := range p.users {
		p.users[i] = d.read(rows.Index(i))
	}
	return p, checkIDs(p.users)
}

// decodePlain decodes a page without attributes: what most directories have, a little faster.
func decodePlain(body []byte) (userPage, error) {
	var page struct {
		Value     []graphUser `json:"value"`
		NextLink  string      `json:"@odata.nextLink"`
		DeltaLink string      `json:"@odata.deltaLink"`
	}
	if err := json.Unmarshal(body, &page); err != nil {
		return userPage{}, err
	}
	if page.Value == nil {
		return userPage{}, errNoList
	}
	p := userPage{users: make([]decodedUser, len(page.Value)), next: page.NextLink, delta: page.DeltaLink}
	for i := range p.users {
		p.users[i].graphUser = &page.Value[i]
	}
	return p, checkIDs(p.users)
}

func checkIDs(users []decodedUser) error {
	for _, u := range users {
		if u.ID == "" {
			return errNoID
		}
	}
	return nil
}

// decodeOne decodes a single user.
func (d *userDecoder) decodeOne(body []byte) (decodedUser, error) {
	row := reflect.New(d.row)
	if err := json.Unmarshal(body, row.Interface()); err != nil {
		return decodedUser{}, err
	}
	u := d.read(row.Elem())
	switch {
	case u.ID == "":
		return decodedUser{}, errNoID
	case u.UserPrincipalName == "":
		return decodedUser{}, errNamelessUsers
	}
	return u, nil
}

func (d *userDecoder) read(row reflect.Value) decodedUser {
	u := decodedUser{graphUser: row.Field(0).Addr().Interface().(*graphUser)}
	for _, a := range d.attributes {
		var values []string
		switch {
		case a.standard != nil:
			values = a.standard(u.graphUser)
		case a.inner != "":
			values = row.Field(a.field).Interface().(map[string]texts)[a.inner]
		default:
			values = row.Field(a.field).Interface().(texts)
		}
		if len(values) > 0 {
			u.attributes = append(u.attributes, models.Attribute{Name: a.name, Values: values})
		}
	}
	return u
}

// texts are the values of an attribute of any type.
type texts []string

// UnmarshalJSON takes text, numbers, booleans, lists of them, and null.
func (t *texts) UnmarshalJSON(data []byte) error {
	data = bytes.TrimSpace(data)
	*t = nil
	switch {
	case len(data) == 0 || bytes.Equal(data, []byte("null")):
		return nil
	case data[0] == '[':
		var all []texts
		if err := json.Unmarshal(data, &all); err != nil {
			return err
		}
		for _, values := range all {
			*t = append(*t, values...)
		}
		return nil
	case data[0] == '"':
		var s string
		if err := json.Unmarshal(data, &s); err != nil {
			return err
		}
		*t = text(s)
		return nil
	}
	*t = texts{string(data)} // a number, true, false, an object as it is
	return nil
}
