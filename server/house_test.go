package server

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
)

// A house is the whole server, as `rollcall serve` runs it, on a database of its own. Services
// are those of a second process on the same database, as the command line has them.
type house struct {
	t          *testing.T
	config     Config
	services   *Services
	client     *http.Client
	url        string // of the public listener
	management string
	log        *syncBuffer // what the server logged
}

// newHouse builds the services without a server; the directory staff is there, and no
// application.
func newHouse(t *testing.T, db testkit.Database, settings ...string) *house {
	t.Helper()
	config, _, err := Load(nil, append(append(db.Env(t),
		"ROLLCALL_LISTEN=127.0.0.1:0", "ROLLCALL_MANAGEMENT_LISTEN=127.0.0.1:0", "ROLLCALL_DRAIN_TIME=0s"), settings...))
	if err != nil {
		t.Fatal(err)
	}
	s, err := OpenServices(t.Context(), config, testkit.Log(t), Opening{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Store.Close(); err != nil {
			t.Error(err)
		}
	})
	h := &house{t: t, config: config, services: s, client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
	if _, err := s.Directories.Create(t.Context(), models.System, directory.NewDirectory{Name: "staff"}); err != nil {
		t.Fatal(err)
	}
	return h
}

// openHouse also runs the server.
func openHouse(t *testing.T, db testkit.Database, settings ...string) *house {
	t.Helper()
	h := newHouse(t, db, settings...)
	h.log = new(syncBuffer)
	ctx, stop := context.WithCancel(context.Background())
	ready, ended := make(chan [2]string, 1), make(chan error, 1)
	go func() {
		ended <- Run(ctx, Options{Config: h.config, Log: NewLogger(h.log, h.config), Version: "test", Ready: func(listen, management string) {
			ready <- [2]string{"http://" + listen, "http://" + management}
		}})
	}()
	select {
	case at := <-ready:
		h.url, h.management = at[0]+crowdBase, at[1]
	case err := <-ended:
		stop()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	return h
}

// syncBuffer is a buffer that is written and read at the same time.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// app creates an application that may do everything in staff; its password is secret-of-NAME.
func (h *house) app(name string, addresses ...string) {
	h.t.Helper()
	_, _, err := h.services.Application.Create(h.t.Context(), models.System, application.NewApplication{
		Name: name, Password: models.Secret("secret-of-" + name), Addresses: addresses,
		Directories: []string{"staff"}, Permissions: models.AllPermissions,
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

// ada creates the user ada, whose password is difference.
func (h *house) ada(as string) {
	h.t.Helper()
	h.want(201, question{do: "POST /user", as: as, body: `{"name":"ada","active":true,"password":{"value":"difference"}}`})
}

// A question is one request to the public listener.
type question struct {
	do     string // "GET /user?username=ada", under the API's base; "!" before the path: under nothing
	as     string // "jira": with its right password; "jira:x": with the password x; "": without credentials
	basic  string // the Authorization header as it is
	body   string
	header http.Header
}

// ask gives status and body of the answer.
func (h *house) ask(q question) (int, string) {
	h.t.Helper()
	method, path, _ := strings.Cut(q.do, " ")
	address := h.url + path
	if whole, ok := strings.CutPrefix(path, "!"); ok {
		address = strings.TrimSuffix(h.url, crowdBase) + whole
	}
	r, err := http.NewRequestWithContext(h.t.Context(), method, address, strings.NewReader(q.body))
	if err != nil {
		h.t.Fatal(err)
	}
	for name, values := range q.header {
		r.Header[name] = values
	}
	r.Header.Set("Accept", "application/json")
	if q.body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	switch name, password, given := strings.Cut(q.as, ":"); {
	case q.basic != "":
		r.Header.Set("Authorization", q.basic)
	case given:
		r.SetBasicAuth(name, password)
	case name != "":
		r.SetBasicAuth(name, "secret-of-"+name)
	}
	response, err := h.client.Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

func (h *house) want(status int, q question) string {
	h.t.Helper()
	got, body := h.ask(q)
	if got != status {
		h.t.Errorf("%s as %q: want %d, got %d %s", q.do, q.as, status, got, body)
	}
	return body
}

// session starts one for ada and gives its token. body is what follows name and password.
func (h *house) session(as, more string) string {
	h.t.Helper()
	body := h.want(201, question{do: "POST /session", as: as, body: `{"username":"ada","password":"difference"` + more + `}`})
	_, rest, _ := strings.Cut(body, `"token":"`)
	token, _, _ := strings.Cut(rest, `"`)
	return token
}

// within waits for something that another process did to arrive.
func (h *house) within(most time.Duration, otherwise string, arrived func() bool) {
	h.t.Helper()
	for deadline := time.Now().Add(most); !arrived(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			h.t.Fatal(otherwise)
		}
	}
}
