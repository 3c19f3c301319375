package crowd_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/api/crowd"
	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/internal/testkit/openapitest"
	"github.com/rollcall-id/rollcall/login"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/session"
	"github.com/rollcall-id/rollcall/store"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// world is the API over a real database. The application jira, with the password
// secret-of-jira, sees the directory staff and may do everything there.
type world struct {
	t     *testing.T
	url   string // of the server
	clock *testkit.Clock
	store *store.Store
	apps  *application.Service
}

// each runs do in a world of its own on each database.
func each(t *testing.T, do func(w *world)) {
	t.Helper()
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) { do(newWorld(t, db, crowd.Options{})) })
}

func newWorld(t *testing.T, db testkit.Database, options crowd.Options) *world {
	t.Helper()
	w := &world{t: t, clock: testkit.NewClock()}
	w.store = db.Open(t, func(o *store.Options) { o.Now = w.clock.Now })
	hasher, log := testkit.NewHasher(), testkit.Log(t)
	refusals := audit.New(w.store, audit.Options{})
	directories := directory.New(w.store, hasher, log)
	w.apps = application.New(w.store, directories, hasher, log, refusals, testkit.NewRoster(t, w.store))
	logins := login.New(w.store, directories, session.New(w.store, session.Options{}), refusals, login.Options{})

	e := echo.New()
	e.IPExtractor = echo.ExtractIPDirect()
	e.HTTPErrorHandler = api.ErrorHandler
	crowd.Register(e, crowd.Deps{Application: w.apps, Login: logins, Options: options})
	w.url = testkit.ServeHandler(t, e)

	if _, err := directories.Create(t.Context(), models.System, directory.NewDirectory{Name: "staff"}); err != nil {
		t.Fatal(err)
	}
	w.app("jira", "127.0.0.1")
	return w
}

func (w *world) app(name, address string, options ...func(*application.NewApplication)) {
	w.t.Helper()
	n := application.NewApplication{
		Name: name, Password: models.Secret("secret-of-" + name), Addresses: []string{address},
		Directories: []string{"staff"}, Permissions: models.AllPermissions,
	}
	for _, change := range options {
		change(&n)
	}
	if _, _, err := w.apps.Create(w.t.Context(), models.System, n); err != nil {
		w.t.Fatal(err)
	}
}

// people are Ada, Bob, and Eve, who is inactive.
func (w *world) people() {
	w.t.Helper()
	for _, body := range []string{
		`{"name":"Ada","first-name":"Ada","last-name":"Lovelace","email":"ada@example.test","active":true,"password":{"value":"difference"}}`,
		`{"name":"bob","first-name":"Bob","last-name":"Builder","email":"bob@example.test","active":"true","password":{"value":"can we fix it"}}`,
		`{"name":"eve","first-name":"Eve","last-name":"Moneypenny","email":"","active":false,"password":{"value":"listening"}}`,
	} {
		w.call(call{do: "POST /user", body: body, want: 201})
	}
}

// groups are developers, in which are Ada and the group interns, in which are Bob and Ada.
func (w *world) groups() {
	w.t.Helper()
	for _, c := range []call{
		{do: "POST /group", body: `{"name":"Developers","type":"GROUP","description":"who write it"}`},
		{do: "POST /group", body: `{"name":"interns","type":"GROUP"}`},
		{do: "POST /group", body: `{"name":"empty","type":"GROUP"}`},
		{do: "POST /group/child-group/direct?groupname=developers", body: `{"name":"interns"}`},
		{do: "POST /group/user/direct?groupname=developers", body: `{"name":"ada"}`},
		{do: "POST /group/user/direct?groupname=interns", body: `{"name":"bob"}`},
		{do: "POST /group/user/direct?groupname=interns", body: `{"name":"ada"}`},
	} {
		c.want = 201
		w.call(c)
	}
}

// A call is one request and what must come back. The path is under the API's base unless it
// begins with "!". Bodies that begin with "<" are XML, and the answer's format is that of the
// body unless accept says otherwise; without a body it is JSON.
type call struct {
	name   string
	do     string // "GET /user?username=ada"
	body   string
	kind   string // Content-Type; "-": none
	accept string // "-": none
	header map[string]string
	as     string // "name:password"; "-": no credentials

	want   int
	reason string            // of an error
	is     string            // the whole body
	has    []string          // parts of the body
	hasNot []string          //
	gets   map[string]string // headers of the answer; an empty one must be absent
}

