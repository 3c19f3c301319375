package crowd_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/api/crowd"
	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/login"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// The acceptance list of Crowd's reference, item by item: what clients of any make take for
// granted. Details stand with the tests of each resource.

// world.call wants the header on each of these; what net/http refuses before routing (a
// malformed request line, headers that are too large) needs none.
func TestAcceptance01EveryAnswerHasTheVersionHeader(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		w := newWorld(t, db, crowd.Options{})
		seen := map[int]bool{}
		w.everyKind(func(_ call, a answer) { seen[a.status] = true })
		for _, status := range []int{200, 201, 204, 400, 401, 403, 404, 405, 409, 410, 415, 501} {
			if !seen[status] {
				t.Errorf("no call was answered %d", status)
			}
		}
		if _, err := db.Raw(t).Exec("DROP TABLE webhooks"); err != nil {
			t.Fatal(err)
		}
		w.run(
			call{do: "GET /user?username=ada", accept: "image/png", want: 406},
			call{do: "HEAD /user?username=ada", want: 200},
			call{name: "a failure of ours", do: "GET /webhook/1", want: 500, reason: "OPERATION_FAILED"},
			call{name: "a failure of ours, XML", do: "GET /webhook/1", accept: asXML, want: 500, reason: "OPERATION_FAILED"},
		)
	})
}

func TestAcceptance02StrangersGet401WhateverThePath(t *testing.T) {
	each(t, func(w *world) {
		const sentence = "Application failed to authenticate"
		plain := map[string]string{"Content-Type": "text/plain;charset=UTF-8", "WWW-Authenticate": `Basic realm="Crowd REST Service"`}
		for _, c := range []call{
			{do: "GET /user?username=ada", want: 404, reason: "USER_NOT_FOUND"},
			{do: "GET /nothing", want: 404, reason: "OPERATION_FAILED"},
			{do: "POST /user/no/such/thing", body: `{}`, want: 404, reason: "OPERATION_FAILED"},
			{do: "GET /", want: 404, reason: "OPERATION_FAILED"},
			{do: "GET !/rest/usermanagement/latest/nothing", want: 404, reason: "OPERATION_FAILED"},
			{do: "GET !/crowd/rest/usermanagement/2/user?username=ada", want: 404, reason: "OPERATION_FAILED"},
			{do: "DELETE /search", want: 405},
			{do: "GET /search", want: 400},
			{do: "GET /config/cookie", want: 200},
		} {
			w.run(c)
			for _, as := range []string{"-", "jira:wrong", "nobody:secret-of-jira"} {
				w.run(call{name: c.do + " as " + as, do: c.do, body: c.body, as: as, want: 401, is: sentence, gets: plain})
			}
		}
	})
}

func TestAcceptance03WrongUserPasswordIs400(t *testing.T) {
	each(t, func(w *world) {
		w.people()
		for _, c := range []struct{ user, password, onAuthentication, onSession string }{
			{"ada", "engine", "INVALID_USER_AUTHENTICATION", "INVALID_USER_AUTHENTICATION"},
			{"ada", "", "INVALID_USER_AUTHENTICATION", "INVALID_USER_AUTHENTICATION"},
			{"nobody", "difference", "USER_NOT_FOUND", "INVALID_USER_AUTHENTICATION"},
			{"eve", "listening", "INACTIVE_ACCOUNT", "INACTIVE_ACCOUNT"},
			{"eve", "wrong", "INACTIVE_ACCOUNT", "INACTIVE_ACCOUNT"},
		} {
			name := c.user + " with " + c.password
			w.run(
				call{name: name + " on authentication", do: "POST /authentication?username=" + c.user, body: `{"value":"` + c.password + `"}`, want: 400, reason: c.onAuthentication},
				call{name: name + " on session", do: "POST /session", body: `{"username":"` + c.user + `","password":"` + c.password + `"}`, want: 400, reason: c.onSession},
				call{name: name + " on session, XML", do: "POST /session", want: 400, reason: c.onSession,
					body: `<authentication-context><username>` + c.user + `</username><password>` + c.password + `</password></authentication-context>`},
			)
		}
	})
}

