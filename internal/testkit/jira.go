package testkit

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// A Jira is a re-enactment of an Atlassian product with a Crowd directory. It is not Jira, and
// no line of it is Atlassian's: it does, step by step and with the same requests, what their
// client is known to do, and keeps a copy of the directory of its own as they do.
//
//	Test        "test settings": one search
//	Sync        incremental when it holds a token, else, or when that fails, full
//	Login       authentication, then the user's memberships
//	CreateUser, RemoveUser, AddMember …   writes, which it takes over into its copy
type Jira struct {
	t      testing.TB
	app    App
	client *http.Client
	token  string // of the last synchronisation; empty: none

	Copy  Picture
	Fulls int // full synchronisations so far
	Steps int // events applied so far
}

// A Picture is a copy of a directory, by lower-case names.
type Picture struct {
	Users    map[string]JiraUser
	Groups   map[string]JiraGroup
	Members  map[string][]string // of a group, ordered
	Children map[string][]string
}

// A JiraUser is what is kept of a user.
type JiraUser struct {
	Name, First, Last, Display, Email, Key string
	Active                                 bool
}

// A JiraGroup is what is kept of a group.
type JiraGroup struct {
	Name, Description string
	Active            bool
}

// NewJira makes one that has seen nothing yet.
func NewJira(t testing.TB, app App) *Jira {
	return &Jira{t: t, app: app, client: &http.Client{Timeout: time.Minute}, Copy: newPicture()}
}

func newPicture() Picture {
	return Picture{Users: map[string]JiraUser{}, Groups: map[string]JiraGroup{}, Members: map[string][]string{}, Children: map[string][]string{}}
}

// The wire forms, as far as the product reads them. A missing active is false, as in Java.
type (
	jiraUser struct {
		Name    string `xml:"name,attr"`
		First   string `xml:"first-name"`
		Last    string `xml:"last-name"`
		Display string `xml:"display-name"`
		Email   string `xml:"email"`
		Key     string `xml:"key"`
		Active  bool   `xml:"active"`
	}
	jiraGroup struct {
		Name        string `xml:"name,attr"`
		Description string `xml:"description"`
		Type        string `xml:"type"`
		Active      bool   `xml:"active"`
	}
	jiraMembership struct {
		Group  string      `xml:"group,attr"`
		Users  *[]jiraUser `xml:"users>user"`
		Groups []jiraGroup `xml:"groups>group"`
	}
	jiraEvents struct {
		Token     string      `xml:"newEventToken,attr"`
		Available string      `xml:"incrementalSynchronisationAvailable,attr"`
		Events    []jiraEvent `xml:",any"`
	}
	jiraEvent struct {
		XMLName   xml.Name
		Operation string      `xml:"operation"`
		User      *jiraUser   `xml:"user"`
		Group     *jiraGroup  `xml:"group"`
		Child     *jiraUser   `xml:"childUser"`
		Parents   []jiraGroup `xml:"parentGroups>group"`
		Children  []jiraGroup `xml:"childGroups>group"`
	}
	jiraError struct {
		Reason  string `xml:"reason"`
		Message string `xml:"message"`
	}
)

// A JiraFailure is how the product's client understands a refusal.
type JiraFailure struct {
	Status int
	Reason string
}

// Error says what was refused.
func (f *JiraFailure) Error() string { return fmt.Sprintf("%d %s", f.Status, f.Reason) }

// call sends one request as the client does and reads the answer into a value.
func (j *Jira) call(method, path, body string, into any) error {
	req, err := http.NewRequestWithContext(j.t.Context(), method, j.app.URL+"/rest/usermanagement/1"+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.SetBasicAuth(j.app.Name, j.app.Password)
	req.Header.Set("Accept", "application/xml")
	req.Header.Set("X-Atlassian-Token", "no-check")
	if body != "" {
		req.Header.Set("Content-Type", "application/xml; charset=UTF-8")
	}
	res, err := j.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.Header.Get("X-Embedded-Crowd-Version") == "" {
		return fmt.Errorf("%s %s: not a valid Crowd User Management REST service (%d)", method, path, res.StatusCode)
	}
	if res.StatusCode >= 300 {
		var failure jiraError
		if err := xml.Unmarshal(data, &failure); err != nil && res.StatusCode != 401 && res.StatusCode != 403 {
			return fmt.Errorf("%s %s: %d without an error entity: %w", method, path, res.StatusCode, err)
		}
		return &JiraFailure{res.StatusCode, failure.Reason}
	}
	if into == nil || len(bytes.TrimSpace(data)) == 0 {
		return nil
	}
	if err := xml.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%s %s: the answer is no XML: %w", method, path, err)
	}
	return nil
}

