package server

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/internal/fakecloud"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	dirsync "github.com/rollcall-id/rollcall/sync"
)

// What a server shows of directories that are kept equal to a source, whichever process ran them.
func TestSynchronisationIsWatched(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		cloud := fakecloud.NewEntra(fakecloud.EntraConfig{})
		if err := cloud.Start("127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(cloud.Close)
		cloud.Edit(func(e *fakecloud.Edit) {
			e.CreateUser(fakecloud.User{Login: "ada@contoso.example", Mail: "ada@mail.example"})
			e.CreateUser(fakecloud.User{Login: "eve@contoso.example"}) // has no mail: is skipped
		})
		h := openHouse(t, db)
		settings := map[string]string{"tenant": cloud.Tenant, "client-id": cloud.ClientID, "client-secret": cloud.Secret,
			"graph-url": cloud.GraphURL(), "authority-url": cloud.AuthorityURL(), "username": "mail"}
		if _, err := h.services.Directories.Create(t.Context(), models.System, directory.NewDirectory{Name: "cloud", Kind: models.KindEntra, Settings: settings}); err != nil {
			t.Fatal(err)
		}
		h.shows(t, "/metrics", `rollcall_sync_last_success_timestamp_seconds{directory="cloud"} 0`, `rollcall_sync_held{directory="cloud"} 0`)
		h.shows(t, "/readyz?verbose", "[+]synchronisation ok\n")
		if _, err := h.services.Sync.Apply(t.Context(), "cloud", dirsync.Options{By: models.System}); err != nil {
			t.Fatal(err)
		}
		h.shows(t, "/metrics", `rollcall_sync_last_success_timestamp_seconds{directory="cloud"} 1.`, `rollcall_sync_last_run_skipped{directory="cloud"} 1`,
			`rollcall_sync_failures_in_a_row{directory="cloud"} 0`, `rollcall_sync_last_run_duration_seconds{directory="cloud"} `)

		// The server's own run counts, too.
		raw := db.Raw(t)
		if _, err := raw.Exec("UPDATE sync_states SET next_run_at = 1"); err != nil {
			t.Fatal(err)
		}
		for end := time.Now().Add(30 * time.Second); !strings.Contains(h.get(t, "/metrics"), `rollcall_sync_runs_total{directory="cloud",outcome="nothing"} 1`); {
			if time.Now().After(end) {
				t.Fatalf("the schedule's run isn't counted:\n%s", h.get(t, "/metrics"))
			}
			time.Sleep(100 * time.Millisecond)
		}

		// A day later nothing has happened.
		if _, err := raw.Exec("UPDATE sync_states SET completed_at = completed_at - 86400000, failures = 4, next_run_at = 9000000000000"); err != nil {
			t.Fatal(err)
		}
		h.shows(t, "/readyz?verbose", "[+]synchronisation ok: cloud: last equal to its source 24h0m0s ago, failed 4 times in a row\n", "readyz check passed")
		h.shows(t, "/metrics", `rollcall_sync_failures_in_a_row{directory="cloud"} 4`)
	})
}

// get reads what the management listener answers.
func (h *house) get(t *testing.T, path string) string {
	t.Helper()
	answer, err := h.client.Get(h.management + path)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s is answered %d, %v", path, answer.StatusCode, err)
	}
	return string(body)
}

// shows wants texts in what the management listener answers.
func (h *house) shows(t *testing.T, path string, wants ...string) {
	t.Helper()
	body := h.get(t, path)
	for _, want := range wants {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in\n%s", want, body)
		}
	}
}

// A process counts what its own runs took.
func TestRunsAreCounted(t *testing.T) {
	t.Parallel()
	m := newMetrics("test")
	m.countRun(&models.Run{Directory: "cloud", Outcome: models.OutcomeApplied, Requests: 7, Throttled: 2})
	m.countRun(&models.Run{Directory: "cloud", Outcome: models.OutcomeFailed, Requests: 1})
	text := scrape(m)
	for _, want := range []string{`rollcall_sync_runs_total{directory="cloud",outcome="applied"} 1`, `rollcall_sync_runs_total{directory="cloud",outcome="failed"} 1`,
		`rollcall_sync_requests_total{directory="cloud"} 8`, `rollcall_sync_throttled_total{directory="cloud"} 2`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
}