// That no whitespace stands between elements is quirk 26.
func TestAcceptance04ElementsHaveTheirOrder(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		w := newWorld(t, db, crowd.Options{CookieDomain: ".example.test", CookieSecure: true})
		w.people()
		w.groups()
		w.call(call{do: "POST /user/attribute?username=ada", body: `{"attributes":[{"name":"room","values":["4","5"]}]}`, want: 204})
		token := w.start("", atLogin)
		const user = "link first-name last-name display-name directory-id email password key created-date updated-date directory-name active attributes"
		const group = "link description type active attributes"
		for _, c := range []struct {
			do     string
			within string // the first element of this name; empty: the root
			want   string
		}{
			{do: "/session/" + token, want: "token user link created-date expiry-date unaliased-username"},
			{do: "/session/" + token, within: "user", want: user},
			{do: "/config/cookie", want: "domain secure name"},
			{do: "/user?username=ada", want: user},
			{do: "/user?username=ada&expand=attributes", want: user},
			{do: "/group/user/direct?groupname=developers&expand=user", within: "user", want: user},
			{do: "/group/user/direct?groupname=developers", within: "user", want: "link"},
			{do: "/group?groupname=developers", want: group},
			{do: "/search?entity-type=group&expand=group", within: "group", want: group},
			{do: "/user/group/direct?username=bob", within: "group", want: "link"},
			{do: "/user/attribute?username=ada", within: "attribute", want: "link values"},
			{do: "/user/attribute?username=ada", want: strings.Repeat("attribute ", w.attributes("ada")) + "link"},
			{do: "/user/attribute?username=ada", within: "values", want: "value"},
			{do: "/group/membership", within: "membership", want: "users groups"},
			{do: "/user?username=nobody", want: "reason message"},
		} {
			body := w.send(call{do: "GET " + c.do, accept: asXML}).raw
			if got := strings.Join(children(w.t, body, c.within), " "); got != c.want {
				w.t.Errorf("%s: in <%s> are %q, want %q", c.do, c.within, got, c.want)
			}
		}
	})
}

// attributes gives how many attributes a user has.
func (w *world) attributes(name string) int {
	w.t.Helper()
	return strings.Count(w.call(call{do: "GET /user/attribute?username=" + name, want: 200}).body, `"values":`)
}

// children gives the names of the elements in the first element of a name, in their order.
func children(t *testing.T, text, within string) (names []string) {
	t.Helper()
	in := xml.NewDecoder(strings.NewReader(text))
	depth, inside := 0, -1
	for {
		token, err := in.Token()
		if err == io.EOF {
			return names
		}
		if err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		switch token := token.(type) {
		case xml.StartElement:
			switch {
			case depth == inside:
				names = append(names, token.Name.Local)
			case inside < 0 && (within == "" || token.Name.Local == within):
				inside = depth + 1
			}
			depth++
		case xml.EndElement:
			if depth--; depth < inside {
				return names
			}
		}
	}
}

// Quirks 34 and 35 look at what is in the lists.
func TestAcceptance05JSONListsAndDates(t *testing.T) {
	each(t, func(w *world) {
		w.people()
		w.groups()
		token := w.start("", atLogin)
		for _, c := range []struct {
			do   string
			path []string
			want string // "list" or "number"
		}{
			{"/group/user/direct?groupname=developers", []string{"users"}, "list"},
			{"/group/user/direct?groupname=empty", []string{"users"}, "list"},
			{"/search?entity-type=user", []string{"users"}, "list"},
			{"/search?entity-type=group&restriction=name%3dnothing", []string{"groups"}, "list"},
			{"/user/group/nested?username=bob", []string{"groups"}, "list"},
			{"/group/child-group/direct?groupname=empty", []string{"groups"}, "list"},
			{"/user/attribute?username=ada", []string{"attributes"}, "list"},
			{"/user/attribute?username=ada", []string{"attributes", "0", "values"}, "list"},
			{"/group/attribute?groupname=empty", []string{"attributes"}, "list"},
			{"/user?username=ada", []string{"attributes", "attributes"}, "list"},
			{"/user?username=ada", []string{"created-date"}, "number"},
			{"/user?username=ada", []string{"updated-date"}, "number"},
			{"/session/" + token, []string{"created-date"}, "number"},
			{"/session/" + token, []string{"expiry-date"}, "number"},
		} {
			part := at(w.t, w.call(call{do: "GET " + c.do, want: 200}).body, c.path...)
			var list []json.RawMessage
			var number int64
			ok := c.want == "list" && json.Unmarshal(part, &list) == nil && list != nil ||
				c.want == "number" && json.Unmarshal(part, &number) == nil && number > 0
			if !ok {
				w.t.Errorf("%s: %v is %s, want a %s", c.do, c.path, part, c.want)
			}
		}
	})
}