// An answer is what came back.
type answer struct {
	status int
	header http.Header
	raw    string
	body   string // the same, but with an address and UUIDs that don't differ from run to run
}

// run makes calls, in order, each a subtest.
func (w *world) run(calls ...call) {
	w.t.Helper()
	outer := w.t
	for _, c := range calls {
		name := c.name
		if name == "" {
			name = c.do
		}
		outer.Run(name, func(t *testing.T) {
			t.Helper()
			w.t = t
			defer func() { w.t = outer }()
			w.call(c)
		})
	}
}

// call makes one call and checks its answer.
func (w *world) call(c call) answer {
	w.t.Helper()
	a := w.send(c)
	if a.status != c.want {
		w.t.Errorf("%s: the status is %d, want %d; %s", c.do, a.status, c.want, a.body)
	}
	if c.reason != "" && !strings.Contains(a.body, `"reason":"`+c.reason+`"`) && !strings.Contains(a.body, "<reason>"+c.reason+"<") {
		w.t.Errorf("%s: the body is %s, want the reason %s", c.do, a.body, c.reason)
	}
	if c.is != "" && a.body != c.is {
		w.t.Errorf("%s: the body is\n%s\nwant\n%s", c.do, a.body, c.is)
	}
	for _, part := range c.has {
		if !strings.Contains(a.body, part) {
			w.t.Errorf("%s: the body is %s, want %s in it", c.do, a.body, part)
		}
	}
	for _, part := range c.hasNot {
		if strings.Contains(a.body, part) {
			w.t.Errorf("%s: the body is %s, want no %s in it", c.do, a.body, part)
		}
	}
	for name, want := range c.gets {
		if got := a.header.Get(name); got != want {
			w.t.Errorf("%s: %s is %q, want %q", c.do, name, got, want)
		}
	}
	if got := a.header.Get("X-Embedded-Crowd-Version"); got == "" && !strings.Contains(c.do, "!/elsewhere") {
		w.t.Errorf("%s: there is no X-Embedded-Crowd-Version", c.do)
	}
	return a
}

func (w *world) send(c call) answer {
	w.t.Helper()
	method, path, _ := strings.Cut(c.do, " ")
	address := w.url + "/crowd/rest/usermanagement/1" + path
	if whole, ok := strings.CutPrefix(path, "!"); ok {
		address = w.url + whole
	}
	request, err := http.NewRequestWithContext(w.t.Context(), method, address, strings.NewReader(c.body))
	if err != nil {
		w.t.Fatal(err)
	}
	w.headers(c, request.Header)
	switch name, password, given := strings.Cut(c.as, ":"); {
	case given:
		request.SetBasicAuth(name, password)
	case c.as == "":
		request.SetBasicAuth("jira", "secret-of-jira")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		w.t.Fatalf("%s: %v", c.do, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		w.t.Fatalf("%s: %v", c.do, err)
	}
	openapitest.Check(w.t, openapitest.Exchange{
		Request: request, RequestBody: c.body, Status: response.StatusCode, Header: response.Header, Body: string(body),
	})
	text := strings.ReplaceAll(string(body), w.url, "http://rollcall.test")
	text = testkit.UUIDs.Pattern.ReplaceAllString(text, testkit.UUIDs.With)
	return answer{response.StatusCode, response.Header, string(body), text}
}

func (w *world) headers(c call, header http.Header) {
	kind, accept := "", "application/json"
	switch {
	case strings.HasPrefix(c.body, "<"):
		kind, accept = "application/xml", "application/xml"
	case c.body != "":
		kind = "application/json"
	}
	if c.kind != "" {
		kind = c.kind
	}
	if c.accept != "" {
		accept = c.accept
	}
	if kind != "" && kind != "-" {
		header.Set("Content-Type", kind)
	}
	if accept != "-" {
		header.Set("Accept", accept)
	}
	for name, value := range c.header {
		header.Set(name, value)
	}
}

// self is the link element of a resource, and selfJSON the field.
func self(path string) string {
	return fmt.Sprintf(`<link href="http://rollcall.test/crowd/rest/usermanagement/1%s" rel="self"/>`, path)
}

func selfJSON(path string) string {
	return fmt.Sprintf(`"link":{"href":"http://rollcall.test/crowd/rest/usermanagement/1%s","rel":"self"}`, path)
}

const declaration = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>`
