package server

import (
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/internal/testkit/openapitest"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// Each test here is a lesson that another product's users paid for. The number is the lesson's
// in docs/security-model.md, which says what happened, and which tests elsewhere belong to it.

// everyOperation gives a question for each operation of the API.
func everyOperation(t *testing.T) (questions []string) {
	t.Helper()
	for _, operation := range openapitest.Operations(t) {
		questions = append(questions, strings.NewReplacer("{token}", "x", "{id}", "1").Replace(operation)+"?username=ada&groupname=g&entity-type=user")
	}
	return questions
}

// Crowd, CVE-2019-11580: a plug-in for development was left in release builds.
func TestLesson01OnlyTheApprovedIsServed(t *testing.T) {
	t.Parallel()
	h := openHouse(t, testkit.NewSQLite(t))
	h.app("probe", "127.0.0.1")
	for _, path := range []string{
		"/", "/debug/pprof/", "/debug/vars", "/debug/pprof/cmdline", "/metrics", "/livez", "/readyz", "/admin", "/crowd", "/crowd/console",
		"/crowd/admin/uploadplugin.action", "/crowd/plugins/servlet/exp", "/crowd/services/SecurityServer",
		"/crowd/rest/admin/1.0/server-info", "/crowd/rest/appmanagement/1/application", "/rest/usermanagement/application.wadl",
	} {
		for _, method := range []string{"GET", "POST", "PUT"} {
			h.want(404, question{do: method + " !" + path, as: "probe"})
		}
	}
	for path, want := range map[string]int{
		"/livez": 200, "/readyz": 200, "/healthz": 200, "/metrics": 200,
		"/": 404, "/debug/pprof/": 404, "/debug/vars": 404, "/shutdown": 404, "/crowd/rest/usermanagement/1/user": 404,
	} {
		response, err := h.client.Get(h.management + path)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("the management listener answers %s with %d, want %d", path, response.StatusCode, want)
		}
	}
}

// Crowd, CVE-2022-43782: an address on the list of the built-in application made its password
// superfluous. Here both must be right, on every route.
func TestLesson02AddressIsNoProof(t *testing.T) {
	t.Parallel()
	h := openHouse(t, testkit.NewSQLite(t))
	h.app("jira", "127.0.0.1")
	h.app("wiki", "127.0.0.1")
	h.app("elsewhere", "192.0.2.1")
	base := func(pair string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(pair)) }
	for _, do := range everyOperation(t) {
		for _, q := range []question{
			{}, {as: "jira:"}, {as: "jira:wrong"}, {as: "jira:secret-of-wiki"}, {as: "nobody:secret-of-jira"}, {as: ":secret-of-jira"},
			{basic: base("jira")}, {basic: "Basic"}, {basic: "Basic %%%"}, {basic: "Bearer secret-of-jira"},
		} {
			q.do = do
			if body := h.want(401, q); body != "Application failed to authenticate" {
				t.Errorf("%s: the answer is %q", do, body)
			}
		}
		h.want(403, question{do: do, as: "elsewhere"})
		if status, _ := h.ask(question{do: do, as: "jira"}); status == 401 || status == 403 {
			t.Errorf("%s with the right address and password: %d", do, status)
		}
	}
}

// The same case: a privileged application was there from the start.
func TestLesson03NobodyIsThereAfterInstallation(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		h := openHouse(t, db)
		if apps, err := h.services.Application.List(t.Context()); err != nil || len(apps) != 0 {
			t.Errorf("there are %d applications (%v)", len(apps), err)
		}
		for _, name := range []string{"crowd", "admin", "rollcall", "demo", "jira", "google-apps", "root", "test"} {
			for _, password := range []string{"", name, "password", "admin", "crowd", "secret", "demo"} {
				h.want(401, question{do: "GET /config/cookie", as: name + ":" + password})
			}
		}
	})
}

// odd are values of forwarding headers that are no address.
var odd = []string{
	"", " ", ",", ",,,", "unknown", "localhost", "127.0.0.1.", "127.0.0.1:", "0x7f.1", "2130706433", "::ffff:127.0.0.1:1", "[::1", "for=127.0.0.1",
	"' OR 1=1 --", "<script>", "\u202e1.0.0.721", strings.Repeat("1", 5000), strings.Repeat("127.0.0.1,", 500) + "x", "127.0.0.1\t, x",
}