func TestAcceptance06MaxResults(t *testing.T) {
	each(t, func(w *world) {
		w.crowded(1001)
		for list, all := range map[string]int{
			"/search?entity-type=user":                   1001,
			"/search?entity-type=group":                  1003,
			"/group/user/direct?groupname=all":           1001,
			"/user/group/nested?username=user-0000":      1002,
			"/group/parent-group/direct?groupname=child": 1001,
			"/group/child-group/nested?groupname=all":    0,
		} {
			for query, want := range map[string]int{
				"": min(all, 1000), "&max-results=-1": all, "&max-results=7": min(all, 7), "&start-index=1000": max(all-1000, 0),
			} {
				if got := strings.Fields(w.found(w.call(call{do: "GET " + list + query, want: 200}).body)); len(got) != want {
					w.t.Errorf("%s gives %d, want %d", list+query, len(got), want)
				}
			}
		}
	})
}

// crowded makes n users, who are in the group all, and n groups, in each of which are the first
// user and the group child.
func (w *world) crowded(n int) {
	w.t.Helper()
	w.write(func(tx *store.Tx) error {
		all, child := &models.Group{DirectoryID: 1, Name: "all"}, &models.Group{DirectoryID: 1, Name: "child"}
		err := errors.Join(tx.CreateGroup(all), tx.CreateGroup(child))
		var first *models.User
		for i := 0; i < n && err == nil; i++ {
			u := &models.User{DirectoryID: 1, Name: fmt.Sprintf("user-%04d", i)}
			g := &models.Group{DirectoryID: 1, Name: fmt.Sprintf("group-%04d", i)}
			if i == 0 {
				first = u
			}
			err = errors.Join(tx.CreateUser(u), tx.CreateGroup(g), tx.AddMember(all, u), tx.AddMember(g, first), tx.AddChild(g, child))
		}
		return err
	})
}

// write changes the database behind the API.
func (w *world) write(do func(tx *store.Tx) error) {
	w.t.Helper()
	if err := w.store.Write(w.t.Context(), models.System, do); err != nil {
		w.t.Fatal(err)
	}
}

func TestAcceptance07MembershipsOfEachGroup(t *testing.T) {
	each(t, func(w *world) {
		w.people()
		w.groups()
		var dump struct {
			Memberships []struct {
				Group string    `xml:"group,attr"`
				Users *struct{} `xml:"users"`
				In    *struct{} `xml:"groups"`
			} `xml:"membership"`
		}
		if err := xml.Unmarshal([]byte(w.call(call{do: "GET /group/membership", want: 200}).raw), &dump); err != nil {
			w.t.Fatal(err)
		}
		var got []string
		for _, m := range dump.Memberships {
			if m.Users == nil || m.In == nil {
				w.t.Errorf("%s lacks users or groups", m.Group)
			}
			got = append(got, m.Group)
		}
		slices.Sort(got)
		if diff := cmp.Diff([]string{"Developers", "empty", "interns"}, got); diff != "" {
			w.t.Errorf("the groups (-want +got):\n%s", diff)
		}
	})
}

func TestAcceptance08Events(t *testing.T) {
	eachSynced(t, nobody, func(w *world) {
		for _, do := range []string{"/event", "/event/" + strings.ReplaceAll(w.eventToken(""), ":", "%3A")} {
			var root struct {
				XMLName   xml.Name `xml:"events"`
				Token     string   `xml:"newEventToken,attr"`
				Available string   `xml:"incrementalSynchronisationAvailable,attr"`
			}
			a := w.call(call{do: "GET " + do, accept: asXML, want: 200})
			if err := xml.Unmarshal([]byte(a.raw), &root); err != nil || root.Token == "" || root.Available != "true" {
				w.t.Errorf("%s: %v, %+v in %s", do, err, root, a.raw)
			}
		}
		w.run(
			call{do: "GET /event/8423648238462%3A17", want: 410, reason: "EVENT_TOKEN_EXPIRED"},
			call{do: "GET /event/8423648238462%3A17", accept: asXML, want: 410, reason: "EVENT_TOKEN_EXPIRED"},
		)
	})
}

