package main

import (
	"encoding/json"
	"strings"
	"testing"
)

// events writes a run of package p as go test does: each argument is "action test" with the
// test's output after a colon, and a package's own event has no test.
func events(t *testing.T, lines ...string) string {
	t.Helper()
	var b strings.Builder
	for _, line := range lines {
		head, output, _ := strings.Cut(line, ":")
		action, name, _ := strings.Cut(head, " ")
		e, err := json.Marshal(event{Action: action, Package: "p", Test: name, Output: output})
		if err != nil {
			t.Fatal(err)
		}
		b.Write(append(e, '\n'))
	}
	return b.String()
}

func TestCounts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		given []string
		need  needs
		good  bool
		want  string
	}{
		{
			name:  "leaves count, by the database in their names",
			given: []string{"run T", "run T/sqlite", "run T/sqlite/add", "run T/postgres", "pass T/sqlite/add", "pass T/sqlite", "pass T/postgres", "pass T", "run U", "pass U", "pass"},
			need:  needs{databases: true},
			good:  true,
			want:  "SQLite: 1 tests, PostgreSQL: 1 tests\n3 passed, 0 failed, 0 skipped\n",
		},
		{
			name:  "a word that contains a database's name is not the database",
			given: []string{"run T", "run T/sqlite_file", "pass T/sqlite_file", "run T/postgres#01", "pass T/postgres#01", "pass T", "pass"},
			good:  true,
			want:  "SQLite: 0 tests, PostgreSQL: 1 tests\n2 passed, 0 failed, 0 skipped\n",
		},
		{
			name:  "one database without a test",
			given: []string{"run T", "run T/sqlite", "pass T/sqlite", "pass T", "pass"},
			need:  needs{databases: true},
			want:  "SQLite: 1 tests, PostgreSQL: 0 tests\neach database has to have a test that passes\n1 passed, 0 failed, 0 skipped\n",
		},
		{
			name:  "a failed leaf fails its parents, and counts once",
			given: []string{"run T", "run T/a", "run T/b", "fail T/a", "pass T/b", "fail T", "fail"},
			want:  "1 passed, 1 failed, 0 skipped\n",
		},
		{
			name:  "a parent that fails by itself counts",
			given: []string{"run T", "run T/a", "pass T/a", "fail T", "fail"},
			want:  "1 passed, 1 failed, 0 skipped\n",
		},
		{
			name:  "a package that does not build counts",
			given: []string{"fail"},
			want:  "0 passed, 1 failed, 0 skipped\n",
		},
		{
			name:  "a test that a panic cut off counts",
			given: []string{"run T", "pass T", "run U", "fail"},
			want:  "1 passed, 1 failed, 0 skipped\n",
		},
		{
			name:  "a package that never ended counts",
			given: []string{"run T", "pass T"},
			want:  "1 passed, 1 failed, 0 skipped\n",
		},
		{
			name:  "a skipped test passes on a desk",
			given: []string{"run T", "pass T", "run U", "output U:    u_test.go:7: no server\n", "skip U", "pass"},
			good:  true,
			want:  "skipped:\n  p U: u_test.go:7: no server\nSQLite: 0 tests, PostgreSQL: 0 tests\n1 passed, 0 failed, 1 skipped\n",
		},
		{
			name:  "a skipped test fails in CI",
			given: []string{"run T", "pass T", "run U", "skip U", "pass"},
			need:  needs{noSkips: true},
			want:  "1 passed, 0 failed, 1 skipped\n",
		},
		{
			name: "no test at all",
			want: "no test ran\n0 passed, 0 failed, 0 skipped\n",
		},
		{
			name:  "no test at all, where that is allowed",
			given: []string{"skip"},
			need:  needs{nothing: true},
			good:  true,
			want:  "0 passed, 0 failed, 0 skipped\n",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			run := newRun(&out)
			if err := run.read(strings.NewReader(events(t, c.given...))); err != nil {
				t.Fatal(err)
			}
			good := run.finish(c.need)
			if good != c.good {
				t.Errorf("good: want %v, got %v", c.good, good)
			}
			if !strings.HasSuffix(out.String(), c.want) {
				t.Errorf("want at the end:\n%s\ngot:\n%s", c.want, out.String())
			}
		})
	}
}

func TestOutputOfFailuresIsPrintedWhole(t *testing.T) {
	t.Parallel()
	given := "go: a word of go itself\n" + events(t,
		"run Good", "output Good:chatter\n", "pass Good",
		"run Bad", "output Bad:want 1\n", "output Bad:got 2\n", "fail Bad",
		"run Cut", "output Cut:was here\n", "output:panic: oh\n", "fail")

	var out strings.Builder
	run := newRun(&out)
	if err := run.read(strings.NewReader(given)); err != nil {
		t.Fatal(err)
	}
	run.finish(needs{})

	want := "go: a word of go itself\nwant 1\ngot 2\nwas here\n--- FAIL: Cut (did not finish)\npanic: oh\n" +
		"FAIL  p  0.0s  1 passed, 2 failed\n\nSQLite: 0 tests, PostgreSQL: 0 tests\n1 passed, 2 failed, 0 skipped\n"
	if out.String() != want {
		t.Errorf("want:\n%s\ngot:\n%s", want, out.String())
	}
}

func TestCountsOfOtherClientsArePrinted(t *testing.T) {
	var out strings.Builder
	in := events(t, "run TestClient", "output TestClient: client.go:7: dex: 33 tests on sqlite", "pass TestClient")
	if err := newRun(&out).read(strings.NewReader(in)); err != nil {
		t.Fatal(err)
	}
	if want := "dex: 33 tests on sqlite\n"; out.String() != want {
		t.Errorf("printed %q, want %q", out.String(), want)
	}
}
