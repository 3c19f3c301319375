package crowd_test

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/models"
)

// What these tests show holds for every answer, so they ask for one of each kind. Quirks of one
// resource stand with the tests of that resource.

// everyKind makes a call of each kind, with each kind of refusal, once for JSON and once for
// XML, and gives the answers to check.
func (w *world) everyKind(check func(c call, a answer)) {
	w.t.Helper()
	w.people()
	w.groups()
	w.app("elsewhere", "192.0.2.1")
	w.app("reader", "127.0.0.1", func(n *application.NewApplication) { n.Permissions = models.ReadOnly })
	outer := w.t
	for _, accept := range []string{"application/json", asXML} {
		token := w.start("", atLogin)
		for _, c := range slices.Concat(granted(token), refused) {
			c.accept = accept
			outer.Run(c.do+" as "+accept, func(t *testing.T) {
				w.t = t
				defer func() { w.t = outer }()
				check(c, w.call(c))
			})
		}
	}
}

// granted are calls that are granted, again and again. The last of them ends the session.
func granted(token string) []call {
	return []call{
		{do: "POST /user", body: `{"name":"carl","password":{"value":"x"}}`, want: 201},
		{do: "GET /user?username=carl", want: 200},
		{do: "PUT /user?username=carl", body: `{"name":"carl","email":"carl@example.test"}`, want: 204},
		{do: "POST /user/rename?username=carl", body: `{"new-name":"karl"}`, want: 200},
		{do: "PUT /user/password?username=karl", body: `{"value":"y"}`, want: 204},
		{do: "POST /user/attribute?username=ada", body: `{"attributes":[{"name":"room","values":["<4>"]}]}`, want: 204},
		{do: "GET /user/attribute?username=ada", want: 200},
		{do: "GET /user?username=ada&expand=attributes", want: 200},
		{do: "GET /user/group/direct?username=ada&expand=group", want: 200},
		{do: "GET /user/group/nested?username=bob", want: 200},
		{do: "GET /user/group/nested?username=eve", want: 200},
		{do: "GET /user/group/direct?username=ada&groupname=developers", want: 200},
		{do: "POST /user/group/direct?username=karl", body: `{"name":"empty"}`, want: 201},
		{do: "DELETE /user/group/direct?username=karl&groupname=empty", want: 204},
		{do: "DELETE /user?username=karl", want: 204},
		{do: "POST /authentication?username=ada", body: `{"value":"difference"}`, want: 200},
		{do: "POST /authentication/notify?username=ada", body: `{}`, want: 200},
		{do: "POST /group", body: `{"name":"fresh"}`, want: 201},
		{do: "PUT /group?groupname=fresh", body: `{"name":"fresh","description":"< & >"}`, want: 200},
		{do: "POST /group/attribute?groupname=fresh", body: `{"attributes":[{"name":"room","values":["4","5"]}]}`, want: 204},
		{do: "GET /group/attribute?groupname=fresh", want: 200},
		{do: "GET /group?groupname=fresh&expand=attributes", want: 200},
		{do: "POST /group/user/direct?groupname=fresh", body: `{"name":"bob"}`, want: 201},
		{do: "GET /group/user/direct?groupname=fresh&expand=user", want: 200},
		{do: "GET /group/user/nested?groupname=developers", want: 200},
		{do: "POST /group/child-group/direct?groupname=fresh", body: `{"name":"empty"}`, want: 201},
		{do: "GET /group/child-group/nested?groupname=fresh", want: 200},
		{do: "GET /group/parent-group/direct?groupname=empty&expand=group", want: 200},
		{do: "DELETE /group?groupname=fresh", want: 204},
		{do: "GET /group/membership", want: 200},
		{do: "GET /search?entity-type=group&restriction=active%3dtrue&expand=group", want: 200},
		{do: "POST /search?entity-type=user&max-results=-1&expand=user", body: `{"restriction-type":"null-search-restriction"}`, want: 200},
		{do: "GET /config/cookie", want: 200},
		{do: "GET /event", want: 200},
		{do: "POST /webhook", body: `{"endpointUrl":"http://127.0.0.1:9/hook"}`, want: 201},
		{do: "GET /session/" + token, want: 200},
		{do: "POST /session/" + token, body: bare, want: 200},
		{do: "POST /session", body: atLogin, want: 201},
		{do: "DELETE /session/" + token, want: 204},
	}
}