func TestAcceptance09AForbiddenAddressIsToldInText(t *testing.T) {
	each(t, func(w *world) {
		w.app("elsewhere", "192.0.2.1")
		for _, c := range []call{
			{do: "GET /user?username=ada"}, {do: "POST /session", body: `{"username":"ada","password":"difference"}`}, {do: "GET /nothing"},
			{do: "POST /search?entity-type=user", body: `<null-search-restriction/>`},
		} {
			c.as, c.want = "elsewhere:secret-of-elsewhere", 403
			c.has = []string{"The server understood the request but refuses to authorize it."}
			c.hasNot = []string{"<", "{", "\n"}
			c.gets = map[string]string{"Content-Type": "text/plain;charset=UTF-8"}
			w.run(c)
		}
	})
}

// A client sends back what it got, with one thing changed or none.
func TestAcceptance10WhatWasReadCanBePut(t *testing.T) {
	each(t, func(w *world) {
		w.people()
		w.groups()
		w.call(call{do: "POST /user/attribute?username=ada", body: `{"attributes":[{"name":"room","values":["<4> & \"5\""]}]}`, want: 204})
		for _, accept := range []string{"application/json", asXML} {
			for path, status := range map[string]int{
				"/user?username=ada": 204, "/user?username=ada&expand=attributes": 204, "/user?username=eve": 204,
				"/group?groupname=developers": 200, "/group?groupname=developers&expand=attributes": 200,
			} {
				before := w.call(call{do: "GET " + path, accept: accept, want: 200})
				plain, _, _ := strings.Cut(path, "&")
				w.run(call{name: accept + " " + path, do: "PUT " + plain, body: before.raw, want: status})
				if after := w.call(call{do: "GET " + path, accept: accept, want: 200}); after.raw != before.raw {
					w.t.Errorf("%s was\n%s\nand is, after it was put back,\n%s", path, before.raw, after.raw)
				}
				changed := strings.NewReplacer("Lovelace", "King", "who write it", "who wrote it").Replace(before.raw)
				w.call(call{do: "PUT " + plain, body: changed, want: status})
				if after := w.call(call{do: "GET " + path, accept: accept, want: 200}); after.raw != changed {
					w.t.Errorf("%s was put as\n%s\nand is\n%s", path, changed, after.raw)
				}
				w.call(call{do: "PUT " + plain, body: before.raw, want: status})
			}
		}
		w.call(call{do: "POST /authentication?username=ada", body: `{"value":"difference"}`, want: 200})
	})
}

func TestAcceptance11EndingAnUnknownSessionIs204(t *testing.T) {
	each(t, func(w *world) {
		w.people()
		token := w.start("", atLogin)
		w.run(
			call{name: "unknown", do: "DELETE /session/unknown", want: 204, is: ""},
			call{name: "unknown, XML", do: "DELETE /session/Dk9v0Yf3-_00", accept: asXML, want: 204, is: ""},
			call{name: "none was ended", do: "GET /session/" + token, want: 200},
			call{name: "known", do: "DELETE /session/" + token, want: 204, is: ""},
			call{name: "again", do: "DELETE /session/" + token, want: 204, is: ""},
		)
	})
}

