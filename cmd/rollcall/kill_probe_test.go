package main_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/testkit"
)

// The tests in kill_test.go, kill_stop_test.go and kill_outage_test.go take something away from
// the running program: its life, its listener, its database, its disk. What it acknowledged has
// to outlive that, and what it can't do it has to say in the caller's own format.

// probePassword is of the application "probe", as which these tests call.
const probePassword = "secret-1"

// newStaff makes the directory staff and the application probe, which may do everything there.
func newStaff(t *testing.T, db testkit.Database) {
	t.Helper()
	testkit.Binary(t) // a first build may take longer than a command may
	testkit.Command{Env: db.Env(t), Args: []string{"directory", "create", "staff"}}.Must(t)
	testkit.Command{Env: db.Env(t), Stdin: probePassword + "\n", Args: []string{"app", "create", "probe", "--directory", "staff",
		"--permit", "all", "--address", "127.0.0.1/32", "--address", "::1/128", "--password-stdin"}}.Must(t)
}

// A probe calls Crowd's API as an application, over a connection of its own.
type probe struct {
	base           string
	name, password string
	accept         string
	client         *http.Client
}

func newProbe(server, name, password string) *probe {
	return &probe{server + "/crowd/rest/usermanagement/1", name, password, "application/json",
		&http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}, Timeout: time.Minute}}
}

// An answer is what came back, whole.
type answer struct {
	status int
	header http.Header
	body   string
}

// call gives the answer, whatever it says; an error when there was none, or not a whole one.
func (p *probe) call(method, path string, body any) (answer, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return answer{}, err
	}
	req, err := http.NewRequest(method, p.base+path, bytes.NewReader(text))
	if err != nil {
		return answer{}, err
	}
	req.SetBasicAuth(p.name, p.password)
	req.Header.Set("Accept", p.accept)
	req.Header.Set("Content-Type", "application/json")
	resp, err := p.client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, string(got)}, err
}

// must calls, and fails the test unless the answer has the status.
func (p *probe) must(t *testing.T, status int, method, path string, body any) string {
	t.Helper()
	got, err := p.call(method, path, body)
	if err != nil || got.status != status {
		t.Fatalf("%s %s: want %d, got %d %s %v", method, path, status, got.status, got.body, err)
	}
	return got.body
}

// named is the address of what a query names.
func named(path, parameter, name string) string {
	return path + "?" + parameter + "=" + url.QueryEscape(name)
}

// newUser is the body that creates a user.
func newUser(name, email string) map[string]any {
	return map[string]any{
		"name": name, "first-name": "Ada", "last-name": "Lovelace", "email": email, "active": true,
		"password": map[string]string{"value": "difference"},
	}
}

func decode(t *testing.T, text string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
}

// within asks until the answer is yes.
func within(t *testing.T, patience time.Duration, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// doctorAgrees runs `rollcall doctor`, whose checks include that of the feed against the rows.
func doctorAgrees(t *testing.T, db testkit.Database) {
	t.Helper()
	if r := testkit.Run(t, db.Env(t), "doctor"); r.Code != 0 || !strings.Contains(r.Stdout, "feed") {
		t.Errorf("rollcall doctor ended with %d:\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
}