// Moved tells where the server is now.
func (j *Jira) Moved(app App) { j.app = app }

// Do sends a request of another kind: what a script does with the same credentials.
func (j *Jira) Do(method, path, body string) error { return j.call(method, path, body, nil) }

// Test is what "test settings" does: one search for users without a name.
func (j *Jira) Test() error {
	const body = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?><property-search-restriction><property><name>name</name><type>STRING</type></property><match-mode>NULL</match-mode></property-search-restriction>`
	return j.call(http.MethodPost, "/search?entity-type=user&start-index=0&max-results=1&expand=user", body, nil)
}

// Sync brings the copy up to date and tells whether that took a full synchronisation.
func (j *Jira) Sync() (full bool, err error) {
	if token := j.token; token != "" {
		j.token = "" // any failure means: full next
		if err := j.incremental(token); err == nil {
			return false, nil
		}
	}
	return true, j.Full()
}

// Full reads everything.
func (j *Jira) Full() error {
	const everything = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?><null-search-restriction/>`
	j.Fulls++
	if _, err := j.eventToken(); err != nil {
		return err
	}
	var users struct {
		Users []jiraUser `xml:"user"`
	}
	if err := j.call(http.MethodPost, "/search?entity-type=user&start-index=0&max-results=-1&expand=user", everything, &users); err != nil {
		return err
	}
	var groups struct {
		Groups []jiraGroup `xml:"group"`
	}
	if err := j.call(http.MethodPost, "/search?entity-type=group&start-index=0&max-results=-1&expand=group", everything, &groups); err != nil {
		return err
	}
	var memberships struct {
		Memberships []jiraMembership `xml:"membership"`
	}
	if err := j.call(http.MethodGet, "/group/membership", "", &memberships); err != nil {
		return err
	}
	token, err := j.eventToken()
	if err != nil {
		return err
	}
	next := newPicture()
	for _, u := range users.Users {
		next.Users[low(u.Name)] = u.kept()
	}
	for _, g := range groups.Groups {
		if g.Type != "GROUP" {
			return fmt.Errorf("group %s has the type %q", g.Name, g.Type)
		}
		next.Groups[low(g.Name)] = g.kept()
		// A group that isn't in the dump keeps its old members.
		next.Members[low(g.Name)] = slices.DeleteFunc(slices.Clone(j.Copy.Members[low(g.Name)]), func(u string) bool { _, ok := next.Users[u]; return !ok })
		next.Children[low(g.Name)] = slices.Clone(j.Copy.Children[low(g.Name)])
	}
	seen := map[string]bool{}
	for _, m := range memberships.Memberships {
		key := low(m.Group)
		if seen[key] {
			return fmt.Errorf("group %s stands twice in the memberships", m.Group)
		}
		seen[key] = true
		if _, ok := next.Groups[key]; !ok {
			continue
		}
		next.Members[key], next.Children[key] = nil, nil
		if m.Users != nil {
			for _, u := range *m.Users {
				if _, ok := next.Users[low(u.Name)]; ok {
					next.Members[key] = with(next.Members[key], u.Name)
				}
			}
		}
		for _, g := range m.Groups {
			next.Children[key] = with(next.Children[key], g.Name)
		}
	}
	j.Copy, j.token = next, token
	return nil
}

// eventToken asks where the events begin; failures only mean that there are none.
func (j *Jira) eventToken() (string, error) {
	var events jiraEvents
	if err := j.call(http.MethodGet, "/event", "", &events); err != nil {
		if failure, ok := errors.AsType[*JiraFailure](err); ok && failure.Status < 500 {
			return "", nil
		}
		return "", err
	}
	if events.Available != "true" {
		return "", nil
	}
	return events.Token, nil
}