// The question whether somebody is a member is answered with the name as it was asked for: so
// does Crowd, and it is the one answer that does.
func TestAcceptance12NamesHaveTheStoredSpelling(t *testing.T) {
	each(t, func(w *world) {
		w.people()
		w.groups()
		token := w.start("", strings.Replace(atLogin, "ada", "aDA", 1))
		for _, c := range []call{
			{do: "GET /user?username=aDA"},
			{do: "POST /authentication?username=aDA", body: `{"value":"difference"}`},
			{do: "GET /group?groupname=dEVELOPERS"},
			{do: "GET /group/user/direct?groupname=dEVELOPERS"},
			{do: "GET /group/user/nested?groupname=dEVELOPERS&expand=user"},
			{do: "GET /user/group/direct?username=aDA"},
			{do: "GET /user/group/nested?username=aDA&expand=group"},
			{do: "GET /group/parent-group/nested?groupname=iNTERNS"},
			{do: "GET /group/membership"},
			{do: "GET /search?entity-type=user&restriction=name%3daDA"},
			{do: "GET /search?entity-type=group&restriction=name%3ddEVELOPERS&expand=group"},
			{do: "GET /user/attribute?username=aDA"},
			{do: "GET /session/" + token},
			{do: "POST /session/" + token + "?expand=user", body: bare},
			{do: "PUT /group?groupname=dEVELOPERS", body: `{"name":"dEVELOPERS"}`},
			{do: "PUT /user?username=aDA", body: `{"name":"aDA"}`, want: 204},
			{do: "POST /user/group/direct?username=aDA", body: `{"name":"eMPTY"}`, want: 201},
			{do: "GET /user?username=aDA"},
			{do: "GET /group?groupname=dEVELOPERS"},
		} {
			c.hasNot = []string{"aDA", "dEVELOPERS", "iNTERNS", "eMPTY"}
			for _, accept := range []string{"application/json", asXML} {
				if c.accept = accept; c.want == 201 && accept == asXML {
					c.want = 409
					c.hasNot = nil // the message says it as it was said
				} else if c.want == 0 {
					c.want = 200
				}
				a := w.call(c)
				if place := a.header.Get("Location"); c.want == 201 && place != w.url+"/crowd/rest/usermanagement/1/user/group/direct?username=Ada&groupname=empty" {
					w.t.Errorf("Location is %s", place)
				}
				if a.status == 200 && !strings.Contains(a.body, "Ada") && !strings.Contains(a.body, "Developers") {
					w.t.Errorf("%s has no name in %s", c.do, a.body)
				}
			}
		}
		w.run(
			call{name: "a member, as asked for", do: "GET /group/user/direct?groupname=dEVELOPERS&username=aDA", want: 200, is: `{` + selfJSON("/user?username=aDA") + `,"name":"aDA"}`},
			call{name: "a group, as asked for", do: "GET /user/group/nested?groupname=dEVELOPERS&username=aDA", want: 200, is: `{` + selfJSON("/group?groupname=dEVELOPERS") + `,"name":"dEVELOPERS"}`},
		)
	})
}

