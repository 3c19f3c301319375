package web_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"golang.org/x/net/html"

	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/login"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/roster"
	"github.com/rollcall-id/rollcall/session"
	"github.com/rollcall-id/rollcall/store"
	"github.com/rollcall-id/rollcall/web"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// A site serves the pages for one database, on which ada of staff forgot her password.
type site struct {
	t           *testing.T
	url         string
	clock       *testkit.Clock
	store       *store.Store
	login       *login.Service
	directories *directory.Service
	view        *application.View
	log         *strings.Builder
}

func newSite(t *testing.T, db testkit.Database) *site {
	t.Helper()
	s := &site{t: t, clock: testkit.NewClock(), log: new(strings.Builder)}
	hasher := testkit.NewHasher()
	s.store = db.Open(t, func(o *store.Options) { o.Now = s.clock.Now })
	refusals := audit.New(s.store, audit.Options{})
	s.directories = directory.New(s.store, hasher, testkit.Log(t))
	apps := application.New(s.store, s.directories, hasher, testkit.Log(t), refusals, roster.New(s.store, testkit.Log(t)))
	e := echo.New()
	s.url = testkit.ServeHandler(t, e)
	s.login = login.New(s.store, s.directories, session.New(s.store, session.Options{}), refusals,
		login.Options{Letters: login.LetterOptions{Mail: true, URL: s.url}})
	e.IPExtractor = func(r *http.Request) string { return r.Header.Get("X-Test-Address") }
	web.Register(e, web.Deps{Login: s.login, Now: s.clock.Now, Log: slog.New(slog.NewTextHandler(&locked{b: s.log}, nil))})

	_, err := s.directories.Create(t.Context(), models.System, directory.NewDirectory{Name: "staff", Settings: map[string]string{
		"password-min-length": "8", "password-message": "Take <8> characters or more.",
	}})
	s.must(err)
	s.user("ada")
	_, _, err = apps.Create(t.Context(), models.System, application.NewApplication{
		Name: "jira", Password: "secret-of-jira", Addresses: []string{"192.0.2.7"}, Directories: []string{"staff"}, Permissions: models.AllPermissions,
	})
	s.must(err)
	s.view, err = apps.Authenticate(t.Context(), "Basic "+base64.StdEncoding.EncodeToString([]byte("jira:secret-of-jira")),
		application.Caller{Address: netip.MustParseAddr("192.0.2.7")})
	s.must(err)
	return s
}

// locked lets many requests write to one log.
type locked struct {
	mu sync.Mutex
	b  *strings.Builder
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (s *site) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) user(name string) {
	s.t.Helper()
	dir, err := s.store.DirectoryByName(s.t.Context(), "staff")
	s.must(err)
	secret := models.Secret("difference")
	_, err = s.directories.CreateUser(s.t.Context(), models.System, dir, directory.NewUser{Name: name, Email: "ada@example.test", Active: true, Password: &secret})
	s.must(err)
}

// link asks for a letter and gives the address in it.
func (s *site) link(name string) string {
	s.t.Helper()
	s.must(s.login.RequestReset(s.t.Context(), s.view, name))
	items, err := s.store.OutboxDue(s.t.Context(), s.store.Now(), 100)
	s.must(err)
	var latest models.Letter
	newest := models.ID(0)
	for _, item := range items {
		if item.ID > newest {
			newest = item.ID
			latest = models.Letter{}
			s.must(json.Unmarshal(item.Payload, &latest))
		}
	}
	return latest.Link
}

func (s *site) logsIn(password models.Secret) bool {
	_, err := s.login.Authenticate(s.t.Context(), s.view, "ada", password)
	return err == nil
}

// A page is what a browser got.
type page struct {
	status int
	header http.Header
	body   string
}

func (p page) title() string { return between(p.body, "<h1>", "</h1>") }
func (p page) alert() string { return between(p.body, `role="alert" id="problem">`, "</p>") }

func between(text, from, to string) string {
	_, rest, ok := strings.Cut(text, from)
	if !ok {
		return ""
	}
	inner, _, _ := strings.Cut(rest, to)
	return html.UnescapeString(inner)
}

func (s *site) get(link string) page { return s.send(http.MethodGet, link, nil, "203.0.113.5") }

func (s *site) choose(link, password, again string) page {
	return s.send(http.MethodPost, link, url.Values{"username": {"ada"}, "password": {password}, "again": {again}}, "203.0.113.5")
}

func (s *site) send(method, link string, form url.Values, from string) page {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), method, link, strings.NewReader(form.Encode()))
	s.must(err)
	request.Header.Set("X-Test-Address", from)
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	answer, err := http.DefaultClient.Do(request)
	s.must(err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	s.must(err)
	return page{answer.StatusCode, answer.Header, string(body)}
}

