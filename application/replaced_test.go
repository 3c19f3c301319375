package application_test

import (
	"math"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// A directory that is replaced makes the tokens expire that applications mapped to it have, and
// no others; tokens that are taken afterwards count.
func TestReplacedDirectoryExpiresEventTokens(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		staff := h.fill(t, "staff", "ada")
		h.fill(t, "partners", "bob")
		h.app(t, "jira", firstMatch, "partners", "staff")
		h.app(t, "wiki", firstMatch, "partners")
		jira, wiki := h.settledToken(t, "jira"), h.settledToken(t, "wiki")
		h.replaced(t, staff)
		h.wantEvents(t, "jira", jira, models.EventTokenExpired)
		h.wantEvents(t, "wiki", wiki, "")
		h.wantEvents(t, "jira", h.settledToken(t, "jira"), "")
	})
}

func (h *house) replaced(t *testing.T, dir *models.Directory) {
	t.Helper()
	err := h.store.Write(t.Context(), operator, func(tx *store.Tx) error { tx.DirectoryReplaced(dir); return nil })
	if err != nil {
		t.Fatal(err)
	}
}

// settledToken takes a token behind everything that was written. On PostgreSQL the end of the feed
// stands still while another transaction is open in the server, such as another test's.
func (h *house) settledToken(t *testing.T, app string) string {
	t.Helper()
	h.until(t, func() bool {
		end, err := h.store.Place(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		later, err := h.store.ChangesBetween(t.Context(), end, math.MaxInt64, 1)
		return err == nil && len(later) == 0
	})
	token, err := h.view(t, app).EventToken(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// wantEvents asks for the events since a token, until the answer has the code.
func (h *house) wantEvents(t *testing.T, app, token string, want models.Code) {
	t.Helper()
	var err error
	h.until(t, func() bool {
		_, _, err = h.view(t, app).Events(t.Context(), token)
		return models.CodeOf(err) == want
	})
	wantCode(t, "events of "+app, want, err)
}

func (h *house) until(t *testing.T, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !is() && time.Now().Before(deadline); {
		time.Sleep(20 * time.Millisecond)
	}
}

// What a client reads in full after it took an event token elsewhere has all that happened
// before, also where this process was not told yet: see TestWhatAnotherProcessWroteIsFound for
// why its store doesn't hear by itself.
func TestFullReadNeverLags(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		clock := testkit.NewClock()
		here, there := newHouse(t, db, clock), newHouse(t, db, clock)
		staff := here.fill(t, "staff", "ada", "devs: ada")
		here.app(t, "jira", firstMatch, "staff")
		here.remember(t)

		v := here.view(t, "jira")
		there.fill(t, "staff", "bob", "devs: bob")
		before, err := v.Members(t.Context(), "devs", application.Direct, models.Everything)
		wantNames(t, "what a process knows that was not told", "ada", before, err)
		wantFullRead(t, v, "ada bob")

		// The same where the news is that much of the directory changed.
		v = here.view(t, "jira")
		if _, err := db.Raw(t).ExecContext(t.Context(), "DELETE FROM memberships"); err != nil {
			t.Fatal(err)
		}
		there.replaced(t, staff)
		wantFullRead(t, v, "")
	})
}

// wantFullRead reads everything, as a client does, and compares who is in the group devs.
func wantFullRead(t *testing.T, v *application.View, want string) {
	t.Helper()
	if err := v.NoteFullRead(t.Context()); err != nil {
		t.Fatal(err)
	}
	members, err := v.Members(t.Context(), "devs", application.Direct, models.Everything)
	wantNames(t, "a full read", want, members, err)
}
