package google

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	admin "google.golang.org/api/admin/directory/v1"

	"github.com/rollcall-id/rollcall/models"
)

// An attribute is one that the settings ask for: "orgUnitPath", "organizations.department",
// "customSchemas.HR.badge".
type attribute struct {
	name string
	of   func(*admin.User) []string
}

func (a attribute) with(values []string) models.Attribute {
	return models.Attribute{Name: a.name, Values: values}
}

// plain are the attributes that are texts.
var plain = map[string]func(*admin.User) string{
	"orgUnitPath":   func(u *admin.User) string { return u.OrgUnitPath },
	"customerId":    func(u *admin.User) string { return u.CustomerId },
	"creationTime":  func(u *admin.User) string { return u.CreationTime },
	"lastLoginTime": func(u *admin.User) string { return u.LastLoginTime },
	"recoveryEmail": func(u *admin.User) string { return u.RecoveryEmail },
	"recoveryPhone": func(u *admin.User) string { return u.RecoveryPhone },
}

// lists are those that are lists of objects, such as a user's several phones.
var lists = map[string]func(*admin.User) any{
	"addresses":     func(u *admin.User) any { return u.Addresses },
	"emails":        func(u *admin.User) any { return u.Emails },
	"externalIds":   func(u *admin.User) any { return u.ExternalIds },
	"ims":           func(u *admin.User) any { return u.Ims },
	"keywords":      func(u *admin.User) any { return u.Keywords },
	"languages":     func(u *admin.User) any { return u.Languages },
	"locations":     func(u *admin.User) any { return u.Locations },
	"organizations": func(u *admin.User) any { return u.Organizations },
	"phones":        func(u *admin.User) any { return u.Phones },
	"posixAccounts": func(u *admin.User) any { return u.PosixAccounts },
	"relations":     func(u *admin.User) any { return u.Relations },
	"websites":      func(u *admin.User) any { return u.Websites },
}

const schemaPrefix = "customSchemas"

// newUserReader says how users are read when these attributes are asked for.
func newUserReader(names []string) (userReader, error) {
	r := userReader{fields: usualFields}
	var asked, schemas []string
	for _, name := range names {
		field, rest, _ := strings.Cut(name, ".")
		a, schema, err := newAttribute(name, field, rest)
		if err != nil {
			return r, err
		}
		r.attributes = append(r.attributes, a)
		if field != "primaryEmail" && !slices.Contains(asked, field) {
			asked = append(asked, field)
		}
		if schema != "" && !slices.Contains(schemas, schema) {
			schemas = append(schemas, schema)
		}
	}
	if len(asked) > 0 {
		r.fields += "," + strings.Join(asked, ",")
	}
	r.schemas = strings.Join(schemas, ",")
	return r, nil
}

func newAttribute(name, field, rest string) (a attribute, schema string, err error) {
	text, isPlain := plain[field]
	list, isList := lists[field]
	switch schema, key, hasKey := strings.Cut(rest, "."); {
	case name == "primaryEmail":
		return attribute{name, func(u *admin.User) []string { return []string{u.PrimaryEmail} }}, "", nil
	case name == "aliases":
		return attribute{name, func(u *admin.User) []string { return u.Aliases }}, "", nil
	case isPlain && rest == "":
		return attribute{name, func(u *admin.User) []string { return texts(text(u)) }}, "", nil
	case isList && word(rest):
		return attribute{name, func(u *admin.User) []string { return members(list(u), rest) }}, "", nil
	case field == schemaPrefix && hasKey && word(schema) && word(key):
		return attribute{name, func(u *admin.User) []string { return custom(u.CustomSchemas[schema], key) }}, schema, nil
	}
	return attribute{}, "", fmt.Errorf("attribute %q: Google's users have no such field; there are primaryEmail, aliases, %s, one member of a list (%s) such as organizations.department, and customSchemas.SCHEMA.FIELD",
		name, strings.Join(slices.Sorted(maps.Keys(plain)), ", "), strings.Join(slices.Sorted(maps.Keys(lists)), ", "))
}

// word tells whether a text is a name of Google's, and so no part of a parameter.
func word(s string) bool {
	for _, r := range s {
		if r != '_' && r != '-' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') {
			return false
		}
	}
	return s != ""
}

// members gives one member of each object of a list, that of the primary object first.
func members(list any, key string) (values []string) {
	objects, _ := list.([]any)
	for _, object := range objects {
		fields, _ := object.(map[string]any)
		found := texts(fields[key])
		if primary, _ := fields["primary"].(bool); primary {
			values = append(found, values...)
		} else {
			values = append(values, found...)
		}
	}
	return values
}

// custom gives a field of the customer's own: one value, or a list of {"value": …}.
func custom(schema []byte, key string) []string {
	var fields map[string]any
	if json.Unmarshal(schema, &fields) != nil {
		return nil
	}
	if _, several := fields[key].([]any); several {
		return members(fields[key], "value")
	}
	return texts(fields[key])
}

// texts is a JSON value as text; none for what is empty or no value.
func texts(value any) []string {
	switch v := value.(type) {
	case string:
		if v != "" {
			return []string{v}
		}
	case bool:
		return []string{strconv.FormatBool(v)}
	case float64:
		return []string{strconv.FormatFloat(v, 'f', -1, 64)}
	}
	return nil
}