func TestAPasswordIsChosenAnew(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := newSite(t, db)
		link := s.link("ada")
		for range 5 { // GET uses nothing up: mail servers open links before people do
			if p := s.get(link); p.status != 200 || p.title() != "Choose a new password" {
				t.Fatalf("%d %s", p.status, p.body)
			}
			s.send(http.MethodHead, link, nil, "203.0.113.5")
		}
		for _, bad := range []struct{ password, again, says string }{
			{"", "", "empty"}, {"engine99", "engine98", "not the same"}, {"engine", "engine", "<8> characters"},
			{strings.Repeat("x", 9000), strings.Repeat("x", 9000), ""}, {strings.Repeat("x", 40_000), strings.Repeat("x", 40_000), "could not be read"},
		} {
			p := s.choose(link, bad.password, bad.again)
			if p.status < 400 || p.status > 499 || p.alert() == "" || !strings.Contains(p.alert(), bad.says) || !strings.Contains(p.body, "<form") {
				t.Errorf("%.10q: %d %q", bad.password, p.status, p.alert())
			}
			if bad.password != "" && strings.Contains(p.body, bad.password+`"`) {
				t.Error("the page shows the password that was typed")
			}
		}
		if s.logsIn("engine99") || !s.logsIn("difference") {
			t.Error("a refused password was set")
		}
		s.clock.Advance(time.Second)
		if p := s.choose(link, "engine99", "engine99"); p.status != 200 || p.title() != "Your password is changed" || strings.Contains(p.body, "<form") {
			t.Errorf("%d %s", p.status, p.body)
		}
		if !s.logsIn("engine99") || s.logsIn("difference") {
			t.Error("the password isn't the new one")
		}
		for _, p := range []page{s.get(link), s.choose(link, "analytical", "analytical")} {
			if p.status != 404 || p.title() != "This link does not work" {
				t.Errorf("used: %d %s", p.status, p.body)
			}
		}
	})
}

// Wrong, replaced, used and old links get the same page, byte for byte.
func TestLinksThatDoNotWork(t *testing.T) {
	t.Parallel()
	s := newSite(t, testkit.NewSQLite(t))
	replaced := s.link("ada")
	used := s.link("ada")
	s.choose(used, "engine99", "engine99")
	s.clock.Advance(time.Second)
	old := s.link("ada")
	s.clock.Advance(30 * time.Minute)
	base := s.url + login.ResetPath
	want := s.get(base + "x")
	testkit.Golden(t, want.body)
	for name, link := range map[string]string{
		"replaced": replaced, "used": used, "old": old, "made up": base + strings.Repeat("A", 43), "one letter off": old[:len(old)-1] + "A",
		"odd": base + "%00%ff", "long": base + strings.Repeat("x", 4000), "a script": base + "%3Cscript%3E",
	} {
		for _, p := range []page{s.get(link), s.choose(link, "engine98", "engine98")} {
			if p.status != 404 || p.body != want.body {
				t.Errorf("%s: %d %s", name, p.status, p.body)
			}
		}
	}
	if s.logsIn("engine98") {
		t.Error("one of them set the password")
	}
	if strings.Contains(s.log.String(), "level=ERROR") {
		t.Errorf("logged: %s", s.log)
	}
}

