package testkit

import (
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

var update = flag.Bool("update", false, "write the golden files of testdata anew")

// A Replace puts a fixed text where an answer differs from run to run.
type Replace struct {
	Pattern *regexp.Regexp
	With    string // may use $1
}

// What commonly differs from run to run.
var (
	// UUIDs are those of external ids, which rows without a source of their own get at random.
	UUIDs = Replace{regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`), "<uuid>"}
	// Dates are those of XML; a test with a Clock can leave them as they are.
	Dates = Replace{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)`), "<date>"}
	// Millis are the dates of JSON.
	Millis = Replace{regexp.MustCompile(`\b1[5-9]\d{11}\b`), "<millis>"}
	// Tokens are the values of "token" elements and members.
	Tokens = Replace{regexp.MustCompile(`(<token>|"token":")[^<"]*`), "${1}<token>"}
)

// Golden compares got with the golden file of the running test: testdata/<test>/<subtest>.golden,
// in which the names of databases don't count. No file means an empty text.
func Golden(t testing.TB, got string) {
	t.Helper()
	path := goldenPath(t.Name())
	if *update {
		writeGolden(t, path, got)
		return
	}
	want, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	if string(want) != got {
		Diff(t, path, string(want), got)
	}
}

func writeGolden(t testing.TB, path, got string) {
	t.Helper()
	if got == "" {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		return
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
		t.Fatal(err)
	}
}

// goldenPath makes a file's name of a test's: TestUserGroups/sqlite/another_spelling becomes
// testdata/user-groups/another-spelling.golden.
func goldenPath(test string) string {
	elements := strings.Split(strings.TrimPrefix(test, "Test"), "/")
	elements = slices.DeleteFunc(elements, func(e string) bool { return e == SQLite || e == Postgres })
	for i, e := range elements {
		elements[i] = fileName(e)
	}
	return filepath.Join("testdata", filepath.Join(elements...)+".golden")
}

// fileName writes a name in lower case with "-" between its words.
func fileName(name string) string {
	var b strings.Builder
	gap, lower := false, false
	for _, r := range name {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			gap = b.Len() > 0
			continue
		case gap, unicode.IsUpper(r) && lower:
			b.WriteByte('-')
		}
		b.WriteRune(unicode.ToLower(r))
		gap, lower = false, !unicode.IsUpper(r)
	}
	return b.String()
}
