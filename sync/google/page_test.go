package google_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
	"github.com/rollcall-id/rollcall/sync/google"
)

// The page for administrators has errors by their exact text.
func TestPageHasTheErrors(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/connect/google.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "\n## Likely errors\n")
	rows := regexp.MustCompile("(?m)^(?:\\||-) `([^`]*)`").FindAllStringSubmatch(table, -1)
	subject := func(may fakecloud.GoogleSubject) func(*fakecloud.GoogleConfig) {
		return func(c *fakecloud.GoogleConfig) { c.Subjects["admin@example.test"] = may }
	}
	refused := func(reason string) fakecloud.Fault {
		return fakecloud.Fault{Path: "/users", Do: fakecloud.Forbidden, Reason: reason, Times: -1}
	}
	causes := []struct {
		set    func(*fakecloud.GoogleConfig)
		option func(*google.Options)
		fault  fakecloud.Fault
	}{
		{set: func(c *fakecloud.GoogleConfig) { c.Scopes = []string{} }},
		{set: subject(fakecloud.GoogleOrdinary)},
		{set: func(c *fakecloud.GoogleConfig) { c.APIOff = true }},
		{set: subject(fakecloud.GoogleDeleted)},
		{set: subject(fakecloud.GoogleSuspended)},
		{option: func(o *google.Options) { o.Credentials = withField(t, o.Credentials, "private_key_id", "old") }},
		{set: func(c *fakecloud.GoogleConfig) { c.Suspended = true }},
		{option: func(o *google.Options) { o.Customer = "C0another" }},
		{fault: refused("quotaExceeded")},
		{fault: refused("dailyLimitExceeded")},
		{fault: fakecloud.Fault{Path: "/users", Do: fakecloud.Expired, Times: -1}},
		{fault: fakecloud.Fault{Path: "/users/", Do: fakecloud.Forbidden, Times: -1}},
	}
	if len(rows) != len(causes) {
		t.Fatalf("want %d errors, got %d", len(causes), len(rows))
	}
	for i, c := range causes {
		cloud, clock := start(t, fakecloud.GoogleConfig{})
		o := options(cloud, clock)
		if c.set != nil {
			cloud.Set(c.set)
		}
		if c.option != nil {
			c.option(&o)
		}
		if c.fault.Do != 0 {
			cloud.Fail(c.fault)
		}
		s := open(t, o)
		_, err := readAll(t.Context(), s)
		if err == nil {
			err = s.UsersByID(t.Context(), []string{cloud.UserID(0)}, nil)
		}
		want := strings.ReplaceAll(regexp.QuoteMeta(rows[i][1]), "…", ".*")
		if err == nil || !regexp.MustCompile(want).MatchString(err.Error()) {
			t.Errorf("the page says %q, and it says %v", rows[i][1], err)
		}
	}
	if !strings.Contains(string(page), fakecloud.GoogleUsersScope+","+fakecloud.GoogleGroupsScope+"\n") {
		t.Error("the page doesn't have the line with the scopes")
	}
}
