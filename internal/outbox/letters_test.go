package outbox_test

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/mail"
	"github.com/rollcall-id/rollcall/internal/outbox"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/internal/testkit/smtptest"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

func (w *world) post(to, name string) {
	w.t.Helper()
	w.write(w.store, func(tx *store.Tx) error {
		return tx.PostLetter(models.Letter{Kind: models.LetterPasswordChanged, To: to, Name: name, Server: "https://id.example.test"})
	})
}

func (w *world) waiting() int {
	w.t.Helper()
	n, _, err := w.store.OutboxWaiting(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

// attempts tells how often the one letter that waits was tried, and when it is tried again; -1
// when none waits.
func (w *world) attempts() (n int, next models.Time) {
	w.t.Helper()
	items, err := w.store.OutboxDue(w.t.Context(), models.TimeOf(w.clock.Now().Add(1000*time.Hour)), 2)
	switch {
	case err != nil || len(items) > 1:
		w.t.Fatalf("%d letters wait, %v", len(items), err)
	case len(items) == 0:
		return -1, 0
	}
	return items[0].Attempts, items[0].NextAttemptAt
}

func mailer(t *testing.T, o mail.Options) *mail.Sender {
	t.Helper()
	o.Host, o.From = "localhost", "rollcall@example.test"
	s, err := mail.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func through(t *testing.T, exim *smtptest.Server) *mail.Sender {
	t.Helper()
	return mailer(t, mail.Options{Port: exim.Port, CAFile: exim.CAFile, User: smtptest.User, Password: smtptest.Password})
}

func TestALetterGoesOutOnce(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		exim := smtptest.Start(t, smtptest.Options{})
		w := newWorld(t, db)
		w.run(w.store, outbox.Options{Mail: through(t, exim)})
		w.post("ada@example.test", "ada")
		l := exim.Await(t, 1)[0]
		w.eventually("the outbox is empty", func() bool { return w.waiting() == 0 })
		if got := l.Header.Get("Subject"); got != "The password of ada was changed" {
			t.Errorf("subject %q", got)
		}
		aWhile()
		exim.Await(t, 1)
	})
}

// A mail server that is down delays letters, and loses none.
func TestAMailServerThatIsDown(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		exim := smtptest.Start(t, smtptest.Options{})
		w := newWorld(t, db)
		exim.Stop()
		w.run(w.store, outbox.Options{Mail: through(t, exim)})
		for i := range 3 {
			w.post("ada@example.test", fmt.Sprint("ada", i))
		}
		w.eventually("each was tried", func() bool {
			items, err := w.store.OutboxDue(w.t.Context(), models.TimeOf(w.clock.Now().Add(time.Hour)), 10)
			tried := 0
			for _, item := range items {
				if item.LastError != "" {
					tried++
				}
			}
			return err == nil && tried == 3
		})
		exim.Resume(t)
		aWhile()
		if n := len(exim.Letters(t)); n != 0 {
			t.Errorf("%d letters were sent before their time", n)
		}
		w.clock.Advance(time.Minute)
		letters := exim.Await(t, 3)
		w.eventually("the outbox is empty", func() bool { return w.waiting() == 0 })
		seen := map[string]bool{}
		for _, l := range letters {
			seen[l.Header.Get("Message-Id")] = true
		}
		if len(seen) != 3 {
			t.Errorf("Message-IDs: %v", seen)
		}
		aWhile()
		exim.Await(t, 3)
	})
}

func TestALetterThatIsRefused(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		exim := smtptest.Start(t, smtptest.Options{})
		w := newWorld(t, db)
		w.post("nobody@example.test", "nobody")
		w.post("full@example.test", "full")
		w.post("ada@example.test", "ada")
		w.run(w.store, outbox.Options{Mail: through(t, exim)})
		exim.Await(t, 1)
		w.eventually("two are settled", func() bool { return w.waiting() == 1 })
		testkit.Diff(t, "given up", map[string]int{"refused nobody@example.test": 1}, w.audited("letter.give-up"))
		if n, _ := w.attempts(); n != 1 {
			t.Errorf("the other was tried %d times, want 1", n)
		}
	})
}

// unreachable is a mail server that isn't there.
func unreachable(t *testing.T) *mail.Sender {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return mailer(t, mail.Options{Port: l.Addr().(*net.TCPAddr).Port})
}

