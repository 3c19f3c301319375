package store_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// twoStores are two processes on one database, with one clock.
func twoStores(t *testing.T, db testkit.Database) (a, b *store.Store, clock *testkit.Clock) {
	t.Helper()
	clock = testkit.NewClock()
	now := func(o *store.Options) { o.Now = clock.Now }
	return db.Open(t, now), db.Open(t, now), clock
}

func postLetter(t *testing.T, s *store.Store, to string) {
	t.Helper()
	write(t, s, func(tx *store.Tx) error {
		return tx.PostLetter(models.Letter{Kind: models.LetterReset, To: to, Name: "ada"})
	})
}

// due reads the one item that is due.
func due(t *testing.T, s *store.Store) *models.OutboxItem {
	t.Helper()
	items, err := s.OutboxDue(t.Context(), s.Now(), 10)
	if err != nil || len(items) != 1 {
		t.Fatalf("due: %v, %v; want one item", items, err)
	}
	return &items[0]
}

func nothingDue(t *testing.T, s *store.Store, when string) {
	t.Helper()
	if items, err := s.OutboxDue(t.Context(), s.Now(), 10); err != nil || len(items) != 0 {
		t.Errorf("%s: %v, %v; want nothing due", when, items, err)
	}
}

func claim(t *testing.T, s *store.Store, item *models.OutboxItem, want bool) {
	t.Helper()
	if got, err := s.ClaimOutbox(t.Context(), item, time.Minute); err != nil || got != want {
		t.Errorf("ClaimOutbox = %t, %v, want %t", got, err, want)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestALetterIsPostedWithItsTransaction(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s, _, _ := twoStores(t, db)
		err := s.Write(t.Context(), jane, func(tx *store.Tx) error {
			if err := tx.PostLetter(models.Letter{To: "ada@example.test"}); err != nil {
				return err
			}
			return models.Fail(models.IllegalArgument, "", "undone")
		})
		wantCode(t, "the write", models.IllegalArgument, err)
		nothingDue(t, s, "after a transaction that was undone")
		postLetter(t, s, "ada@example.test")
		item := due(t, s)
		var l models.Letter
		must(t, json.Unmarshal(item.Payload, &l))
		if item.Kind != store.OutboxLetter || item.Recipient != "ada@example.test" || l.To != item.Recipient || l.Name != "ada" || l.Kind != models.LetterReset {
			t.Errorf("posted: %+v, %+v", item, l)
		}
		if n, since, err := s.OutboxWaiting(t.Context()); err != nil || n != 1 || since != s.Now() {
			t.Errorf("OutboxWaiting = %d, %s, %v", n, since, err)
		}
	})
}

func TestOnlyOneGetsAnItem(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		a, b, clock := twoStores(t, db)
		postLetter(t, a, "ada@example.test")
		first, second := due(t, a), due(t, b)
		claim(t, a, first, true)
		claim(t, b, second, false)
		nothingDue(t, b, "while it is claimed")

		// The first is killed: its claim ends by itself.
		clock.Advance(time.Minute)
		second = due(t, b)
		if second.Attempts != 1 {
			t.Errorf("attempts: %d, want 1", second.Attempts)
		}
		claim(t, b, second, true)
		// It wasn't dead after all, and must not settle what is no longer its own.
		must(t, a.Delivered(t.Context(), first))
		must(t, a.RetryOutbox(t.Context(), first, a.Now(), "late"))
		must(t, a.GiveUp(t.Context(), first, store.Act{Action: "test.late"}))
		must(t, a.ReleaseOutbox(t.Context(), first))
		nothingDue(t, a, "while the other has it")
		if n, _, _ := a.OutboxWaiting(t.Context()); n != 1 {
			t.Error("the late one removed it")
		}

		must(t, b.RetryOutbox(t.Context(), second, b.Now().Add(time.Hour), "the server is down\x00"))
		nothingDue(t, a, "before its next attempt")
		clock.Advance(time.Hour)
		again := due(t, a)
		if again.LastError != "the server is down?" || again.Attempts != 2 {
			t.Errorf("after a failure: %+v", again)
		}
		claim(t, a, again, true)
		must(t, a.ReleaseOutbox(t.Context(), again))
		again = due(t, a)
		if again.Attempts != 2 {
			t.Errorf("attempts after it was given back: %d, want 2", again.Attempts)
		}
		claim(t, a, again, true)
		must(t, a.Delivered(t.Context(), again))
		if n, _, _ := a.OutboxWaiting(t.Context()); n != 0 {
			t.Error("it is still there once it is delivered")
		}
		entries, err := a.SearchAudit(t.Context(), store.AuditSearch{Action: "test.late", Limit: 1})
		if err != nil || len(entries) != 0 {
			t.Errorf("audited: %v, %v", entries, err)
		}
	})
}

func TestAnItemOfAnotherKeyHoldsUpNobody(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s, _, _ := twoStores(t, db)
		postLetter(t, s, "ada@example.test")
		other := map[string]string{testkit.SQLite: `x'00'`, testkit.Postgres: `'\x00'`}[db.Kind]
		if _, err := db.Raw(t).Exec("UPDATE outbox_items SET payload = " + other); err != nil {
			t.Fatal(err)
		}
		postLetter(t, s, "bob@example.test")
		items, err := s.OutboxDue(t.Context(), s.Now(), 10)
		if err != nil || len(items) != 2 || items[0].Payload != nil || items[1].Payload == nil {
			t.Fatalf("due: %v, %v", items, err)
		}
		claim(t, s, &items[0], true)
		must(t, s.GiveUp(t.Context(), &items[0], store.Act{Action: "test.unreadable", Subject: "ada@example.test"}))
		if due(t, s).Recipient != "bob@example.test" {
			t.Error("the other one is gone")
		}
	})
}
