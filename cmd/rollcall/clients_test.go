package main_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/internal/testkit/smtptest"
)

// These tests run clients that others wrote, as they are, against the real program. What each
// checks stands beside the client: internal/testkit/nodeclient and internal/testkit/dexclient.

// clientPassword is of all applications that clients use: it has what a Basic header may break on.
const clientPassword = `s3cret: für "alle" $x`

// clientServer runs the program with one directory and what the clients' tests need, and gives
// the variables by which they know it. The applications are made while the server runs, which
// has the given settings.
func clientServer(t *testing.T, db testkit.Database, settings ...string) (env []string) {
	t.Helper()
	testkit.Binary(t) // a first build may take longer than a command may
	run := func(args ...string) {
		t.Helper()
		testkit.Command{Args: args, Env: db.Env(t), Stdin: clientPassword + "\n"}.Must(t)
	}
	app := func(name string, args ...string) {
		t.Helper()
		run(append([]string{"app", "create", name, "--directory", "staff", "--password-stdin"}, args...)...)
	}
	run("directory", "create", "staff")
	server := testkit.StartServer(t, db, settings)
	app("probe", "--permit", "all", "--address", "127.0.0.1/32", "--address", "::1/128")
	app("reader", "--address", "127.0.0.1/32")
	app("members", "--group", "allowed", "--address", "127.0.0.1/32")
	app("elsewhere", "--permit", "all", "--address", "192.0.2.0/24")

	probe := newProbe(server.URL, "probe", clientPassword)
	probe.must(t, 201, "POST", "/group", map[string]any{"name": "allowed"})
	return []string{
		"CROWD_URL=" + server.URL + "/crowd", "CROWD_PASSWORD=" + clientPassword, "CROWD_GROUP=allowed",
		"CROWD_APPLICATION=probe", "CROWD_READER=reader", "CROWD_MEMBERS=members", "CROWD_ELSEWHERE=elsewhere",
	}
}

// A clientTest is how one of a client's own tests ended.
type clientTest struct {
	Path    []string
	Passed  bool
	Problem string
}

// reportClient makes each of a client's tests a subtest, and says how many there were.
func reportClient(t *testing.T, client string, db testkit.Database, tests []clientTest, err error, output string) {
	t.Helper()
	for _, test := range tests {
		t.Run(strings.Join(test.Path, "/"), func(t *testing.T) {
			if !test.Passed {
				t.Error(test.Problem)
			}
		})
	}
	t.Logf("%s: %d tests on %s", client, len(tests), db.Kind)
	switch {
	case len(tests) == 0:
		t.Errorf("%s ran no test: %v\n%s", client, err, output)
	case err != nil && !t.Failed():
		t.Errorf("%s: every test passed, but then: %v\n%s", client, err, output)
	}
}

// TestAtlassianCrowdClient runs the npm package atlassian-crowd-client.
func TestAtlassianCrowdClient(t *testing.T) {
	t.Parallel()
	dir := installNodeClient(t)
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		exim, settings := mailbox(t)
		env := clientServer(t, db, settings...)
		if exim != nil {
			env = append(env, "CROWD_MAIL=yes")
		}
		results := filepath.Join(t.TempDir(), "results.jsonl")
		cmd := clientCommand(t, dir, env, "node",
			"--test-reporter=spec", "--test-reporter-destination=stdout",
			"--test-reporter=./reporter.js", "--test-reporter-destination="+results, "all.js")
		output, err := cmd.CombinedOutput()
		reportClient(t, "atlassian-crowd-client", db, readNodeResults(t, results), err, string(output))
		if exim != nil && !t.Failed() {
			var to []string
			for _, letter := range exim.Await(t, 2) {
				to = append(to, letter.Header.Get("To"))
			}
			slices.Sort(to)
			if want := []string{"<names@example.test>", "<reset@example.test>"}; !slices.Equal(to, want) {
				t.Errorf("letters arrived for %v, want %v", to, want)
			}
		}
	})
}