// authentik, CVE-2024-47070: an X-Forwarded-For that could not be read made a policy fail open.
func TestLesson04OddForwardingHeadersChangeNothing(t *testing.T) {
	t.Parallel()
	for name, settings := range map[string][]string{
		"no proxy is trusted": nil, "the peer is a trusted proxy": {"ROLLCALL_TRUSTED_PROXIES=127.0.0.1/32"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := openHouse(t, testkit.NewSQLite(t), settings...)
			h.app("jira", "127.0.0.1")
			h.app("elsewhere", "192.0.2.1")
			h.ada("jira")
			for i, value := range odd {
				header := http.Header{}
				for _, name := range []string{
					"X-Forwarded-For", "X-Real-Ip", "Forwarded", "X-Forwarded", "Client-Ip", "True-Client-Ip", "X-Client-Ip", "X-Forwarded-Host", "X-Forwarded-Proto",
				} {
					header[name] = []string{value}
				}
				h.want(200, question{do: "POST /authentication?username=ada", as: "jira", body: `{"value":"difference"}`, header: header})
				h.want(401, question{do: "POST /authentication?username=ada", as: "jira:wrong", body: `{"value":"difference"}`, header: header})
				h.want(403, question{do: "POST /authentication?username=ada", as: "elsewhere", body: `{"value":"difference"}`, header: header})
				if i%5 == 0 { // more in a row would be delayed
					h.want(400, question{do: "POST /authentication?username=ada", as: "jira", body: `{"value":"wrong"}`, header: header})
				}
			}
		})
	}
}

// authentik, CVE-2023-36456: forwarding headers were believed from anybody.
func TestLesson05ForwardingHeadersOfStrangersAreIgnored(t *testing.T) {
	t.Parallel()
	claim := http.Header{"X-Forwarded-For": {"192.0.2.1"}, "X-Real-Ip": {"192.0.2.1"}, "Forwarded": {"for=192.0.2.1"}, "X-Forwarded-Host": {"evil.example"}}
	t.Run("a stranger", func(t *testing.T) {
		t.Parallel()
		h := openHouse(t, testkit.NewSQLite(t), "ROLLCALL_TRUSTED_PROXIES=10.0.0.0/8")
		h.app("elsewhere", "192.0.2.1")
		h.app("jira", "127.0.0.1")
		h.ada("jira")
		h.want(403, question{do: "GET /config/cookie", as: "elsewhere", header: claim})
		if body := h.want(200, question{do: "GET /user?username=ada", as: "jira", header: claim}); strings.Contains(body, "evil.example") {
			t.Errorf("a stranger's host is in a link: %s", body)
		}
	})
	t.Run("a proxy", func(t *testing.T) {
		t.Parallel()
		h := openHouse(t, testkit.NewSQLite(t), "ROLLCALL_TRUSTED_PROXIES=127.0.0.1/32")
		h.app("elsewhere", "192.0.2.1")
		h.app("jira", "127.0.0.1")
		h.want(200, question{do: "GET /config/cookie", as: "elsewhere", header: claim})
		h.want(403, question{do: "GET /config/cookie", as: "jira", header: claim})
		// What a client says about itself stands to the left of what the proxy saw.
		h.want(403, question{do: "GET /config/cookie", as: "elsewhere", header: http.Header{"X-Forwarded-For": {"192.0.2.1, 198.51.100.7"}}})
	})
	for _, everybody := range []string{"0.0.0.0/0", "::/0", "10.0.0.0/8,0.0.0.0/0", "::ffff:0:0/96"} {
		_, _, err := Load(nil, []string{"ROLLCALL_TRUSTED_PROXIES=" + everybody})
		if err == nil || !strings.Contains(err.Error(), "ROLLCALL_TRUSTED_PROXIES") {
			t.Errorf("to trust %s is not refused: %v", everybody, err)
		}
	}
}

