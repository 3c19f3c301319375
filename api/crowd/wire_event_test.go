package crowd

import (
	"testing"

	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/models"
)

var eventsBase = newLinks("http://host:8095/crowd/rest/usermanagement/1")

// Typed in from Crowd's reference.
func TestEventsOnTheWire(t *testing.T) {
	t.Parallel()
	bob := &application.User{User: models.User{DirectoryID: 1, Name: "bob", FirstName: "Bob", LastName: "B", DisplayName: "Bob B",
		Email: "bob@example.net", Active: true, ExternalID: "1f0e"}}
	devs := &models.Group{Name: "devs", Description: "x", Active: true}
	for _, c := range []struct {
		name          string
		event         application.Event
		inXML, inJSON string
	}{
		{
			name: "a user with attributes",
			event: application.Event{Operation: application.Created, User: bob,
				Stored: []models.Attribute{{Name: "dept", Values: []string{"Ops", "R&D"}}}},
			inXML: `<userEvent><operation>CREATED</operation>` +
				`<storedAttributes><attribute name="dept"><values><value>Ops</value><value>R&amp;D</value></values></attribute></storedAttributes>` +
				`<user name="bob"><link href="http://host:8095/crowd/rest/usermanagement/1/user?username=bob" rel="self"/>` +
				`<first-name>Bob</first-name><last-name>B</last-name><display-name>Bob B</display-name><email>bob@example.net</email>` +
				`<key>1:1f0e</key><active>true</active></user></userEvent>`,
			inJSON: `{"operation":"CREATED","storedAttributes":{"attributes":[{"name":"dept","values":["Ops","R&D"]}]},` +
				`"user":{"link":{"href":"http://host:8095/crowd/rest/usermanagement/1/user?username=bob","rel":"self"},"name":"bob",` +
				`"first-name":"Bob","last-name":"B","display-name":"Bob B","email":"bob@example.net","key":"1:1f0e","active":true}}`,
		},
		{
			name:  "a user who is gone",
			event: application.Event{Operation: application.Deleted, User: &application.User{User: models.User{Name: `e"v e`}}},
			inXML: `<userEvent><operation>DELETED</operation><user name="e&quot;v e">` +
				`<link href="http://host:8095/crowd/rest/usermanagement/1/user?username=e%22v+e" rel="self"/></user></userEvent>`,
			inJSON: `{"operation":"DELETED","user":{"link":{"href":"http://host:8095/crowd/rest/usermanagement/1/user?username=e%22v+e","rel":"self"},"name":"e\"v e"}}`,
		},
		{
			name:  "a group that lost an attribute",
			event: application.Event{Operation: application.Updated, Group: devs, Removed: []string{"old"}},
			inXML: `<groupEvent><operation>UPDATED</operation><deletedAttributes><attribute name="old"/></deletedAttributes>` +
				`<group name="devs"><link href="http://host:8095/crowd/rest/usermanagement/1/group?groupname=devs" rel="self"/>` +
				`<description>x</description><type>GROUP</type><active>true</active></group></groupEvent>`,
			inJSON: `{"operation":"UPDATED","deletedAttributes":{"attributes":[{"name":"old","values":[]}]},` +
				`"group":{"link":{"href":"http://host:8095/crowd/rest/usermanagement/1/group?groupname=devs","rel":"self"},` +
				`"name":"devs","description":"x","type":"GROUP","active":true}}`,
		},
		{
			name:  "a group that is gone",
			event: application.Event{Operation: application.Deleted, Group: devs},
			inXML: `<groupEvent><operation>DELETED</operation><group name="devs">` +
				`<link href="http://host:8095/crowd/rest/usermanagement/1/group?groupname=devs" rel="self"/></group></groupEvent>`,
			inJSON: `{"operation":"DELETED","group":{"link":{"href":"http://host:8095/crowd/rest/usermanagement/1/group?groupname=devs","rel":"self"},"name":"devs"}}`,
		},
		{
			name:  "a user joins a group",
			event: application.Event{Operation: application.Created, User: bob, Parents: []string{"devs"}},
			inXML: `<userMembershipEvent><operation>CREATED</operation><childUser name="bob"/>` +
				`<parentGroups><group name="devs"/></parentGroups></userMembershipEvent>`,
			inJSON: `{"operation":"CREATED","childUser":{"name":"bob"},"parentGroups":{"groups":[{"name":"devs"}]}}`,
		},
		{
			name:  "a group leaves a group",
			event: application.Event{Operation: application.Deleted, Group: devs, Parents: []string{"staff"}},
			inXML: `<groupMembershipEvent><operation>DELETED</operation><group name="devs"/>` +
				`<parentGroups><group name="staff"/></parentGroups><childGroups/></groupMembershipEvent>`,
			inJSON: `{"operation":"DELETED","group":{"name":"devs"},"parentGroups":{"groups":[{"name":"staff"}]},"childGroups":{"groups":[]}}`,
		},
	} {
		list := eventList{eventsBase, "8423648238462:23", []application.Event{c.event, c.event}}
		wantXML := `<events newEventToken="8423648238462:23" incrementalSynchronisationAvailable="true">` + c.inXML + c.inXML + `</events>`
		wantJSON := `{"newEventToken":"8423648238462:23","incrementalSynchronisationAvailable":true,"events":[` + c.inJSON + "," + c.inJSON + `]}`
		isWritten(t, c.name, list, wantXML, wantJSON)
	}
	isWritten(t, "nothing", eventList{eventsBase, "8423648238462:17", nil},
		`<events newEventToken="8423648238462:17" incrementalSynchronisationAvailable="true"/>`,
		`{"newEventToken":"8423648238462:17","incrementalSynchronisationAvailable":true,"events":[]}`)
}

func isWritten(t *testing.T, name string, e api.Entity, wantXML, wantJSON string) {
	t.Helper()
	if got := string(e.AppendXML(nil)); got != wantXML {
		t.Errorf("%s is\n%s\nwant\n%s", name, got, wantXML)
	}
	if got := string(e.AppendJSON(nil)); got != wantJSON {
		t.Errorf("%s is\n%s\nwant\n%s", name, got, wantJSON)
	}
}