func (j *Jira) incremental(token string) error {
	var page jiraEvents
	if err := j.call(http.MethodGet, "/event/"+strings.ReplaceAll(url.PathEscape(token), ":", "%3A"), "", &page); err != nil {
		return err
	}
	if page.Available != "true" {
		return errors.New("incremental synchronisation is not available")
	}
	for i := range page.Events {
		if err := j.apply(&page.Events[i]); err != nil {
			return fmt.Errorf("event %d, %s %s: %w", i, page.Events[i].XMLName.Local, page.Events[i].Operation, err)
		}
		j.Steps++
	}
	j.token = page.Token
	return nil
}

func (j *Jira) apply(e *jiraEvent) error {
	switch e.XMLName.Local {
	case "userEvent":
		if e.Operation == "DELETED" {
			j.dropUser(e.User.Name)
			return nil
		}
		j.Copy.Users[low(e.User.Name)] = e.User.kept()
	case "groupEvent":
		if e.Operation == "DELETED" {
			j.dropGroup(e.Group.Name)
			return nil
		}
		j.Copy.Groups[low(e.Group.Name)] = e.Group.kept()
	case "userMembershipEvent":
		if _, ok := j.Copy.Users[low(e.Child.Name)]; !ok && e.Operation != "DELETED" {
			return fmt.Errorf("user %s is unknown", e.Child.Name)
		}
		return j.relate(j.Copy.Members, e.Operation, e.Child.Name, e.Parents)
	case "groupMembershipEvent":
		if _, ok := j.Copy.Groups[low(e.Group.Name)]; !ok && e.Operation != "DELETED" {
			return fmt.Errorf("group %s is unknown", e.Group.Name)
		}
		return j.relate(j.Copy.Children, e.Operation, e.Group.Name, e.Parents)
	default:
		return errors.New("unknown event")
	}
	return nil
}

// relate adds a member to groups, removes it from them, or makes them all its groups.
func (j *Jira) relate(of map[string][]string, operation, member string, parents []jiraGroup) error {
	for _, g := range parents {
		if _, ok := j.Copy.Groups[low(g.Name)]; !ok && operation != "DELETED" {
			return fmt.Errorf("group %s is unknown", g.Name)
		}
	}
	if operation == "UPDATED" {
		for g := range of {
			of[g] = without(of[g], member)
		}
	}
	for _, g := range parents {
		if operation == "DELETED" {
			of[low(g.Name)] = without(of[low(g.Name)], member)
		} else {
			of[low(g.Name)] = with(of[low(g.Name)], member)
		}
	}
	return nil
}

// Login logs a person in and refreshes the memberships of the one who came.
func (j *Jira) Login(name, password string) error {
	var u jiraUser
	body := "<password><value>" + escape(password) + "</value></password>"
	if err := j.call(http.MethodPost, "/authentication?username="+url.QueryEscape(name), body, &u); err != nil {
		return err
	}
	for key, known := range j.Copy.Users { // the same external id under another name: a rename
		if known.Key == u.Key && key != low(u.Name) {
			j.rename(key, low(u.Name))
		}
	}
	j.Copy.Users[low(u.Name)] = u.kept()
	var groups struct {
		Groups []jiraGroup `xml:"group"`
	}
	if err := j.call(http.MethodGet, "/user/group/direct?username="+url.QueryEscape(u.Name)+"&start-index=0&max-results=-1", "", &groups); err != nil {
		return err
	}
	if len(groups.Groups) == 0 {
		return nil // an empty list removes nothing
	}
	for g := range j.Copy.Members {
		j.Copy.Members[g] = without(j.Copy.Members[g], u.Name)
	}
	for _, g := range groups.Groups {
		if _, ok := j.Copy.Groups[low(g.Name)]; ok {
			j.Copy.Members[low(g.Name)] = with(j.Copy.Members[low(g.Name)], u.Name)
		}
	}
	return nil
}

func (j *Jira) rename(from, to string) {
	delete(j.Copy.Users, from)
	for g, members := range j.Copy.Members {
		if slices.Contains(members, from) {
			j.Copy.Members[g] = with(without(members, from), to)
		}
	}
}

