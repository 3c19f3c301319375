package google

import (
	"cmp"
	"errors"
	"strings"

	admin "google.golang.org/api/admin/directory/v1"

	dirsync "github.com/rollcall-id/rollcall/sync"
)

// A userReader turns Google's users into ours.
type userReader struct {
	fields     string // those that we ask for
	schemas    string // the customer's own ones, by schema
	attributes []attribute
}

const usualFields = "id,primaryEmail,name(givenName,familyName,fullName,displayName),suspended,archived,isGuestUser"

const kindUsers = "admin#directory#users"

var errNameless = errors.New("the answer has a user without an id or an address")

func (r userReader) read(list *admin.Users) ([]dirsync.User, error) {
	if err := notGoogles(list.Kind, kindUsers); err != nil {
		return nil, err
	}
	users := make([]dirsync.User, len(list.Users))
	for i, u := range list.Users {
		if u == nil || u.Id == "" || u.PrimaryEmail == "" {
			return nil, errNameless
		}
		users[i] = r.user(u)
	}
	return users, nil
}

func (r userReader) user(u *admin.User) dirsync.User {
	user := dirsync.User{
		ID: u.Id, Login: u.PrimaryEmail, Mail: u.PrimaryEmail,
		Active: !u.Suspended && !u.Archived,
		Guest:  u.IsGuestUser,
	}
	if n := u.Name; n != nil {
		user.First, user.Last = n.GivenName, n.FamilyName
		user.Display = cmp.Or(n.DisplayName, n.FullName, strings.TrimSpace(n.GivenName+" "+n.FamilyName))
	}
	for _, a := range r.attributes {
		if values := a.of(u); len(values) > 0 {
			user.Attributes = append(user.Attributes, a.with(values))
		}
	}
	return user
}

// group is Google's group. Names aren't unique there, addresses are.
func group(g *admin.Group) dirsync.Group {
	return dirsync.Group{ID: g.Id, Name: cmp.Or(g.Name, g.Email), Mail: g.Email, Description: g.Description}
}

// member is Google's member. One of type USER whom no list of users has is an account elsewhere:
// Google doesn't say so here.
func member(m *admin.Member) dirsync.Member {
	kind := dirsync.MemberOther // EXTERNAL, OTHER, and what there will be
	switch m.Type {
	case "USER":
		kind = dirsync.MemberUser
	case "GROUP":
		kind = dirsync.MemberGroup
	case "CUSTOMER":
		kind = dirsync.MemberEverybody
	}
	return dirsync.Member{ID: m.Id, Kind: kind}
}
