package main

import (
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/rollcall-id/rollcall/internal/testkit"
)

// testRun lets testscript prepare its programs before testkit runs the tests.
type testRun func() int

func (run testRun) Run() int { return run() }

func TestMain(m *testing.M) {
	testscript.Main(testRun(func() int { return testkit.Main(m) }), map[string]func(){
		"curl": func() { os.Exit(curl(os.Args[1:])) },
	})
}

func updating() bool { return flag.Lookup("update").Value.String() == "true" }

// TestScripts runs the command lines of testdata/script on both databases. They start with an
// empty one. Beside testscript's own commands they may use:
//
//	code N program args…   runs a program that must end with the exit code N
//	looks stdout file      compares with a file in which times are <time> and ids <uuid>
//	server [flags]         starts the server; $URL is its API's address
//	cloud [flags]          starts a demo cloud at $CLOUD, in the place of the one before
//	hash stdout NAME       sets $NAME to the plan's hash in a file of JSON
//	mode file 0600         compares a file's permissions
//	sql statement          does something to the database by hand
//
// and `[sqlite]` and `[postgres]`.
func TestScripts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no scripts (%v)", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			testkit.EachEmptyDatabase(t, func(t *testing.T, db testkit.Database) { runScript(t, db, file) })
		})
	}
}

func runScript(t *testing.T, db testkit.Database, file string) {
	program := filepath.Dir(testkit.Binary(t))
	testscript.Run(t, testscript.Params{
		Files:               []string{file},
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       updating(),
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", program+string(filepath.ListSeparator)+env.Getenv("PATH"))
			for _, setting := range db.Env(t) {
				name, value, _ := strings.Cut(setting, "=")
				env.Setenv(name, value)
			}
			cloud := &scriptCloud{}
			env.Values["t"], env.Values["cloud"] = env.T(), cloud
			env.Defer(cloud.end)
			return nil
		},
		Condition: func(condition string) (bool, error) {
			switch condition {
			case testkit.SQLite, testkit.Postgres:
				return condition == db.Kind, nil
			}
			return false, fmt.Errorf("there is no condition %q", condition)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code":  func(ts *testscript.TestScript, _ bool, args []string) { wantCode(ts, args) },
			"looks": func(ts *testscript.TestScript, _ bool, args []string) { looksLike(ts, args) },
			"hash":  func(ts *testscript.TestScript, _ bool, args []string) { setHash(ts, args) },
			"mode":  func(ts *testscript.TestScript, _ bool, args []string) { wantMode(ts, args) },
			"sql":   func(ts *testscript.TestScript, _ bool, args []string) { ts.Check(execute(db, args[0])) },
			"cloud": func(ts *testscript.TestScript, _ bool, args []string) {
				ts.Value("cloud").(*scriptCloud).start(ts, args)
			},
			"server": func(ts *testscript.TestScript, _ bool, args []string) {
				ts.Setenv("URL", testkit.StartServer(ts.Value("t").(testing.TB), db, nil, args...).URL+"/crowd/rest/usermanagement/1")
			},
		},
	})
}

func execute(db testkit.Database, statement string) error {
	driver, source := "pgx", db.URL
	if db.Kind == testkit.SQLite {
		driver, source = "sqlite", db.Path()+"?_pragma=busy_timeout(5000)"
	}
	raw, err := sql.Open(driver, source)
	if err != nil {
		return err
	}
	_, err = raw.Exec(statement)
	return errors.Join(err, raw.Close())
}

func wantCode(ts *testscript.TestScript, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: code N program args…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	err = ts.Exec(args[1], args[2:]...)
	if ended, ok := errors.AsType[*exec.ExitError](err); ok {
		got = ended.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("want exit code %d, got %d", want, got)
	}
}

func setHash(ts *testscript.TestScript, args []string) {
	found := regexp.MustCompile(`"hash": "(\w+)"`).FindStringSubmatch(ts.ReadFile(args[0]))
	if found == nil {
		ts.Fatalf("there is no hash in %s", args[0])
	}
	ts.Setenv(args[1], found[1])
}

var (
	anyTime = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`)
	anyUUID = testkit.UUIDs.Pattern
)

func looksLike(ts *testscript.TestScript, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: looks stdout file")
	}
	got := anyUUID.ReplaceAllString(anyTime.ReplaceAllString(ts.ReadFile(args[0]), "<time>"), "<uuid>")
	if diff := cmp.Diff(strings.Split(ts.ReadFile(args[1]), "\n"), strings.Split(got, "\n")); diff != "" {
		ts.Fatalf("%s is not as in %s (-want +got):\n%s", args[0], args[1], diff)
	}
}

func wantMode(ts *testscript.TestScript, args []string) {
	info, err := os.Stat(ts.MkAbs(args[0]))
	ts.Check(err)
	if got := fmt.Sprintf("%04o", info.Mode().Perm()); got != args[1] {
		ts.Fatalf("want mode %s of %s, got %s", args[1], args[0], got)
	}
}

// A scriptCloud is the demo cloud of a script.
type scriptCloud struct{ stop func() }

// start runs a demo cloud in the script's folder. Another one takes the place of the one before,
// at the same address: a cloud in which much has changed.
func (c *scriptCloud) start(ts *testscript.TestScript, args []string) {
	c.end()
	listen := ts.Getenv("CLOUD")
	if listen == "" {
		listen = "127.0.0.1:0"
	}
	said, _, stop := startDemoCloud(ts.Value("t").(testing.TB), ts.Getenv("WORK"), append(args, "--listen", listen)...)
	c.stop = stop
	ts.Setenv("CLOUD", regexp.MustCompile(`answers at http://(\S+)\.\n`).FindStringSubmatch(said)[1])
}

func (c *scriptCloud) end() {
	if c.stop != nil {
		c.stop()
	}
	c.stop = nil
}
