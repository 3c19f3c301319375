package crowd

import (
	"encoding/json"
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/login"
	"github.com/rollcall-id/rollcall/models"
)

// golden compares an answer with a file of testdata, typed in from Crowd's reference. It has
// line ends for the reader, which don't count; nothing rewrites it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.ReplaceAll(string(want), "\n", ""), got); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", name, diff)
	}
}

var host = newLinks("http://host:8095/crowd/rest/usermanagement/1")

const (
	created = models.Time(1709292645123)
	updated = models.Time(1709362800000)
)

func bob() *application.User {
	return &application.User{
		User: models.User{
			ID: 7, DirectoryID: 32769, Name: "bob", FirstName: "Bob", LastName: "Builder", DisplayName: "Bob Builder",
			Email: "bob@example.net", Active: true, ExternalID: "1f0e2d3c-aaaa-bbbb-cccc-0123456789ab",
			CreatedAt: created, UpdatedAt: updated,
		},
		DirectoryName: "Staff", Unaliased: "bob",
	}
}

// odd has a name with everything that needs an escape somewhere, and little else.
func odd() *application.User {
	return &application.User{
		User: models.User{
			DirectoryID: 1, Name: `zoë & <co> "1+1"/é`, LastName: "<b>", DisplayName: "a\x00b", ExternalID: "x",
		},
		DirectoryName: "Staff & more",
	}
}

func administrators() *models.Group { return &models.Group{Name: "crowd-administrators", Active: true} }

var department = []models.Attribute{{Name: "department", Values: []string{"R&D", "Ops"}}}

func bobsSession() *login.Session {
	return &login.Session{Token: "Dk9v0Yf3-_00", User: bob(), CreatedAt: created, ExpiresAt: created + 30*60*1000}
}

func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		name    string
		entity  api.Entity
		formats string
	}{
		{"user", wireUser(host, bob(), full, nil), "xml json"},
		{"user-attributes", wireUser(host, bob(), withAttributes, department), "xml"},
		{"user-odd", wireUser(host, odd(), full, nil), "xml"},
		{"users", userList{{links: host, name: "foo"}, {links: host, name: "bar baz"}}, "xml json"},
		{"users-empty", userList{}, "xml json"},
		{"group", wireGroup(host, administrators(), full, nil), "xml json"},
		{"groups", groupList{wireGroup(host, administrators(), minimal, nil)}, "xml json"},
		{"groups-empty", groupList(nil), "xml json"},
		{"attributes", attributeList{host, owner{name: "bob"}, true, department}, "xml json"},
		{"attributes-group", attributeList{host, owner{"jira-users", true}, true, []models.Attribute{{Name: "a b"}}}, "xml"},
		{"session", wireSession(host, bobsSession(), minimal), "xml json"},
		{"cookie", cookieEntity{"", true, "crowd.token_key"}, "xml json"},
		{"cookie-domain", cookieEntity{".example.com", false, "crowd.token_key"}, "xml"},
		{"error", errorEntity{"USER_NOT_FOUND", "User <bob> does not exist"}, "xml json"},
	} {
		for format := range strings.FieldsSeq(c.formats) {
			t.Run(c.name+"."+format, func(t *testing.T) {
				got := string(c.entity.AppendXML([]byte(api.Declaration)))
				if format == "json" {
					got = string(c.entity.AppendJSON(nil))
				}
				golden(t, c.name+"."+format, got)
			})
		}
	}
}

// What follows says the shapes of the entities a second time, for encoding/xml and
// encoding/json: whatever the values are, both must read back what was meant.

type linkShape struct {
	Href string `json:"href" xml:"href,attr"`
	Rel  string `json:"rel" xml:"rel,attr"`
}

type attributeShape struct {
	Link   linkShape `json:"link" xml:"link"`
	Name   string    `json:"name" xml:"name,attr"`
	Values []string  `json:"values" xml:"values>value"`
}

type attributesShape struct {
	List []attributeShape `json:"attributes" xml:"attribute"`
	Link linkShape        `json:"link" xml:"link"`
}

type passwordShape struct {
	Link linkShape `json:"link" xml:"link"`
}

