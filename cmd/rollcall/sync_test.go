package main

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
)

// cloudDirectory creates a directory that is kept equal to what answers at an address.
func cloudDirectory(t *testing.T, db testkit.Database, address string) {
	t.Helper()
	testkit.Command{Env: db.Env(t), Args: []string{"directory", "create", "cloud", "--kind", "entra", "--set", "tenant=T", "--set", "client-id=C",
		"--set", "client-secret=secret", "--set", "graph-url=http://" + address + "/v1.0", "--set", "authority-url=http://" + address}}.Must(t)
}

// historyOf reads the runs of the directory, the newest first.
func historyOf(t *testing.T, db testkit.Database) (runs []historyRun) {
	t.Helper()
	var h historyObject
	r := testkit.Command{Env: db.Env(t), Args: []string{"sync", "history", "cloud", "--json"}}.Must(t)
	if err := json.Unmarshal([]byte(r.Stdout), &h); err != nil {
		t.Fatalf("%v\n%s", err, r.Stdout)
	}
	return h.Runs
}

// waitFor asks until it is so.
func waitFor(t *testing.T, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !so(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// Two operators synchronise from a cloud that doesn't answer: the second one waits for the
// first, a third one stops the run, and both are told the same.
func TestCancelAndJoin(t *testing.T) {
	t.Parallel()
	testkit.EachEmptyDatabase(t, func(t *testing.T, db testkit.Database) {
		silent, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and says nothing
		if err != nil {
			t.Fatal(err)
		}
		defer silent.Close()
		cloudDirectory(t, db, silent.Addr().String())
		cancel := []string{"sync", "cancel", "cloud", "--json"}
		if r := (testkit.Command{Env: db.Env(t), Args: cancel}.Must(t)); !strings.Contains(r.Stdout, `"running": false`) {
			t.Errorf("cancelled: %s", r.Stdout)
		}
		ended := make(chan testkit.Result, 2)
		apply := func() {
			ended <- testkit.Command{Env: db.Env(t), Args: []string{"sync", "cloud", "--apply", "--json"}}.Run(t)
		}
		go apply()
		waitFor(t, "the run", func() bool {
			runs := historyOf(t, db)
			return len(runs) == 1 && runs[0].Outcome == models.OutcomeRunning
		})
		go apply()
		time.Sleep(time.Second)
		if r := (testkit.Command{Env: db.Env(t), Args: cancel}.Must(t)); !strings.Contains(r.Stdout, `"running": true`) {
			t.Errorf("cancelled: %s", r.Stdout)
		}
		joined := 0
		for range 2 {
			r := <-ended
			if r.Code != exitFailed || !strings.Contains(r.Stdout, `"outcome": "failed"`) || !strings.Contains(r.Stderr, "error: ") || !strings.Contains(r.Stderr, "an operator") {
				t.Errorf("want exit 1 and why, got %d\n%s%s", r.Code, r.Stdout, r.Stderr)
			}
			if strings.Contains(r.Stdout, `"joined": true`) {
				joined++
				if !strings.Contains(r.Stderr, "note: waiting for the run that is going on") {
					t.Errorf("who waits isn't told: %s", r.Stderr)
				}
			}
		}
		if joined != 1 {
			t.Errorf("%d joined, want 1", joined)
		}
	})
}

// A running server takes a directory up from its first run applied by hand, and its applications
// see it.
func TestTheServerKeepsTheSchedule(t *testing.T) {
	t.Parallel()
	testkit.EachEmptyDatabase(t, func(t *testing.T, db testkit.Database) {
		dir := t.TempDir()
		said, _, stop := startDemoCloud(t, dir, "--users", "40", "--groups", "4", "--changes-every", "300ms")
		defer stop()
		lines := strings.Split(strings.TrimSpace(said[strings.Index(said, "rollcall directory create"):]), "\n")
		server := testkit.StartServer(t, db, nil)
		testkit.Command{Env: db.Env(t), Stdin: "secret-1\n", Args: []string{"app", "create", "probe", "--address", "127.0.0.1", "--password-stdin"}}.Must(t)
		for i, line := range lines {
			paste(t, db, dir, line)
			if i == 0 {
				testkit.Command{Env: db.Env(t), Args: []string{"app", "map", "probe", "--directory", "cloud"}}.Must(t)
			}
		}
		waitFor(t, "users in the application", func() bool {
			return usersFound(t, server.URL) > 0
		})
		if err := execute(db, "UPDATE sync_states SET next_run_at = 1, completed_at = 1"); err != nil { // an hour later
			t.Fatal(err)
		}
		waitFor(t, "a run of the schedule", func() bool { return len(historyOf(t, db)) == 2 })
		if runs := historyOf(t, db); runs[0].Mode != "delta" {
			t.Errorf("the run of the schedule: %+v", runs[0].Run)
		}
	})
}

// paste runs a line as somebody would in a terminal, and gives what it prints. That a plan says
// that there is something to do is no failure.
func paste(t *testing.T, db testkit.Database, dir, line string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", line)
	cmd.Dir = dir
	cmd.Env = append(db.Env(t), "PATH="+filepath.Dir(testkit.Binary(t))+string(filepath.ListSeparator)+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	if ended := cmd.ProcessState; err != nil && !(ended != nil && ended.ExitCode() == exitPending && !strings.Contains(line, "--apply")) {
		t.Fatalf("%s\nended with %v: %s", line, err, out)
	}
	return string(out)
}

// usersFound tells how many users the application probe finds, ten at most.
func usersFound(t *testing.T, server string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server+"/crowd/rest/usermanagement/1/search?entity-type=user&max-results=10", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.SetBasicAuth("probe", "secret-1")
	request.Header.Set("Accept", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var found struct {
		Users []struct{} `json:"users"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&found); err != nil {
		t.Fatal(err)
	}
	return len(found.Users)
}

// entraDirectory makes a fake Entra and a directory that is kept equal to it.
func entraDirectory(t *testing.T, db testkit.Database, c fakecloud.EntraConfig) *fakecloud.Entra {
	t.Helper()
	cloud := fakecloud.NewEntra(c)
	if err := cloud.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cloud.Close)
	testkit.Command{Env: db.Env(t), Args: []string{"directory", "create", "cloud", "--kind", "entra", "--set", "tenant=" + cloud.Tenant, "--set", "client-id=" + cloud.ClientID,
		"--set", "client-secret=" + cloud.Secret, "--set", "graph-url=" + cloud.GraphURL(), "--set", "authority-url=" + cloud.AuthorityURL()}}.Must(t)
	return cloud
}

// A permission that is missing is no failure of the test, and one of the run: nothing changes.
func TestWhatIsMissingIsSaid(t *testing.T) {
	t.Parallel()
	testkit.EachEmptyDatabase(t, func(t *testing.T, db testkit.Database) {
		entraDirectory(t, db, fakecloud.EntraConfig{Gen: fakecloud.Typical(20, 2), Permissions: []string{"User.Read.All"}})
		r := testkit.Command{Env: db.Env(t), Args: []string{"directory", "test", "cloud", "--json"}}.Run(t)
		var got probeObject
		if err := json.Unmarshal([]byte(r.Stdout), &got); err != nil {
			t.Fatalf("%v\n%s%s", err, r.Stdout, r.Stderr)
		}
		if r.Code != exitNotPermitted || got.OK || len(got.Granted) != 1 || got.Granted[0] != "User.Read.All" ||
			len(got.Missing) != 1 || !strings.Contains(got.Missing[0], "GroupMember.Read.All (to read groups and their members): add it in Entra") {
			t.Errorf("exit %d, %+v", r.Code, got)
		}
		for _, args := range [][]string{{"sync", "cloud"}, {"sync", "cloud", "--apply"}} {
			r = testkit.Command{Env: db.Env(t), Args: args}.Run(t)
			if r.Code != exitFailed || !strings.Contains(r.Stderr, "error: directory cloud: ") || !strings.Contains(r.Stderr, "Authorization_RequestDenied") {
				t.Errorf("%v: exit %d\n%s", args, r.Code, r.Stderr)
			}
		}
		if r = (testkit.Command{Env: db.Env(t), Args: []string{"user", "list", "--json"}}.Must(t)); strings.TrimSpace(r.Stdout) != "[]" {
			t.Errorf("users: %s", r.Stdout)
		}
	})
}