func TestAcceptance13StatusOfWrites(t *testing.T) {
	each(t, func(w *world) {
		w.people()
		w.groups()
		base := w.url + "/crowd/rest/usermanagement/1"
		for _, format := range []struct{ accept, user, group, name, value, attributes, login, webhook string }{
			{
				"application/json", `{"name":"%s","first-name":"C"}`, `{"name":"%s"}`, `{"name":"%s"}`, `{"value":"x"}`, `{"attributes":[{"name":"a","values":["b"]}]}`,
				`{"username":"carl","password":"x"}`, `{"endpointUrl":"http://127.0.0.1:9/json"}`,
			},
			{
				asXML, `<user name="%s"><first-name>C</first-name></user>`, `<group name="%s"/>`, `<%[2]s name="%[1]s"/>`, `<password><value>x</value></password>`,
				`<attributes><attribute name="a"><values><value>b</value></values></attribute></attributes>`,
				`<authentication-context><username>carl</username><password>x</password></authentication-context>`, `<webhook><endpointUrl>http://127.0.0.1:9/xml</endpointUrl></webhook>`,
			},
		} {
			named := func(name, element string) string {
				if format.accept == asXML {
					return fmt.Sprintf(format.name, name, element)
				}
				return fmt.Sprintf(format.name, name)
			}
			at := func(place string) map[string]string { return map[string]string{"Location": base + place} }
			nowhere := map[string]string{"Location": ""}
			var session, hook string
			w.run(
				call{do: "POST /user", body: fmt.Sprintf(format.user, "carl"), want: 201, gets: at("/user?username=carl"), has: []string{"carl"}},
				call{do: "PUT /user?username=carl", body: fmt.Sprintf(format.user, "carl"), want: 204, gets: nowhere},
				call{do: "PUT /user/password?username=carl", body: format.value, want: 204, gets: nowhere},
				call{do: "POST /user/attribute?username=carl", body: format.attributes, want: 204, gets: nowhere},
				call{do: "DELETE /user/attribute?username=carl&attributename=a", want: 204},
				call{do: "POST /group", body: fmt.Sprintf(format.group, "crew"), want: 201, gets: at("/group?groupname=crew")},
				call{do: "PUT /group?groupname=crew", body: fmt.Sprintf(format.group, "crew"), want: 200, gets: nowhere, has: []string{"crew", "GROUP"}},
				call{do: "POST /group/attribute?groupname=crew", body: format.attributes, want: 204, gets: nowhere},
				call{do: "DELETE /group/attribute?groupname=crew&attributename=a", want: 204},
				call{do: "POST /group/user/direct?groupname=crew", body: named("carl", "user"), want: 201, gets: at("/group/user/direct?groupname=crew&username=carl")},
				call{do: "DELETE /group/user/direct?groupname=crew&username=carl", want: 204},
				call{do: "POST /user/group/direct?username=carl", body: named("crew", "group"), want: 201, gets: at("/user/group/direct?username=carl&groupname=crew")},
				call{do: "DELETE /user/group/direct?groupname=crew&username=carl", want: 204},
				call{do: "POST /group/child-group/direct?groupname=developers", body: named("crew", "group"), want: 201, gets: at("/group/child-group/direct?groupname=Developers&child-groupname=crew")},
				call{do: "DELETE /group/child-group/direct?groupname=developers&child-groupname=crew", want: 204},
				call{do: "POST /group/parent-group/direct?groupname=crew", body: named("developers", "group"), want: 201, gets: at("/group/parent-group/direct?groupname=crew&parent-groupname=Developers")},
			)
			session = strings.TrimPrefix(w.call(call{do: "POST /session", body: format.login, want: 201}).header.Get("Location"), base)
			hook = strings.TrimPrefix(w.call(call{do: "POST /webhook", body: format.webhook, want: 201}).header.Get("Location"), base)
			if !strings.HasPrefix(session, "/session/") || !strings.HasPrefix(hook, "/webhook/") {
				w.t.Fatalf("the Locations are %q and %q", session, hook)
			}
			w.run(
				call{name: "the session is there", do: "GET " + session, want: 200},
				call{name: "the session goes", do: "DELETE " + session, want: 204},
				call{name: "the webhook is there", do: "GET " + hook, want: 200},
				call{name: "the webhook goes", do: "DELETE " + hook, want: 204},
				call{do: "DELETE /user/password?username=carl", want: 204},
				call{do: "DELETE /group?groupname=crew", want: 204},
				call{do: "DELETE /user?username=carl", want: 204},
			)
		}
	})
}

func TestAcceptance14WildcardsAndDatesInCQL(t *testing.T) {
	each(t, func(w *world) {
		w.staffed() // from noon of 2 March 2026 on
		for _, c := range []struct{ entity, cql, want string }{
			{"user", `name = a*`, "Ada"},
			{"user", `name = "A*"`, "Ada"},
			{"user", `name = *b*`, "bob"},
			{"user", `email = *@example.test`, "Ada bob"},
			{"user", `name = *`, "Ada bob eve"},
			{"user", `lastName = "money*"`, "eve"},
			{"group", `name = *er*`, "Developers interns"},
			{"user", `createdDate > 2026`, "Ada bob eve"},
			{"user", `createdDate < 2026`, ""},
			{"user", `createdDate > 2026-03`, "Ada bob eve"},
			{"user", `createdDate < 2026-03`, ""},
			{"user", `createdDate > 2026-03-01`, "Ada bob eve"},
			{"user", `createdDate > 2026-03-04`, ""},
			{"user", `createdDate > 2026-03-02T12:30Z`, "bob eve"},
			{"user", `createdDate = 2026-03-02T13Z`, "bob"},
			{"user", `createdDate < 2026-03-02T12:59:59Z`, "Ada"},
			{"user", `createdDate = 2026-03-02T13:00:00.000+0000`, "bob"},
			{"user", `createdDate = 2026-03-03T00:00:00.000+1100`, "bob"},
		} {
			if got := w.cql("", c.entity, c.cql); got != c.want {
				w.t.Errorf("%s %s finds %q, want %q", c.entity, c.cql, got, c.want)
			}
		}
		for _, cql := range []string{`name`, `name ! ada`, `name = "ada`, `(name = ada`, `name = \ada`, `createdDate > yesterday`, `createdDate > 2026-13`} {
			w.run(call{name: cql, do: "GET /search?entity-type=user&restriction=" + url.QueryEscape(cql), want: 400, reason: "ILLEGAL_ARGUMENT"})
		}
	})
}