// authentik, CVE-2026-25748: a session cookie that could not be read was a session.
func TestLesson06WhatIsNotProvenIsNoSession(t *testing.T) {
	t.Parallel()
	h := openHouse(t, testkit.NewSQLite(t))
	h.app("jira", "127.0.0.1")
	h.ada("jira")
	token := h.session("jira", "")
	h.want(200, question{do: "GET /session/" + token, as: "jira"})
	made := []string{
		"x", "00", token[1:], token[:len(token)-1], token + "A", token + "=", token + "%00", "%20" + token, token + "%20", token + "%0A", "..%2F" + token,
		flipCase(token), token + token, "null", "undefined", "%25", "%FF", "'", "1%27%20OR%20%271%27=%271", strings.Repeat("A", 2000),
	}
	random := rand.New(rand.NewPCG(6, 6))
	for range 200 {
		letters := []byte(token)
		letters[random.IntN(len(letters))] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[random.IntN(64)]
		if string(letters) != token {
			made = append(made, string(letters))
		}
	}
	for _, other := range made {
		for _, method := range []string{"GET", "POST"} {
			q := question{do: method + " /session/" + other, as: "jira"}
			if status, answer := h.ask(q); status != 404 && status != 400 {
				t.Errorf("%s /session/%s: %d %s", method, other, status, answer)
			}
		}
	}
	h.want(200, question{do: "GET /session/" + token, as: "jira"})
}

func flipCase(token string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return r - 'a' + 'A'
		}
		if r >= 'A' && r <= 'Z' {
			return r - 'A' + 'a'
		}
		return r
	}, token)
}

// Keycloak, CVE-2026-3047 and others: what was disabled could still come in by another entry.
func TestLesson10DisabledIsRefusedOnEveryEntry(t *testing.T) {
	t.Parallel()
	h := openHouse(t, testkit.NewSQLite(t))
	h.app("jira", "127.0.0.1")
	h.app("wiki", "127.0.0.1")
	h.ada("jira")
	token := h.session("jira", "")

	h.want(204, question{do: "PUT /user?username=ada", as: "jira", body: `{"name":"ada","active":false}`})
	h.want(400, question{do: "POST /authentication?username=ada", as: "jira", body: `{"value":"difference"}`})
	h.want(400, question{do: "POST /authentication/notify?username=ada", as: "jira", body: `{}`})
	h.want(400, question{do: "POST /session", as: "jira", body: `{"username":"ada","password":"difference"}`})
	h.want(400, question{do: "POST /session?validate-password=false", as: "jira", body: `{"username":"ada"}`})
	for _, as := range []string{"jira", "wiki"} {
		h.want(404, question{do: "GET /session/" + token, as: as})
		h.want(404, question{do: "POST /session/" + token, as: as, body: `{}`})
	}

	off := false
	if err := h.services.Application.Set(t.Context(), models.System, "wiki", application.Options{Active: &off}, nil); err != nil {
		t.Fatal(err)
	}
	h.within(time.Second, "a disabled application is still let in", func() bool {
		status, _ := h.ask(question{do: "GET /config/cookie", as: "wiki"})
		return status == 401
	})
	for _, do := range everyOperation(t) {
		h.want(401, question{do: do, as: "wiki"})
	}
}

// Keycloak, CVE-2026-18217: of a parameter that came twice one was checked and the other used.
func TestLesson20OfTwoParametersOneCounts(t *testing.T) {
	t.Parallel()
	h := openHouse(t, testkit.NewSQLite(t))
	h.app("jira", "127.0.0.1")
	h.ada("jira")
	h.want(201, question{do: "POST /user", as: "jira", body: `{"name":"bob","password":{"value":"builder"}}`})
	for _, c := range []struct {
		query, password string
		status          int
		name            string
	}{
		{"username=ada&username=bob", "difference", 200, `"name":"ada"`},
		{"username=ada&username=bob", "builder", 400, ""},
		{"username=bob&username=ada", "difference", 400, ""},
		{"username=ada&Username=bob", "difference", 200, `"name":"ada"`},
		{"username=&username=ada", "difference", 400, ""},
		{"username=ada%26username=bob", "difference", 400, ""},
	} {
		body := h.want(c.status, question{do: "POST /authentication?" + c.query, as: "jira", body: `{"value":"` + c.password + `"}`})
		if !strings.Contains(body, c.name) {
			t.Errorf("%s: %s", c.query, body)
		}
	}
	h.want(204, question{do: "DELETE /user?username=bob&username=ada", as: "jira"})
	h.want(404, question{do: "GET /user?username=bob", as: "jira"})
	h.want(200, question{do: "GET /user?username=ada", as: "jira"})
	// The same in a body: the last one counts, for the check and for the use of it.
	h.want(400, question{do: "POST /session", as: "jira", body: `{"username":"ada","password":"difference","password":"x"}`})
}

