package testkit

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"strings"
)

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

func (u *jiraUser) kept() JiraUser {
	return JiraUser{u.Name, u.First, u.Last, u.Display, u.Email, u.Key, u.Active}
}

func (g *jiraGroup) kept() JiraGroup { return JiraGroup{g.Name, g.Description, g.Active} }

func escape(text string) string {
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(text)); err != nil { // a Builder never fails
		panic(err)
	}
	return b.String()
}
