package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/rollcall-id/rollcall/internal/testkit"
)

// startDemoCloud runs `rollcall demo-cloud` in dir and gives what it said first, and what it will
// say on stderr.
func startDemoCloud(t testing.TB, dir string, args ...string) (said string, stderr *bufio.Scanner, stop func()) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), testkit.Binary(t), append([]string{"demo-cloud", "--listen", "127.0.0.1:0"}, args...)...)
	cmd.Dir = dir
	out, err := cmd.StdoutPipe()
	errs, err2 := cmd.StderrPipe()
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		said += lines.Text() + "\n"
		if strings.HasSuffix(lines.Text(), " --apply") || lines.Text() == "}" {
			break
		}
	}
	stderr = bufio.NewScanner(errs)
	return said, stderr, func() {
		t.Helper()
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		for stderr.Scan() { // so that it isn't kept from ending
		}
		for lines.Scan() {
			t.Errorf("it said more: %s", lines.Text())
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("it ended with %v", err)
		}
	}
}

func TestDemoCloudSaysHowToSync(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "entra-client-secret")
	var secrets []string
	for range 2 { // a directory that was made for the first one goes on working with the second
		said, _, stop := startDemoCloud(t, dir, "--users", "40", "--groups", "4")
		lines := regexp.MustCompile(`(?m)^rollcall directory create cloud --kind entra --set tenant=(\S+) --set client-id=(\S+) ` +
			`--set-file client-secret=(\S+) --set graph-url=(http://127\.0\.0\.1:\d+/v1\.0) --set authority-url=(http://127\.0\.0\.1:\d+)
rollcall sync cloud
rollcall sync cloud --apply$`).FindStringSubmatch(said)
		if lines == nil {
			t.Fatalf("it doesn't say what to paste:\n%s", said)
		}
		secret, err := os.ReadFile(lines[3])
		if err != nil || lines[3] != file {
			t.Fatalf("want the secret in %s, got %s (%v)", file, lines[3], err)
		}
		secrets = append(secrets, string(secret))
		if strings.Contains(said, strings.TrimSpace(string(secret))) {
			t.Error("the secret is on the terminal")
		}
		if n := usersOf(t, lines[5], lines[4], "any-tenant", "any-client", strings.TrimSpace(string(secret))); n != 40 {
			t.Errorf("want 40 users, got %d", n)
		}
		stop()
	}
	if secrets[0] != secrets[1] {
		t.Error("the second demo has another secret")
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("want mode 0600, got %v %v", info.Mode(), err)
	}
}

// usersOf reads the users of a cloud with any tenant and client.
func usersOf(t *testing.T, authority, graph, tenant, client, secret string) int {
	t.Helper()
	answer, err := http.PostForm(authority+"/"+tenant+"/oauth2/v2.0/token", url.Values{"grant_type": {"client_credentials"},
		"client_id": {client}, "client_secret": {secret}, "scope": {authority + "/.default"}})
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var token struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&token); err != nil || token.AccessToken == "" {
		t.Fatalf("no token: %d %v", answer.StatusCode, err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, graph+"/users?$select=id&$top=999", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token.AccessToken)
	list, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer list.Body.Close()
	var page struct {
		Value []struct {
			ID string `json:"id"`
		} `json:"value"`
	}
	if err := json.NewDecoder(list.Body).Decode(&page); err != nil {
		t.Fatal(err)
	}
	return len(page.Value)
}

func TestDemoCloudInJSONWithChanges(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	said, stderr, stop := startDemoCloud(t, dir, "--json", "--out", "new folder", "--changes-every", "1ms")
	var o demoCloudObject
	if err := json.Unmarshal([]byte(said), &o); err != nil {
		t.Fatal(err, said)
	}
	if o.Provider != "entra" || !strings.HasPrefix(o.URL, "http://127.0.0.1:") || len(o.Lines) != 3 ||
		!strings.Contains(o.Lines[0], "--set-file client-secret='"+filepath.Join(dir, "new folder")) {
		t.Errorf("got %+v", o)
	}
	if !stderr.Scan() || !regexp.MustCompile(`^note: \S+@`).MatchString(stderr.Text()) {
		t.Errorf("it doesn't say what changed: %s", stderr.Text())
	}
	stop()
}

func TestDemoCloudRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "entra-client-secret")
	for _, c := range []struct {
		name  string
		file  string // what is in the way
		args  []string
		code  int
		wants string
	}{
		{"an address that others reach", "", []string{"--listen", "0.0.0.0:0"}, exitUsage, "can be reached by others"},
		{"no address", "", []string{"--listen", "9701"}, exitUsage, "can be reached by others"},
		{"a provider that there isn't", "", []string{"--provider", "ldap"}, exitUsage, "choose one of entra"},
		{"fewer than nobody", "", []string{"--users=-1"}, exitUsage, "--users"},
		{"to go back in time", "", []string{"--changes-every=-1s"}, exitUsage, "--changes-every"},
		{"to overwrite a secret", "the real one\n", []string{"--listen", "127.0.0.1:0"}, exitFailed, "move it away"},
		{"to overwrite a long one", demoSecretMark + "\nand more\n", []string{"--listen", "127.0.0.1:0"}, exitFailed, "move it away"},
		{"to follow a link", "link", []string{"--listen", "127.0.0.1:0"}, exitFailed, "move it away"},
	} {
		switch c.file {
		case "":
		case "link":
			if err := errors.Join(os.Remove(file), os.Symlink("/etc/passwd", file)); err != nil {
				t.Fatal(err)
			}
		default:
			if err := os.WriteFile(file, []byte(c.file), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		r := testkit.Command{Args: append([]string{"demo-cloud"}, c.args...), Dir: dir}.Run(t)
		if r.Code != c.code || !strings.Contains(r.Stderr, c.wants) {
			t.Errorf("%s: want exit code %d and %q, got %d\n%s", c.name, c.code, c.wants, r.Code, r.Stderr)
		}
		if c.file == "" {
			if _, err := os.Lstat(file); err == nil {
				t.Errorf("%s: a refused demo wrote its secret", c.name)
			}
		} else if c.file != "link" {
			if data, err := os.ReadFile(file); err != nil || string(data) != c.file {
				t.Errorf("%s: the file has %q now (%v)", c.name, data, err)
			}
		}
	}
}