// Teleport, CVE-2025-49825: assume that somebody came in. What they hold can be taken from them.
func TestLesson23WhatWasGivenOutCanBeTakenBack(t *testing.T) {
	t.Parallel()
	h := openHouse(t, testkit.NewSQLite(t))
	h.app("jira", "127.0.0.1")
	h.ada("jira")
	var tokens []string
	for _, address := range []string{"10.0.0.1", "10.0.0.2"} {
		tokens = append(tokens, h.session("jira", `,"validation-factors":{"validationFactors":[{"name":"remote_address","value":"`+address+`"}]}`))
	}
	h.want(204, question{do: "DELETE /session?username=ada", as: "jira"})
	for _, token := range tokens {
		h.want(404, question{do: "GET /session/" + token, as: "jira"})
	}
	record, err := h.services.Application.ByName(t.Context(), "jira")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.services.Application.AddPassword(t.Context(), models.System, "jira", "another secret", "", 0); err != nil {
		t.Fatal(err)
	}
	if err := h.services.Application.RemovePassword(t.Context(), models.System, "jira", record.Passwords[0].ID); err != nil {
		t.Fatal(err)
	}
	h.want(200, question{do: "GET /config/cookie", as: "jira:another secret"})
	h.within(time.Second, "a password that was removed still counts", func() bool {
		status, _ := h.ask(question{do: "GET /config/cookie", as: "jira"})
		return status == 401
	})
}

// LLDAP: packages came with a password that everybody knew.
func TestLesson25NoSecretIsKnownBeforehand(t *testing.T) {
	t.Parallel()
	if c, origins, err := Load(nil, nil); err != nil || c.SecretKey.Reveal() != "" {
		t.Errorf("there is a default key: %v %v", origins, err)
	}
	keys := map[string]bool{}
	for range 3 {
		key, _, err := ResolveSecretKey(Config{DataDir: t.TempDir(), DatabaseURL: "postgres://x"})
		if err != nil || len(key) != store.KeySize {
			t.Fatalf("a key of %d bytes: %v", len(key), err)
		}
		keys[string(key)] = true
	}
	if len(keys) != 3 {
		t.Error("two installations have the same key")
	}
	h := openHouse(t, testkit.NewSQLite(t))
	for _, password := range []models.Secret{"", "short"} {
		if _, _, err := h.services.Application.Create(t.Context(), models.System, application.NewApplication{Name: "a", Password: password}); err == nil {
			t.Errorf("an application with the password %q is created", password.Reveal())
		}
	}
}

