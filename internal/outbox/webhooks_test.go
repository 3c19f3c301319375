package outbox_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/outbox"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

func TestAChangeCallsTheWebhook(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		w := newWorld(t, db)
		r := newReceiver(t, ok)
		w.register(r.URL + "/plugins/servlet/crowd?a=b")
		w.run(w.store, outbox.Options{})
		aWhile()
		if n := r.called(); n != 0 {
			t.Errorf("called %d times before anything changed", n)
		}
		w.change(w.store)
		w.eventually("it is called", func() bool { return r.called() > 0 })
		testkit.Diff(t, "the call", call{"POST", "/plugins/servlet/crowd?a=b", "", "Basic c2VjcmV0", "0"}, r.all()[0])
		aWhile()
		if n := r.called(); n != 1 {
			t.Errorf("called %d times for one change", n)
		}
	})
}

func TestAWebhookWithoutAToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testkit.NewSQLite(t))
	r := newReceiver(t, ok)
	if _, _, err := w.store.RegisterWebhook(t.Context(), models.System, w.jira, r.URL, "", 100); err != nil {
		t.Fatal(err)
	}
	w.run(w.store, outbox.Options{})
	w.change(w.store)
	w.eventually("it is called", func() bool { return r.called() > 0 })
	if got := r.all()[0].Authorization; got != "" {
		t.Errorf("Authorization: %q", got)
	}
}

// Many changes are few calls, and the last change is told of.
func TestBurstsAreFewCalls(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		w := newWorld(t, db)
		r := newReceiver(t, ok)
		hook := w.register(r.URL)
		w.run(w.store, outbox.Options{})
		for range 100 {
			w.change(w.store)
		}
		w.eventually("everything is told", func() bool {
			end, err := w.store.Place(t.Context())
			if err != nil {
				return false
			}
			now := w.hook(hook.ID)
			untold, err := w.store.Untold(t.Context(), hook, store.Place(now.Place), end)
			if rest := now.NextAttemptAt.Sub(w.store.Now()); rest > 0 && rest <= time.Second {
				w.clock.Advance(rest)
			}
			return err == nil && !untold && r.called() > 0
		})
		if n := r.called(); n > 5 {
			t.Errorf("called %d times for a hundred changes at once", n)
		}
	})
}

// The program that changes something needn't have an outbox: the command line has none.
func TestAChangeOfAnotherProcess(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		w := newWorld(t, db)
		r := newReceiver(t, ok)
		w.register(r.URL)
		w.run(w.store, outbox.Options{})
		w.change(w.another())
		w.eventually("it is called", func() bool { return r.called() > 0 })
	})
}

func TestTwoOutboxesCallOnce(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		w := newWorld(t, db)
		r := newReceiver(t, ok)
		hook := w.register(r.URL)
		stores := []*store.Store{w.store, w.another()}
		for _, s := range stores {
			testkit.Go(t, s.Follow)
			w.run(s, outbox.Options{})
		}
		for i := range 6 {
			w.change(stores[i%2])
			w.eventually("it is called", func() bool { return r.called() > i })
			aWhile()
			if n := r.called(); n != i+1 {
				t.Fatalf("called %d times for %d changes", n, i+1)
			}
			w.rested(hook)
		}
	})
}

// A call says "come and ask for events". So it waits until they can be asked for: an older
// transaction that is still open keeps them back.
func TestNobodyIsCalledBeforeTheEventsAreThere(t *testing.T) {
	t.Parallel()
	testkit.OnPostgres(t, func(t *testing.T, db testkit.Database) {
		w := newWorld(t, db)
		r := newReceiver(t, ok)
		w.register(r.URL)
		w.run(w.store, outbox.Options{})
		open, err := db.Raw(t).BeginTx(context.Background(), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer open.Rollback()
		if _, err := open.Exec("SELECT pg_current_xact_id()"); err != nil {
			t.Fatal(err)
		}
		w.change(w.store)
		aWhile()
		if n := r.called(); n != 0 {
			t.Errorf("called %d times too early", n)
		}
		if err := open.Rollback(); err != nil {
			t.Fatal(err)
		}
		w.eventually("it is called", func() bool { return r.called() > 0 })
	})
}

func TestAReceiverThatFailsAndComesBack(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		w := newWorld(t, db)
		r := newReceiver(t, fails)
		hook := w.register(r.URL)
		w.run(w.store, outbox.Options{})
		w.change(w.store)
		start := w.store.Now()
		for n := 1; n <= 3; n++ {
			w.eventually("it fails", func() bool { return w.hook(hook.ID).Failures == n })
			got := w.hook(hook.ID)
			if got.OldestFailureAt != start || got.LastError != "it answered 502" {
				t.Errorf("failure %d: %+v", n, got)
			}
			if rest := got.NextAttemptAt.Sub(w.store.Now()); rest != outbox.WebhookRest(n) {
				t.Errorf("after failure %d it rests %s, want %s", n, rest, outbox.WebhookRest(n))
			}
			w.change(w.store) // what changes meanwhile doesn't hurry it
			aWhile()
			if r.called() != n {
				t.Errorf("called %d times, want %d", r.called(), n)
			}
			if n == 3 {
				r.becomes(ok)
			}
			w.clock.Set(got.NextAttemptAt.Std())
		}
		w.eventually("it succeeds", func() bool { return w.hook(hook.ID).Failures == 0 })
		got := w.hook(hook.ID)
		if got.OldestFailureAt != 0 || got.LastError != "" || r.called() != 4 {
			t.Errorf("after a success: %+v, called %d times", got, r.called())
		}
	})
}

func TestARedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		w := newWorld(t, db)
		target := newReceiver(t, ok)
		r := newReceiver(t, http.RedirectHandler(target.URL, http.StatusTemporaryRedirect).ServeHTTP)
		hook := w.register(r.URL)
		w.run(w.store, outbox.Options{})
		w.change(w.store)
		w.eventually("it fails", func() bool { return w.hook(hook.ID).Failures == 1 })
		if got := w.hook(hook.ID).LastError; got != "it answered 307" || target.called() != 0 {
			t.Errorf("%q; the target was called %d times", got, target.called())
		}
	})
}

func TestAReceiverThatHangsHoldsUpNobody(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		w := newWorld(t, db)
		release := make(chan struct{})
		hanging := newReceiver(t, func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-release:
			case <-r.Context().Done():
			}
		})
		t.Cleanup(func() { close(release) })
		other := newReceiver(t, ok)
		hook, otherHook := w.register(hanging.URL), w.register(other.URL)
		w.run(w.store, outbox.Options{Timeout: 2 * time.Second})
		w.change(w.store)
		start := time.Now()
		w.eventually("both are called", func() bool { return hanging.called() == 1 && other.called() == 1 })
		w.rested(otherHook)
		w.change(w.store)
		w.eventually("the other is called again", func() bool { return other.called() == 2 })
		if took := time.Since(start); took > 1500*time.Millisecond {
			t.Logf("slow machine: %s", took)
		} else if w.hook(hook.ID).Failures != 0 {
			t.Error("the hanging one has failed already")
		}
		w.eventually("it fails", func() bool { return w.hook(hook.ID).Failures == 1 })
		if got := w.hook(hook.ID).LastError; got != "no answer within 2s" {
			t.Errorf("last error %q", got)
		}
	})
}

// A stop doesn't wait for who hangs, nor is it held against him.
func TestAStopGivesTheWebhookBack(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		w := newWorld(t, db)
		r := newReceiver(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		hook := w.register(r.URL)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() {
			done <- outbox.New(w.store, outbox.Options{Every: every, Timeout: time.Minute, Log: testkit.Log(t)}).Run(ctx)
		}()
		w.change(w.store)
		w.eventually("it is called", func() bool { return r.called() == 1 })
		stop()
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(20 * time.Second):
			t.Fatal("the stop waits for who hangs")
		}
		if got := w.hook(hook.ID); got.Failures != 0 || got.NextAttemptAt > w.store.Now() {
			t.Errorf("after the stop: %+v", got)
		}
		r.becomes(ok)
		w.run(w.another(), outbox.Options{})
		w.eventually("it is called by the next", func() bool { return r.called() == 2 })
	})
}

func TestACallThatWasNotMadeIsMadeByAnother(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		w := newWorld(t, db)
		r := newReceiver(t, ok)
		hook := w.register(r.URL)
		w.change(w.store)
		if claimed, err := w.another().ClaimWebhook(t.Context(), hook, time.Minute); err != nil || !claimed {
			t.Fatal(claimed, err)
		}
		w.run(w.store, outbox.Options{})
		aWhile()
		if n := r.called(); n != 0 {
			t.Errorf("called %d times while another had it", n)
		}
		w.clock.Advance(time.Minute)
		w.eventually("it is called", func() bool { return r.called() == 1 })
	})
}