// mailbox starts a mail server, and gives the settings by which ours uses it. Only root can:
// for others there is none, and letters are refused.
func mailbox(t *testing.T) (exim *smtptest.Server, settings []string) {
	t.Helper()
	if os.Getuid() != 0 {
		return nil, nil
	}
	exim = smtptest.Start(t, smtptest.Options{})
	return exim, []string{
		"ROLLCALL_MAIL_HOST=localhost", "ROLLCALL_MAIL_PORT=" + strconv.Itoa(exim.Port), "ROLLCALL_MAIL_CA_FILE=" + exim.CAFile,
		"ROLLCALL_MAIL_FROM=rollcall@example.test",
	}
}

// installNodeClient gives a folder with the client and its tests. It is a copy, so that the tree
// stays as it is and several test processes don't meet; npm's own cache makes it quick.
func installNodeClient(t *testing.T) string {
	t.Helper()
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("%v: this test runs a client written in JavaScript. On Debian or Ubuntu:\n"+
				"  sudo apt-get update && sudo apt-get install -y --no-install-recommends nodejs npm", err)
		}
	}
	dir := t.TempDir()
	files, err := filepath.Glob(filepath.Join("..", "..", "internal", "testkit", "nodeclient", "*.js*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("find the client's tests: %v %v", files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, filepath.Base(file)), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	npm := clientCommand(t, dir, nil, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline")
	if out, err := npm.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v. It takes two packages from npm's registry, or from its own cache; can this machine reach the registry?\n%s", err, out)
	}
	return dir
}

func readNodeResults(t *testing.T, path string) (tests []clientTest) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	for line := range bytes.Lines(text) {
		var test clientTest
		if err := json.Unmarshal(line, &test); err != nil {
			t.Fatalf("the reporter's line %q: %v", line, err)
		}
		tests = append(tests, test)
	}
	return tests
}

// TestDexConnector runs Dex's connector atlassiancrowd.
func TestDexConnector(t *testing.T) {
	t.Parallel()
	dir := filepath.Join("..", "..", "internal", "testkit", "dexclient")
	goFlags := []string{"GOFLAGS="} // those of the environment may be meant for our own module
	if out, err := clientCommand(t, dir, goFlags, "go", "list", "-deps", "-test", ".").CombinedOutput(); err != nil {
		t.Fatalf("go list: %v. Dex is a Go module; can this machine reach the module proxy?\n%s", err, out)
	}
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		cmd := clientCommand(t, dir, append(clientServer(t, db), goFlags...), "go", "test", "-count=1", "-json", ".")
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		output, err := cmd.Output()
		reportClient(t, "Dex atlassiancrowd", db, readGoResults(t, output), err, stderr.String()+string(output))
	})
}

// readGoResults gives the leaves of what `go test -json` printed: tests without subtests.
func readGoResults(t *testing.T, output []byte) (tests []clientTest) {
	t.Helper()
	said := map[string]string{}
	parents := map[string]bool{}
	lines := bufio.NewScanner(bytes.NewReader(output))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var event struct{ Action, Test, Output string }
		if json.Unmarshal(lines.Bytes(), &event) != nil || event.Test == "" {
			continue // of the build, or of the whole package
		}
		for i, r := range event.Test {
			if r == '/' {
				parents[event.Test[:i]] = true
			}
		}
		switch event.Action {
		case "output":
			said[event.Test] += event.Output
		case "pass", "fail", "skip":
			if parents[event.Test] && event.Action == "pass" {
				continue
			}
			tests = append(tests, clientTest{strings.Split(event.Test, "/"), event.Action == "pass", said[event.Test]})
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return tests
}

// clientCommand is a command that ends before the whole test process is ended for being slow.
func clientCommand(t *testing.T, dir string, env []string, name string, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	cmd.WaitDelay = 10 * time.Second
	return cmd
}
