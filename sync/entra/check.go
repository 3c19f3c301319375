package entra

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	dirsync "github.com/rollcall-id/rollcall/sync"
	"github.com/rollcall-id/rollcall/sync/cloud"
)

// A need is a permission that a directory takes, the least one first, and those that hold it.
type need struct {
	anyOf []string
	what  string
}

var (
	needUsers  = need{[]string{"User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}, "read users"}
	needGroups = need{[]string{
		"GroupMember.Read.All", "GroupMember.ReadWrite.All", "Group.Read.All", "Group.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All",
	}, "read groups and their members"}
)

const readHidden = "Member.Read.Hidden"

func (n need) met(roles []string) bool {
	return slices.ContainsFunc(n.anyOf, func(p string) bool { return slices.Contains(roles, p) })
}

func (n need) missing() string {
	return fmt.Sprintf("%s (to %s): add it in Entra under App registrations, API permissions, Microsoft Graph, Application permissions, and grant admin consent", n.anyOf[0], n.what)
}

// Check gets a token, looks at the permissions in it, tries what a run does first, and finds out
// when the secret ends.
func (s *Source) Check(ctx context.Context) (dirsync.Report, error) {
	var report dirsync.Report
	token, err := s.tokens.Get(ctx, "")
	if err != nil {
		return report, err
	}
	roles, told := rolesOf(token)
	report.Granted = roles

	usersOK, err := s.mayReadUsers(ctx)
	if err != nil {
		return report, err
	}
	groupsOK, err := s.mayReadGroups(ctx)
	if err != nil {
		return report, err
	}
	// What was tried counts more than what the token says, except that a trial which found
	// nothing to read proves nothing.
	for _, n := range []struct {
		need
		ok bool
	}{{needUsers, usersOK}, {needGroups, groupsOK}} {
		switch {
		case !n.ok, told && !n.met(roles):
			report.Missing = append(report.Missing, n.missing())
		case !told:
			report.Granted = append(report.Granted, n.anyOf[0])
		}
	}
	if !told {
		report.Notes = append(report.Notes, "The access token doesn't tell its permissions; they were tried.")
	} else if !slices.Contains(roles, readHidden) {
		report.Notes = append(report.Notes, "Without "+readHidden+" groups with hidden membership can't be read: what is known of their members stays.")
	}
	if skew := s.client.Skew(); skew.Abs() >= time.Minute {
		report.Notes = append(report.Notes, "The clocks differ: "+clock(skew)+".")
	}
	report.SecretEnds, err = s.secretEnds(ctx)
	return report, err
}

// rolesOf reads the permissions from an access token, which nobody but Graph has to understand:
// false when it is no JWT. Its signature is Graph's to check.
func rolesOf(token cloud.Token) ([]string, bool) {
	parts := strings.Split(strings.TrimPrefix(token.Header, "Bearer "), ".")
	if len(parts) != 3 {
		return nil, false
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return nil, false
	}
	var claims struct {
		Roles []string `json:"roles"`
	}
	if json.Unmarshal(payload, &claims) != nil {
		return nil, false
	}
	slices.Sort(claims.Roles)
	return claims.Roles, true
}

// mayReadUsers tries to read users. Without the permission Graph refuses, or gives an id and nulls.
func (s *Source) mayReadUsers(ctx context.Context) (bool, error) {
	var page userPage
	err := s.client.Do(ctx, cloud.Request{
		URL: "/users?$select=" + s.users.fields + "&$top=20",
		Take: func(a cloud.Answer) (err error) {
			page, err = s.users.decode(a.Body)
			return err
		},
	})
	if cloud.Answered(err, http.StatusForbidden) {
		return false, nil
	}
	return withheld(page.users) == nil, err
}

// mayReadGroups tries to read groups, and the members of one that doesn't hide them. One that can
// be read is enough.
func (s *Source) mayReadGroups(ctx context.Context) (bool, error) {
	var page struct {
		Value []struct {
			ID         string `json:"id"`
			Visibility string `json:"visibility"`
		} `json:"value"`
	}
	err := s.client.Do(ctx, cloud.Request{URL: "/groups?$select=id,visibility&$top=20", Take: func(a cloud.Answer) error {
		return json.Unmarshal(a.Body, &page)
	}})
	if err != nil {
		return false, unless403(err)
	}
	refused := false
	for _, g := range page.Value {
		if g.Visibility == "HiddenMembership" {
			continue
		}
		err := s.client.Do(ctx, cloud.Request{URL: "/groups/" + url.PathEscape(g.ID) + "/members?$select=id&$top=1"})
		switch {
		case err == nil:
			return true, nil
		case cloud.Answered(err, http.StatusForbidden):
			refused = true
		case !gone(err): // one that is was deleted since
			return false, err
		}
	}
	return !refused, nil
}

func unless403(err error) error {
	if cloud.Answered(err, http.StatusForbidden) {
		return nil
	}
	return err
}

// secretEnds is when the certificate ends, or the secret, where Graph tells: that takes a
// permission which a directory doesn't need. Zero: unknown.
func (s *Source) secretEnds(ctx context.Context) (time.Time, error) {
	if s.credentials.certificate != nil {
		return s.credentials.certificate.leaf.NotAfter, nil
	}
	if s.credentials.secret == "" {
		return time.Time{}, nil
	}
	var application struct {
		Secrets []passwordCredential `json:"passwordCredentials"`
	}
	path := "/applications(appId='" + url.PathEscape(s.clientID) + "')?$select=passwordCredentials"
	err := s.client.Do(ctx, cloud.Request{URL: path, Take: func(a cloud.Answer) error {
		return json.Unmarshal(a.Body, &application)
	}})
	if refused := cloud.Refusal(err); refused != nil && refused.Status/100 == 4 { // not permitted, or not known in this cloud
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, err
	}
	return endOf(application.Secrets, s.credentials.secret.Reveal(), s.now()), nil
}

// A passwordCredential is what Graph tells of a secret.
type passwordCredential struct {
	Hint string    `json:"hint"` // its first three characters
	End  time.Time `json:"endDateTime"`
}

// endOf finds the secret's end by its hint; of several that begin alike, the first to end.
func endOf(all []passwordCredential, secret string, now time.Time) time.Time {
	var end time.Time
	for _, c := range all {
		if c.Hint == "" || !strings.HasPrefix(secret, c.Hint) || c.End.Before(now) {
			continue
		}
		if end.IsZero() || c.End.Before(end) {
			end = c.End
		}
	}
	return end
}
