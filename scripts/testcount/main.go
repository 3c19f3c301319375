// Command testcount reads what `go test -json` prints and tells it to a person: the output of
// what failed in full, one line for each package, and at the end how many tests passed on each
// database and in all.
//
// A test is a leaf: a test or subtest that has no subtests. It ran on a database when one of the
// elements of its name is "sqlite" or "postgres".
//
//	go test -json ./... | go run ./scripts/testcount
//
// It fails when a test failed, when none ran, and when one was skipped in CI (CI=true), where
// everything that a test needs has to be there.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	var need needs
	flag.BoolVar(&need.databases, "both-databases", false, "fail unless a test passed on each database")
	flag.BoolVar(&need.nothing, "allow-none", false, "succeed also when no test ran")
	flag.Parse()
	need.noSkips = os.Getenv("CI") == "true"

	run := newRun(os.Stdout)
	if err := run.read(os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "testcount:", err)
		os.Exit(1)
	}
	if !run.finish(need) {
		os.Exit(1)
	}
}
