package crowd

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rollcall-id/rollcall/models"
)

// Atlassian's client reads a reason that it doesn't know as none, and calls the failure an
// unknown one.
func TestQuirk48ReasonsAreOfTheClosedList(t *testing.T) {
	t.Parallel()
	for code, said := range answers {
		if said.reason != "" && !slices.Contains(reasons, said.reason) {
			t.Errorf("%s has the reason %q in the table", code, said.reason)
		}
		for _, subject := range []string{"", "ada"} {
			failure := models.Fail(code, subject, "")
			for _, err := range []error{failure, inBody(failure, code, "ada"), fmt.Errorf("wrapped: %w", failure)} {
				got := refuse(caller(t), err)
				if (got.Reason == "") != (got.Entity == nil) || got.Reason != "" && !slices.Contains(reasons, got.Reason) {
					t.Errorf("%s of %q is refused with the reason %q", code, subject, got.Reason)
				}
			}
		}
	}
	// Resources that answer otherwise than the table have their reason from there too.
	word := regexp.MustCompile(`"[A-Z]+(_[A-Z]+)+"`)
	modes := []string{`"EXACTLY_MATCHES"`, `"STARTS_WITH"`, `"ENDS_WITH"`, `"GREATER_THAN"`, `"LESS_THAN"`} // of searches
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatal("there are no files:", err)
	}
	for _, file := range files {
		if file == "errors.go" || strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range word.FindAllString(string(text), -1) {
			if !slices.Contains(modes, found) {
				t.Errorf("%s spells the reason %s itself", file, found)
			}
		}
	}
}
