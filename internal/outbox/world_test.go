package outbox_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/outbox"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// every is how often the tests' outboxes look.
const every = 10 * time.Millisecond

// A world is a database with the directory staff and the application jira that sees it and may
// call from 127.0.0.1.
type world struct {
	t     *testing.T
	db    testkit.Database
	clock *testkit.Clock
	store *store.Store
	staff *models.Directory
	jira  *models.Application
	users int
}

func newWorld(t *testing.T, db testkit.Database) *world {
	t.Helper()
	w := &world{t: t, db: db, clock: testkit.NewClock()}
	w.store = w.another()
	w.staff = &models.Directory{Name: "staff", Kind: models.KindInternal, Active: true}
	w.jira = &models.Application{Name: "jira", Active: true}
	w.write(w.store, func(tx *store.Tx) error { return tx.CreateDirectory(w.staff, nil) })
	w.write(w.store, func(tx *store.Tx) error { return tx.CreateApplication(w.jira) })
	w.write(w.store, func(tx *store.Tx) error {
		return tx.SetMappings(w.jira, nil, []models.Mapping{{DirectoryID: w.staff.ID}})
	})
	w.addresses("127.0.0.1")
	return w
}

// another opens the database as one more process does.
func (w *world) another() *store.Store {
	w.t.Helper()
	return w.db.Open(w.t, func(o *store.Options) { o.Now = w.clock.Now })
}

func (w *world) write(s *store.Store, do func(tx *store.Tx) error) {
	w.t.Helper()
	if err := s.Write(context.Background(), models.System, do); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) addresses(list ...string) {
	w.t.Helper()
	w.write(w.store, func(tx *store.Tx) error { return tx.SetApplicationAddresses(w.jira, nil, list) })
}

// run runs an outbox on a store until the test ends.
func (w *world) run(s *store.Store, o outbox.Options) {
	w.t.Helper()
	o.Every = every
	if o.Log == nil {
		o.Log = testkit.Log(w.t)
	}
	testkit.Go(w.t, outbox.New(s, o).Run)
}

// change makes a change that jira sees.
func (w *world) change(s *store.Store) {
	w.t.Helper()
	w.users++
	u := &models.User{DirectoryID: w.staff.ID, Name: "user-" + strings.Repeat("x", w.users), Active: true}
	w.write(s, func(tx *store.Tx) error { return tx.CreateUser(u) })
}

// eventually waits for something that other goroutines bring about.
func (w *world) eventually(what string, is func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if is() {
			return
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("%s: not within 30 seconds", what)
		}
	}
}

// aWhile is long enough for an outbox to do what it shouldn't.
func aWhile() { time.Sleep(30 * every) }

// audited counts the entries of an action, by outcome.
func (w *world) audited(action string) map[string]int {
	w.t.Helper()
	entries, err := w.store.SearchAudit(w.t.Context(), store.AuditSearch{Action: action, Limit: 1000})
	if err != nil {
		w.t.Fatal(err)
	}
	out := map[string]int{}
	for _, e := range entries {
		out[e.Outcome+" "+e.Subject]++
	}
	return out
}

// register makes a webhook that has heard of everything so far. On PostgreSQL the end of the feed
// stands still while another test's transaction is open in the server: then what lies beyond it
// would be told first.
func (w *world) register(endpoint string) *models.Webhook {
	w.t.Helper()
	if w.db.Kind == testkit.Postgres {
		var now int64
		if err := w.db.Raw(w.t).QueryRow("SELECT pg_current_xact_id()::text::bigint").Scan(&now); err != nil {
			w.t.Fatal(err)
		}
		w.eventually("older transactions end", func() bool {
			end, err := w.store.Place(w.t.Context())
			return err == nil && int64(end) > now
		})
	}
	hook, _, err := w.store.RegisterWebhook(w.t.Context(), models.System, w.jira, endpoint, "c2VjcmV0", 100)
	if err != nil {
		w.t.Fatal(err)
	}
	return hook
}

// hook reads a webhook as it is now; nil when it is gone.
func (w *world) hook(id models.ID) *models.Webhook {
	w.t.Helper()
	hook, err := w.store.WebhookByID(w.t.Context(), id)
	if models.Is(err, models.WebhookNotFound) {
		return nil
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return hook
}

// rested lets a webhook that was just called rest as long as it has to.
func (w *world) rested(hook *models.Webhook) {
	w.t.Helper()
	w.eventually("the call is written down", func() bool {
		now := w.hook(hook.ID)
		return now.Place > hook.Place && now.NextAttemptAt <= w.store.Now().Add(time.Second)
	})
	hook.Place = w.hook(hook.ID).Place
	w.clock.Advance(time.Second)
}

// A receiver is an application's end of a webhook. How it answers can be changed.
type receiver struct {
	URL string

	mu     sync.Mutex
	calls  []call
	answer http.HandlerFunc
}

type call struct {
	Method, Path, Body, Authorization, Length string
}

func ok(http.ResponseWriter, *http.Request) {}

func fails(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }

func newReceiver(t *testing.T, answer http.HandlerFunc) *receiver {
	t.Helper()
	r := &receiver{answer: answer}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, _ := io.ReadAll(request.Body)
		r.mu.Lock()
		r.calls = append(r.calls, call{request.Method, request.URL.RequestURI(), string(body), request.Header.Get("Authorization"), request.Header.Get("Content-Length")})
		answer := r.answer
		r.mu.Unlock()
		answer(w, request)
	}))
	t.Cleanup(server.Close)
	r.URL = server.URL
	return r
}

func (r *receiver) becomes(answer http.HandlerFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

func (r *receiver) called() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.calls)
}

func (r *receiver) all() []call {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]call(nil), r.calls...)
}
