package main

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	dirsync "github.com/rollcall-id/rollcall/sync"
	"github.com/rollcall-id/rollcall/sync/google"
)

func TestDemoGoogleSaysHowToSync(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "service-account.json")
	var first models.Secret
	for range 2 { // with the file of the first one the second works, too
		said, _, stop := startDemoCloud(t, dir, "--provider", "google", "--users", "40", "--groups", "4")
		lines := regexp.MustCompile(`(?m)^rollcall directory create ws --kind google --set-file credentials=(\S+) ` +
			`--set subject=(admin@example\.test) --set customer=my_customer --set directory-url=(http://127\.0\.0\.1:\d+)
rollcall sync ws
rollcall sync ws --apply$`).FindStringSubmatch(said)
		if lines == nil || lines[1] != file {
			t.Fatalf("it doesn't say what to paste:\n%s", said)
		}
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("want mode 0600, got %v %v", info.Mode(), err)
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if n := usersOfGoogle(t.Context(), t, google.Options{Credentials: models.Secret(data), Subject: "whoever@corp.example", DirectoryURL: lines[3]}); n != 40 {
			t.Errorf("want 40 users, got %d", n)
		}
		if key := keyIn(data); first == "" {
			first = key
		} else if first.Reveal() != key.Reveal() {
			t.Error("the second demo has another key")
		}
		stop()
	}
}

// keyIn is the line with the private key.
func keyIn(file []byte) models.Secret {
	return models.Secret(regexp.MustCompile(`"private_key": "[^"]*"`).Find(file))
}

func usersOfGoogle(ctx context.Context, t *testing.T, o google.Options) (n int) {
	t.Helper()
	s, err := google.New(o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Users(ctx, "", func(users []dirsync.User, _ dirsync.Checkpoint) error {
		n += len(users)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestDemoGoogleLeavesRealKeysAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "service-account.json")
	for _, text := range []string{"", "{}", `{"client_email":"real@project.iam.gserviceaccount.com"}`} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		r := testkit.Command{Args: []string{"demo-cloud", "--provider", "google", "--listen", "127.0.0.1:0"}, Dir: dir}.Run(t)
		if now, err := os.ReadFile(file); r.Code != exitFailed || !strings.Contains(r.Stderr, "move it away") || string(now) != text || err != nil {
			t.Errorf("%q: want to be refused, got %d %s; the file has %q now", text, r.Code, r.Stderr, now)
		}
	}
}
