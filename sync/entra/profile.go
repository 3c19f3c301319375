package entra

import (
	"slices"
	"strings"

	dirsync "github.com/rollcall-id/rollcall/sync"
)

// graphUser has the fields of a user that we always ask for.
type graphUser struct {
	ID                string   `json:"id"`
	UserPrincipalName string   `json:"userPrincipalName"`
	DisplayName       string   `json:"displayName"`
	GivenName         string   `json:"givenName"`
	Surname           string   `json:"surname"`
	Mail              string   `json:"mail"`
	OtherMails        []string `json:"otherMails"`
	AccountEnabled    *bool    `json:"accountEnabled"`
	UserType          string   `json:"userType"`
	Removed           *removed `json:"@removed"` // in a delta query
}

// removed says why something is no longer there: "changed", as long as it can come back, or
// "deleted".
type removed struct {
	Reason string `json:"reason"`
}

const userFields = "id,userPrincipalName,displayName,givenName,surname,mail,otherMails,accountEnabled,userType"

// user is the only place that knows what Entra's fields of a user mean.
func (g *graphUser) user() dirsync.User {
	return dirsync.User{
		ID: g.ID, Login: g.UserPrincipalName, Mail: g.mail(),
		First: g.GivenName, Last: g.Surname, Display: g.DisplayName,
		// Null in old accounts that came from elsewhere; they may sign in.
		Active: g.AccountEnabled == nil || *g.AccountEnabled,
		// Not by "#EXT#" in the name: that is an account whose home is elsewhere, and such a one
		// may be a member.
		Guest: strings.EqualFold(g.UserType, "Guest"),
	}
}

// mail is the mailbox, else the first other address: guests often have no more than that.
func (g *graphUser) mail() string {
	if g.Mail != "" {
		return g.Mail
	}
	for _, other := range g.OtherMails {
		if at := strings.IndexByte(other, '@'); at > 0 && at < len(other)-1 {
			return other
		}
	}
	return ""
}

// graphGroup has the fields of a group that we ask for.
type graphGroup struct {
	ID              string        `json:"id"`
	DisplayName     string        `json:"displayName"`
	Description     string        `json:"description"`
	Mail            string        `json:"mail"`
	MailEnabled     bool          `json:"mailEnabled"`
	SecurityEnabled bool          `json:"securityEnabled"`
	GroupTypes      []string      `json:"groupTypes"`
	Removed         *removed      `json:"@removed"`      // in a delta query
	Members         []graphMember `json:"members@delta"` // in a delta query
}

const groupFields = "id,displayName,description,mail,mailEnabled,securityEnabled,groupTypes"

func (g *graphGroup) group() dirsync.Group {
	return dirsync.Group{ID: g.ID, Name: g.DisplayName, Mail: g.Mail, Description: g.Description}
}

// distribution tells a list for mail, which gives nobody access to anything, from a group.
func (g *graphGroup) distribution() bool {
	return g.MailEnabled && !g.SecurityEnabled && !slices.Contains(g.GroupTypes, "Unified")
}

// graphMember is a member of a group, or a group of a member.
type graphMember struct {
	Type    string   `json:"@odata.type"`
	ID      string   `json:"id"`
	Removed *removed `json:"@removed"` // in a delta query
}

func (m *graphMember) member() dirsync.Member {
	kind := dirsync.MemberOther
	switch m.Type {
	case "#microsoft.graph.user", "": // without the type: whoever looks the id up finds out
		kind = dirsync.MemberUser
	case typeGroup:
		kind = dirsync.MemberGroup
	}
	return dirsync.Member{ID: m.ID, Kind: kind}
}

const typeGroup = "#microsoft.graph.group"
