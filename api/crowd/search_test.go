package crowd_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"

	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/api/crowd"
	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// staffed is people and groups with attributes, created an hour after each other from noon of
// 2 March 2026 (UTC) on: Ada, bob, eve (inactive, without mail), then the groups Developers,
// interns (inactive) and empty.
func (w *world) staffed() {
	w.t.Helper()
	for _, c := range []call{
		{do: "POST /user", body: `{"name":"Ada","first-name":"Ada","last-name":"Lovelace","email":"ada@example.test","active":true}`},
		{do: "POST /user", body: `{"name":"bob","first-name":"Bob","last-name":"Builder","email":"Bob@Example.test","active":true}`},
		{do: "POST /user", body: `{"name":"eve","first-name":"Eve","last-name":"Money Penny","display-name":"E* \"the ear\"","email":"","active":false}`},
		{do: "POST /group", body: `{"name":"Developers","type":"GROUP","description":"who write it"}`},
		{do: "POST /group", body: `{"name":"interns","type":"GROUP","active":false}`},
		{do: "POST /group", body: `{"name":"empty","type":"GROUP"}`},
	} {
		c.want = 201
		w.call(c)
		w.clock.Advance(time.Hour)
	}
	for _, c := range []call{
		{do: "POST /user/attribute?username=ada", body: `{"attributes":[{"name":"department","values":["R&D","Ops"]},{"name":"room","values":["*"]}]}`},
		{do: "POST /user/attribute?username=bob", body: `{"attributes":[{"name":"department","values":["Operations"]},{"name":"cost center","values":["42"]}]}`},
		{do: "POST /group/attribute?groupname=interns", body: `{"attributes":[{"name":"mentor","values":["Ada"]}]}`},
	} {
		c.want = 204
		w.call(c)
	}
}

// found gives the names in a JSON list, in its order.
func (w *world) found(body string) string {
	w.t.Helper()
	var list struct{ Users, Groups []struct{ Name string } }
	if err := json.Unmarshal([]byte(body), &list); err != nil {
		w.t.Fatalf("%v: %s", err, body)
	}
	var names []string
	for _, one := range append(list.Users, list.Groups...) {
		names = append(names, one.Name)
	}
	return strings.Join(names, " ")
}

// cql searches with Crowd's query language and gives the names that it finds.
func (w *world) cql(as, entity, restriction string) string {
	w.t.Helper()
	a := w.call(call{do: "GET /search?entity-type=" + entity + "&restriction=" + url.QueryEscape(restriction), as: as, want: 200})
	return w.found(a.body)
}

