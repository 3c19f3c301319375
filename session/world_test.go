package session_test

import (
	"errors"
	"testing"

	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/session"
	"github.com/rollcall-id/rollcall/store"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// A world is a store with two users, and its sessions at a time that the test sets.
type world struct {
	*session.Service
	t        *testing.T
	store    *store.Store
	clock    *testkit.Clock
	ada, bob *models.User
}

func newWorld(t *testing.T, db testkit.Database, o session.Options) *world {
	t.Helper()
	w := &world{t: t, clock: testkit.NewClock()}
	w.store = db.Open(t, func(o *store.Options) { o.Now = w.clock.Now })
	w.ada = &models.User{Name: "ada", Active: true}
	w.bob = &models.User{Name: "bob", Active: true}
	w.write(func(tx *store.Tx) error {
		dir := &models.Directory{Name: "staff", Kind: models.KindInternal, Active: true}
		if err := tx.CreateDirectory(dir, nil); err != nil {
			return err
		}
		w.ada.DirectoryID, w.bob.DirectoryID = dir.ID, dir.ID
		return errors.Join(tx.CreateUser(w.ada), tx.CreateUser(w.bob))
	})
	w.Service = session.New(w.store, o)
	return w
}

func (w *world) write(do func(tx *store.Tx) error) {
	w.t.Helper()
	if err := w.store.Write(w.t.Context(), models.System, do); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) issue(r session.Request) *session.Issued {
	w.t.Helper()
	issued, err := w.Issue(w.t.Context(), models.System, r)
	if err != nil {
		w.t.Fatal(err)
	}
	return issued
}

// use checks a token and renews its session, as a login does.
func (w *world) use(token string, factors ...session.Factor) {
	w.t.Helper()
	found, err := w.Check(w.t.Context(), token, factors)
	if err != nil {
		w.t.Fatalf("the session is refused: %v", err)
	}
	w.Renew(found)
}

func (w *world) isInvalid(token string, factors ...session.Factor) {
	w.t.Helper()
	if _, err := w.Check(w.t.Context(), token, factors); !models.Is(err, models.InvalidToken) {
		w.t.Errorf("Check of %q: %v, want InvalidToken", token, err)
	}
}

func from(address string) session.Factor {
	return session.Factor{Name: "remote_address", Value: address}
}