type userShape struct {
	XMLName       xml.Name        `json:"-" xml:"user"`
	Expand        string          `json:"expand" xml:"expand,attr"`
	Link          linkShape       `json:"link" xml:"link"`
	Name          string          `json:"name" xml:"name,attr"`
	FirstName     string          `json:"first-name" xml:"first-name"`
	LastName      string          `json:"last-name" xml:"last-name"`
	DisplayName   string          `json:"display-name" xml:"display-name"`
	DirectoryID   int64           `json:"directory-id" xml:"directory-id"`
	Email         string          `json:"email" xml:"email"`
	Password      passwordShape   `json:"password" xml:"password"`
	Key           string          `json:"key" xml:"key"`
	Created       any             `json:"created-date,omitempty" xml:"-"`
	Updated       any             `json:"updated-date,omitempty" xml:"-"`
	DirectoryName string          `json:"directory-name" xml:"directory-name"`
	Active        bool            `json:"active" xml:"active"`
	Attributes    attributesShape `json:"attributes" xml:"attributes"`
}

func shapeOf(name, escaped string, attribute attributeShape) userShape {
	at := func(path string) linkShape { return linkShape{host.base + path + "?username=" + escaped, "self"} }
	edit := at("/user/password")
	edit.Rel = "edit"
	attribute.Link = at("/user/attribute")
	attribute.Link.Href += "&attributename=" + attribute.Name
	return userShape{
		Expand: "attributes", Link: at("/user"), Name: name,
		FirstName: name, LastName: name, DisplayName: name, DirectoryID: 3, Email: name,
		Password: passwordShape{edit}, Key: "3:" + name, DirectoryName: name, Active: true,
		Attributes: attributesShape{List: []attributeShape{attribute}, Link: at("/user/attribute")},
	}
}

func TestAnswersAreWhatEncodingsRead(t *testing.T) {
	for _, c := range []struct{ name, escaped string }{
		{"ada", "ada"},
		{`a&b<c>d"e'f\g`, "a%26b%3Cc%3Ed%22e%27f%5Cg"},
		{"zoë 日本", "zo%C3%AB+%E6%97%A5%E6%9C%AC"},
		{"🦉+1/2=?#%", "%F0%9F%A6%89%2B1%2F2%3D%3F%23%25"},
		{"]]>", "%5D%5D%3E"},
		{"a\u2028b", "a%E2%80%A8b"},
	} {
		u := &application.User{User: models.User{
			DirectoryID: 3, Name: c.name, FirstName: c.name, LastName: c.name, DisplayName: c.name,
			Email: c.name, ExternalID: c.name, Active: true,
		}, DirectoryName: c.name}
		values := []string{c.name, "", "a\nb\tc\rd"}
		entity := wireUser(host, u, withAttributes, []models.Attribute{{Name: "n", Values: values}})
		want := shapeOf(c.name, c.escaped, attributeShape{Name: "n", Values: values})

		var fromXML userShape
		if err := xml.Unmarshal(entity.AppendXML(nil), &fromXML); err != nil {
			t.Fatalf("%q: %v", c.name, err)
		}
		fromXML.XMLName = xml.Name{}
		if diff := cmp.Diff(want, fromXML); diff != "" {
			t.Errorf("XML of %q (-want +got):\n%s", c.name, diff)
		}

		var text strings.Builder
		encoder := json.NewEncoder(&text)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(want); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(strings.TrimSuffix(text.String(), "\n"), string(entity.AppendJSON(nil))); diff != "" {
			t.Errorf("JSON of %q isn't what encoding/json writes (-want +got):\n%s", c.name, diff)
		}
	}
}

// omniauth_crowd, python-crowd and the node clients read these without asking.
func TestQuirk34ListsAreAlwaysThere(t *testing.T) {
	for _, c := range []struct {
		entity api.Entity
		path   []string
	}{
		{userList(nil), []string{"users"}},
		{groupList(nil), []string{"groups"}},
		{wireUser(host, bob(), full, nil), []string{"attributes", "attributes"}},
		{wireGroup(host, administrators(), withAttributes, nil), []string{"attributes", "attributes"}},
	} {
		var value any
		if err := json.Unmarshal(c.entity.AppendJSON(nil), &value); err != nil {
			t.Fatal(err)
		}
		for _, key := range c.path {
			value = value.(map[string]any)[key]
		}
		if list, ok := value.([]any); !ok || len(list) != 0 {
			t.Errorf("%v is %v, want an empty array", c.path, value)
		}
	}
}

// Node clients take any object with one of these for an error.
func TestQuirk6NoEntityLooksLikeAnError(t *testing.T) {
	for _, entity := range []api.Entity{
		wireUser(host, bob(), withAttributes, department), wireGroup(host, administrators(), full, nil),
		wireSession(host, bobsSession(), full), cookieEntity{}, userList{}, groupList{},
	} {
		var object map[string]any
		if err := json.Unmarshal(entity.AppendJSON(nil), &object); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"reason", "message"} {
			if _, there := object[key]; there {
				t.Errorf("%T has a field %q", entity, key)
			}
		}
	}
}
