package google_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
)

// The page for administrators has errors by their exact text.
func TestPageHasTheErrors(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/connect/google.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "\n## Likely errors\n")
	rows := regexp.MustCompile("(?m)^\\| `([^`]*)`").FindAllStringSubmatch(table, -1)
	causes := []func(*fakecloud.GoogleConfig){
		func(c *fakecloud.GoogleConfig) { c.Scopes = []string{} },
		func(c *fakecloud.GoogleConfig) { c.Subjects["admin@example.test"] = fakecloud.GoogleOrdinary },
		func(c *fakecloud.GoogleConfig) { c.APIOff = true },
	}
	if len(rows) != len(causes) {
		t.Fatalf("want %d errors, got %d", len(causes), len(rows))
	}
	for i, cause := range causes {
		cloud, clock := start(t, fakecloud.GoogleConfig{})
		cloud.Set(cause)
		_, err := readAll(t.Context(), source(t, cloud, clock))
		want := strings.ReplaceAll(regexp.QuoteMeta(rows[i][1]), "…", ".*")
		if err == nil || !regexp.MustCompile(want).MatchString(err.Error()) {
			t.Errorf("the page says %q, and it says %v", rows[i][1], err)
		}
	}
	if !strings.Contains(string(page), fakecloud.GoogleUsersScope+","+fakecloud.GoogleGroupsScope+"\n") {
		t.Error("the page doesn't have the line with the scopes")
	}
}