var refused = []call{
	{do: "GET /user", want: 400, reason: "ILLEGAL_ARGUMENT"},
	{do: "POST /user", body: `{`, want: 400, reason: "ILLEGAL_ARGUMENT"},
	{do: "POST /authentication?username=ada", body: `{"value":"x"}`, want: 400, reason: "INVALID_USER_AUTHENTICATION"},
	{do: "GET /user?username=bob", as: "-", want: 401},
	{do: "GET /user?username=bob", as: "elsewhere:secret-of-elsewhere", want: 403},
	{do: "DELETE /user?username=bob", as: "reader:secret-of-reader", want: 403, reason: "APPLICATION_PERMISSION_DENIED"},
	{do: "GET /user?username=nobody", want: 404, reason: "USER_NOT_FOUND"},
	{do: "GET /nothing/here", want: 404, reason: "OPERATION_FAILED"},
	{do: "PATCH /user", want: 405, reason: "OPERATION_FAILED"},
	{do: "POST /group/user/direct?groupname=developers", body: `{"name":"ada"}`, want: 409, reason: "MEMBERSHIP_ALREADY_EXISTS"},
	{do: "GET /event/1234%3A5", want: 410, reason: "EVENT_TOKEN_EXPIRED"},
	{do: "POST /group", body: "name=x", kind: "application/x-www-form-urlencoded", want: 415, reason: "ILLEGAL_ARGUMENT"},
	{do: "POST /user/mail/password?username=ada", kind: asXML, want: 501, reason: "UNSUPPORTED_OPERATION"},
}

// isText tells whether c is refused by who calls: in plain text, not with an error entity.
func isText(c call) bool {
	return c.want == 401 || c.want == 403 && c.reason == ""
}

// isEmpty tells whether c is answered with 201 and no body.
func isEmpty(c call) bool {
	return c.want == 201 && (strings.Contains(c.do, "/direct?") || c.do == "POST /group")
}

// isXML tells whether c is answered in XML.
func isXML(c call) bool {
	return !isText(c) && c.want != 204 && (c.accept != "application/json" || strings.HasPrefix(c.do, "GET /group/membership"))
}

// atlassian-crowd-client compares the part before ";", and atlassian-crowd throws at an answer
// other than 204 that has no type, as an empty 201 might.
func TestQuirk04ContentTypeOnEveryAnswer(t *testing.T) {
	each(t, func(w *world) {
		w.everyKind(func(c call, a answer) {
			want := c.accept
			switch {
			case c.want == 204:
				want = ""
			case isText(c):
				want = "text/plain"
			case isXML(c):
				want = asXML
			}
			if got, _, _ := strings.Cut(a.header.Get("Content-Type"), ";"); got != want {
				w.t.Errorf("the Content-Type is %q, want %q", got, want)
			}
			if a.body == "" && c.want != 204 && !isEmpty(c) {
				w.t.Error("there is no body")
			}
		})
	})
}

// Atlassian's client sits on a caching HTTP client. Only the cookie's settings may be kept.
func TestQuirk08CacheControlOnEveryAnswer(t *testing.T) {
	each(t, func(w *world) {
		w.everyKind(func(c call, a answer) {
			want := "no-cache, no-store, no-transform"
			if strings.HasSuffix(c.do, "/config/cookie") {
				want = ""
			}
			if got := a.header.Get("Cache-Control"); got != want {
				w.t.Errorf("Cache-Control is %q, want %q", got, want)
			}
		})
	})
}

// Atlassian's client sends it always. (That bodies are read to their end, and that errors have
// the right length, is shown with the whole server.)
func TestQuirk09AtlassianTokenIsIgnored(t *testing.T) {
	each(t, func(w *world) {
		w.people()
		for _, value := range []string{"no-check", "nocheck", "check", ""} {
			header := map[string]string{"X-Atlassian-Token": value}
			w.run(
				call{name: value + ": read", do: "GET /user?username=ada", header: header, want: 200, is: adaJSON},
				call{name: value + ": write", do: "POST /group", body: `{"name":"g"}`, header: header, want: 201},
				call{name: value + ": delete", do: "DELETE /group?groupname=g", header: header, want: 204},
				call{name: value + ": a refusal", do: "DELETE /group?groupname=g", header: header, want: 404, reason: "GROUP_NOT_FOUND"},
				call{name: value + ": it lets nobody in", do: "GET /user?username=ada", as: "-", header: header, want: 401},
			)
		}
	})
}

