package session_test

import (
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/session"
)

func TestPruneRemovesWhatHasEndedForGood(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		w := newWorld(t, db, session.Options{PruneEvery: 10 * time.Millisecond})
		ended := w.issue(session.Request{User: w.ada.ID})
		w.clock.Advance(session.DefaultLifetime + 30*time.Minute)
		late := w.issue(session.Request{User: w.bob.ID, Lifetime: time.Second})
		w.clock.Advance(31 * time.Minute)
		live := w.issue(session.Request{User: w.bob.ID})
		testkit.Go(t, w.Prune)
		w.waitUntilGone(ended.TokenHash)
		// A row that seems to have ended a moment ago may be about to be renewed.
		if _, err := w.store.SessionByToken(t.Context(), late.TokenHash); err != nil {
			t.Errorf("the session that ended half an hour ago: %v", err)
		}
		w.use(live.Token)
	})
}

func (w *world) waitUntilGone(hash []byte) {
	w.t.Helper()
	for range 500 {
		if _, err := w.store.SessionByToken(w.t.Context(), hash); models.Is(err, models.InvalidToken) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	w.t.Fatal("an ended session's row is still there")
}