func TestSearchByCQL(t *testing.T) {
	each(t, func(w *world) {
		w.staffed()
		for _, c := range []struct{ entity, cql, want string }{
			{"user", ``, "Ada bob eve"},
			{"USER", ` `, "Ada bob eve"},
			{"user", `name = ADA`, "Ada"},
			{"user", `name = *`, "Ada bob eve"},
			{"user", `name = nobody`, ""},
			{"user", `name = b*`, "bob"},
			{"user", `name = *B`, "bob"},
			{"user", `name = *v*`, "eve"},
			{"user", `firstName = eve`, "eve"},
			{"user", `lastName = lovelace or lastName = "money penny"`, "Ada eve"},
			{"user", `lastName = Money`, ""},
			{"user", `displayName = "bob builder"`, "bob"},
			{"user", `displayName = "*\"the ear\""`, "eve"},
			{"user", `email = bob@example.test`, "bob"},
			{"user", `email = *@EXAMPLE.test`, "Ada bob"},
			{"user", `email = ""`, "eve"},
			{"user", `active = true`, "Ada bob"},
			{"user", `active=false`, "eve"},
			{"user", `active = true and (name = eve or name = ada)`, "Ada"},
			{"user", `name = eve or name = ada and active = false`, "eve"},
			{"user", `createdDate > 2026-03-02T12:30Z`, "bob eve"},
			{"user", `createdDate < 2026-03-02T13Z`, "Ada"},
			{"user", `createdDate = 2026-03-02T13Z`, "bob"},
			{"user", `createdDate = 2026-03-02T13:00:00.000+0000`, "bob"},
			{"user", `createdDate = 2026-03-02T15+02:00`, "bob"},
			{"user", `createdDate > 2025 and createdDate < 2027`, "Ada bob eve"},
			{"user", `createdDate = 2025`, ""},
			{"user", `updatedDate > 2026-03-02T17Z`, "Ada bob"}, // attributes touch it
			{"user", `department = ops`, "Ada"},                 // any of the values
			{"user", `department = op*`, "Ada bob"},
			{"user", `department = "*&*"`, "Ada"},
			{"user", `"cost center" = 42`, "bob"},
			{"user", `Department = ops`, ""},     // names of attributes have their case
			{"user", `description = "who*"`, ""}, // a property of groups
			{"group", ``, "Developers empty interns"},
			{"Group", `name = dev*`, "Developers"},
			{"group", `description = "WHO write it"`, "Developers"},
			{"group", `active = false`, "interns"},
			{"group", `local = true`, "Developers empty interns"},
			{"group", `local = false`, ""},
			{"group", `mentor = ada`, "interns"},
			{"group", `createdDate = 2026-03-02T17Z`, "empty"},
			{"group", `updatedDate > 2026-03-02T17:30Z`, "interns"},
		} {
			if got := w.cql("", c.entity, c.cql); got != c.want {
				w.t.Errorf("%s %s finds %q, want %q", c.entity, c.cql, got, c.want)
			}
		}
		if got := w.cql("", "user", "externalId = "+strings.TrimPrefix(w.key("ada"), "1:")); got != "Ada" {
			w.t.Errorf("the external id finds %q", got)
		}
	})
}

