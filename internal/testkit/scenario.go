package testkit

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// An App is a server as one application calls it.
type App struct {
	URL      string // where the scenarios' paths begin: http://127.0.0.1:8095/crowd/rest/usermanagement/1
	Name     string // of the application; empty: calls without credentials
	Password string
	Client   *http.Client // nil: http.DefaultClient
	Replace  []Replace    // what changes from run to run; the server's own address always is
}

// ServeHandler serves a handler until the test ends and gives its base address.
func ServeHandler(t testing.TB, h http.Handler) (base string) {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// A Scenario is one request and what must come back. Its body is compared with a golden file:
// testdata/<test>/<name>.golden. `go test -update` writes them; no file means an empty body.
type Scenario struct {
	Name string

	Get, Post, Put, Delete string // one of them: the path after App.URL
	Method, Path           string // for any other method
	Body                   string
	ContentType            string            // empty: application/json where there is a body
	Accept                 string            // empty: application/json
	Header                 map[string]string // further headers
	As                     string            // "name:password" instead of the App's own; "-": none

	Want       int
	WantHeader map[string]string // "" wants the header absent
	Then       func(t *testing.T, a Answer)
}

// An Answer is what a scenario got.
type Answer struct {
	Status int
	Header http.Header
	Body   string // as it came
}

// Run plays the scenario as a subtest.
func (s Scenario) Run(t *testing.T, app App) {
	t.Helper()
	t.Run(s.Name, func(t *testing.T) {
		t.Helper()
		a := s.send(t, app)
		if a.Status != s.Want {
			t.Errorf("status: want %d, got %d", s.Want, a.Status)
		}
		for name, want := range s.WantHeader {
			if got := strings.Join(a.Header.Values(name), ", "); got != want {
				t.Errorf("header %s: want %q, got %q", name, want, got)
			}
		}
		Golden(t, app.plain(a.Body))
		if s.Then != nil {
			s.Then(t, a)
		}
	})
}

func (s Scenario) send(t *testing.T, app App) Answer {
	t.Helper()
	method, path := s.target(t)
	req, err := http.NewRequestWithContext(t.Context(), method, app.URL+path, s.body())
	if err != nil {
		t.Fatal(err)
	}
	s.setHeaders(req, app)
	client := app.Client
	if client == nil {
		client = http.DefaultClient
	}
	answer, err := client.Do(req)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatalf("%s %s: read the answer: %v", method, path, err)
	}
	return Answer{Status: answer.StatusCode, Header: answer.Header, Body: string(body)}
}

func (s Scenario) target(t *testing.T) (method, path string) {
	t.Helper()
	for _, c := range []struct{ method, path string }{
		{http.MethodGet, s.Get}, {http.MethodPost, s.Post}, {http.MethodPut, s.Put}, {http.MethodDelete, s.Delete}, {s.Method, s.Path},
	} {
		if c.path == "" {
			continue
		}
		if path != "" {
			t.Fatalf("scenario %q has more than one path", s.Name)
		}
		method, path = c.method, c.path
	}
	if method == "" {
		t.Fatalf("scenario %q has no method and path", s.Name)
	}
	return method, path
}

func (s Scenario) body() io.Reader {
	if s.Body == "" {
		return nil
	}
	return strings.NewReader(s.Body)
}

func (s Scenario) setHeaders(req *http.Request, app App) {
	const json = "application/json"
	req.Header.Set("Accept", json)
	if s.Accept != "" {
		req.Header.Set("Accept", s.Accept)
	}
	if s.Body != "" {
		req.Header.Set("Content-Type", json)
	}
	if s.ContentType != "" {
		req.Header.Set("Content-Type", s.ContentType)
	}
	switch name, password, given := strings.Cut(s.As, ":"); {
	case given:
		req.SetBasicAuth(name, password)
	case s.As == "" && app.Name != "":
		req.SetBasicAuth(app.Name, app.Password)
	}
	for name, value := range s.Header {
		req.Header.Set(name, value)
	}
}

// plain takes out of an answer what changes from run to run.
func (app App) plain(body string) string {
	if u, err := url.Parse(app.URL); err == nil && u.Host != "" {
		body = strings.ReplaceAll(body, u.Scheme+"://"+u.Host, "http://rollcall.test")
	}
	for _, r := range app.Replace {
		body = r.Pattern.ReplaceAllString(body, r.With)
	}
	return body
}

// Diff fails the test when got is not want.
func Diff[T any](t testing.TB, what string, want, got T, options ...cmp.Option) {
	t.Helper()
	if diff := cmp.Diff(want, got, options...); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}
