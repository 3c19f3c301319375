package store_test

import (
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

const halfHour = int64(30 * time.Minute / time.Millisecond)

func addSession(t *testing.T, s *store.Store, u *models.User, token string) *models.Session {
	t.Helper()
	session := &models.Session{UserID: u.ID, TokenHash: []byte(token), Sealed: []byte("sealed " + token), Factors: []byte("factors"), Lifetime: halfHour}
	write(t, s, func(tx *store.Tx) error { return tx.CreateSession(session) })
	return session
}

// live tells whether the session of a token is there.
func live(t *testing.T, s *store.Store, token string) bool {
	t.Helper()
	_, err := s.SessionByToken(t.Context(), []byte(token))
	if err != nil && !models.Is(err, models.InvalidToken) {
		t.Fatal(err)
	}
	return err == nil
}

func TestSessionIsFoundByTokenAndByFactors(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		clock := testkit.NewClock()
		s := db.Open(t, func(o *store.Options) { o.Now = clock.Now })
		ada := addUser(t, s, addDirectory(t, s, "staff"), "ada")
		want := addSession(t, s, ada, "token")
		got, err := s.SessionByToken(t.Context(), []byte("token"))
		if err != nil {
			t.Fatal(err)
		}
		testkit.Diff(t, "session", want, got)
		if got.ExpiresAt != models.TimeOf(clock.Now().Add(30*time.Minute)) {
			t.Errorf("want it to end half an hour from now, got %s", got.ExpiresAt)
		}

		find := func(factors string, lifetime int64) error {
			_, err := s.SessionWithFactors(t.Context(), ada.ID, []byte(factors), lifetime, s.Now())
			return err
		}
		wantCode(t, "the same factors", "", find("factors", halfHour))
		wantCode(t, "other factors", models.InvalidToken, find("others", halfHour))
		wantCode(t, "another lifetime", models.InvalidToken, find("factors", 1))
		unbound := &models.Session{UserID: ada.ID, TokenHash: []byte("ours"), Sealed: []byte{}, Factors: []byte("ours"), Unbound: true, Lifetime: halfHour}
		write(t, s, func(tx *store.Tx) error { return tx.CreateSession(unbound) })
		wantCode(t, "one of our own pages", models.InvalidToken, find("ours", halfHour))
		clock.Advance(31 * time.Minute)
		wantCode(t, "after its end", models.InvalidToken, find("factors", halfHour))
	})
}

func TestSessionsDieWithTheirUser(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		staff := addDirectory(t, s, "staff")
		bob := addUser(t, s, staff, "bob")
		addSession(t, s, bob, "bob's")
		for what, end := range map[string]func(tx *store.Tx, u *models.User) error{
			"deactivated": func(tx *store.Tx, u *models.User) error {
				before := *u
				u.Active = false
				return tx.SaveUser(&before, u)
			},
			"deactivated, as another saw it inactive before": func(tx *store.Tx, u *models.User) error {
				u.Active = false
				return tx.SaveUser(u, u)
			},
			"deleted":           func(tx *store.Tx, u *models.User) error { return tx.DeleteUser(u) },
			"given a password":  func(tx *store.Tx, u *models.User) error { return tx.SetPassword(u, "hash", 0) },
			"left no password":  func(tx *store.Tx, u *models.User) error { return tx.SetPassword(u, "", 0) },
			"signed out of all": func(tx *store.Tx, u *models.User) error { return tx.EndSessionsOf(u.ID, nil) },
		} {
			u := addUser(t, s, staff, what)
			addSession(t, s, u, "one of "+what)
			addSession(t, s, u, "two of "+what)
			write(t, s, func(tx *store.Tx) error { return end(tx, u) })
			if live(t, s, "one of "+what) || live(t, s, "two of "+what) {
				t.Errorf("%s: a session is still there", what)
			}
			changes, err := s.ChangesAfter(t.Context(), 0, 1000)
			if err != nil {
				t.Fatal(err)
			}
			ended := false
			for _, c := range changes {
				ended = ended || c.Kind == models.SessionsEnded && c.RowID == u.ID
			}
			if !ended {
				t.Errorf("%s: the feed doesn't say that the sessions ended", what)
			}
		}
		if !live(t, s, "bob's") {
			t.Error("another user's session died too")
		}
	})
}

func TestSavedUserWhoStaysActiveKeepsSessions(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		ada := addUser(t, s, addDirectory(t, s, "staff"), "ada")
		addSession(t, s, ada, "one")
		before := *ada
		ada.Email = "ada@example.test"
		write(t, s, func(tx *store.Tx) error { return tx.SaveUser(&before, ada) })
		write(t, s, func(tx *store.Tx) error { return tx.RenameUser(ada, "countess") })
		if !live(t, s, "one") {
			t.Error("the session died of a new mail address or name")
		}
	})
}

func TestSessionsEndOneByOneOrAllButOne(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		ada := addUser(t, s, addDirectory(t, s, "staff"), "ada")
		for _, token := range []string{"one", "two", "three"} {
			addSession(t, s, ada, token)
		}
		end := func(token string) (ended bool) {
			t.Helper()
			write(t, s, func(tx *store.Tx) (err error) {
				ended, err = tx.EndSession([]byte(token))
				return err
			})
			return ended
		}
		if !end("one") || end("one") {
			t.Error("want a session to end once")
		}
		last, err := s.LastChange(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		changes, err := s.ChangesAfter(t.Context(), last-1, 1)
		if err != nil || len(changes) != 1 || changes[0].Kind != models.SessionsEnded || changes[0].RowID != ada.ID {
			t.Errorf("want the feed to say whose session ended, got %+v, %v", changes, err)
		}
		write(t, s, func(tx *store.Tx) error { return tx.EndSessionsOf(ada.ID, []byte("three")) })
		testkit.Diff(t, "live", []bool{false, false, true}, []bool{live(t, s, "one"), live(t, s, "two"), live(t, s, "three")})
	})
}

func TestEndedSessionsAreRemoved(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		clock := testkit.NewClock()
		s := db.Open(t, func(o *store.Options) { o.Now = clock.Now })
		ada := addUser(t, s, addDirectory(t, s, "staff"), "ada")
		addSession(t, s, ada, "one")
		clock.Advance(20 * time.Minute)
		addSession(t, s, ada, "two")
		clock.Advance(20 * time.Minute)
		n, err := s.PruneSessions(t.Context(), s.Now())
		if err != nil || n != 1 {
			t.Errorf("want one removed, got %d, %v", n, err)
		}
		testkit.Diff(t, "live", []bool{false, true}, []bool{live(t, s, "one"), live(t, s, "two")})
	})
}
