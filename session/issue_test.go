package session_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/session"
	"github.com/rollcall-id/rollcall/store"
)

func TestTheSameLoginGetsTheSameToken(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		w := newWorld(t, db, session.Options{})
		here := []session.Factor{from("192.0.2.1"), {"NAME", "jira"}}
		first := w.issue(session.Request{User: w.ada.ID, Factors: here})
		for _, c := range []struct {
			name string
			r    session.Request
			same bool
		}{
			{"the same", session.Request{User: w.ada.ID, Factors: here}, true},
			{"in another order", session.Request{User: w.ada.ID, Factors: []session.Factor{{"NAME", "jira"}, from("192.0.2.1")}}, true},
			{"names in another case", session.Request{User: w.ada.ID, Factors: []session.Factor{{"Remote_Address", "192.0.2.1"}, {"name", "jira"}}}, true},
			{"a duration beyond the server's", session.Request{User: w.ada.ID, Factors: here, Lifetime: time.Hour}, true},
			{"another user", session.Request{User: w.bob.ID, Factors: here}, false},
			{"another address", session.Request{User: w.ada.ID, Factors: []session.Factor{from("192.0.2.2"), {"NAME", "jira"}}}, false},
			{"a value in another case", session.Request{User: w.ada.ID, Factors: []session.Factor{from("192.0.2.1"), {"NAME", "Jira"}}}, false},
			{"one factor less", session.Request{User: w.ada.ID, Factors: here[:1]}, false},
			{"no factors", session.Request{User: w.ada.ID}, false},
			{"a shorter duration", session.Request{User: w.ada.ID, Factors: here, Lifetime: time.Minute}, false},
			{"unbound", session.Request{User: w.ada.ID, Factors: here, Unbound: true}, false},
		} {
			if got := w.issue(c.r).Token == first.Token; got != c.same {
				t.Errorf("%s: same token = %v, want %v", c.name, got, c.same)
			}
		}
		w.use(first.Token, here...)
	})
}

func TestParallelLoginsShareOneSession(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		w := newWorld(t, db, session.Options{})
		for round := range 10 { // the first only opens connections
			if n := w.issueAtOnce(8, from(fmt.Sprint("192.0.2.", round))); n != 1 {
				t.Fatalf("8 equal logins at once got %d tokens, want 1", n)
			}
		}
	})
}

// issueAtOnce gives ada n sessions with the same factor and tells how many tokens that makes.
func (w *world) issueAtOnce(n int, f session.Factor) int {
	var mu sync.Mutex
	tokens := map[string]bool{}
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			issued, err := w.Issue(w.t.Context(), models.System, session.Request{User: w.ada.ID, Factors: []session.Factor{f}})
			if err != nil {
				w.t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			tokens[issued.Token] = true
		})
	}
	wg.Wait()
	return len(tokens)
}

func TestAnEndedSessionIsNotGivenOutAgain(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		w := newWorld(t, db, session.Options{})
		first := w.issue(session.Request{User: w.ada.ID})
		w.clock.Advance(session.DefaultLifetime)
		second := w.issue(session.Request{User: w.ada.ID})
		if second.Token == first.Token {
			t.Error("an expired session was given out again")
		}
		if err := w.End(t.Context(), models.System, second.Token); err != nil {
			t.Fatal(err)
		}
		w.isInvalid(second.Token)
		if third := w.issue(session.Request{User: w.ada.ID}); third.Token == second.Token {
			t.Error("an ended session was given out again")
		}
	})
}

func TestADamagedSessionKeepsNobodyOut(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		w := newWorld(t, db, session.Options{})
		w.write(func(tx *store.Tx) error {
			return tx.CreateSession(&models.Session{UserID: w.ada.ID, TokenHash: make([]byte, 32), Sealed: []byte("damaged"),
				Factors: []byte{}, Lifetime: session.DefaultLifetime.Milliseconds()})
		})
		w.use(w.issue(session.Request{User: w.ada.ID}).Token)
	})
}

func TestNobodyLogsInWhoHasGone(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		w := newWorld(t, db, session.Options{})
		w.write(func(tx *store.Tx) error {
			off := *w.ada
			off.Active = false
			return errors.Join(tx.SaveUser(w.ada, &off), tx.DeleteUser(w.bob))
		})
		for user, want := range map[models.ID]models.Code{w.ada.ID: models.UserInactive, w.bob.ID: models.UserNotFound} {
			if _, err := w.Issue(t.Context(), models.System, session.Request{User: user}); !models.Is(err, want) {
				t.Errorf("Issue = %v, want %s", err, want)
			}
		}
	})
}

func TestALoginRenewsTheSessionThatItIsGiven(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		w := newWorld(t, db, session.Options{Lifetime: 10 * time.Minute})
		first := w.issue(session.Request{User: w.ada.ID})
		w.clock.Advance(9 * time.Minute)
		again := w.issue(session.Request{User: w.ada.ID})
		if want := first.ExpiresAt.Add(9 * time.Minute); again.ExpiresAt != want || again.CreatedAt != first.CreatedAt {
			t.Errorf("the session was made at %s and ends at %s, want %s, %s", again.CreatedAt, again.ExpiresAt, first.CreatedAt, want)
		}
		w.clock.Advance(9 * time.Minute)
		w.use(first.Token)
	})
}

func TestADurationIsCutToTheServers(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		w := newWorld(t, db, session.Options{Lifetime: 10 * time.Minute})
		for asked, want := range map[time.Duration]time.Duration{
			0: 10 * time.Minute, -time.Second: 10 * time.Minute, time.Minute: time.Minute,
			10 * time.Minute: 10 * time.Minute, 1000 * time.Hour: 10 * time.Minute,
		} {
			issued := w.issue(session.Request{User: w.ada.ID, Lifetime: asked})
			if got := issued.ExpiresAt.Sub(issued.LastUsedAt); got != want {
				t.Errorf("a session of %s lives %s, want %s", asked, got, want)
			}
		}
		// A renewed one keeps its own.
		short := w.issue(session.Request{User: w.bob.ID, Lifetime: time.Minute})
		w.clock.Advance(50 * time.Second)
		w.use(short.Token)
		w.clock.Advance(50 * time.Second)
		w.use(short.Token)
		w.clock.Advance(time.Minute)
		w.isInvalid(short.Token)
	})
}