// webldap, redash, go-authcrunch: a name that somebody typed became a part of a search.
func TestLesson26InputIsNeverAPartOfASearch(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		h := openHouse(t, db)
		h.app("jira", "127.0.0.1")
		names := []string{
			"ada", `a%a`, `a_a`, `a\a`, `a'a`, `a"a`, `a*a`, `' or '1'='1`, `%`, `_`, `*`, `\`, `a;drop table users`, `)(uid=*`, `a--`, `"; --`, `a" or name = "ada`,
		}
		for _, name := range names {
			h.want(201, question{do: "POST /user", as: "jira", body: `{"name":` + inQuotes(name) + `,"email":` + inQuotes(name+"@x") + `}`})
		}
		found := func(q question) []string {
			q.as = "jira"
			var list []string
			for piece := range strings.SplitSeq(h.want(200, q), `"name":`) {
				list = append(list, piece)
			}
			return list[1:]
		}
		for _, name := range names {
			if body := h.want(200, question{do: "GET /user?username=" + url.QueryEscape(name), as: "jira"}); !strings.Contains(body, `"name":`+inQuotes(name)) {
				t.Errorf("%q is read as %s", name, body)
			}
			if got := found(question{do: "POST /search?entity-type=user", body: restriction("name", "EXACTLY_MATCHES", name)}); len(got) != 1 || !strings.HasPrefix(got[0], inQuotes(name)) {
				t.Errorf("a search for exactly %q finds %q", name, got)
			}
			for _, match := range []string{"CONTAINS", "STARTS_WITH"} {
				want := 0
				for _, other := range names {
					if match == "CONTAINS" && strings.Contains(other, name) || match == "STARTS_WITH" && strings.HasPrefix(other, name) {
						want++
					}
				}
				if got := found(question{do: "POST /search?entity-type=user", body: restriction("name", match, name)}); len(got) != want {
					t.Errorf("%s %q finds %d, want %d: %q", match, name, len(got), want, got)
				}
			}
			if strings.Contains(name, "*") || strings.Contains(name, `\`) {
				continue // have a meaning of their own in the query language
			}
			cql := `name = "` + strings.ReplaceAll(name, `"`, `\"`) + `"`
			if got := found(question{do: "GET /search?entity-type=user&restriction=" + url.QueryEscape(cql)}); len(got) != 1 || !strings.HasPrefix(got[0], inQuotes(name)) {
				t.Errorf("%s finds %q", cql, got)
			}
		}
		// The name of a property is a name, too.
		for _, property := range []string{"name' or '1'='1", "users.name", "password", "hash", "credential", "1=1 --", `x" or 1=1`} {
			if got := found(question{do: "POST /search?entity-type=user", body: restriction(property, "EXACTLY_MATCHES", "ada")}); len(got) != 0 {
				t.Errorf("a search by %q finds %q", property, got)
			}
		}
	})
}

func restriction(property, match, value string) string {
	return fmt.Sprintf(`{"restriction-type":"property-search-restriction","property":{"name":%s,"type":"STRING"},"match-mode":%q,"value":%s}`,
		inQuotes(property), match, inQuotes(value))
}

// inQuotes writes a text as the server writes it in JSON.
func inQuotes(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}

// otelhttp, CVE-2023-45142: what a stranger sent became a label of a metric. (TestStrangersAddNoSeries
// asks ten thousand times, without a database.)
func TestLesson27StrangersAddNoSeries(t *testing.T) {
	t.Parallel()
	h := openHouse(t, testkit.NewSQLite(t))
	h.app("jira", "127.0.0.1")
	series := func() int {
		response, err := h.client.Get(h.management + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(string(text), "\nrollcall_")
	}
	ask := func(from uint64) {
		random := rand.New(rand.NewPCG(from, 27))
		word := func() string { return fmt.Sprintf("%x", random.Uint64()) }
		for _, method := range []string{"GET", "POST", "BREW", strings.ToUpper(word())} {
			for _, as := range []string{"jira", "jira:" + word(), word() + ":x", ""} {
				for _, path := range []string{
					"/user?username=" + word(), "/session/" + word(), "/" + word(), "!/" + word(), "!/crowd/rest/usermanagement/" + word() + "/user",
				} {
					h.ask(question{do: method + " " + path, as: as, header: http.Header{"User-Agent": {word()}, "X-Request-Id": {word()}}})
				}
			}
		}
	}
	ask(1)
	before := series()
	for round := range uint64(5) {
		ask(round + 2)
	}
	if after := series(); after != before {
		t.Errorf("%d series became %d", before, after)
	}
}

// Crowd's audit log has no failed logins: who guesses passwords is not seen.
func TestLesson29GuessesAreInTheAuditLog(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		h := openHouse(t, db, "ROLLCALL_TRUSTED_PROXIES=127.0.0.1/32")
		h.app("jira", "127.0.0.1", "198.51.100.0/24")
		h.ada("jira")
		guesser := http.Header{"X-Forwarded-For": {"198.51.100.7"}}
		for i := range 100 {
			h.want(400, question{do: "POST /authentication?username=ada", as: "jira", body: fmt.Sprintf(`{"value":"guess %d"}`, i), header: guesser})
			h.want(401, question{do: "GET /config/cookie", as: fmt.Sprintf("jira:guess %d", i), header: guesser})
		}
		for _, action := range []string{"login.refused", "app.refused"} {
			h.within(30*time.Second, action+": not all guesses are in the audit log", func() bool {
				rows, err := h.services.Store.SearchAudit(t.Context(), store.AuditSearch{Action: action, Limit: 1000})
				if err != nil {
					t.Fatal(err)
				}
				counted := 0
				for _, row := range rows {
					counted += row.Count
					if row.Address != "198.51.100.7" || row.Actor != "jira" {
						t.Errorf("%s is noted of %s from %s", action, row.Actor, row.Address)
					}
				}
				if len(rows) > 20 || counted > 100 {
					t.Fatalf("%s: %d rows stand for %d guesses", action, len(rows), counted)
				}
				return counted == 100
			})
		}
	})
}