func TestSearchByRestriction(t *testing.T) {
	each(t, func(w *world) {
		w.staffed()
		comparison := func(property, kind, match, value string) string {
			if value != "-" {
				value = "<value>" + value + "</value>"
			} else {
				value = ""
			}
			return "<property-search-restriction><property><name>" + property + "</name><type>" + kind + "</type></property><match-mode>" + match +
				"</match-mode>" + value + "</property-search-restriction>"
		}
		boolean := func(logic string, inside ...string) string {
			return `<boolean-search-restriction boolean-logic="` + logic + `"><restrictions>` + strings.Join(inside, "") + "</restrictions></boolean-search-restriction>"
		}
		for _, c := range []struct{ entity, body, want string }{
			{"user", "<null-search-restriction/>", "Ada bob eve"},
			{"user", "", "Ada bob eve"},
			{"user", boolean("and"), "Ada bob eve"},
			{"user", comparison("name", "STRING", "EXACTLY_MATCHES", "aDA"), "Ada"},
			{"user", comparison("name", "STRING", "STARTS_WITH", "B"), "bob"},
			{"user", comparison("email", "STRING", "ENDS_WITH", ".test"), "Ada bob"},
			{"user", comparison("lastName", "STRING", "CONTAINS", "y p"), "eve"},
			{"user", comparison("lastName", "STRING", "CONTAINS", ""), "Ada bob eve"},
			{"user", comparison("name", "STRING", "NULL", "-"), ""},
			{"user", comparison("email", "STRING", "NULL", "-"), "eve"},
			{"user", comparison("department", "STRING", "NULL", "-"), "eve"},
			{"user", comparison("active", "BOOLEAN", "NULL", "-"), ""},
			{"user", comparison("createdDate", "DATE", "NULL", "-"), ""},
			{"user", comparison("active", "BOOLEAN", "EXACTLY_MATCHES", "true"), "Ada bob"},
			{"user", comparison("createdDate", "DATE", "EXACTLY_MATCHES", "2026-03-02T14:00:00.000+0100"), "bob"},
			{"user", comparison("createdDate", "DATE", "GREATER_THAN", "2026-03-02T13:00:00.000+0000"), "eve"},
			{"user", comparison("createdDate", "DATE", "LESS_THAN", "2026-03-02T13:00:00.001+0000"), "Ada bob"},
			{"user", comparison("room", "STRING", "EXACTLY_MATCHES", "*"), "Ada"}, // no wildcard here
			{"user", comparison("name", "STRING", "STARTS_WITH", "%"), ""},        // nor those of SQL
			{"user", comparison("name", "STRING", "CONTAINS", "_"), ""},
			{"user", boolean("or", comparison("name", "STRING", "EXACTLY_MATCHES", "eve"),
				boolean("AND", comparison("active", "BOOLEAN", "EXACTLY_MATCHES", "true"), comparison("department", "STRING", "EXACTLY_MATCHES", "Operations"))), "bob eve"},
			{"user", boolean("and", "<null-search-restriction/>", comparison("name", "STRING", "EXACTLY_MATCHES", "eve")), "eve"},
			{"user", boolean("or", "<null-search-restriction/>", comparison("name", "STRING", "EXACTLY_MATCHES", "eve")), "Ada bob eve"},
			{"group", comparison("description", "STRING", "NULL", "-"), "empty interns"},
			{"group", comparison("mentor", "STRING", "CONTAINS", "D"), "interns"},
			{"group", comparison("mentor", "STRING", "NULL", "-"), "Developers empty"},
		} {
			kind := asXML
			if c.body == "" {
				kind = "" // and no Content-Type
			}
			// The answer's format has nothing to do with the body's: python-crowd's way.
			a := w.call(call{name: c.body, do: "POST /search?entity-type=" + c.entity, body: c.body, kind: kind, accept: "application/json", want: 200})
			if got := w.found(a.body); got != c.want {
				w.t.Errorf("%s finds %q, want %q", c.body, got, c.want)
			}
		}
		w.run(
			call{name: "JSON", do: "POST /search?entity-type=user", want: 200, hasNot: []string{"eve", "Ada"}, has: []string{`"name":"bob"`},
				body: `{"restriction-type":"property-search-restriction","property":{"name":"email","type":"STRING"},"match-mode":"EXACTLY_MATCHES","value":"bob@example.test"}`},
			call{name: "curl -d", do: "POST /search?entity-type=user", body: "<null-search-restriction/>", kind: "application/x-www-form-urlencoded", want: 415},
			call{name: "an empty body with a type", do: "POST /search?entity-type=user", kind: asXML, want: 200, has: []string{`"name":"bob"`}},
			call{name: "a body that is something else", do: "POST /search?entity-type=user", body: `<user name="x"/>`, want: 400, reason: "ILLEGAL_ARGUMENT"},
			call{name: "an order of texts", do: "POST /search?entity-type=user", body: comparison("name", "STRING", "LESS_THAN", "x"), want: 400, reason: "ILLEGAL_ARGUMENT"},
		)
	})
}

const asXML = "application/xml"

