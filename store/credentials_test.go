package store_test

import (
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

func credential(t *testing.T, s *store.Store, u *models.User) models.Credential {
	t.Helper()
	c, err := s.Credential(t.Context(), u.ID)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func setPassword(t *testing.T, s *store.Store, u *models.User, hash models.Secret, history int) {
	t.Helper()
	write(t, s, func(tx *store.Tx) error { return tx.SetPassword(u, hash, history) })
}

func TestNewPasswordClearsWhatTheOldOneLeft(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		clock := testkit.NewClock()
		s := db.Open(t, func(o *store.Options) { o.Now = clock.Now })
		jira := addApplication(t, s, "jira")
		ada := addUser(t, s, addDirectory(t, s, "staff"), "ada")
		testkit.Diff(t, "of a user without any", models.Credential{UserID: ada.ID}, credential(t, s, ada))

		setPassword(t, s, ada, "first", 0)
		kept := models.Credential{MustChange: true, Failures: 7, LastAuthenticated: 11, LastActive: 12, ChangedAt: 13}
		write(t, s, func(tx *store.Tx) error { return tx.SetBookkeeping(ada, kept) })
		kept.UserID, kept.Hash = ada.ID, "first"
		testkit.Diff(t, "bookkeeping, with the hash left as it was", kept, credential(t, s, ada))
		s.NoteFailure(jira.ID, ada.ID)
		if err := s.FlushNotes(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.NoteFailure(jira.ID, ada.ID)

		clock.Advance(time.Hour)
		setPassword(t, s, ada, "second", 0)
		want := models.Credential{UserID: ada.ID, Hash: "second", ChangedAt: models.TimeOf(clock.Now()), LastAuthenticated: 11, LastActive: 12}
		testkit.Diff(t, "after a new password", want, credential(t, s, ada))
		if d, err := s.Delay(t.Context(), jira.ID, ada.ID); err != nil || d.Failures != 0 {
			t.Errorf("want no delay, got %+v, %v", d, err)
		}
		if err := s.FlushNotes(t.Context()); err != nil {
			t.Fatal(err)
		}
		testkit.Diff(t, "after what was noted before is written", want, credential(t, s, ada))
	})
}

func TestOldPasswordsAreRememberedUpToTheHistory(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		staff := addDirectory(t, s, "staff")
		ada, bob := addUser(t, s, staff, "ada"), addUser(t, s, staff, "bob")
		old := func(u *models.User) (out []string) {
			t.Helper()
			hashes, err := s.OldPasswords(t.Context(), u.ID, 10)
			if err != nil {
				t.Fatal(err)
			}
			for _, h := range hashes {
				out = append(out, h.Reveal())
			}
			return out
		}
		for _, hash := range []models.Secret{"1", "", "2", "3", "4"} {
			setPassword(t, s, ada, hash, 2)
			setPassword(t, s, bob, hash, 10)
		}
		testkit.Diff(t, "two of them", []string{"3", "2"}, old(ada))
		testkit.Diff(t, "all but the empty one", []string{"3", "2", "1"}, old(bob))
		setPassword(t, s, ada, "5", 0)
		testkit.Diff(t, "none any more", nil, old(ada))
		testkit.Diff(t, "still all", []string{"3", "2", "1"}, old(bob))
	})
}

func TestHashIsUpgradedUnlessThePasswordChanged(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		ada := addUser(t, s, addDirectory(t, s, "staff"), "ada")
		setPassword(t, s, ada, "weak", 5)
		addSession(t, s, ada, "token")
		upgrade := func(old, hash models.Secret) {
			t.Helper()
			write(t, s, func(tx *store.Tx) error { return tx.UpgradeHash(ada.ID, old, hash) })
		}
		upgrade("weak", "strong")
		upgrade("weak", "late")
		if got := credential(t, s, ada).Hash; got != "strong" {
			t.Errorf("want strong, got %s", got.Reveal())
		}
		if !live(t, s, "token") {
			t.Error("the session died of an upgrade")
		}
		old, err := s.OldPasswords(t.Context(), ada.ID, 5)
		if err != nil || len(old) > 0 {
			t.Errorf("want no history of an upgrade, got %d, %v", len(old), err)
		}
	})
}