// Whoever reads the database, the audit log in it, or the server's log at its most talkative
// finds no password and no token.
func TestNoSecretIsReadableInRowsOrLog(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		h := openHouse(t, db, "ROLLCALL_LOG_LEVEL=debug", "ROLLCALL_SLOW_REQUEST=1ns")
		h.app("jira", "127.0.0.1")
		h.ada("jira")
		h.want(400, question{do: "POST /authentication?username=ada", as: "jira", body: `{"value":"a wrong guess"}`})
		h.want(401, question{do: "GET /config/cookie", as: "jira:another wrong guess"})
		h.want(204, question{do: "PUT /user/password?username=ada", as: "jira", body: `{"value":"engine number two"}`})
		h.want(204, question{do: "PUT /user/password?username=ada", as: "jira", body: `{"value":"difference"}`})
		token := h.session("jira", "")
		h.want(200, question{do: "GET /session/" + token, as: "jira"})
		h.want(201, question{do: "POST /webhook", as: "jira", body: `{"endpointUrl":"http://127.0.0.1:9/","token":"c2VjcmV0IG9mIGhvb2s="}`})
		if err := h.services.Store.FlushNotes(t.Context()); err != nil {
			t.Fatal(err)
		}
		secrets := []string{
			"secret-of-jira", "difference", "engine number two", "a wrong guess", "another wrong guess", token, "c2VjcmV0IG9mIGhvb2s=",
			base64.StdEncoding.EncodeToString([]byte("jira:secret-of-jira")),
		}
		places := map[string]string{"the log": h.log.String()}
		for table, rows := range db.Contents(t) {
			places["the table "+table] = strings.Join(rows, "\n")
		}
		for where, text := range places {
			for _, secret := range secrets {
				if strings.Contains(text, secret) {
					t.Errorf("%q can be read in %s", secret, where)
				}
			}
		}
		if log := places["the log"]; !strings.Contains(log, "/session/") || len(places) < 10 {
			t.Errorf("there was little to look at: %d tables, and the log\n%s", len(places)-1, log)
		}
	})
}

var (
	namedTest = regexp.MustCompile("`((?:Test|Fuzz)[A-Z][A-Za-z0-9]*)`")
	aTest     = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)[A-Z][A-Za-z0-9]*)\(`)
)

// A claim that names no test, or one that is gone, is only a claim.
func TestSecurityModelNamesTestsThatExist(t *testing.T) {
	t.Parallel()
	model, err := os.ReadFile("../docs/security-model.md")
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	err = filepath.WalkDir("..", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, test := range aTest.FindAllStringSubmatch(string(text), -1) {
			there[test[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	named := namedTest.FindAllStringSubmatch(string(model), -1)
	for _, test := range named {
		if !there[test[1]] {
			t.Errorf("docs/security-model.md names %s, which does not exist", test[1])
		}
	}
	for test := range there {
		if strings.HasPrefix(test, "TestLesson") && !slices.ContainsFunc(named, func(n []string) bool { return n[1] == test }) {
			t.Errorf("docs/security-model.md does not name %s", test)
		}
	}
	if len(named) < 50 {
		t.Errorf("only %d tests are named", len(named))
	}
}
