package main

import (
	"fmt"
	"strings"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/server"
)

// A demoLine is one thing to try, in XML and in JSON: a method is GET unless there is a body.
type demoLine struct {
	title     string
	path      string
	xml, json string // the body
}

var demoLines = []demoLine{
	{title: "A user: both directories have an ada, and the first one wins", path: "/user?username=ada"},
	{
		title: "Is that her password?", path: "/authentication?username=ada",
		xml: `<password><value>difference</value></password>`, json: `{"value":"difference"}`,
	},
	{title: "Her groups and the groups they are in; sales, a sister of engineering, isn't among them", path: "/user/group/nested?username=ada"},
	{title: "Everybody in a group, through other groups too", path: "/group/user/nested?groupname=everyone"},
	{title: "A search in Crowd's query language", path: "/search?entity-type=user&expand=user&restriction=email%3D*%40staff.example"},
	{
		title: "Create a user (a second time the name is taken)", path: "/user",
		xml: `<user name="emmy"><first-name>Emmy</first-name><last-name>Noether</last-name><email>emmy@staff.example</email>` +
			`<active>true</active><password><value>invariant</value></password></user>`,
		json: `{"name":"mary","first-name":"Mary","last-name":"Somerville","email":"mary@staff.example","active":true,"password":{"value":"mechanism"}}`,
	},
}

// demoText is what a started demo says.
func demoText(c server.Config, listen, management string, password models.Secret) string {
	base, insecure := "http://"+listen, ""
	if c.TLSCertFile != "" {
		base, insecure = "https://"+listen, "-k "
	}
	var b strings.Builder
	fmt.Fprintf(&b, `
Rollcall serves a demo at %s/crowd: made-up people, made anew at each start.
Nobody but this machine can reach it. Stop it with Ctrl-C.

  application  %s, password %s
`, base, demoApp, password.Reveal())
	for _, d := range demoDirectories {
		fmt.Fprintf(&b, "  directory    %s: %s\n", d.name, demoPeople(d.users))
	}
	b.WriteString("  groups       everyone contains engineering and sales, engineering contains backend\n")
	if management != "" {
		fmt.Fprintf(&b, "  health       http://%s/readyz?verbose\n", management)
	}
	b.WriteString("\nPaste these into another terminal:\n")
	for _, l := range demoLines {
		fmt.Fprintf(&b, "\n# %s\n", l.title)
		user := "curl -s " + insecure + "-u " + demoApp + ":" + password.Reveal()
		url := quotedURL(base + "/crowd/rest/usermanagement/1" + l.path)
		fmt.Fprintf(&b, "%s -H 'Accept: application/xml'%s %s\n", user, demoBody("xml", l.xml), url)
		fmt.Fprintf(&b, "%s -H 'Accept: application/json'%s %s\n", user, demoBody("json", l.json), url)
	}
	b.WriteString("\n")
	return b.String()
}

func demoPeople(users []demoUser) string {
	people := make([]string, len(users))
	for i, u := range users {
		people[i] = u.name + " (password " + u.password + ")"
		if !u.active {
			people[i] = u.name + " (inactive)"
		}
	}
	return strings.Join(people, ", ")
}

func demoBody(form, body string) string {
	if body == "" {
		return ""
	}
	return fmt.Sprintf(" -H 'Content-Type: application/%s' -d '%s'", form, body)
}

// quotedURL keeps a shell from reading "?" and "&".
func quotedURL(url string) string { return "'" + url + "'" }
