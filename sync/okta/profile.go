package okta

import (
	"fmt"
	"strings"
	"time"

	"github.com/rollcall-id/rollcall/models"
	dirsync "github.com/rollcall-id/rollcall/sync"
)

// status is what a status of Okta's means here.
type status byte

const (
	active   status = iota
	inactive        // there, and may not log in
	absent          // not one of the directory's users: not yet, or no more
)

// A statuses says what each status of Okta's means.
type statuses map[string]status

// readStatuses gives Okta's statuses, with further ones that count as inactive.
func readStatuses(further []string) (statuses, error) {
	s := statuses{
		"ACTIVE":           active,
		"PASSWORD_EXPIRED": active, // of Okta's own password; that is no matter of ours
		"LOCKED_OUT":       active,
		"RECOVERY":         active,
		"PROVISIONED":      active, // has no password at Okta yet: many come from elsewhere
		"SUSPENDED":        inactive,
		"STAGED":           absent, // was never activated
		// Deactivated for good. Okta leaves such accounts in all their groups, for years: as one
		// that is no longer there it becomes inactive at once and is removed later.
		"DEPROVISIONED": absent,
	}
	for _, name := range further {
		if is, known := s[name]; !known || is == absent {
			return nil, fmt.Errorf("inactive-statuses: %s: choose from ACTIVE, PASSWORD_EXPIRED, LOCKED_OUT, RECOVERY, PROVISIONED", name)
		}
		s[name] = inactive
	}
	return s, nil
}

// of says what a user's status means. One that Okta may invent lets nobody in.
func (s statuses) of(u *oktaUser) status {
	if is, known := s[u.Status]; known {
		return is
	}
	return inactive
}

// known says whether somebody is one of the directory's users.
func (s statuses) known(u *oktaUser) bool { return s.of(u) != absent }

// An oktaUser is a user in Okta's words.
type oktaUser struct {
	ID          string    `json:"id"`
	Status      string    `json:"status"`
	LastUpdated time.Time `json:"lastUpdated"`
	Profile     struct {
		Login       string `json:"login"`
		Email       string `json:"email"`
		FirstName   string `json:"firstName"`
		LastName    string `json:"lastName"`
		DisplayName string `json:"displayName"`
	} `json:"profile"`

	attributes []models.Attribute
}

// user is the only place that knows what Okta's fields are to us.
func (s *Source) user(u *oktaUser) dirsync.User {
	p := &u.Profile
	display := p.DisplayName
	if display == "" {
		display = strings.TrimSpace(p.FirstName + " " + p.LastName)
	}
	return dirsync.User{
		ID: u.ID, Login: p.Login, Mail: p.Email, First: p.FirstName, Last: p.LastName, Display: display,
		Active: s.statuses.of(u) == active, Attributes: u.attributes,
	}
}

// decodeUsers reads a page of users, with the attributes that were asked for.
func (s *Source) decodeUsers(body []byte) ([]oktaUser, error) {
	users, err := decodeList(body, func(u *oktaUser) bool { return u.ID != "" && u.Status != "" })
	if err != nil {
		return nil, err
	}
	return users, s.attributes.read(body, users)
}

// An oktaGroup is a group in Okta's words. Its groups are flat.
type oktaGroup struct {
	ID                    string    `json:"id"`
	Type                  string    `json:"type"`
	LastUpdated           time.Time `json:"lastUpdated"`
	LastMembershipUpdated time.Time `json:"lastMembershipUpdated"`
	Profile               struct {
		Name        string `json:"name"`
		Description string `json:"description"`
	} `json:"profile"`
}

func (g *oktaGroup) group() dirsync.Group {
	return dirsync.Group{ID: g.ID, Name: g.Profile.Name, Description: g.Profile.Description}
}

const builtIn = "BUILT_IN" // the type of groups that Okta makes

// everybody tells whether a group is the one of all users.
func (g *oktaGroup) everybody() bool { return g.Type == builtIn && g.Profile.Name == "Everyone" }

func decodeGroups(body []byte) ([]oktaGroup, error) {
	return decodeList(body, func(g *oktaGroup) bool { return g.ID != "" })
}