// Crowd's rule: fifty failures since the last success, and the oldest more than six hours ago.
func TestWhenAWebhookIsRemoved(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name     string
		failures int // before one more
		oldest   time.Duration
		removed  bool
	}{
		{"many, all of them fresh", 500, 6 * time.Hour, false},
		{"old ones, but few", 48, 100 * time.Hour, false},
		{"enough, and old enough", 49, 6*time.Hour + time.Millisecond, true},
	}
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		w := newWorld(t, db)
		r := newReceiver(t, fails)
		for _, c := range cases {
			hook := w.register(r.URL + "/" + string(models.Key(c.name)[0]))
			_, err := w.db.Raw(t).Exec(map[string]string{
				testkit.SQLite:   "UPDATE webhooks SET failures = ?, oldest_failure_at = ? WHERE id = ?",
				testkit.Postgres: "UPDATE webhooks SET failures = $1, oldest_failure_at = $2 WHERE id = $3",
			}[w.db.Kind], c.failures, int64(w.store.Now().Add(-c.oldest)), int64(hook.ID))
			if err != nil {
				t.Fatal(err)
			}
		}
		w.run(w.store, outbox.Options{})
		w.change(w.store)
		w.eventually("each was called", func() bool { return r.called() == len(cases) })
		w.eventually("one is removed", func() bool {
			hooks, err := w.store.WebhooksOf(t.Context(), w.jira.ID)
			failed := 0
			for _, hook := range hooks {
				if hook.LastError != "" {
					failed++
				}
			}
			return err == nil && len(hooks) == 2 && failed == 2
		})
		for i, hook := range must(w.store.WebhooksOf(t.Context(), w.jira.ID))(t) {
			if hook.Failures != cases[i].failures+1 {
				t.Errorf("%s: %d failures", cases[i].name, hook.Failures)
			}
		}
		testkit.Diff(t, "audited", map[string]int{"failing " + r.URL: 1}, w.audited("webhook.drop"))
	})
}

func must[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// The whole life of a webhook that never answers, with the waits as they are.
func TestAWebhookThatNeverAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testkit.NewSQLite(t))
	r := newReceiver(t, fails)
	hook := w.register(r.URL)
	w.run(w.store, outbox.Options{})
	w.change(w.store)
	start := w.store.Now()
	for n := 1; ; n++ {
		w.eventually("it fails", func() bool { h := w.hook(hook.ID); return h == nil || h.Failures == n })
		h := w.hook(hook.ID)
		if h == nil {
			break
		}
		w.clock.Set(h.NextAttemptAt.Std())
	}
	if age, n := w.store.Now().Sub(start), r.called(); age < 6*time.Hour || age > 9*time.Hour || n < 50 || n > 60 {
		t.Errorf("removed after %s and %d calls", age, n)
	}
}

func TestAnApplicationThatIsOffIsNotCalled(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		w := newWorld(t, db)
		r := newReceiver(t, ok)
		w.register(r.URL)
		off := *w.jira
		off.Active = false
		w.write(w.store, func(tx *store.Tx) error { return tx.SaveApplication(w.jira, &off) })
		w.run(w.store, outbox.Options{})
		w.change(w.store)
		aWhile()
		if n := r.called(); n != 0 {
			t.Errorf("called %d times", n)
		}
		w.write(w.store, func(tx *store.Tx) error { return tx.SaveApplication(&off, w.jira) })
		w.eventually("it is called once it is on again", func() bool { return r.called() == 1 })
	})
}

// Where the feed can't say what changed, the application is told that something did.
func TestAPlaceThatTheFeedHasNoLonger(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		w := newWorld(t, db)
		r := newReceiver(t, ok)
		hook := w.register(r.URL)
		set := func(place int64) {
			t.Helper()
			query := map[string]string{testkit.SQLite: "UPDATE webhooks SET place = ?", testkit.Postgres: "UPDATE webhooks SET place = $1"}[db.Kind]
			if _, err := db.Raw(t).Exec(query, place); err != nil {
				t.Fatal(err)
			}
		}
		set(hook.Place + 1_000_000_000) // of another database, before a restore
		w.run(w.store, outbox.Options{})
		w.eventually("it is called", func() bool { return r.called() == 1 })
		w.eventually("its place is of this database", func() bool { return w.hook(hook.ID).Place < hook.Place+1_000_000 })

		w.clock.Advance(8 * 24 * time.Hour) // the feed keeps a week
		w.write(w.store, func(tx *store.Tx) error {
			return tx.CreateDirectory(&models.Directory{Name: "other", Kind: models.KindInternal}, nil)
		})
		if n, err := w.store.PruneFeed(t.Context()); err != nil || n == 0 {
			t.Fatal(n, err)
		}
		w.eventually("nothing is due", func() bool {
			hooks, err := w.store.WebhooksDue(t.Context(), w.store.Now())
			return err == nil && len(hooks) == 1
		})
		floor, err := w.store.FeedFloor(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		other := w.another()
		set(int64(floor) - 1)
		w.run(other, outbox.Options{}) // one that knows nothing of what the first has read
		w.eventually("it is called again", func() bool { return r.called() == 2 })
	})
}
