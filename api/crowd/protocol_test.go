package crowd_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/rollcall-id/rollcall/api/crowd"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
)

// Atlassian's client looks for the header before it looks at the status; world.call wants it on
// every answer.
func TestQuirk1VersionHeaderOnEveryAnswer(t *testing.T) {
	each(t, func(w *world) {
		w.people()
		w.app("elsewhere", "192.0.2.1")
		version := map[string]string{
			"X-Embedded-Crowd-Version": "Crowd/5.1.0", "X-Crowd-User-Management-Version": "1.4",
			"Cache-Control": "no-cache, no-store, no-transform", "Pragma": "no-cache",
		}
		for _, c := range []call{
			{do: "GET /user?username=ada", want: 200},
			{do: "GET /user", want: 400},
			{do: "GET /user?username=ada", as: "-", want: 401},
			{do: "GET /user?username=ada", as: "elsewhere:secret-of-elsewhere", want: 403},
			{do: "GET /nothing/here", want: 404},
			{do: "PATCH /user", want: 405},
			{do: "GET /user?username=ada", accept: "image/png", want: 406},
			{do: "POST /user", body: "name=ada", kind: "application/x-www-form-urlencoded", want: 415},
			{do: "DELETE /user/attribute?username=ada&attributename=x", want: 204},
		} {
			c.gets = version
			w.run(c)
		}
		w.run(
			call{name: "but the cookie's settings may be cached", do: "GET /config/cookie", want: 200, gets: map[string]string{"Cache-Control": "", "Pragma": ""}},
			call{name: "and nothing outside of the API", do: "GET !/elsewhere", want: 404, gets: map[string]string{"X-Embedded-Crowd-Version": ""}},
		)
	})
}

func TestQuirk2And44BaseAddresses(t *testing.T) {
	each(t, func(w *world) {
		w.people()
		for _, base := range []string{
			"/crowd/rest/usermanagement/1", "/crowd/rest/usermanagement/1.0", "/crowd/rest/usermanagement/latest",
			"/rest/usermanagement/1", "/rest/usermanagement/latest", "//rest/usermanagement/1", "/crowd//rest/usermanagement/1",
		} {
			link := "http://rollcall.test/crowd/rest/usermanagement/1/user?username=Ada"
			if !strings.HasPrefix(base, "/crowd") {
				link = "http://rollcall.test/rest/usermanagement/1/user?username=Ada"
			}
			for _, tail := range []string{"/user?username=ada", "/user/?username=ada"} {
				w.run(call{do: "GET !" + base + tail, want: 200, has: []string{`"name":"Ada"`, link}})
			}
		}
		w.run(
			call{name: "another version", do: "GET !/crowd/rest/usermanagement/2/user?username=ada", want: 404},
			call{name: "the root", do: "GET !/crowd/rest/usermanagement/1", want: 404, reason: "OPERATION_FAILED"},
			call{name: "the root with a slash", do: "GET !/crowd/rest/usermanagement/1/", want: 404},
			call{name: "another version, unknown application", do: "GET !/crowd/rest/usermanagement/2", as: "x:y", want: 401},
		)
	})
}

