package main_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/internal/testkit/smtptest"
)

// An operator's commands fail three times; the server, which has the mail settings, tells.
func TestAnAlarmFromTheCommandToTheMailbox(t *testing.T) {
	t.Parallel()
	testkit.EachEmptyDatabase(t, func(t *testing.T, db testkit.Database) {
		exim := smtptest.Start(t, smtptest.Options{})
		posted := make(chan map[string]string, 10)
		chat := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			var body map[string]string
			if err := json.NewDecoder(r.Body).Decode(&body); err != nil || r.URL.Path != "/hook/token" || r.Header.Get("Content-Type") != "application/json" {
				t.Errorf("%s: %v, %v", r.URL, r.Header, err)
			}
			posted <- body
		}))
		t.Cleanup(chat.Close)
		cloud := fakecloud.NewEntra(fakecloud.EntraConfig{})
		if err := cloud.Start("127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(cloud.Close)
		testkit.StartServer(t, db, []string{"ROLLCALL_URL=https://id.example.test", "ROLLCALL_MAIL_HOST=localhost", "ROLLCALL_MAIL_PORT=" + strconv.Itoa(exim.Port),
			"ROLLCALL_MAIL_CA_FILE=" + exim.CAFile, "ROLLCALL_MAIL_FROM=Rollcall <rollcall@example.test>", "ROLLCALL_MAIL_USER=" + smtptest.User, "ROLLCALL_MAIL_PASSWORD=" + smtptest.Password})
		testkit.Command{Env: db.Env(t), Args: []string{"directory", "create", "cloud", "--kind", "entra", "--set", "tenant=" + cloud.Tenant, "--set", "client-id=" + cloud.ClientID,
			"--set", "client-secret=wrong", "--set", "graph-url=" + cloud.GraphURL(), "--set", "authority-url=" + cloud.AuthorityURL(),
			"--set", "alarm-mail=ops@example.test", "--set", "alarm-webhook=" + chat.URL + "/hook/token"}}.Must(t)
		if r := (testkit.Command{Env: db.Env(t), Args: []string{"directory", "show", "cloud"}}.Must(t)); strings.Contains(r.Stdout, "/hook/token") {
			t.Errorf("the address of the webhook is shown:\n%s", r.Stdout)
		}
		for range 3 {
			if r := (testkit.Command{Env: db.Env(t), Args: []string{"sync", "cloud", "--apply"}}.Run(t)); r.Code != 1 {
				t.Fatalf("exit %d\n%s", r.Code, r.Stderr)
			}
		}
		letter := exim.Await(t, 1)[0]
		if got := letter.Header.Get("Subject"); got != "Directory cloud: synchronisation keeps failing" {
			t.Errorf("subject %q", got)
		}
		select {
		case body := <-posted:
			if body["directory"] != "cloud" || body["event"] != "failing" || !strings.Contains(body["text"], "AADSTS7000215") || !strings.HasPrefix(body["time"], "20") {
				t.Errorf("posted %v", body)
			}
		case <-time.After(30 * time.Second):
			t.Error("nothing was posted")
		}
	})
}
