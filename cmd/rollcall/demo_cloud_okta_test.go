package main

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestDemoOktaSaysHowToSync(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	said, _, stop := startDemoCloud(t, dir, "--provider", "okta", "--users", "40", "--groups", "4")
	lines := regexp.MustCompile(`(?m)^rollcall directory create ok --kind okta --set org-url=(http://127\.0\.0\.1:\d+) --set-file token=(\S+)
rollcall sync ok
rollcall sync ok --apply$`).FindStringSubmatch(said)
	if lines == nil {
		t.Fatalf("it doesn't say what to paste:\n%s", said)
	}
	token, err := os.ReadFile(lines[2])
	if err != nil || lines[2] != filepath.Join(dir, "okta-token") || strings.Contains(said, strings.TrimSpace(string(token))) {
		t.Fatalf("the token is in %s, which has %d bytes (%v)", lines[2], len(token), err)
	}
	if info, err := os.Stat(lines[2]); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("want mode 0600, got %v %v", info.Mode(), err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, lines[1]+"/api/v1/users", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "SSWS "+strings.TrimSpace(string(token)))
	list, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer list.Body.Close()
	var users []struct{ ID string }
	if err := json.NewDecoder(list.Body).Decode(&users); err != nil || len(users) != 40 {
		t.Errorf("want 40 users, got %d (%v)", len(users), err)
	}
	stop()
}
