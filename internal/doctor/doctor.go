// Package doctor examines an installation: numbered checks, each fine or with problems and what
// to do about them. It removes or makes again only what nobody can miss, and only when asked.
//
//	doctor.go        the list of checks and how they are run
//	files.go         files that only their owner may read, the certificate
//	schema.go        is the database whole: pages, tables, keys, indexes
//	rows.go          rows without owners, circles of groups, sealed secrets, the feed, sessions
//	applications.go  applications that nobody can use as they are
//
// All SQL is package store's.
package doctor

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// most is how many problems of one sort are told; beyond them only that there are more.
const most = 20

// A Case is what is examined.
type Case struct {
	Store       *store.Store // nil: it can't be opened, and Unopened says why
	Unopened    error
	Key         string   // where the secret key is from; empty when it can't be read
	Private     []string // files that only their owner should read
	Certificate string   // the file of the server's certificate; empty where there is none
	Now         time.Time

	Fix bool         // mend what can be mended without loss
	By  models.Actor // on whose behalf
}

// A Finding is what one check found.
type Finding struct {
	Number   int
	Check    string    // what was looked at
	Note     string    // more about a check that is fine, or why there was nothing to check
	Problems []Problem // empty: all is well
	Fixed    []string  // what was mended
	Skipped  bool      // it could not be looked at, since an earlier check has a problem
}

// A Problem is something that is wrong, and what to do.
type Problem struct{ What, Do string }

// A check looks at one thing. It needs the store unless it is one of the first two.
type check struct {
	name  string
	alone bool // needs no database
	run   func(ctx context.Context, c *Case, f *Finding) error
}

// checks are all checks, in the order of their numbers.
var checks = []check{
	{"private files", true, privateFiles},
	{"certificate", true, certificate},
	{"database", true, database},
	{"integrity", false, integrity},
	{"keys and indexes", false, keysAndIndexes},
	{"owners of rows", false, owners},
	{"circles of groups", false, circles},
	{"sealed secrets", false, sealedSecrets},
	{"feed", false, feed},
	{"sessions", false, sessions},
	{"applications", false, applications},
}

// Examine runs all checks, and each again after it mended something.
func Examine(ctx context.Context, c Case) []Finding {
	findings := make([]Finding, 0, len(checks))
	for i, check := range checks {
		f := Finding{Number: i + 1, Check: check.name}
		switch {
		case !check.alone && c.Store == nil:
			f.Skipped, f.Note = true, "not looked at: the database can't be opened"
		default:
			f.run(ctx, &c, check)
		}
		findings = append(findings, f)
	}
	return findings
}

// run looks, and once more after all that was wrong is mended.
func (f *Finding) run(ctx context.Context, c *Case, check check) {
	f.look(ctx, c, check)
	if len(f.Fixed) > 0 && len(f.Problems) == 0 {
		again := *c
		again.Fix = false
		f.look(ctx, &again, check)
	}
}

func (f *Finding) look(ctx context.Context, c *Case, check check) {
	if err := check.run(ctx, c, f); err != nil {
		f.problem("rollcall doctor again; if it stays, the database's own log may say more", "it could not be looked at: %v", err)
	}
}

// problem adds a problem, unless it is one too many of its check.
func (f *Finding) problem(do, format string, args ...any) {
	switch {
	case len(f.Problems) < most:
		f.Problems = append(f.Problems, Problem{What: fmt.Sprintf(format, args...), Do: do})
	case len(f.Problems) == most:
		f.Problems = append(f.Problems, Problem{What: "and more of that kind", Do: "mend these first, then run rollcall doctor again"})
	}
}

func (f *Finding) fixed(format string, args ...any) {
	f.Fixed = append(f.Fixed, fmt.Sprintf(format, args...))
}

// fixable is what to do about something that Fix mends.
const fixable = "rollcall doctor --fix"