// A letter is tried more and more seldom, for three days.
func TestALetterIsGivenUpAfterThreeDays(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		w := newWorld(t, db)
		start := w.store.Now()
		w.post("ada@example.test", "ada")
		w.run(w.store, outbox.Options{Mail: unreachable(t)})
		var rests []time.Duration
		for tries := 1; ; tries++ {
			n, next := 0, models.Time(0)
			w.eventually(fmt.Sprint("attempt ", tries), func() bool {
				n, next = w.attempts()
				return n < 0 || n == tries && next != w.store.Now().Add(5*time.Minute) // while it is claimed
			})
			if n < 0 {
				break
			}
			rests = append(rests, next.Sub(w.store.Now()))
			w.clock.Set(next.Std())
		}
		first := []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 16 * time.Minute, 32 * time.Minute, time.Hour, time.Hour}
		testkit.Diff(t, "the first rests", first, rests[:len(first)])
		if age := w.store.Now().Sub(start); age < 72*time.Hour || age > 73*time.Hour {
			t.Errorf("given up after %s", age)
		}
		testkit.Diff(t, "given up", map[string]int{"too-old ada@example.test": 1}, w.audited("letter.give-up"))
	})
}

func TestWithoutAMailServerLettersWait(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testkit.NewSQLite(t))
	w.post("ada@example.test", "ada")
	w.run(w.store, outbox.Options{})
	aWhile()
	if n, _ := w.attempts(); n != 0 {
		t.Errorf("it was tried %d times", n)
	}
}

func TestTwoOutboxesSendEachLetterOnce(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		exim := smtptest.Start(t, smtptest.Options{})
		w := newWorld(t, db)
		const n = 30
		for range n {
			w.post("ada@example.test", "ada")
		}
		for _, s := range []*store.Store{w.store, w.another()} {
			w.run(s, outbox.Options{Mail: through(t, exim)})
		}
		w.eventually("the outbox is empty", func() bool { return w.waiting() == 0 })
		seen := map[string]bool{}
		for _, l := range exim.Await(t, n) {
			seen[l.Header.Get("Message-Id")] = true
		}
		if len(seen) != n {
			t.Errorf("%d different letters, want %d", len(seen), n)
		}
	})
}

// Who is killed between claim and delivery holds the letter up for a while, and no longer.
func TestAClaimEndsByItself(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		exim := smtptest.Start(t, smtptest.Options{})
		w := newWorld(t, db)
		w.post("ada@example.test", "ada")
		killed := w.another()
		items, err := killed.OutboxDue(t.Context(), killed.Now(), 1)
		if err != nil {
			t.Fatal(err)
		}
		if claimed, err := killed.ClaimOutbox(t.Context(), &items[0], 5*time.Minute); err != nil || !claimed {
			t.Fatal(claimed, err)
		}
		w.run(w.store, outbox.Options{Mail: through(t, exim)})
		aWhile()
		if n := len(exim.Letters(t)); n != 0 {
			t.Errorf("%d letters were sent while another had it", n)
		}
		w.clock.Advance(5 * time.Minute)
		exim.Await(t, 1)
		w.eventually("the outbox is empty", func() bool { return w.waiting() == 0 })
	})
}

func TestALetterThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		w := newWorld(t, db)
		w.write(w.store, func(tx *store.Tx) error {
			return tx.Post(&models.OutboxItem{Kind: store.OutboxLetter, Recipient: "odd@example.test", Payload: []byte("{")})
		})
		w.write(w.store, func(tx *store.Tx) error {
			return tx.PostLetter(models.Letter{Kind: "birthday", To: "old@example.test"})
		})
		w.write(w.store, func(tx *store.Tx) error {
			return tx.PostLetter(models.Letter{Kind: models.LetterReset, To: "ada@example.test\nBcc: eve@example.test"})
		})
		w.run(w.store, outbox.Options{Mail: unreachable(t)})
		w.eventually("the outbox is empty", func() bool { return w.waiting() == 0 })
		testkit.Diff(t, "given up", map[string]int{
			"refused odd@example.test": 1, "refused old@example.test": 1, "refused ada@example.test\nBcc: eve@example.test": 1,
		}, w.audited("letter.give-up"))
	})
}

// Each letter that a rule can post has its text.
func TestEveryLetterHasATemplate(t *testing.T) {
	t.Parallel()
	for _, kind := range models.LetterKinds {
		l, err := mail.Write(string(kind), models.Letter{
			Kind: kind, Server: "https://id.example.test", Application: "jira", Name: "ada", Link: "https://id.example.test/reset/x",
			Until: "noon", Names: []models.LetterName{{Name: "ada", Active: true}}, Directory: "cloud", Event: models.AlarmHeld, Text: "ada",
		})
		if err != nil || !strings.Contains(l.Subject+l.Text, "ada") || !strings.Contains(l.Text, "https://id.example.test") {
			t.Errorf("%s: %+v, %v", kind, l, err)
		}
	}
}