// cwdapache's parser is written by hand: what Crowd never sends it need not understand.
func TestQuirk26XMLHasNothingButElements(t *testing.T) {
	t.Run("golden answers", func(t *testing.T) {
		files, err := filepath.Glob(filepath.Join("testdata", "*.xml"))
		if err != nil || len(files) == 0 {
			t.Fatal("there are no golden answers:", err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			onlyElements(t, file, oneLine(string(text)))
		}
	})
	t.Run("answers", func(t *testing.T) {
		each(t, func(w *world) {
			w.everyKind(func(c call, a answer) {
				if isXML(c) && !isEmpty(c) {
					onlyElements(w.t, c.do, a.raw)
				}
			})
		})
	})
}

// onlyElements checks that a text is the declaration and one element, without namespaces, and
// that no whitespace stands between elements. Texts that tests use here aren't blank.
func onlyElements(t *testing.T, what, text string) {
	t.Helper()
	root, ok := strings.CutPrefix(text, declaration)
	if !ok || !strings.HasPrefix(root, "<") || !strings.HasSuffix(root, ">") {
		t.Errorf("%s doesn't begin with the declaration and the root, or end with it: %s", what, text)
	}
	in := xml.NewDecoder(strings.NewReader(root))
	in.Strict = true
	for {
		token, err := in.RawToken()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatalf("%s: %v in %s", what, err, text)
		}
		switch token := token.(type) {
		case xml.StartElement:
			names := []xml.Name{token.Name}
			for _, a := range token.Attr {
				names = append(names, a.Name)
			}
			for _, name := range names {
				if name.Space != "" || strings.HasPrefix(name.Local, "xmlns") {
					t.Errorf("%s has a namespace, in <%s>: %s", what, token.Name.Local, text)
				}
			}
		case xml.EndElement:
		case xml.CharData:
			if strings.TrimSpace(string(token)) == "" {
				t.Errorf("%s has whitespace between elements: %s", what, text)
			}
		default: // a comment, a directive (DTD), or a processing instruction
			t.Errorf("%s has a %T: %s", what, token, text)
		}
	}
}

// jda/go-crowd reads dates as RFC 3339, which wants a colon in the zone; Dex reads JSON's as
// uint64, and node makes a Date of them.
func TestQuirk31Dates(t *testing.T) {
	each(t, func(w *world) {
		w.people()
		token := w.start("", atLogin)
		now := w.clock.Now()
		for what, c := range map[string]struct {
			do   string
			want map[string]time.Time
		}{
			"user":    {"/user?username=ada", map[string]time.Time{"created-date": now, "updated-date": now}},
			"session": {"/session/" + token, map[string]time.Time{"created-date": now, "expiry-date": now.Add(30 * time.Minute)}},
		} {
			inXML := w.call(call{do: "GET " + c.do, accept: asXML, want: 200}).body
			var inJSON map[string]json.RawMessage
			if err := json.Unmarshal([]byte(w.call(call{do: "GET " + c.do, want: 200}).body), &inJSON); err != nil {
				w.t.Fatal(err)
			}
			for name, want := range c.want {
				found := regexp.MustCompile(`<`+name+`>(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(?:Z|[+-]\d\d:\d\d))</`+name+`>`).FindAllStringSubmatch(inXML, -1)
				if len(found) == 0 {
					w.t.Fatalf("%s of a %s is no xs:dateTime with a zone in %s", name, what, inXML)
				}
				if got, err := time.Parse(time.RFC3339, found[len(found)-1][1]); err != nil || !got.Equal(want) {
					w.t.Errorf("%s of a %s is %v in XML, %v, want %v", name, what, got, err, want)
				}
				var got uint64
				if err := json.Unmarshal(inJSON[name], &got); err != nil || got != uint64(want.UnixMilli()) {
					w.t.Errorf("%s of a %s is %s in JSON, %v, want %d", name, what, inJSON[name], err, want.UnixMilli())
				}
			}
		}
	})
}