func TestSearchRefusals(t *testing.T) {
	each(t, func(w *world) {
		w.run(
			call{name: "no type", do: "GET /search", want: 400, is: `{"reason":"ILLEGAL_ARGUMENT","message":"entity-type query parameter required."}`},
			call{name: "no type, POST", do: "POST /search", body: "<null-search-restriction/>", want: 400, reason: "ILLEGAL_ARGUMENT", has: []string{"entity-type query parameter required."}},
			call{name: "another type", do: "GET /search?entity-type=alias", want: 400, is: `{"reason":"ILLEGAL_ARGUMENT","message":"Unknown type: alias"}`},
			call{name: "bad CQL", do: "GET /search?entity-type=user&restriction=bob", want: 400, reason: "ILLEGAL_ARGUMENT", has: []string{"at character 4: expected"}},
			call{name: "a stray backslash", do: `GET /search?entity-type=user&restriction=` + url.QueryEscape(`name = "e\*"`), want: 400, reason: "ILLEGAL_ARGUMENT", has: []string{"at character 10: "}},
			call{name: "what must be quoted", do: `GET /search?entity-type=user&restriction=` + url.QueryEscape(`name = r&d`), want: 400, reason: "ILLEGAL_ARGUMENT", has: []string{"at character 9: "}},
			call{name: "bad pages", do: "GET /search?entity-type=user&max-results=-2", want: 400, reason: "ILLEGAL_ARGUMENT"},
			call{name: "no number", do: "GET /search?entity-type=user&start-index=x", want: 400, reason: "ILLEGAL_ARGUMENT"},
			call{name: "another method", do: "PUT /search?entity-type=user", want: 405, gets: map[string]string{"Allow": "GET, HEAD, POST"}},
			call{name: "not acceptable", do: "GET /search?entity-type=user", accept: "text/plain", want: 406},
			call{name: "HEAD", do: "HEAD /search?entity-type=user", want: 200, gets: map[string]string{"Content-Type": "application/json"}},
		)
	})
}

// Quirk 49: the call by which Jira and its kin test a connection, and that of older ones.
func TestQuirk49TestOfConnection(t *testing.T) {
	each(t, func(w *world) {
		w.people()
		const test = "POST /search?entity-type=user&start-index=0&max-results=1&expand=user"
		w.run(
			call{name: "new", do: test, want: 200, is: declaration + `<users expand="user"/>`, gets: map[string]string{"Content-Type": "application/xml"},
				body: `<property-search-restriction><property><name>name</name><type>STRING</type></property><match-mode>NULL</match-mode></property-search-restriction>`},
			call{name: "old", do: test, want: 200, is: declaration + `<users expand="user">` + strings.TrimPrefix(adaXML, declaration) + `</users>`,
				body: `<null-search-restriction/>`},
		)
	})
}

// A C# tool compares a whole empty answer, byte for byte.
func TestSearchEmptyLists(t *testing.T) {
	each(t, func(w *world) {
		w.run(
			call{do: "GET /search?entity-type=user", accept: "-", want: 200, is: declaration + `<users expand="user"/>`},
			call{do: "GET /search?entity-type=group", accept: "-", want: 200, is: declaration + `<groups expand="group"/>`},
			call{do: "GET /search?entity-type=user&expand=user,attributes", want: 200, is: `{"expand":"user","users":[]}`, gets: map[string]string{"Content-Type": "application/json"}},
			call{do: "GET /search?entity-type=group", want: 200, is: `{"expand":"group","groups":[]}`},
			call{name: "no results wanted", do: "GET /search?entity-type=user&max-results=0", accept: "-", want: 200, is: declaration + `<users expand="user"/>`},
		)
	})
}

