package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rollcall-id/rollcall/internal/testkit"
)

// What README says about a synchronisation without an account is pasted here, line by line, but
// for the port: that one may be taken.
func TestReadmeSyncLinesWorkWhenPasted(t *testing.T) {
	t.Parallel()
	testkit.EachEmptyDatabase(t, func(t *testing.T, db testkit.Database) {
		play, lines := readmeSyncLines(t)
		dir := t.TempDir()
		if err := os.Mkdir(filepath.Join(dir, "bin"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(testkit.Binary(t), filepath.Join(dir, "bin/rollcall")); err != nil {
			t.Fatal(err)
		}
		said, _, stop := startDemoCloud(t, dir, strings.Fields(play)[2:]...)
		defer stop()
		address := regexp.MustCompile(`127\.0\.0\.1:\d+`).FindString(said)
		var out string
		for _, line := range lines {
			out = paste(t, db, dir, strings.ReplaceAll(line, "127.0.0.1:9701", address))
		}
		if !strings.Contains(out, "outcome:        applied") || !strings.Contains(out, "5000 created") {
			t.Errorf("the last line prints\n%s", out)
		}
	})
}

// readmeSyncLines gives the line that plays a cloud and those that sync from it.
func readmeSyncLines(t *testing.T) (play string, lines []string) {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, part, _ := strings.Cut(string(text), "\n## Try a synchronisation\n")
	part, _, _ = strings.Cut(part, "\n## ")
	for line := range strings.SplitSeq(part, "\n") {
		if strings.HasPrefix(line, "bin/rollcall demo-cloud ") {
			play = line
		} else if strings.HasPrefix(line, "bin/rollcall ") {
			lines = append(lines, line)
		}
	}
	if play == "" || len(lines) != 3 {
		t.Fatalf("README plays with %q and has %d lines to paste, want 3", play, len(lines))
	}
	return play, lines
}