func TestQuirk32NamesAndRoots(t *testing.T) {
	each(t, func(w *world) {
		w.people()
		w.groups()
		token := w.start("", atLogin)
		for _, c := range []struct {
			do, root string
			name     string // of the user or group itself; empty: a list or something else
		}{
			{"/user?username=ada", "user", "Ada"},
			{"/user?username=ada&expand=attributes", "user", "Ada"},
			{"/group?groupname=developers", "group", "Developers"},
			{"/group/user/direct?groupname=developers", "users", ""},
			{"/search?entity-type=user", "users", ""},
			{"/user/group/direct?username=ada", "groups", ""},
			{"/search?entity-type=group&expand=group", "groups", ""},
			{"/user/attribute?username=ada", "attributes", ""},
			{"/group/attribute?groupname=developers", "attributes", ""},
			{"/session/" + token, "session", ""},
			{"/group/membership", "memberships", ""},
			{"/config/cookie", "cookie-config", ""},
			{"/event", "events", ""},
			{"/user?username=nobody", "error", ""},
		} {
			status := 200
			if c.root == "error" {
				status = 404
			}
			var element struct {
				XMLName xml.Name
				Name    string `xml:"name,attr"`
			}
			body := w.call(call{do: "GET " + c.do, accept: asXML, want: status}).raw
			if err := xml.Unmarshal([]byte(body), &element); err != nil || element.XMLName.Local != c.root || element.Name != c.name {
				w.t.Errorf("%s is <%s name=%q>, %v, want <%s name=%q>", c.do, element.XMLName.Local, element.Name, err, c.root, c.name)
			}
			if c.name == "" {
				continue
			}
			if strings.Contains(body, "<name>") {
				w.t.Errorf("%s has its name as an element: %s", c.do, body)
			}
			var object struct{ Name string }
			if err := json.Unmarshal([]byte(w.call(call{do: "GET " + c.do, want: status}).body), &object); err != nil || object.Name != c.name {
				w.t.Errorf("%s has the name %q in JSON, %v, want %q", c.do, object.Name, err, c.name)
			}
		}
		for list, element := range map[string]string{"/group/user/direct?groupname=developers": "user", "/user/group/direct?username=bob": "group"} {
			w.call(call{do: "GET " + list, accept: asXML, want: 200, has: []string{"<" + element + ` name="`}, hasNot: []string{"<name>"}})
			w.call(call{do: "GET " + list, want: 200, has: []string{`"name":"`}})
		}
	})
}

// One value is an array too: python-crowd and the node clients take the first.
func TestQuirk35AttributesHaveNameAndValues(t *testing.T) {
	each(t, func(w *world) {
		w.people()
		w.groups()
		const given = `{"attributes":[{"name":"room","values":["4"]},{"name":"team","values":["ops","R&D"]}]}`
		w.call(call{do: "POST /user/attribute?username=bob", body: given, want: 204})
		w.call(call{do: "POST /group/attribute?groupname=interns", body: given, want: 204})
		for do, path := range map[string][]string{
			"/user/attribute?username=bob":                                {"attributes"},
			"/user?username=bob&expand=attributes":                        {"attributes", "attributes"},
			"/group/attribute?groupname=interns":                          {"attributes"},
			"/group?groupname=interns&expand=attributes":                  {"attributes", "attributes"},
			"/search?entity-type=group&expand=group,attributes":           {"groups", "2", "attributes", "attributes"},
			"/search?entity-type=user&expand=user,attributes":             {"users", "1", "attributes", "attributes"},
			"/group/user/direct?groupname=interns&expand=user":            {"users", "1", "attributes", "attributes"}, // unexpanded: empty
			"/user/group/direct?username=bob&expand=group":                {"groups", "0", "attributes", "attributes"},
			"/group/user/direct?groupname=interns&expand=user,attributes": {"users", "1", "attributes", "attributes"},
		} {
			var list []struct {
				Name   *string
				Values *[]string
			}
			body := w.call(call{do: "GET " + do, want: 200}).body
			if err := json.Unmarshal(at(w.t, body, path...), &list); err != nil {
				w.t.Errorf("%s: %v in %s", do, err, body)
				continue
			}
			got := map[string]string{}
			for _, attribute := range list {
				if attribute.Name == nil || attribute.Values == nil {
					w.t.Errorf("%s has an attribute without name or values: %s", do, body)
					continue
				}
				got[*attribute.Name] = strings.Join(*attribute.Values, ",")
			}
			want := map[string]string{"room": "4", "team": "R&D,ops"}
			if !strings.Contains(do, "attribute") {
				want = map[string]string{"room": "", "team": ""}
			}
			for name := range want {
				values := strings.Split(got[name], ",")
				slices.Sort(values)
				if strings.Join(values, ",") != want[name] {
					w.t.Errorf("%s: the attribute %s is %q, want %q", do, name, got[name], want[name])
				}
			}
		}
	})
}

// at gives a part of a JSON text: the path names fields, or items by their number.
func at(t *testing.T, text string, path ...string) json.RawMessage {
	t.Helper()
	part := json.RawMessage(text)
	for _, step := range path {
		var object map[string]json.RawMessage
		var list []json.RawMessage
		switch {
		case json.Unmarshal(part, &object) == nil:
			part = object[step]
		case json.Unmarshal(part, &list) == nil:
			var i int
			if _, err := fmt.Sscan(step, &i); err != nil || i >= len(list) {
				t.Fatalf("there is no %s in %s", step, part)
			}
			part = list[i]
		default:
			t.Fatalf("there is no %s in %s", step, part)
		}
	}
	return part
}

