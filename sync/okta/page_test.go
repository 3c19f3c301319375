package okta_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
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
	} {
		w := start(t, app(c.cloud))
		if c.fault.Do != 0 {
			w.Fail(c.fault)
		}
		r, err := w.source(c.as).Check(t.Context())
		if err != nil {
			told = append(told, err.Error())
		}
		told = append(told, r.Missing...)
	}
	all := strings.Join(told, "\n")
	rows := 0
	for _, row := range regexp.MustCompile("(?m)^\\| (`.*) \\| ").FindAllStringSubmatch(list, -1) {
		rows++
		first, _, _ := strings.Cut(row[1], " | ")
		for _, text := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(first, -1) {
			pattern := strings.ReplaceAll(regexp.QuoteMeta(text[1]), "…", `\S+`)
			if !regexp.MustCompile(pattern).MatchString(all) {
				t.Errorf("nothing says %q; these were said:\n%s", text[1], all)
			}
		}
	}
	if rows != 3 {
		t.Errorf("the page has %d likely errors", rows)
	}
}