func TestQuirk3FormatOfAnswers(t *testing.T) {
	each(t, func(w *world) {
		w.people()
		asXML := []string{declaration + `<user name="Ada" expand="attributes">`}
		asJSON := []string{`{"expand":"attributes"`}
		const user = "GET /user?username=ada"
		w.run(
			call{name: "no Accept", do: user, accept: "-", want: 200, has: asXML, gets: map[string]string{"Content-Type": "application/xml"}},
			call{name: "anything", do: user, accept: "*/*", want: 200, has: asXML},
			call{name: "a browser", do: user, accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", want: 200, has: asXML},
			call{name: "JSON", do: user, accept: "application/json", want: 200, has: asJSON, gets: map[string]string{"Content-Type": "application/json"}},
			call{name: "a suffix goes before Accept", do: "GET /user.json?username=ada", accept: "application/xml", want: 200, has: asJSON},
			call{name: "the other suffix", do: "GET /user.xml?username=ada", accept: "application/json", want: 200, has: asXML},
			call{name: "neither", do: user, accept: "text/plain", want: 406, reason: "ILLEGAL_ARGUMENT", has: []string{"<error>"}},
			call{name: "XML in, JSON out", do: "POST /authentication?username=ada", accept: "application/json",
				body: "<password><value>difference</value></password>", want: 200, has: asJSON},
			call{name: "an error in JSON", do: "GET /user?username=nobody", want: 404, is: `{"reason":"USER_NOT_FOUND","message":"User <nobody> does not exist"}`},
			call{name: "an error in XML", do: "GET /user?username=nobody", accept: "-", want: 404,
				is: declaration + `<error><reason>USER_NOT_FOUND</reason><message>User &lt;nobody&gt; does not exist</message></error>`},
		)
	})
}

// Nothing may happen when the answer could not be given.
func TestNotAcceptableChangesNothing(t *testing.T) {
	each(t, func(w *world) {
		w.people()
		w.run(
			call{do: "DELETE /user?username=ada", accept: "text/plain", want: 406},
			call{do: "GET /user?username=ada", want: 200},
		)
	})
}

func TestQuirk5WhoMayNotCall(t *testing.T) {
	each(t, func(w *world) {
		w.app("elsewhere", "192.0.2.1")
		refused := map[string]string{"Content-Type": "text/plain;charset=UTF-8", "WWW-Authenticate": `Basic realm="Crowd REST Service"`}
		const sentence = "Application failed to authenticate"
		forbidden := `The server understood the request but refuses to authorize it. ` +
			`Client with address "127.0.0.1" is forbidden from making requests to the application, elsewhere.`
		w.run(
			call{name: "no credentials", do: "GET /user?username=ada", as: "-", want: 401, is: sentence, gets: refused},
			call{name: "wrong password", do: "GET /user?username=ada", as: "jira:wrong", want: 401, is: sentence, gets: refused},
			call{name: "unknown application", do: "GET /user?username=ada", as: "nobody:wrong", want: 401, is: sentence, gets: refused},
			call{name: "another address", do: "GET /user?username=ada", as: "elsewhere:secret-of-elsewhere", want: 403, is: forbidden, gets: map[string]string{"Content-Type": "text/plain;charset=UTF-8"}},
			call{name: "another address and a wrong password", do: "GET /user?username=ada", as: "elsewhere:wrong", want: 403, is: forbidden},
			call{name: "a claimed address", do: "GET /user?username=ada", as: "elsewhere:secret-of-elsewhere", header: map[string]string{"X-Forwarded-For": "192.0.2.1"}, want: 403, is: forbidden},
		)
	})
}

// python-crowd asks for a path that doesn't exist to learn whether its password is right.
func TestQuirk25UnknownPaths(t *testing.T) {
	each(t, func(w *world) {
		w.run(
			call{do: "GET /non-existent/location", want: 404, reason: "OPERATION_FAILED"},
			call{name: "with a wrong password", do: "GET /non-existent/location", as: "jira:wrong", want: 401},
			call{name: "a method that isn't there", do: "POST /user/group/nested", want: 405, reason: "OPERATION_FAILED", gets: map[string]string{"Allow": "GET, HEAD"}},
			call{name: "such a method with a wrong password", do: "POST /user/group/nested", as: "jira:wrong", want: 401},
			call{name: "avatars", do: "GET /user/avatar?username=ada", want: 404},
			call{name: "no DELETE of parents", do: "DELETE /group/parent-group/direct?groupname=a&parent-groupname=b", want: 405},
		)
	})
}

func TestHeadIsGetWithoutItsBody(t *testing.T) {
	each(t, func(w *world) {
		w.people()
		a := w.call(call{do: "GET /user?username=ada", want: 200})
		w.call(call{do: "HEAD /user?username=ada", want: 200, is: "", gets: map[string]string{
			"Content-Type": "application/json", "Content-Length": a.header.Get("Content-Length"),
		}})
		w.call(call{do: "HEAD /user?username=nobody", want: 404})
		w.call(call{do: "HEAD /group/membership", want: 200, gets: map[string]string{"Content-Type": "application/xml"}})
	})
}

func TestQuirk10NamesInQueries(t *testing.T) {
	each(t, func(w *world) {
		for _, name := range []string{"zoë z", "a+b", "a/b\\c", "a&b=c", "<x>", "🦉", "100%", "a;b"} {
			w.call(call{do: "POST /user", body: `{"name":"` + strings.ReplaceAll(name, `\`, `\\`) + `"}`, want: 201})
		}
		w.run(
			call{name: "plus is a blank", do: "GET /user?username=zo%C3%AB+z", want: 200},
			call{name: "raw UTF-8, as Dex sends it", do: "GET /user?username=zoë%20z", want: 200, has: []string{`username=zo%C3%AB+z"`}},
			call{name: "an escaped plus", do: "GET /user?username=a%2Bb", want: 200, has: []string{`username=a%2Bb"`}},
			call{name: "a plus that means a blank", do: "GET /user?username=a+b", want: 404},
			call{name: "slashes", do: "GET /user?username=a%2Fb%5Cc", want: 200},
			call{name: "ampersand", do: "GET /user?username=a%26b%3Dc", want: 200},
			call{name: "markup", do: "GET /user?username=%3Cx%3E", accept: "-", want: 200, has: []string{`<user name="&lt;x&gt;"`}},
			call{name: "emoji", do: "GET /user?username=%F0%9F%A6%89", want: 200},
			call{name: "percent", do: "GET /user?username=100%25", want: 200},
			call{name: "a raw semicolon", do: "GET /user?username=a;b", want: 200},
			call{name: "half an escape", do: "GET /user?username=100%", want: 400, reason: "ILLEGAL_ARGUMENT"},
			call{name: "not UTF-8", do: "GET /user?username=%FF", want: 400, reason: "ILLEGAL_ARGUMENT"},
			call{name: "a zero byte", do: "GET /user?username=a%00", want: 400, reason: "ILLEGAL_ARGUMENT"},
		)
	})
}

func TestQuirk11ContentTypesOfRequests(t *testing.T) {
	each(t, func(w *world) {
		w.people()
		const right, login = `<password><value>difference</value></password>`, "POST /authentication?username=ada"
		w.run(
			call{name: "a quoted charset", do: login, body: right, kind: `application/xml; charset="utf-8"`, want: 200},
			call{name: "a charset", do: login, body: `{"value":"difference"}`, kind: "application/json; charset=utf-8", want: 200},
			call{name: "no type at login, XML", do: login, body: right, kind: "-", want: 200},
			call{name: "curl -d at login", do: login, body: `{"value":"difference"}`, kind: "application/x-www-form-urlencoded", want: 200},
			call{name: "curl -d elsewhere", do: "PUT /user/password?username=ada", body: `{"value":"x"}`, kind: "application/x-www-form-urlencoded", want: 415, reason: "ILLEGAL_ARGUMENT"},
			call{name: "no type elsewhere", do: "PUT /user/password?username=ada", body: `{"value":"x"}`, kind: "-", want: 415},
			call{name: "a JSON type and no body on DELETE", do: "DELETE /user/attribute?username=ada&attributename=x", kind: "application/json", want: 204},
			call{name: "no body where there must be one", do: "POST /user", kind: "application/json", want: 400, reason: "ILLEGAL_ARGUMENT"},
			call{name: "nothing changed", do: login, body: right, want: 200},
		)
	})
}

func TestQuirk12XMLOfRequests(t *testing.T) {
	each(t, func(w *world) {
		w.people()
		w.run(
			call{name: "CDATA that is split", do: "POST /user",
				body: "<?xml version=\"1.0\"?>\n<user name=\"carl\">\n <extra><x/></extra>\n <active>true</active>\n" +
					" <password><value><![CDATA[a]]]]><![CDATA[>b]]></value></password>\n <first-name>Carl</first-name>\n</user>\n", want: 201},
			call{name: "it was read whole", do: "POST /authentication?username=carl", body: `{"value":"a]]>b"}`, want: 200},
			call{name: "DTD", do: "POST /user", body: `<!DOCTYPE user [<!ENTITY x SYSTEM "file:///etc/passwd">]><user name="&x;"/>`, want: 400, reason: "ILLEGAL_ARGUMENT"},
			call{name: "malformed", do: "POST /user", body: `<user name="dora"><active>`, want: 400, reason: "ILLEGAL_ARGUMENT"},
			call{name: "another root", do: "POST /user", body: `<group name="dora"/>`, want: 400, reason: "ILLEGAL_ARGUMENT"},
			call{name: "JSON of the wrong shape", do: "POST /user", body: `{"name":"dora","password":"x"}`, want: 400, reason: "ILLEGAL_ARGUMENT", has: []string{`password`}},
			call{name: "a JSON list", do: "POST /user", body: `[{"name":"dora"}]`, want: 400, reason: "ILLEGAL_ARGUMENT"},
			call{name: "a control character", do: "POST /user", body: `{"name":"dora\u0001"}`, want: 400, reason: "INVALID_USER"},
			call{name: "nobody was created", do: "GET /user?username=dora", want: 404},
		)
	})
}

func TestPublicURL(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testkit.NewSQLite(t), crowd.Options{PublicURL: func(*http.Request) string { return "https://id.example.com" }, CrowdVersion: "Crowd/6.0.0"})
	w.people()
	w.run(
		call{do: "GET /user?username=ada", want: 200, has: []string{`"https://id.example.com/crowd/rest/usermanagement/1/user?username=Ada"`},
			gets: map[string]string{"X-Embedded-Crowd-Version": "Crowd/6.0.0"}},
		call{name: "Location", do: "POST /group", body: `{"name":"g 1"}`, want: 201,
			gets: map[string]string{"Location": "https://id.example.com/crowd/rest/usermanagement/1/group?groupname=g+1"}},
	)
}

func TestCookieConfig(t *testing.T) {
	t.Parallel()
	db := testkit.NewSQLite(t)
	w := newWorld(t, db, crowd.Options{CookieDomain: ".example.com", CookieSecure: true, CookieName: "sso"})
	w.run(
		call{name: "JSON", do: "GET /config/cookie", want: 200, is: `{"domain":".example.com","secure":true,"name":"sso"}`},
		call{name: "Quirk 29: order in XML", do: "GET /config/cookie", accept: "-", want: 200,
			is: declaration + "<cookie-config><domain>.example.com</domain><secure>true</secure><name>sso</name></cookie-config>"},
	)
}

func TestCookieConfigWithoutDomain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testkit.NewSQLite(t), crowd.Options{})
	w.run(
		call{name: "JSON", do: "GET /config/cookie", want: 200, is: `{"domain":"","secure":false,"name":"crowd.token_key"}`},
		call{name: "Quirk 29: no domain in XML", do: "GET /config/cookie", accept: "-", want: 200,
			is: declaration + "<cookie-config><secure>false</secure><name>crowd.token_key</name></cookie-config>"},
	)
}

// `rollcall app show` lists the last calls: the route and never a name.
func TestCallsAreNoted(t *testing.T) {
	each(t, func(w *world) {
		w.people()
		for _, c := range []call{
			{do: "GET /user?username=ada", want: 200},
			{do: "GET /session/some-token", want: 404},
			{do: "GET /nothing", want: 404},
		} {
			w.call(c)
		}
		jira, err := w.apps.ByName(w.t.Context(), "jira")
		if err != nil {
			w.t.Fatal(err)
		}
		if err := w.store.FlushNotes(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
		calls, err := w.store.Calls(w.t.Context(), jira.ID, 3)
		if err != nil {
			w.t.Fatal(err)
		}
		got := map[string]models.Call{}
		for _, c := range calls {
			got[c.Path] = c
		}
		for path, want := range map[string]models.Call{
			"/user":           {Method: "GET", Status: 200},
			"/session/:token": {Method: "GET", Status: 404, Reason: "INVALID_SSO_TOKEN"},
			"/*":              {Method: "GET", Status: 404, Reason: "OPERATION_FAILED"},
		} {
			c := got[path]
			if c.Method != want.Method || c.Status != want.Status || c.Reason != want.Reason || c.Address != "127.0.0.1" {
				w.t.Errorf("the call of %s is noted as %+v", path, c)
			}
		}
	})
}