func TestSearchExpand(t *testing.T) {
	each(t, func(w *world) {
		w.people()
		w.groups()
		w.call(call{do: "POST /group/attribute?groupname=interns", body: `{"attributes":[{"name":"mentor","values":["Ada"]}]}`, want: 204})
		const ada, dev = "GET /search?entity-type=user&restriction=name%3dada", "GET /search?entity-type=group&restriction=name%3dinterns"
		name := `<users expand="user"><user name="Ada">` + self("/user?username=Ada") + `</user></users>`
		whole := `<users expand="user">` + strings.TrimPrefix(adaXML, declaration) + `</users>`
		mentor := `<attribute name="mentor">` + self("/group/attribute?groupname=interns&amp;attributename=mentor") + `<values><value>Ada</value></values></attribute>`
		w.run(
			call{name: "names only", do: ada, accept: "-", want: 200, is: declaration + name},
			call{name: "none", do: ada + "&expand=none", accept: "-", want: 200, is: declaration + name},
			call{name: "attributes alone", do: ada + "&expand=attributes", accept: "-", want: 200, is: declaration + name},
			call{name: "names only, JSON", do: ada, want: 200, is: `{"expand":"user","users":[{` + selfJSON("/user?username=Ada") + `,"name":"Ada"}]}`},
			call{name: "user", do: ada + "&expand=user", accept: "-", want: 200, is: declaration + whole},
			call{name: "user, JSON", do: ada + "&expand=user", want: 200, is: `{"expand":"user","users":[` + adaJSON + `]}`},
			call{name: "user and attributes", do: ada + "&expand=user,attributes", want: 200, has: []string{`"first-name":"Ada"`, `"name":"passwordLastChanged"`}},
			call{name: "dotted", do: ada + "&expand=user.attributes", want: 200, has: []string{`"first-name":"Ada"`, `"name":"passwordLastChanged"`}},
			call{name: "group", do: dev + "&expand=group", accept: "-", want: 200, is: declaration + `<groups expand="group"><group name="interns" expand="attributes">` +
				self("/group?groupname=interns") + `<description/><type>GROUP</type><active>true</active><attributes>` + self("/group/attribute?groupname=interns") + `</attributes></group></groups>`},
			call{name: "group and attributes", do: dev + "&expand=group,attributes", accept: "-", want: 200, has: []string{`<attributes>` + mentor}},
			call{name: "names of groups, JSON", do: dev, want: 200, is: `{"expand":"group","groups":[{` + selfJSON("/group?groupname=interns") + `,"name":"interns"}]}`},
		)
	})
}

// Quirk 52: Openfire reads by hundreds and stops at the first page that is not full. Others ask
// until a page is empty, or take all at once.
func TestQuirk52Pages(t *testing.T) {
	each(t, func(w *world) {
		want := w.crowd(1203)
		read := func(query string, size int) (names []string) {
			for start := 0; ; start += size {
				a := w.call(call{do: fmt.Sprintf("GET /search?entity-type=user&restriction=active%%3dtrue&start-index=%d&max-results=%d%s", start, size, query), want: 200})
				page := strings.Fields(w.found(a.body))
				names = append(names, page...)
				if len(page) < size {
					return names
				}
			}
		}
		for _, size := range []int{100, 401, 1000} {
			if diff := cmp.Diff(want, read("", size)); diff != "" {
				w.t.Errorf("pages of %d (-want +got):\n%s", size, diff)
			}
		}
		for query, n := range map[string]int{"": 1000, "&max-results=-1": 1203, "&max-results=99999": 1203, "&max-results=-1&start-index=1200": 3, "&start-index=5000": 0, "&max-results=0": 0} {
			for _, expand := range []string{"", "&expand=user"} {
				got := strings.Fields(w.found(w.call(call{do: "GET /search?entity-type=user" + query + expand, want: 200}).body))
				if len(got) != n {
					w.t.Errorf("%q gives %d users, want %d", query+expand, len(got), n)
				}
			}
		}
	})
}

