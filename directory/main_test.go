package directory_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/internal/password"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// operator is on whose behalf tests write unless they say otherwise.
var operator = models.Actor{Kind: models.ActorOperator, Name: "olga", Writer: models.ByOperator}

// A house is one test's store with the service on it.
type house struct {
	*directory.Service
	store  *store.Store
	hasher *password.Hasher
	clock  *testkit.Clock
}

// eachHouse runs do on SQLite and on PostgreSQL.
func eachHouse(t *testing.T, do func(t *testing.T, h *house)) {
	t.Helper()
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) { do(t, newHouse(t, db)) })
}

func newHouse(t *testing.T, db testkit.Database) *house {
	t.Helper()
	h := &house{hasher: testkit.NewHasher(), clock: testkit.NewClock()}
	h.store = db.Open(t, func(o *store.Options) { o.Now = h.clock.Now })
	h.Service = directory.New(h.store, h.hasher, testkit.Log(t))
	return h
}

// directory makes an internal directory; settings are "name=value".
func (h *house) directory(t *testing.T, name string, settings ...string) *models.Directory {
	t.Helper()
	n := directory.NewDirectory{Name: name, Settings: map[string]string{}}
	for _, s := range settings {
		key, value, _ := strings.Cut(s, "=")
		n.Settings[key] = value
	}
	dir, err := h.Create(t.Context(), operator, n)
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// user makes an active user; an empty secret is none.
func (h *house) user(t *testing.T, dir *models.Directory, name string, secret models.Secret) *models.User {
	t.Helper()
	n := directory.NewUser{Name: name, Active: true}
	if secret != "" {
		n.Password = &secret
	}
	u, err := h.CreateUser(t.Context(), operator, dir, n)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func (h *house) groups(t *testing.T, dir *models.Directory, names ...string) {
	t.Helper()
	h.must(t, func(e *directory.Edit) error {
		for _, name := range names {
			if _, err := e.CreateGroup(dir, directory.NewGroup{Name: name, Active: true}); err != nil {
				return err
			}
		}
		return nil
	})
}

// edit runs do in one transaction of the operator.
func (h *house) edit(t *testing.T, do func(e *directory.Edit) error) error {
	t.Helper()
	return h.Edit(t.Context(), operator, do)
}

func (h *house) must(t *testing.T, do func(e *directory.Edit) error) {
	t.Helper()
	if err := h.edit(t, do); err != nil {
		t.Fatal(err)
	}
}

// userNamed reads a user as it is stored.
func (h *house) userNamed(t *testing.T, dir *models.Directory, name string) *models.User {
	t.Helper()
	u, err := h.store.UserByName(t.Context(), dir.ID, name)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// lastChange tells whether anything was written since.
func (h *house) lastChange(t *testing.T) int64 {
	t.Helper()
	seq, err := h.store.LastChange(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

func wantCode(t *testing.T, what string, want models.Code, err error) {
	t.Helper()
	if got := models.CodeOf(err); got != want {
		t.Errorf("%s: want %q, got %q (%v)", what, want, got, err)
	}
}

// wantMessage also looks at the sentence for the caller.
func wantMessage(t *testing.T, what string, want models.Code, part string, err error) {
	t.Helper()
	wantCode(t, what, want, err)
	if e, ok := errors.AsType[*models.Error](err); ok && !strings.Contains(e.Message, part) {
		t.Errorf("%s: want a message with %q, got %q", what, part, e.Message)
	}
}
