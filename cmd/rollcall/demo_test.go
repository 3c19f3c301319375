package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/rollcall-id/rollcall/internal/testkit"
)

// startDemo runs `rollcall serve --demo` in dir and gives the lines to paste that it prints.
func startDemo(t *testing.T, dir string) (lines []string, stop func()) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), testkit.Binary(t), "serve", "--demo", "--listen", "127.0.0.1:0", "--management-listen", "127.0.0.1:0")
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "ROLLCALL_ARGON_MEMORY=64KiB", "ROLLCALL_ARGON_TIME=1", "ROLLCALL_DRAIN_TIME=0s"}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := bufio.NewScanner(out)
	for want := 2 * len(demoLines); want > 0 && said.Scan(); {
		if strings.HasPrefix(said.Text(), "curl ") {
			lines = append(lines, said.Text())
			want--
		}
	}
	return lines, func() {
		t.Helper()
		if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
			t.Error(err)
		}
		_, _ = io.Copy(io.Discard, out)
		if err := cmd.Wait(); err != nil {
			t.Errorf("the demo ended with %v\n%s", err, &stderr)
		}
	}
}

func TestDemoLinesWorkWhenPasted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	passwords := map[string]bool{}
	for range 2 { // the second one begins anew: the users of the first one's lines are gone
		lines, stop := startDemo(t, dir)
		if len(lines) != 2*len(demoLines) {
			t.Errorf("want %d lines to paste, got %d", 2*len(demoLines), len(lines))
		}
		for _, line := range lines {
			passwords[regexp.MustCompile(`-u demo:(\w+)`).FindString(line)] = true
			out, err := exec.CommandContext(t.Context(), "sh", "-c", line).CombinedOutput()
			if err != nil {
				t.Errorf("%s\nended with %v: %s", line, err, out)
			}
			if strings.Contains(line, "nested") && (!bytes.Contains(out, []byte("everyone")) && !bytes.Contains(out, []byte("grace")) || bytes.Contains(out, []byte("sales"))) {
				t.Errorf("%s\nanswered %s", line, out)
			}
		}
		stop()
	}
	if len(passwords) != 2 {
		t.Errorf("want another password at each start, got %d", len(passwords))
	}
}

func TestDemoIsForThisMachineOnly(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, listen := range []string{"0.0.0.0:0", ":0", "192.0.2.1:8095"} {
		r := testkit.Command{Args: []string{"serve", "--demo", "--listen", listen}, Dir: dir}.Run(t)
		if r.Code != exitUsage || !strings.Contains(r.Stderr, "the demo listens on loopback only") {
			t.Errorf("--listen %s: want exit code 2 and why, got %d\n%s", listen, r.Code, r.Stderr)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "data")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a refused demo made its database all the same (%v)", err)
	}
}
