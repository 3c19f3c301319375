package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/server"
)

func TestEveryCodeHasAnExitCode(t *testing.T) {
	t.Parallel()
	listed := map[int]bool{}
	for _, e := range exitCodes {
		listed[e.code] = true
	}
	for _, code := range models.Codes {
		a, ok := answers[code]
		switch {
		case !ok:
			t.Errorf("%s has no line in the table of exit.go", code)
		case a.exit == exitDone || !listed[a.exit]:
			t.Errorf("%s ends with %d, which is no failure's code", code, a.exit)
		case a.sentence == "":
			t.Errorf("%s has no sentence", code)
		}
	}
	if len(answers) != len(models.Codes) {
		t.Errorf("the table of exit.go has %d lines, and there are %d codes", len(answers), len(models.Codes))
	}
}

func TestFailuresAreToldWithTheirCode(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		err  error
		exit int
		said string
	}{
		{"done", nil, 0, ""},
		{"something that is not there", fmt.Errorf("read it: %w", models.Fail(models.UserNotFound, "bob", "")), 1,
			"error: there is no user bob\nhint: rollcall user list lists the users of a directory\n"},
		{"a message of its own gets its subject", models.Fail(models.NameTaken, "staff", "There is a directory of this name already."), 6,
			"error: There is a directory of this name already: staff\n"},
		{"a message that has its subject stays", models.Fail(models.PermissionDenied, "staff", "Directory <staff> can't be changed this way."), 5,
			"error: Directory <staff> can't be changed this way\n"},
		{"the operator is told the cause", &models.Error{Code: models.StorageFull, Message: "No space.", Err: errors.New("disk I/O error")}, 1,
			"error: No space\nerror: cause: disk I/O error\nhint: make room; nothing was changed\n"},
		{"a name that can't be one", models.Fail(models.InvalidUser, "x", "User x can't be created"), 2, "error: User x can't be created\n"},
		{"a name that is in use", taken(models.Fail(models.InvalidUser, "x", "User already exists"), func() error { return nil }), 6,
			"error: User already exists: x\n"},
		{"a name that is not in use", taken(models.Fail(models.InvalidUser, "x", "no"), func() error { return errors.New("not found") }), 2, "error: no: x\n"},
		{"wrong usage", wrongUsage("try this", "that is wrong"), 2, "error: that is wrong\nhint: try this\n"},
		{"all mistakes in the settings", server.Problems{{From: "a", Text: "1"}, {From: "b", Text: "2"}}, 2,
			"error: a: 1\nerror: b: 2\nhint: docs/configuration.md explains the settings\n"},
		{"the system doesn't permit it", fmt.Errorf("open x: %w", fs.ErrPermission), 5, "error: open x: permission denied\n"},
		{"problems that were told already", errProblems, 1, ""},
		{"anything else", errors.New("no such file"), 1, "error: no such file\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var stderr bytes.Buffer
			p := &program{ran: true, output: output{stderr: &stderr}}
			if got := p.ended(nil, c.err); got != c.exit {
				t.Errorf("want exit code %d, got %d", c.exit, got)
			}
			if stderr.String() != c.said {
				t.Errorf("want on stderr:\n%sgot:\n%s", c.said, &stderr)
			}
		})
	}
}

func TestNearMissesAreGuessed(t *testing.T) {
	t.Parallel()
	known := []string{"directory", "user", "group", "set", "show", "password-stdin"}
	for typed, want := range map[string]string{
		"directry": "directory", "usr": "user", "grp": "group", "pass": "password-stdin", "passwd-stdin": "password-stdin", "banana": "", "x": "",
	} {
		got := didYouMean(typed, known, "")
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("didYouMean(%q) = %q, want %q in it", typed, got, want)
		}
	}
}
