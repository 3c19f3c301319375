package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

// An event is one line of `go test -json`; `go doc test2json` describes it.
type event struct {
	Action     string
	Package    string
	ImportPath string // instead of Package, in build-output and build-fail
	Test       string
	Elapsed    float64
	Output     string
}

// needs says what makes a run without failures fail all the same, or not.
type needs struct {
	databases bool // each database has to have a passed test
	nothing   bool // a run without any test is good, too
	noSkips   bool // a skipped test counts as a failure
}

// A testRun gathers the tests of all packages; go test runs several packages at a time, so their
// events come mixed.
type testRun struct {
	out      io.Writer
	packages map[string]*pkg
	total    counts
	skips    []string // each skipped test with its reason
}

// A pkg is what is known of one package until its result.
type pkg struct {
	tests  map[string]*test
	order  []string // names of tests in the order of their start
	output strings.Builder
}

// A test is one test or subtest: its output until it ends, and how it ended.
type test struct {
	output strings.Builder
	result string // pass, fail, skip; empty while it runs
	parent bool
}

type counts struct {
	passed, failed, skipped int
	sqlite, postgres        int // of those that passed
}

func newRun(out io.Writer) *testRun {
	return &testRun{out: out, packages: make(map[string]*pkg)}
}

// read follows the events to the end of in, and prints what failed as soon as it is known. Lines
// that are no events, which go prints before it starts a test, are passed on.
func (r *testRun) read(in io.Reader) error {
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if json.Unmarshal(line, &e) == nil && e.Action != "" {
				r.event(e)
			} else {
				fmt.Fprintf(r.out, "%s", line)
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the output of go test: %w", err)
		}
	}
}

func (r *testRun) event(e event) {
	switch {
	case e.Action == "build-output":
		fmt.Fprint(r.out, e.Output)
	case e.Package == "":
		// build-fail, which the package's own failure repeats.
	case e.Test == "":
		r.packageEvent(e)
	default:
		r.testEvent(e)
	}
}

func (r *testRun) testEvent(e event) {
	p := r.pkg(e.Package)
	t := p.test(e.Test)
	switch e.Action {
	case "output":
		t.output.WriteString(e.Output)
	case "fail":
		t.result = e.Action
		fmt.Fprint(r.out, t.output.String())
		t.output.Reset()
	case "skip":
		t.result = e.Action
		r.skips = append(r.skips, fmt.Sprintf("%s %s: %s", e.Package, e.Test, reason(t.output.String())))
		t.output.Reset()
	case "pass":
		t.result = e.Action
		r.printCounts(t.output.String())
		t.output.Reset()
	}
}

// clientCount is a line that says how many tests of another client ran on a database: each of
// them is one test of ours, or a part of one.
var clientCount = regexp.MustCompile(`[\w-]+: \d+ tests on (sqlite|postgres)`)

func (r *testRun) printCounts(output string) {
	for _, line := range clientCount.FindAllString(output, -1) {
		fmt.Fprintln(r.out, line)
	}
}

func (r *testRun) packageEvent(e event) {
	p := r.pkg(e.Package)
	switch e.Action {
	case "output":
		p.output.WriteString(e.Output)
	case "pass", "skip", "fail":
		r.packageEnd(e, p)
	}
}

func (r *testRun) packageEnd(e event, p *pkg) {
	delete(r.packages, e.Package)
	c := p.count()
	if e.Action == "fail" {
		r.printUnfinished(p)
		fmt.Fprint(r.out, p.output.String())
		if c.failed == 0 {
			c.failed = 1 // it did not build, or TestMain failed: no test of it says so
		}
	}
	r.total.add(c)

	switch {
	case e.Action == "fail":
		fmt.Fprintf(r.out, "FAIL  %s  %.1fs  %s\n", e.Package, e.Elapsed, c)
	case c == counts{}:
		fmt.Fprintf(r.out, "-     %s  no tests\n", e.Package)
	default:
		fmt.Fprintf(r.out, "ok    %s  %.1fs  %s\n", e.Package, e.Elapsed, c)
	}
}