// The API lets nobody close a circle, but one may come from elsewhere. Each group is told once,
// and never as its own parent or child; from memory, and from the database as well.
func TestAcceptance15NestedClosuresEndOnCircles(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		memory := newWorld(t, db, crowd.Options{})
		memory.people()
		memory.groups()
		memory.app("all", "127.0.0.1", func(n *application.NewApplication) { n.Options.Aggregate = new(true) })
		memory.write(func(tx *store.Tx) error {
			named := map[string]*models.Group{}
			for _, name := range []string{"developers", "interns", "empty"} {
				g, err := tx.GroupByName(t.Context(), 1, name)
				if err != nil {
					return err
				}
				named[name] = g
			}
			return errors.Join(
				tx.AddChild(named["interns"], named["empty"]), tx.AddChild(named["empty"], named["developers"]),
				tx.AddChild(named["interns"], named["developers"]), tx.AddChild(named["empty"], named["empty"]),
			)
		})
		for where, w := range map[string]*world{"memory": memory, "database": memory.again(db, login.Options{})} {
			for _, as := range []string{"jira:secret-of-jira", "all:secret-of-all"} {
				t.Run(where+" "+as, func(t *testing.T) {
					w.t = t
					w.circles(as)
				})
			}
		}
		memory.t = t
		memory.run(
			call{name: "a login finds its way", do: "POST /session", body: atLogin, want: 201},
			call{name: "the API closes no circle", do: "POST /group/child-group/direct?groupname=developers", body: `{"name":"empty"}`, want: 400, reason: "INVALID_MEMBERSHIP"},
			call{name: "but opens one", do: "DELETE /group/child-group/direct?groupname=empty&child-groupname=developers", want: 204},
			call{name: "it is open", do: "GET /group/parent-group/nested?groupname=developers", want: 200, has: []string{`"interns"`}, hasNot: []string{`"empty"`}},
		)
	})
}

// circles asks around the circles developers, interns, empty; developers, interns; and empty.
func (w *world) circles(as string) {
	w.t.Helper()
	for do, want := range map[string]string{
		"/group/child-group/nested?groupname=developers":  "empty interns",
		"/group/child-group/nested?groupname=empty":       "Developers interns",
		"/group/child-group/direct?groupname=empty":       "Developers",
		"/group/child-group/direct?groupname=interns":     "Developers empty",
		"/group/parent-group/nested?groupname=developers": "empty interns",
		"/group/parent-group/nested?groupname=empty":      "Developers interns",
		"/group/parent-group/nested?groupname=interns":    "Developers empty",
		"/group/user/nested?groupname=developers":         "Ada bob",
		"/group/user/nested?groupname=empty":              "Ada bob",
		"/user/group/nested?username=bob":                 "Developers empty interns",
		"/user/group/nested?username=ada&max-results=2":   "Developers empty",
		"/user/group/nested?username=eve":                 "",
	} {
		if got := w.found(w.call(call{do: "GET " + do, as: as, want: 200}).body); got != want {
			w.t.Errorf("%s is %q, want %q", do, got, want)
		}
	}
	w.run(
		call{name: "a member", as: as, do: "GET /group/user/nested?groupname=empty&username=bob", want: 200},
		call{name: "no member", as: as, do: "GET /group/user/nested?groupname=empty&username=eve", want: 404, reason: "MEMBERSHIP_NOT_FOUND"},
		call{name: "the dump", as: as, do: "GET /group/membership", want: 200, has: []string{
			`<membership group="empty"><users/><groups><group name="Developers"/></groups></membership>`,
			`<groups><group name="Developers"/><group name="empty"/></groups></membership></memberships>`,
		}},
	)
}
