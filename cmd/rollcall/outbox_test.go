package main_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/internal/testkit/smtptest"
)

// A person forgets her password: the client asks for a letter, a real mail server takes it, its
// link sets another, and the client lets her in with that.
func TestALetterFromTheClientToTheMailbox(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		exim := smtptest.Start(t, smtptest.Options{})
		newStaff(t, db)
		settings := []string{
			"ROLLCALL_URL=https://id.example.test", "ROLLCALL_MAIL_HOST=localhost", "ROLLCALL_MAIL_PORT=" + strconv.Itoa(exim.Port),
			"ROLLCALL_MAIL_CA_FILE=" + exim.CAFile, "ROLLCALL_MAIL_FROM=Rollcall <rollcall@example.test>",
			"ROLLCALL_MAIL_USER=" + smtptest.User, "ROLLCALL_MAIL_PASSWORD=" + smtptest.Password,
		}
		server := testkit.StartServer(t, db, settings)
		p := newProbe(server.URL, "probe", probePassword)
		p.must(t, 201, "POST", "/user", newUser("ada", "ada@example.test"))
		p.must(t, 404, "POST", named("/user/mail/password", "username", "bob"), nil)
		p.must(t, 204, "POST", named("/user/mail/usernames", "email", "nobody@example.test"), nil)
		p.must(t, 400, "POST", named("/user/mail/usernames", "email", "nobody"), nil)

		// The mail server is down: nothing is lost, also not by a kill.
		exim.Stop()
		p.must(t, 204, "POST", named("/user/mail/password", "username", "ada"), nil)
		server.Kill()
		exim.Resume(t)
		// If the server has tried already, or was about to, the next attempt is a while off.
		if _, err := db.Raw(t).Exec("UPDATE outbox_items SET next_attempt_at = 0"); err != nil {
			t.Fatal(err)
		}
		server = testkit.StartServer(t, db, settings)
		p = newProbe(server.URL, "probe", probePassword)
		letter := exim.Await(t, 1)[0]
		body, err := io.ReadAll(letter.Body)
		if err != nil {
			t.Fatal(err)
		}
		path := regexp.MustCompile(`https://id.example.test(/reset/\S+)`).FindStringSubmatch(strings.ReplaceAll(string(body), "=\n", ""))
		if path == nil {
			t.Fatalf("no link in %s", body)
		}
		link := server.URL + path[1]
		answer, err := http.PostForm(link, url.Values{"password": {"analytical engine"}, "again": {"analytical engine"}})
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != 200 {
			t.Errorf("%s answers %d", link, answer.StatusCode)
		}
		p.must(t, 200, "POST", named("/authentication", "username", "ada"), map[string]string{"value": "analytical engine"})
		exim.Await(t, 2) // the second says that it was changed
	})
}

// A change by any process reaches an application's webhook, whichever servers run.
func TestAWebhookOfTwoServers(t *testing.T) {
	t.Parallel()
	testkit.OnPostgres(t, func(t *testing.T, db testkit.Database) {
		newStaff(t, db)
		var calls atomic.Int64
		receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") == "Basic token" {
				calls.Add(1)
			}
		}))
		t.Cleanup(receiver.Close)
		one, two := testkit.StartServer(t, db, nil), testkit.StartServer(t, db, nil)
		newProbe(one.URL, "probe", probePassword).must(t, 201, "POST", "/webhook", map[string]string{"endpointUrl": receiver.URL, "token": "token"})
		for i, change := range []func(){
			func() {
				newProbe(two.URL, "probe", probePassword).must(t, 201, "POST", "/user", newUser("ada", "ada@example.test"))
			},
			func() {
				testkit.Command{Args: []string{"user", "create", "bob", "--directory", "staff"}, Env: db.Env(t)}.Must(t)
			},
			func() {
				one.Kill()
				newProbe(two.URL, "probe", probePassword).must(t, 201, "POST", "/user", newUser("carl", "carl@example.test"))
			},
		} {
			change()
			within(t, 20*time.Second, "the call", func() bool { return calls.Load() > int64(i) })
			time.Sleep(1200 * time.Millisecond) // it rests for a second
			if n := calls.Load(); n != int64(i+1) {
				t.Fatalf("%d calls for %d changes", n, i+1)
			}
		}
	})
}
