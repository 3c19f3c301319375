package session_test

import (
	"bytes"
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/session"
	"github.com/rollcall-id/rollcall/store"
)

func TestATokenIsFoundAgain(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		w := newWorld(t, db, session.Options{})
		issued := w.issue(session.Request{User: w.ada.ID, Factors: []session.Factor{from("192.0.2.1")}})
		if !regexp.MustCompile(`^[A-Za-z0-9]{24}$`).MatchString(issued.Token) {
			t.Errorf("the token is %q", issued.Token)
		}
		found, err := w.Find(t.Context(), issued.Token)
		if err != nil {
			t.Fatal(err)
		}
		if found.UserID != w.ada.ID || found.ExpiresAt != w.store.Now().Add(session.DefaultLifetime) {
			t.Errorf("found %+v", found)
		}
	})
}

func TestTheTokenIsNotStored(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		w := newWorld(t, db, session.Options{})
		issued := w.issue(session.Request{User: w.ada.ID})
		found, err := w.Find(t.Context(), issued.Token)
		if err != nil {
			t.Fatal(err)
		}
		for _, column := range [][]byte{found.TokenHash, found.Sealed, found.Factors} {
			if bytes.Contains(column, []byte(issued.Token)) {
				t.Error("the row holds the token")
			}
		}
	})
}

func TestMadeUpTokensAreInvalid(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		w := newWorld(t, db, session.Options{})
		token := w.issue(session.Request{User: w.ada.ID}).Token
		for _, madeUp := range []string{
			"", " ", "x", token[:23], token + "A", token + " ", strings.ToLower(token), strings.Repeat("A", 24),
			"../../../../../../../etc", token[:23] + "\x00", token[:23] + "%", token[:23] + "'", strings.Repeat("A", 1<<16),
		} {
			w.isInvalid(madeUp)
			if err := w.End(t.Context(), models.System, madeUp); err != nil {
				t.Errorf("End(%q) = %v", madeUp, err)
			}
		}
		w.use(token)
	})
}

func TestASessionThatIsNotUsedEnds(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		w := newWorld(t, db, session.Options{Lifetime: 10 * time.Minute})
		used, unused, read := w.issue(session.Request{User: w.ada.ID}), w.issue(session.Request{User: w.bob.ID}),
			w.issue(session.Request{User: w.bob.ID, Unbound: true})
		for range 5 {
			w.clock.Advance(9 * time.Minute)
			w.use(used.Token)
			w.Find(t.Context(), read.Token) // looking doesn't renew
		}
		w.isInvalid(unused.Token)
		w.isInvalid(read.Token)
		if err := w.store.FlushNotes(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.clock.Advance(10*time.Minute - time.Millisecond)
		w.use(used.Token)
		w.clock.Advance(10 * time.Minute)
		w.isInvalid(used.Token)
	})
}

func TestEndAllSparesOne(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		w := newWorld(t, db, session.Options{})
		one, two, other := w.issue(session.Request{User: w.ada.ID}),
			w.issue(session.Request{User: w.ada.ID, Unbound: true}), w.issue(session.Request{User: w.bob.ID})
		if err := w.EndAll(t.Context(), models.System, w.ada.ID, two.Token); err != nil {
			t.Fatal(err)
		}
		w.isInvalid(one.Token)
		w.use(two.Token)
		w.use(other.Token)
		if err := w.EndAll(t.Context(), models.System, w.ada.ID, "nonsense"); err != nil {
			t.Fatal(err)
		}
		w.isInvalid(two.Token)
		w.use(other.Token)
	})
}

func TestASessionIsValidOnAnotherReplica(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		w := newWorld(t, db, session.Options{})
		other := session.New(db.Open(t, func(o *store.Options) { o.Now = w.clock.Now }), session.Options{})
		issued := w.issue(session.Request{User: w.ada.ID})
		if _, err := other.Check(t.Context(), issued.Token, nil); err != nil {
			t.Error(err)
		}
		again, err := other.Issue(t.Context(), models.System, session.Request{User: w.ada.ID})
		if err != nil || again.Token != issued.Token {
			t.Errorf("the other replica gave another token, %v", err)
		}
		if err := other.End(t.Context(), models.System, issued.Token); err != nil {
			t.Fatal(err)
		}
		w.isInvalid(issued.Token)
	})
}

// A session that was just used is known without a question; what another replica ends comes with
// the feed, and where nobody reads the feed, copies stop counting.
func TestASessionThatAnotherReplicaEndsIsInvalidSoon(t *testing.T) {
	t.Parallel()
	for name, follows := range map[string]bool{"a replica": true, "whoever doesn't follow the feed": false} {
		t.Run(name, func(t *testing.T) {
			testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
				w := newWorld(t, db, session.Options{})
				if follows {
					ctx, stop := context.WithCancel(t.Context())
					followed := make(chan error)
					go func() { followed <- w.store.Follow(ctx) }()
					defer func() { stop(); <-followed }()
				}
				other := session.New(db.Open(t, func(o *store.Options) { o.Now = w.clock.Now }), session.Options{})
				token := w.issue(session.Request{User: w.ada.ID}).Token
				w.use(token)
				if err := other.End(t.Context(), models.System, token); err != nil {
					t.Fatal(err)
				}
				for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
					if _, err := w.Check(t.Context(), token, nil); models.Is(err, models.InvalidToken) {
						break
					}
					if time.Now().After(end) {
						t.Fatal("the session is still let in")
					}
				}
			})
		})
	}
}
