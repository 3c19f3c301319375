package main_test

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/testkit"
)

// These tests check what is delivered beside the program: Dockerfile, docker-compose.yml and
// deploy/. No Docker engine and no systemd runs here: their files are read by the libraries and
// programs that say whether they are right, and delivery_topology_test.go starts the same parts
// without them.

const checkout = "../.." // where the files are

func delivered(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(checkout, file))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestComposeFile has docker-compose.yml read by Compose's own library: internal/testkit/composecheck
// says what is wanted of it.
func TestComposeFile(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(checkout, "internal", "testkit", "composecheck")
	cmd := clientCommand(t, dir, []string{"GOFLAGS="}, "go", "test", "-count=1", "-json", ".")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	output, err := cmd.Output()
	tests := readGoResults(t, output)
	for _, test := range tests {
		t.Run(strings.Join(test.Path, "/"), func(t *testing.T) {
			if !test.Passed {
				t.Error(test.Problem)
			}
		})
	}
	if len(tests) == 0 || err != nil && !t.Failed() {
		t.Errorf("%d tests, and then: %v. The library is a Go module; can this machine reach the module proxy?\n%s%s", len(tests), err, &stderr, output)
	}
}

// instructions gives a Dockerfile's instructions, with lines that are continued joined.
func instructions(text string) (all [][]string) {
	text = regexp.MustCompile(`(?m)^\s*#.*\n`).ReplaceAllString(text, "")
	for line := range strings.SplitSeq(strings.ReplaceAll(text, "\\\n", " "), "\n") {
		if words := strings.Fields(line); len(words) > 0 {
			all = append(all, words)
		}
	}
	return all
}

func TestDockerfile(t *testing.T) {
	t.Parallel()
	version := regexp.MustCompile(`(?m)^go (\S+)$`).FindStringSubmatch(delivered(t, "go.mod"))[1]
	var last map[string]string // the instructions of the last stage
	compiler := false
	for _, words := range instructions(delivered(t, "Dockerfile")) {
		name, rest := words[0], strings.Join(words[1:], " ")
		switch name {
		case "FROM":
			last = map[string]string{}
			image, _, _ := strings.Cut(rest, " ")
			if !regexp.MustCompile(`:[^:]+$`).MatchString(image) {
				t.Errorf("%s has no tag", image)
			}
			if strings.HasPrefix(image, "golang:") {
				compiler = image == "golang:"+version
			}
		case "COPY":
			if strings.HasPrefix(words[1], "--from=") {
				break
			}
			for _, source := range words[1 : len(words)-1] {
				if _, err := os.Stat(filepath.Join(checkout, source)); err != nil {
					t.Errorf("COPY: %v", err)
				}
			}
		}
		last[name] = rest
	}
	if !compiler {
		t.Errorf("the image is not built with golang:%s, which go.mod names", version)
	}
	if user := last["USER"]; !regexp.MustCompile(`^[1-9]\d*:[1-9]\d*$`).MatchString(user) {
		t.Errorf("it runs as %q, want a number that Kubernetes sees not to be root's", user)
	}
	if check := last["HEALTHCHECK"]; !strings.Contains(check, "http://127.0.0.1:8096/readyz") || !strings.Contains(check, `CMD ["/`) {
		t.Errorf("health check: %s; there is no shell", check)
	}
	if last["ENTRYPOINT"] != `["/usr/local/bin/rollcall"]` || last["CMD"] != `["serve"]` {
		t.Errorf("it starts %s %s", last["ENTRYPOINT"], last["CMD"])
	}
}

// The image is built from what .dockerignore lets through; that has to be enough, and has to hold
// nothing secret.
func TestImageIsBuiltFromLittle(t *testing.T) {
	t.Parallel()
	var ignored []string
	for line := range strings.Lines(delivered(t, ".dockerignore")) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			ignored = append(ignored, line)
		}
	}
	for _, secret := range []string{".git", "data", "deploy", "**/*.db", "**/*.key"} {
		if !slices.Contains(ignored, secret) {
			t.Errorf(".dockerignore lets %s through", secret)
		}
	}
	list := exec.Command("go", "list", "-deps", "-f", `{{if and .Module .Module.Main}}{{.Dir}}{{end}}`, "./cmd/rollcall")
	list.Dir = checkout
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs(checkout)
	if err != nil {
		t.Fatal(err)
	}
	packages := strings.Fields(string(out))
	if len(packages) < 10 {
		t.Fatalf("the program is made of %q", packages)
	}
	for _, dir := range packages {
		path, err := filepath.Rel(root, dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, pattern := range ignored {
			if path == pattern || strings.HasPrefix(path, pattern+"/") || strings.HasSuffix(pattern, "/"+filepath.Base(path)) {
				t.Errorf(".dockerignore keeps %s out, of which the program is made", path)
			}
		}
	}
}

