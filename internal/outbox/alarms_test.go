package outbox_test

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/outbox"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/internal/testkit/smtptest"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

var held = models.AlarmBody{Directory: "cloud", Event: models.AlarmHeld, Text: "A run of directory cloud is held.", Time: "2026-01-01T00:00:00.000Z"}

func (w *world) alarm(to string) {
	w.t.Helper()
	w.write(w.store, func(tx *store.Tx) error { return tx.PostAlarm(models.Alarm{URL: to, Body: held}) })
}

const heldJSON = `{"directory":"cloud","event":"held","text":"A run of directory cloud is held.","time":"2026-01-01T00:00:00.000Z"}`

// problem is why the one alarm that waits could not be posted; empty while it wasn't tried.
func (w *world) problem() string {
	w.t.Helper()
	items, err := w.store.OutboxDue(w.t.Context(), models.TimeOf(w.clock.Now().Add(time.Hour)), 1)
	if err != nil {
		w.t.Fatal(err)
	}
	if len(items) == 0 {
		return ""
	}
	return items[0].LastError
}

// A receiver that is down delays an alarm. Whoever delivers it, it comes once.
func TestAnAlarmIsPosted(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		w := newWorld(t, db)
		r := newReceiver(t, fails)
		w.run(w.store, outbox.Options{})
		w.run(w.another(), outbox.Options{})
		w.alarm(r.URL + "/hook?token=secret")
		w.eventually("the first attempt", func() bool { return w.problem() == "it answered 502" })
		aWhile()
		if n := r.called(); n != 1 {
			t.Errorf("tried %d times at once", n)
		}
		r.becomes(ok)
		w.clock.Advance(time.Minute)
		w.eventually("it is posted", func() bool { return w.waiting() == 0 })
		want := call{"POST", "/hook?token=secret", heldJSON, "", strconv.Itoa(len(heldJSON))}
		testkit.Diff(t, "the calls", []call{want, want}, r.all())
	})
}

func TestAnAlarmThatNobodyTakes(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		w := newWorld(t, db)
		redirects := newReceiver(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		})
		w.run(w.store, outbox.Options{})
		w.alarm(redirects.URL + "/hook?token=secret")
		w.eventually("the first attempt", func() bool { return w.problem() == "it answered 307" })
		w.clock.Advance(4 * 24 * time.Hour)
		w.eventually("it is given up", func() bool { return w.waiting() == 0 })
		host := strings.TrimPrefix(redirects.URL, "http://")
		testkit.Diff(t, "audited", map[string]int{"failing " + host: 1}, w.audited("alarm.give-up"))
		for _, c := range redirects.all() {
			if c.Path != "/hook?token=secret" {
				t.Errorf("a redirect was followed: %+v", c)
			}
		}
	})
}

// An address says itself that it is this machine's; a name may say so only if it is localhost.
func TestWhereAlarmsMayLead(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, ok)
	u, err := url.Parse(r.URL)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		host, leadsTo string
		own           bool
		want          bool
	}{
		{"127.0.0.1", "", false, true},
		{"localhost", "127.0.0.1", false, true},
		{"chat.example.test", "127.0.0.1", false, false},
		{"chat.example.test", "169.254.169.254", false, false},
	} {
		w := newWorld(t, testkit.NewSQLite(t))
		names := newNames(t)
		if c.leadsTo != "" {
			names.say(c.host, c.leadsTo)
		}
		before := r.called()
		w.run(w.store, outbox.Options{Resolver: names.resolver(), Timeout: time.Second})
		w.alarm("http://" + c.host + ":" + u.Port() + "/")
		w.eventually("it is posted, or refused", func() bool { return w.waiting() == 0 || w.problem() != "" })
		if got := r.called() > before; got != c.want {
			t.Errorf("%s, which leads to %s: posted is %t, want %t", c.host, c.leadsTo, got, c.want)
		}
	}
}

func TestAnAlarmByLetter(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		exim := smtptest.Start(t, smtptest.Options{})
		w := newWorld(t, db)
		w.run(w.store, outbox.Options{Mail: through(t, exim)})
		for _, event := range []models.AlarmEvent{models.AlarmFailing, models.AlarmHeld, models.AlarmSecretEnds} {
			w.write(w.store, func(tx *store.Tx) error {
				return tx.PostLetter(models.Letter{Kind: models.LetterAlarm, To: "ops@example.test", Server: "https://id.example.test",
					Directory: "cloud", Event: event, Text: "Something is the matter."})
			})
		}
		got := map[string]bool{}
		for _, l := range exim.Await(t, 3) {
			got[l.Header.Get("Subject")] = true
		}
		testkit.Diff(t, "subjects", map[string]bool{"Directory cloud: synchronisation keeps failing": true,
			"Directory cloud: a plan waits for you": true, "Directory cloud: the secret ends soon": true}, got)
	})
}
