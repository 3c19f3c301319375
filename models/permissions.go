package models

import (
	"database/sql/driver"
	"fmt"
	"strings"
)

// Permissions is a set of kinds of change. It is stored and shown as words.
type Permissions uint16

// The permissions, with Crowd's meaning. Memberships need UpdateGroup, passwords UpdateUser.
const (
	CreateUser Permissions = 1 << iota
	UpdateUser
	UpdateUserAttribute
	DeleteUser
	CreateGroup
	UpdateGroup
	UpdateGroupAttribute
	DeleteGroup

	AllPermissions = 1<<iota - 1
	ReadOnly       = Permissions(0)
)

var permissionNames = []string{
	"create-user", "update-user", "update-user-attribute", "delete-user",
	"create-group", "update-group", "update-group-attribute", "delete-group",
}

// Has tells whether every permission of want is in the set.
func (p Permissions) Has(want Permissions) bool { return p&want == want }

// String gives the set as words with commas: "all", "read", or "create-user,update-group".
func (p Permissions) String() string {
	switch p {
	case AllPermissions:
		return "all"
	case ReadOnly:
		return "read"
	}
	var words []string
	for i, name := range permissionNames {
		if p.Has(1 << i) {
			words = append(words, name)
		}
	}
	return strings.Join(words, ",")
}

// ParsePermissions reads what String writes; it also takes several lists.
func ParsePermissions(lists ...string) (Permissions, error) {
	var p Permissions
	for _, list := range lists {
		for word := range strings.SplitSeq(list, ",") {
			one, err := parsePermission(strings.ToLower(strings.TrimSpace(word)))
			if err != nil {
				return 0, err
			}
			p |= one
		}
	}
	return p, nil
}

func parsePermission(word string) (Permissions, error) {
	switch word {
	case "all":
		return AllPermissions, nil
	case "read", "":
		return ReadOnly, nil
	}
	for i, name := range permissionNames {
		if word == name {
			return 1 << i, nil
		}
	}
	return 0, fmt.Errorf("there is no permission %q: use all, read, or some of %s", word, strings.Join(permissionNames, ", "))
}

// Value stores the set as words.
func (p Permissions) Value() (driver.Value, error) { return p.String(), nil }

// Scan reads the stored words.
func (p *Permissions) Scan(v any) error {
	var text string
	switch v := v.(type) {
	case string:
		text = v
	case []byte:
		text = string(v)
	default:
		return fmt.Errorf("permissions are stored as text, not as %T", v)
	}
	var err error
	*p, err = ParsePermissions(text)
	return err
}

// MarshalText gives the words to JSON.
func (p Permissions) MarshalText() ([]byte, error) { return []byte(p.String()), nil }