// Every setting that a delivered file names is one of docs/configuration.md.
func TestDeliveredFilesNameSettingsThatExist(t *testing.T) {
	t.Parallel()
	documented := delivered(t, "docs/configuration.md")
	for _, file := range []string{"Dockerfile", "docker-compose.yml", "deploy/nginx.conf", "deploy/rollcall.service", "deploy/secrets/README.md", "docs/operate.md"} {
		for _, name := range regexp.MustCompile(`ROLLCALL_[A-Z0-9_]+`).FindAllString(delivered(t, file), -1) {
			if !strings.Contains(documented, "`"+name+"`") {
				t.Errorf("%s names %s, which is no setting", file, name)
			}
		}
	}
}

// docs/operate.md names metrics; each of them the server has.
func TestOperateNamesMetricsThatExist(t *testing.T) {
	t.Parallel()
	server := testkit.StartServer(t, testkit.NewSQLite(t), nil)
	newProbe(server.URL, "nobody", "nothing").must(t, 401, "GET", "/user?username=ada", nil) // a request, so that there are series of them
	metrics := manage(t, server, "/metrics", 200)
	names := regexp.MustCompile("`((?:rollcall|process|go)_[a-z_]+)").FindAllStringSubmatch(delivered(t, "docs/operate.md"), -1)
	if len(names) < 10 {
		t.Errorf("it names %d metrics", len(names))
	}
	for _, name := range names {
		if name[1] == "rollcall_tls_certificate_expiry_timestamp_seconds" {
			continue // only with TLS
		}
		if name, ok := strings.CutPrefix(name[1], "rollcall_sync_"); ok { // only with a directory that has a source
			code := delivered(t, "server/metrics_sync.go") + delivered(t, "server/metrics.go")
			if !strings.Contains(code, `"`+name+`"`) && !strings.Contains(code, `"rollcall_sync_`+name+`"`) {
				t.Errorf("docs/operate.md names rollcall_sync_%s, and there is none", name)
			}
			continue
		}
		if !strings.Contains(metrics, "# TYPE "+name[1]+" ") {
			t.Errorf("docs/operate.md names %s, and /metrics doesn't", name[1])
		}
	}
}

func TestSystemdUnit(t *testing.T) {
	t.Parallel()
	text := delivered(t, "deploy/rollcall.service")
	setting := func(name string) string {
		t.Helper()
		found := regexp.MustCompile(`(?m)^` + name + `=(.*)$`).FindStringSubmatch(text)
		if found == nil {
			t.Fatalf("there is no %s", name)
		}
		return found[1]
	}
	stop, err := time.ParseDuration(setting("TimeoutStopSec"))
	if err != nil || stop <= 25*time.Second {
		t.Errorf("systemd kills it after %v: %v; shutdown-timeout is 25s", stop, err)
	}
	for name, want := range map[string]string{"ProtectSystem": "strict", "NoNewPrivileges": "yes", "StateDirectory": "rollcall", "Restart": "on-failure", "User": "rollcall"} {
		if got := setting(name); got != want {
			t.Errorf("%s=%s, want %s", name, got, want)
		}
	}

	program, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Fatal("systemd-analyze is missing. On Debian or Ubuntu: sudo apt-get install -y --no-install-recommends systemd")
	}
	// It wants the program to be there.
	unit := filepath.Join(t.TempDir(), "rollcall.service")
	if err := os.WriteFile(unit, []byte(strings.ReplaceAll(text, "/usr/local/bin/rollcall", testkit.Binary(t))), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"verify", unit}, {"security", "--offline=true", "--threshold=20", unit}} { // of 100
		if out, err := exec.Command(program, args...).CombinedOutput(); err != nil || args[0] == "verify" && len(out) > 0 {
			t.Errorf("systemd-analyze %s: %v\n%s", args[0], err, out)
		}
	}
}

// docs/operate.md says which test shows what; each has to be there.
func TestOperateNamesTestsThatExist(t *testing.T) {
	t.Parallel()
	there := map[string]bool{}
	err := filepath.WalkDir(checkout, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, test := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllStringSubmatch(string(text), -1) {
			there[test[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range regexp.MustCompile("`(Test\\w+)`").FindAllStringSubmatch(delivered(t, "docs/operate.md"), -1) {
		if !there[test[1]] {
			t.Errorf("docs/operate.md names %s, which does not exist", test[1])
		}
	}
}
