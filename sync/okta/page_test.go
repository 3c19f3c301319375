package okta_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
	dirsync "github.com/rollcall-id/rollcall/sync"
	"github.com/rollcall-id/rollcall/sync/okta"
)

// Administrators look for the text that they see: the page of likely errors has it letter by
// letter.
func TestThePageHasTheErrorsAsTheyAre(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/connect/okta.md")
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(page), "\n## Likely errors\n")
	var told []string
	for _, c := range []struct {
		cloud fakecloud.OktaConfig
		as    func(*okta.Options)
		fault fakecloud.Fault
	}{
		{as: func(o *okta.Options) { o.Token = "00wrong" }},
		{as: asApp(ecWebKey()), fault: fakecloud.Fault{Path: "/api/v1/users", Do: fakecloud.Forbidden, Times: -1}},
		{as: asApp(ecWebKey()), cloud: fakecloud.OktaConfig{Blind: true}},
		{as: asApp(ecWebKey()), cloud: fakecloud.OktaConfig{NeedsDPoP: true}},
		{as: asApp(ecWebKey()), fault: fakecloud.Fault{Path: "/api/v1/users", Do: fakecloud.ForeignLink, Times: -1}},
		{as: asApp(ecWebKey()), fault: fakecloud.Fault{Path: "/api/v1/users", Do: fakecloud.Throttle, RetryAfter: time.Minute, Times: -1}},
	} {
		w := start(t, app(c.cloud))
		if c.fault.Do != 0 {
			w.Fail(c.fault)
		}
		s := w.source(c.as)
		r, err := s.Check(t.Context())
		told = append(told, r.Missing...)
		if err == nil {
			err = s.Users(t.Context(), "", func([]dirsync.User, dirsync.Checkpoint) error { return nil })
		}
		if err != nil {
			told = append(told, err.Error())
		}
	}
	all := strings.Join(told, "\n")
	rows := 0
	for _, row := range regexp.MustCompile("(?m)^(?:\\| (`.*?`) \\| |- (`.*?`): )").FindAllStringSubmatch(list, -1) {
		rows++
		for _, text := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(row[1]+row[2], -1) {
			pattern := strings.ReplaceAll(regexp.QuoteMeta(text[1]), "…", `\S+`)
			if !regexp.MustCompile(pattern).MatchString(all) {
				t.Errorf("nothing says %q; these were said:\n%s", text[1], all)
			}
		}
	}
	if rows != 5 {
		t.Errorf("the page has %d likely errors", rows)
	}
}