// crowd makes n active users at once, behind the API, and gives their names in order.
func (w *world) crowd(n int) (names []string) {
	w.t.Helper()
	err := w.store.Write(w.t.Context(), models.System, func(tx *store.Tx) error {
		tx.Quiet()
		for i := range n {
			u := &models.User{DirectoryID: 1, Name: fmt.Sprintf("user-%04d", i), DisplayName: strings.Repeat("long ", 20), Active: true}
			names = append(names, u.Name)
			if err := tx.CreateUser(u); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return names
}

// partners is a second directory, with a bob of its own and zoe; the application both sees
// staff before partners.
func (w *world) partners() {
	w.t.Helper()
	directories := directory.New(w.store, testkit.NewHasher(), testkit.Log(w.t))
	if _, err := directories.Create(w.t.Context(), models.System, directory.NewDirectory{Name: "partners"}); err != nil {
		w.t.Fatal(err)
	}
	w.app("outside", "127.0.0.1", func(n *application.NewApplication) { n.Directories = []string{"partners"} })
	w.app("both", "127.0.0.1", func(n *application.NewApplication) { n.Directories = []string{"staff", "partners"} })
	w.call(call{do: "POST /user", as: "outside:secret-of-outside", body: `{"name":"BOB","email":"other@example.test"}`, want: 201})
	w.call(call{do: "POST /user", as: "outside:secret-of-outside", body: `{"name":"zoe"}`, want: 201})
	w.call(call{do: "POST /group", as: "outside:secret-of-outside", body: `{"name":"developers","description":"others"}`, want: 201})
}

func TestSearchSeesWhatTheApplicationSees(t *testing.T) {
	each(t, func(w *world) {
		w.staffed()
		w.partners()
		const both, outside = "both:secret-of-both", "outside:secret-of-outside"
		for _, c := range []struct{ as, entity, cql, want string }{
			{"", "user", "", "Ada bob eve"},
			{outside, "user", "", "BOB zoe"},
			{both, "user", "", "Ada bob eve zoe"},
			{outside, "user", "email = other@*", "BOB"},
			{both, "user", "email = other@*", ""}, // of a user whom another of that name shadows
			{both, "group", "", "Developers empty interns"},
			{both, "group", "description = others", ""},
		} {
			if got := w.cql(c.as, c.entity, c.cql); got != c.want {
				w.t.Errorf("%s: %s %s finds %q, want %q", c.as, c.entity, c.cql, got, c.want)
			}
		}
		if err := w.apps.SetAlias(w.t.Context(), models.System, "both", "ada", "Countess"); err != nil {
			w.t.Fatal(err)
		}
		for cql, want := range map[string]string{
			"": "bob Countess eve zoe", "name = c*": "Countess", "name = ada": "", "firstName = ada": "Countess",
		} {
			if got := w.cql(both, "user", cql); got != want {
				w.t.Errorf("with an alias %s finds %q, want %q", cql, got, want)
			}
		}
		w.run(
			call{name: "the alias is in links", do: "GET /search?entity-type=user&restriction=name%3dcountess", as: both, want: 200,
				is: `{"expand":"user","users":[{` + selfJSON("/user?username=Countess") + `,"name":"Countess"}]}`},
			call{name: "and not elsewhere", do: "GET /search?entity-type=user&restriction=name%3dcountess", want: 200, is: `{"expand":"user","users":[]}`},
		)
	})
}

// The most that a search may ask is no trouble for either database.
func TestSearchAtItsLimits(t *testing.T) {
	each(t, func(w *world) {
		w.people()
		var terms []string
		for i := range 500 {
			terms = append(terms, []string{`name = *x`, `department = "*y*"`, `createdDate = 2010`, `email = z`, `active = false`}[i%5])
		}
		terms[499] = "name = ada"
		deep := "name = ada"
		for i := range 20 {
			deep = "(" + deep + []string{" or name = x", " and active = true"}[i%2] + ")"
		}
		nested := `<property-search-restriction><property><name>name</name><type>STRING</type></property><match-mode>CONTAINS</match-mode><value>ADA</value></property-search-restriction>`
		for range 6 { // checking against openapi.yaml takes twice as long with each
			nested = `<boolean-search-restriction boolean-logic="and"><restrictions><null-search-restriction/>` + nested + `</restrictions></boolean-search-restriction>`
		}
		if got := w.cql("", "user", strings.Join(terms, " or ")); got != "Ada eve" {
			w.t.Errorf("500 comparisons find %q", got)
		}
		if got := w.cql("", "user", deep); got != "Ada" {
			w.t.Errorf("20 parentheses find %q", got)
		}
		a := w.call(call{do: "POST /search?entity-type=user", body: nested, accept: "application/json", want: 200})
		if got := w.found(a.body); got != "Ada" {
			w.t.Errorf("restrictions inside of each other find %q", got)
		}
	})
}

// onWrite is an answer that does something once it has got a first chunk.
type onWrite struct {
	*httptest.ResponseRecorder
	do   func()
	done bool
}

func (r *onWrite) Write(p []byte) (int, error) {
	if !r.done {
		r.done = true
		r.do()
	}
	return r.ResponseRecorder.Write(p)
}

// A search that fails on the way must not look whole: the handler gives net/http the word to cut
// the connection. One that fails before it has sent anything is answered as ever.
func TestSearchThatFailsHalfway(t *testing.T) {
	each(t, func(w *world) {
		w.crowd(1100)
		e := echo.New()
		e.IPExtractor = echo.ExtractIPDirect()
		e.HTTPErrorHandler = api.ErrorHandler
		crowd.Register(e, crowd.Deps{Application: w.apps})
		for _, format := range []string{"application/xml", "application/json"} {
			search := func(ctx context.Context, r http.ResponseWriter) (cut any) {
				request := httptest.NewRequestWithContext(ctx, http.MethodGet, "/crowd/rest/usermanagement/1/search?entity-type=user&max-results=-1&expand=user", nil)
				request.RemoteAddr = "127.0.0.1:1234"
				request.SetBasicAuth("jira", "secret-of-jira")
				request.Header.Set("Accept", format)
				defer func() { cut = recover() }()
				e.ServeHTTP(r, request)
				return nil
			}
			ctx, cancel := context.WithCancel(w.t.Context())
			half := &onWrite{ResponseRecorder: httptest.NewRecorder(), do: cancel}
			err, _ := search(ctx, half).(error)
			body := half.Body.String()
			if !errors.Is(err, http.ErrAbortHandler) || half.Code != 200 || body == "" {
				w.t.Errorf("%s: a search whose caller left ends with %v, status %d and %d bytes", format, err, half.Code, len(body))
			}
			if strings.HasSuffix(body, "</users>") || strings.HasSuffix(body, "]}") {
				w.t.Errorf("%s: half a list was closed as if complete", format)
			}
			gone := httptest.NewRecorder()
			if cut := search(ctx, gone); cut != nil || gone.Code != 503 || !strings.Contains(gone.Body.String(), "OPERATION_FAILED") {
				w.t.Errorf("%s: a search whose caller left before is %v, %d %s", format, cut, gone.Code, gone.Body)
			}
		}
	})
}

// What is streamed is, to the byte, what a list that is built first looks like.
func TestSearchIsWrittenLikeOtherLists(t *testing.T) {
	each(t, func(w *world) {
		w.people()
		w.groups()
		w.call(call{do: "POST /group/user/direct?groupname=empty", body: `{"name":"eve"}`, want: 201})
		w.call(call{do: "POST /group/child-group/direct?groupname=empty", body: `{"name":"developers"}`, want: 201})
		for _, accept := range []string{"application/xml", "application/json"} {
			for _, expand := range []string{"", "&expand=user,group", "&expand=user,group,attributes"} {
				for _, lists := range [][2]string{
					{"/search?entity-type=user&restriction=", "/group/user/nested?groupname=empty"},
					{"/search?entity-type=group&restriction=" + url.QueryEscape("name=developers or name=interns"), "/group/child-group/nested?groupname=empty"},
				} {
					streamed := w.call(call{do: "GET " + lists[0] + expand, accept: accept, want: 200})
					built := w.call(call{do: "GET " + lists[1] + expand, accept: accept, want: 200})
					if streamed.body != built.body || streamed.header.Get("Content-Type") != built.header.Get("Content-Type") {
						w.t.Errorf("%s%s is streamed as\n%s\nand built as\n%s", lists[0], expand, streamed.body, built.body)
					}
				}
			}
		}
	})
}
