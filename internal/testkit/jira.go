package testkit

import (
	"cmp"
	"errors"
	"fmt"
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

// Plain gives the picture without groups that have nobody, for comparing.
func (p Picture) Plain() Picture {
	out := Picture{Users: p.Users, Groups: p.Groups, Members: maps.Clone(p.Members), Children: maps.Clone(p.Children)}
	none := func(_ string, list []string) bool { return len(list) == 0 }
	maps.DeleteFunc(out.Members, none)
	maps.DeleteFunc(out.Children, none)
	return out
}

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