// CreateUser creates a user, and reads it again as the client does.
func (j *Jira) CreateUser(name, mail, password string) error {
	body := fmt.Sprintf(`<user name="%s"><first-name>%s</first-name><last-name>L</last-name><display-name>%s L</display-name><email>%s</email><active>true</active><password><value>%s</value></password></user>`,
		escape(name), escape(name), escape(name), escape(mail), escape(password))
	var u jiraUser
	if err := j.call(http.MethodPost, "/user", body, nil); err != nil {
		return err
	}
	if err := j.call(http.MethodGet, "/user?username="+url.QueryEscape(name)+"&expand=attributes", "", &u); err != nil {
		return err
	}
	j.Copy.Users[low(u.Name)] = u.kept()
	return nil
}

// RemoveUser deletes a user.
func (j *Jira) RemoveUser(name string) error {
	if err := j.call(http.MethodDelete, "/user?username="+url.QueryEscape(name), "", nil); err != nil {
		return err
	}
	j.dropUser(name)
	return nil
}

// CreateGroup creates a group, and reads it again.
func (j *Jira) CreateGroup(name string) error {
	body := fmt.Sprintf(`<group name="%s"><type>GROUP</type><description>by Jira</description><active>true</active></group>`, escape(name))
	var g jiraGroup
	if err := j.call(http.MethodPost, "/group", body, nil); err != nil {
		return err
	}
	if err := j.call(http.MethodGet, "/group?groupname="+url.QueryEscape(name), "", &g); err != nil {
		return err
	}
	j.Copy.Groups[low(g.Name)] = g.kept()
	return nil
}

// AddMember puts a user into a group.
func (j *Jira) AddMember(user, group string) error {
	body := fmt.Sprintf(`<user name="%s"/>`, escape(user))
	if err := j.call(http.MethodPost, "/group/user/direct?groupname="+url.QueryEscape(group), body, nil); err != nil {
		return err
	}
	j.Copy.Members[low(group)] = with(j.Copy.Members[low(group)], user)
	return nil
}

// RemoveMember takes a user out of a group.
func (j *Jira) RemoveMember(user, group string) error {
	if err := j.call(http.MethodDelete, "/group/user/direct?groupname="+url.QueryEscape(group)+"&username="+url.QueryEscape(user), "", nil); err != nil {
		return err
	}
	j.Copy.Members[low(group)] = without(j.Copy.Members[low(group)], user)
	return nil
}

func (j *Jira) dropUser(name string) {
	delete(j.Copy.Users, low(name))
	for g := range j.Copy.Members {
		j.Copy.Members[g] = without(j.Copy.Members[g], name)
	}
}

func (j *Jira) dropGroup(name string) {
	key := low(name)
	delete(j.Copy.Groups, key)
	delete(j.Copy.Members, key)
	delete(j.Copy.Children, key)
	for g := range j.Copy.Children {
		j.Copy.Children[g] = without(j.Copy.Children[g], name)
	}
}

// Plain gives the picture without groups that have nobody, for comparing.
func (p Picture) Plain() Picture {
	out := Picture{Users: p.Users, Groups: p.Groups, Members: maps.Clone(p.Members), Children: maps.Clone(p.Children)}
	none := func(_ string, list []string) bool { return len(list) == 0 }
	maps.DeleteFunc(out.Members, none)
	maps.DeleteFunc(out.Children, none)
	return out
}

func (u *jiraUser) kept() JiraUser {
	return JiraUser{u.Name, u.First, u.Last, u.Display, u.Email, u.Key, u.Active}
}

func (g *jiraGroup) kept() JiraGroup { return JiraGroup{g.Name, g.Description, g.Active} }

func low(name string) string { return strings.ToLower(name) }

func with(list []string, name string) []string {
	i, found := slices.BinarySearchFunc(list, low(name), cmp.Compare[string])
	if found {
		return list
	}
	return slices.Insert(slices.Clone(list), i, low(name))
}

func without(list []string, name string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return s == low(name) })
}

func escape(text string) string {
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(text)); err != nil { // a Builder never fails
		panic(err)
	}
	return b.String()
}
