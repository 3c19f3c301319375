package store_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A user saw 500 from the older program of a rolling upgrade, once on each connection: "cached plan
// must not change result type".
func TestNoQueryAsksForAllColumns(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	all := regexp.MustCompile(`(?i)(SELECT|RETURNING|DISTINCT|,)\s+(\w+\.)?\*|"\w+\.\*`)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for n, line := range strings.Split(string(text), "\n") {
			// count(*) and Go's own pointers aren't meant.
			if all.MatchString(line) && strings.ContainsAny(line, "`\"") {
				t.Errorf("%s:%d asks for columns that it doesn't know: %s", file, n+1, strings.TrimSpace(line))
			}
		}
	}
}