func TestThePageOfAReset(t *testing.T) {
	t.Parallel()
	s := newSite(t, testkit.NewSQLite(t))
	const evil = `</input><script>alert("x")</script>`
	s.user(evil)
	p := s.get(s.link("ada"))
	testkit.Golden(t, p.body)
	q := s.get(s.link(evil))
	if strings.Contains(q.body, "<script>") || !strings.Contains(html.UnescapeString(q.body), evil) {
		t.Errorf("a name that is a script: %s", q.body)
	}
	style := between(p.body, "<style>", "</style>")
	sum := sha256.Sum256([]byte(style))
	for name, want := range map[string]string{
		"Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
		"X-Robots-Tag": "noindex, nofollow", "Content-Type": "text/html; charset=utf-8", "Set-Cookie": "",
		"Content-Security-Policy": "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
			"'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
	} {
		for _, one := range []page{p, s.get(s.url + login.ResetPath + "x"), s.choose(s.url+login.ResetPath+"x", "a", "a")} {
			if got := one.header.Get(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
	}
}

// What a page needs for everybody to use it.
func TestThePageIsAccessible(t *testing.T) {
	t.Parallel()
	s := newSite(t, testkit.NewSQLite(t))
	link := s.link("ada")
	for name, p := range map[string]page{
		"form": s.get(link), "form with a problem": s.choose(link, "x", "x"), "no form": s.get(s.url + login.ResetPath + "x"),
	} {
		root, err := html.Parse(strings.NewReader(p.body))
		s.must(err)
		ids, fors, count := map[string]bool{}, map[string]bool{}, map[string]int{}
		var inputs []map[string]string
		for n := range root.Descendants() {
			if n.Type != html.ElementNode {
				continue
			}
			count[n.Data]++
			attrs := map[string]string{}
			for _, a := range n.Attr {
				attrs[a.Key] = a.Val
				if strings.HasPrefix(a.Key, "on") || a.Key == "style" || a.Key == "src" || a.Key == "href" {
					t.Errorf("%s: <%s %s>, which the policy forbids", name, n.Data, a.Key)
				}
			}
			if attrs["id"] != "" {
				if ids[attrs["id"]] {
					t.Errorf("%s: two elements have the id %s", name, attrs["id"])
				}
				ids[attrs["id"]] = true
			}
			switch n.Data {
			case "label":
				fors[attrs["for"]] = true
			case "input":
				inputs = append(inputs, attrs)
			case "html":
				if attrs["lang"] != "en" {
					t.Errorf("%s: lang %q", name, attrs["lang"])
				}
			}
		}
		if count["title"] != 1 || count["h1"] != 1 || count["main"] != 1 || count["script"] != 0 {
			t.Errorf("%s: %v", name, count)
		}
		focused := 0
		for _, input := range inputs {
			if !fors[input["id"]] || input["autocomplete"] == "" {
				t.Errorf("%s: %v has no label, or doesn't say what it is for", name, input)
			}
			for described := range strings.FieldsSeq(input["aria-describedby"]) {
				if !ids[described] {
					t.Errorf("%s: %v is described by what isn't there", name, input)
				}
			}
			if _, ok := input["autofocus"]; ok {
				focused++
			}
		}
		if len(inputs) > 0 && focused != 1 {
			t.Errorf("%s: %d inputs want the focus", name, focused)
		}
		if !regexp.MustCompile(`name="viewport" content="width=device-width, initial-scale=1"`).MatchString(p.body) {
			t.Errorf("%s: it doesn't fit small screens", name)
		}
	}
}

func TestAttemptsAreLimited(t *testing.T) {
	t.Parallel()
	s := newSite(t, testkit.NewSQLite(t))
	good := s.link("ada")
	bad := s.url + login.ResetPath + "x"
	attempt := func(link, from string) int {
		return s.send(http.MethodPost, link, url.Values{"password": {"short"}, "again": {"short"}}, from).status
	}
	for i := range 20 {
		if status := attempt(bad, "203.0.113.5"); status != 404 {
			t.Fatalf("attempt %d: %d", i, status)
		}
	}
	for what, p := range map[string]page{
		"a post": s.choose(bad, "a", "a"), "a post with a link that works": s.choose(good, "engine99", "engine99"), "a look": s.get(bad),
	} {
		if p.status != 429 || p.header.Get("Retry-After") != "3600" || p.title() != "Too many attempts" {
			t.Errorf("%s: %d %s", what, p.status, p.body)
		}
	}
	if p := s.get(good); p.status != 200 {
		t.Errorf("looking at a link that works: %d", p.status)
	}
	// Another address is another one; but 2^64 of a network are one.
	if status := attempt(good, "203.0.113.6"); status != 422 {
		t.Errorf("another address: %d", status)
	}
	for i := range 20 {
		attempt(bad, fmt.Sprintf("2001:db8::%d", i))
	}
	if status := attempt(bad, "2001:db8::ffff"); status != 429 {
		t.Errorf("another address of the same network: %d", status)
	}
	if status := attempt(bad, "2001:db8:0:1::1"); status != 404 {
		t.Errorf("another network: %d", status)
	}
	// One account, from many addresses.
	for i := range 19 {
		if status := attempt(good, fmt.Sprintf("198.51.100.%d", i)); status != 422 {
			t.Fatalf("attempt %d: %d", i, status)
		}
	}
	if status := attempt(good, "198.51.100.99"); status != 429 {
		t.Errorf("too many for one account: %d", status)
	}
	s.clock.Advance(time.Hour)
	if status := attempt(s.link("ada"), "203.0.113.5"); status != 422 {
		t.Errorf("an hour later: %d", status)
	}
}

func TestADatabaseThatIsAway(t *testing.T) {
	t.Parallel()
	testkit.OnPostgres(t, func(t *testing.T, db testkit.Database) {
		s := newSite(t, db)
		link := s.link("ada")
		db.GoAway(t)
		for _, p := range []page{s.get(link), s.choose(link, "engine99", "engine99")} {
			if p.status != 503 || p.header.Get("Retry-After") == "" || !strings.Contains(p.body, "The link still works") {
				t.Errorf("%d %s", p.status, p.body)
			}
		}
		db.ComeBack(t)
		s.clock.Advance(time.Second)
		for range 50 {
			if s.get(link).status == 200 {
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
		if p := s.choose(link, "engine99", "engine99"); p.status != 200 {
			t.Errorf("%d %s", p.status, p.body)
		}
	})
}