// printUnfinished prints what the tests said that were cut off by a panic or by the time limit.
func (r *testRun) printUnfinished(p *pkg) {
	for _, name := range p.order {
		if t := p.tests[name]; t.result == "" {
			fmt.Fprint(r.out, t.output.String())
			fmt.Fprintf(r.out, "--- FAIL: %s (did not finish)\n", name)
		}
	}
}

// finish prints the counts and says whether the run was good.
func (r *testRun) finish(need needs) bool {
	for name, p := range r.packages {
		r.printUnfinished(p)
		fmt.Fprintf(r.out, "FAIL  %s  its result never came\n", name)
		c := p.count()
		c.failed = max(c.failed, 1)
		r.total.add(c)
	}

	c := r.total
	good := c.failed == 0
	fmt.Fprintln(r.out)
	if len(r.skips) > 0 {
		slices.Sort(r.skips)
		fmt.Fprintf(r.out, "skipped:\n  %s\n", strings.Join(r.skips, "\n  "))
		if need.noSkips {
			good = false
			fmt.Fprintln(r.out, "in CI every test has to run: skipped ones count as failures")
		}
	}
	fmt.Fprintf(r.out, "SQLite: %d tests, PostgreSQL: %d tests\n", c.sqlite, c.postgres)
	if need.databases && (c.sqlite == 0 || c.postgres == 0) {
		good = false
		fmt.Fprintln(r.out, "each database has to have a test that passes")
	}
	if c.passed+c.failed == 0 && !need.nothing {
		good = false
		fmt.Fprintln(r.out, "no test ran")
	}
	fmt.Fprintf(r.out, "%d passed, %d failed, %d skipped\n", c.passed, c.failed, c.skipped)
	return good
}

func (r *testRun) pkg(name string) *pkg {
	if r.packages[name] == nil {
		r.packages[name] = &pkg{tests: make(map[string]*test)}
	}
	return r.packages[name]
}

// test returns the test of that name, and marks the ones that it is a subtest of.
func (p *pkg) test(name string) *test {
	if t := p.tests[name]; t != nil {
		return t
	}
	t := new(test)
	p.tests[name] = t
	p.order = append(p.order, name)
	for i := range name {
		if above := p.tests[name[:i]]; above != nil && name[i] == '/' {
			above.parent = true
		}
	}
	return t
}

// count counts leaves. A test with subtests counts only for a fate of its own: it failed after
// subtests that did not.
func (p *pkg) count() counts {
	var c counts
	for name, t := range p.tests {
		switch {
		case t.result == "skip":
			c.skipped++
		case t.result != "pass" && !(t.parent && p.failedBelow(name)):
			c.failed++
		case t.result == "pass" && !t.parent:
			c.passed++
			c.sqlite += boolInt(ranOn(name, "sqlite"))
			c.postgres += boolInt(ranOn(name, "postgres"))
		}
	}
	return c
}

func (p *pkg) failedBelow(name string) bool {
	for other, t := range p.tests {
		if strings.HasPrefix(other, name+"/") && t.result != "pass" && t.result != "skip" {
			return true
		}
	}
	return false
}

func (c *counts) add(d counts) {
	c.passed += d.passed
	c.failed += d.failed
	c.skipped += d.skipped
	c.sqlite += d.sqlite
	c.postgres += d.postgres
}

func (c counts) String() string {
	s := fmt.Sprintf("%d passed", c.passed)
	if c.failed > 0 {
		s += fmt.Sprintf(", %d failed", c.failed)
	}
	if c.skipped > 0 {
		s += fmt.Sprintf(", %d skipped", c.skipped)
	}
	return s
}

// again is what go test appends to a name that another subtest has already.
var again = regexp.MustCompile(`#\d+$`)

func ranOn(name, database string) bool {
	return slices.ContainsFunc(strings.Split(name, "/"), func(element string) bool {
		return again.ReplaceAllString(element, "") == database
	})
}

// reason finds what t.Skip was told: the line before "--- SKIP", without its place.
func reason(output string) string {
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "===") && !strings.HasPrefix(line, "--- ") {
			return line
		}
	}
	return "no reason given"
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
