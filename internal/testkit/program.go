package testkit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience is how long a test waits for the real program before it gives up; most of it is
// for a machine that does much else.
const patience = 60 * time.Second

// Binary builds the program, once in a test process and without the race detector, and gives
// its path. It is named rollcall, so that its folder can go into PATH.
func Binary(t testing.TB) string {
	t.Helper()
	needMain(t)
	path, err := buildProgram()
	if err != nil {
		t.Fatalf("build the program: %v", err)
	}
	return path
}

var buildProgram = sync.OnceValues(func() (string, error) {
	dir, err := processDir()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "rollcall")
	return path, build(path, "")
})

// BinaryWith builds the program with build tags, for this test alone.
func BinaryWith(t testing.TB, tags string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rollcall")
	if err := build(path, tags); err != nil {
		t.Fatalf("build the program with %s: %v", tags, err)
	}
	return path
}

func build(path, tags string) error {
	root, err := moduleRoot()
	if err != nil {
		return err
	}
	build := exec.Command("go", "build", "-tags", tags, "-o", path, "./cmd/rollcall")
	build.Dir = root
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}

// A Command is one call of the program from the command line.
type Command struct {
	Args  []string
	Env   []string // NAME=value; of the test's own environment it sees PATH and the like only
	Stdin string
	Dir   string // where it runs; empty: a new folder
}

// A Result is what a command printed and how it ended.
type Result struct {
	Stdout, Stderr string
	Code           int
}

// Run runs a command of the program to its end.
func Run(t testing.TB, env []string, args ...string) Result {
	t.Helper()
	return Command{Args: args, Env: env}.Run(t)
}

// Run runs the command to its end, whatever code that has.
func (c Command) Run(t testing.TB) Result {
	t.Helper()
	program := Binary(t) // a first build may take longer than a command may
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, c.Args...)
	cmd.Env = append(plainEnv(t), c.Env...)
	cmd.Stdin = strings.NewReader(c.Stdin)
	cmd.Dir = c.Dir
	if cmd.Dir == "" {
		cmd.Dir = t.TempDir()
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if _, ended := errors.AsType[*exec.ExitError](err); err != nil && (!ended || ctx.Err() != nil) {
		t.Fatalf("run rollcall %s: %v\n%s", strings.Join(c.Args, " "), err, stderr.String())
	}
	return Result{Stdout: stdout.String(), Stderr: stderr.String(), Code: cmd.ProcessState.ExitCode()}
}

// Must runs the command and fails the test unless it ends with code 0.
func (c Command) Must(t testing.TB) Result {
	t.Helper()
	r := c.Run(t)
	if r.Code != 0 {
		t.Fatalf("rollcall %s: want code 0, got %d\n%s%s", strings.Join(c.Args, " "), r.Code, r.Stdout, r.Stderr)
	}
	return r
}

// plainEnv is an environment as on a fresh machine: none of rollcall's settings, and a home of
// its own.
func plainEnv(t testing.TB) []string {
	t.Helper()
	env := []string{"HOME=" + t.TempDir()}
	for _, name := range []string{"PATH", "TMPDIR", "LANG", "LC_ALL", "TZ", "SYSTEMROOT"} {
		if value, set := os.LookupEnv(name); set {
			env = append(env, name+"="+value)
		}
	}
	return env
}