func TestQuirk36ReasonsAndBooleans(t *testing.T) {
	reason := regexp.MustCompile(`^[A-Z]+(_[A-Z]+)*$`)
	boolean := regexp.MustCompile(`<(active|secure)>(.*?)</`)
	each(t, func(w *world) {
		w.everyKind(func(c call, a answer) {
			switch {
			case isText(c) || a.body == "":
			case isXML(c):
				var failure struct {
					XMLName xml.Name `xml:"error"`
					Reason  string   `xml:"reason"`
				}
				if xml.Unmarshal([]byte(a.raw), &failure) == nil && !reason.MatchString(failure.Reason) {
					w.t.Errorf("the reason is %q", failure.Reason)
				}
				for _, found := range boolean.FindAllStringSubmatch(a.raw, -1) {
					if found[2] != "true" && found[2] != "false" {
						w.t.Errorf("%s is %q", found[1], found[2])
					}
				}
			default:
				var object any
				if err := json.Unmarshal([]byte(a.raw), &object); err != nil {
					w.t.Fatalf("%v in %s", err, a.raw)
				}
				eachField(object, func(name string, value any) {
					switch value := value.(type) {
					case bool:
					case string:
						if name == "reason" && !reason.MatchString(value) || name == "active" || name == "secure" {
							w.t.Errorf("%s is %q", name, value)
						}
					default:
						if name == "reason" || name == "active" || name == "secure" {
							w.t.Errorf("%s is %v", name, value)
						}
					}
				})
			}
		})
		w.run(
			call{name: "an inactive user", do: "GET /user?username=eve", want: 200, has: []string{`"active":false`}},
			call{name: "an inactive user in XML", do: "GET /user?username=eve", accept: asXML, want: 200, has: []string{`<active>false</active>`}},
			call{name: "the cookie", do: "GET /config/cookie", want: 200, has: []string{`"secure":false`}},
		)
	})
}

// eachField visits all fields of all objects in a JSON value.
func eachField(value any, visit func(name string, value any)) {
	switch value := value.(type) {
	case []any:
		for _, item := range value {
			eachField(item, visit)
		}
	case map[string]any:
		for name, field := range value {
			visit(name, field)
			eachField(field, visit)
		}
	}
}

// A client that logs in at each request doesn't pile up sessions.
func TestQuirk43SameFactorsSameToken(t *testing.T) {
	const two = `,"validation-factors":{"validationFactors":[{"name":"a","value":"1"},{"name":"b","value":"2"}]}}`
	const turned = `,"validation-factors":{"validationFactors":[{"name":"b","value":"2"},{"name":"a","value":"1"}]}}`
	const ada, bob = `{"username":"ada","password":"difference"`, `{"username":"bob","password":"can we fix it"`
	each(t, func(w *world) {
		w.people()
		first := w.start("", ada+two)
		w.clock.Advance(10 * time.Minute)
		for what, c := range map[string]struct {
			query, body string
			same        bool
		}{
			"again":                     {"", ada + two, true},
			"another spelling":          {"", strings.Replace(ada, "ada", "ADA", 1) + two, true},
			"in another order":          {"", ada + turned, true},
			"without the password":      {"?validate-password=false", `{"username":"ada"` + two, true},
			"with one factor":           {"", atLogin, false},
			"with other values":         {"", strings.Replace(ada+two, `"2"`, `"3"`, 1), false},
			"with the values exchanged": {"", ada + strings.NewReplacer(`"1"`, `"2"`, `"2"`, `"1"`).Replace(two), false},
			"without factors":           {"", ada + "}", false},
			"of another user":           {"", bob + two, false},
			"for a shorter time":        {"?duration=60", ada + two, false}, // as it asked for another session
		} {
			if got := w.start(c.query, c.body); (got == first) != c.same {
				w.t.Errorf("%s: the same token: %v, want %v", what, got == first, c.same)
			}
		}
		w.clock.Advance(31 * time.Minute)
		if got := w.start("", ada+two); got == first {
			w.t.Error("the token of an expired session is given again")
		}
		w.call(call{do: "DELETE /session?username=ada", want: 204})
		second := w.start("", ada+two)
		w.call(call{do: "DELETE /session/" + second, want: 204})
		if got := w.start("", ada+two); got == second {
			w.t.Error("the token of a session that was ended is given again")
		}
	})
}
