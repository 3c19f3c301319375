package okta_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
	"github.com/rollcall-id/rollcall/sync/okta"
)

// Requests are counted by Okta a minute; whoever takes all of them shuts the org's other
// programs out.
func TestRatesAreKeptBeforeTheyAreReached(t *testing.T) {
	t.Parallel()
	for _, ahead := range []time.Duration{0, 10 * time.Minute, -10 * time.Minute} {
		t.Run(ahead.String(), func(t *testing.T) {
			t.Parallel()
			w := start(t, fakecloud.OktaConfig{Gen: fakecloud.Gen{Users: 40, Groups: 150, AvgMembers: 2}, RateLimit: 40, PageLimit: 1, ClockAhead: ahead})
			s := w.source()
			if n := len(users(t, s)); n != 40 {
				t.Errorf("read %d users", n)
			}
			var ids []string
			for _, g := range groups(t, s) {
				ids = append(ids, g.ID)
			}
			if n := len(members(t, s, ids...)); n != 150 {
				t.Errorf("read %d groups", n)
			}
			if stats := s.Stats(); stats.Throttled != 0 || stats.Retried != 0 {
				t.Errorf("Okta had to complain: %+v", stats)
			}
			// 600 requests and more at 40 a minute.
			if w.slept < 10*time.Minute || w.slept > time.Hour {
				t.Errorf("waited %v", w.slept)
			}
		})
	}
}

func TestThrottledRequestsWaitForTheReset(t *testing.T) {
	t.Parallel()
	for _, ahead := range []time.Duration{0, 10 * time.Minute, -10 * time.Minute} {
		w := start(t, fakecloud.OktaConfig{Gen: fakecloud.Gen{Users: 500}, ClockAhead: ahead})
		w.Fail(fakecloud.Fault{Path: "/api/v1/users.*after", Do: fakecloud.Throttle, RetryAfter: 37 * time.Second, Times: 2})
		s := w.source()
		if n := len(users(t, s)); n != 500 {
			t.Errorf("read %d users", n)
		}
		if w.slept < 74*time.Second || w.slept > 80*time.Second || s.Stats().Throttled != 2 {
			t.Errorf("%v ahead: waited %v, %+v", ahead, w.slept, s.Stats())
		}
	}
}

// Of a crowd Okta says no time to wait for: the reset is a minute off and means nothing.
func TestACrowdBacksOffBriefly(t *testing.T) {
	t.Parallel()
	w := start(t, fakecloud.OktaConfig{Gen: fakecloud.Gen{Users: 5}})
	w.Fail(fakecloud.Fault{Path: "/api/v1/users", Do: fakecloud.Throttle})
	s := w.source()
	if n := len(users(t, s)); n != 5 || w.slept == 0 || w.slept > 10*time.Second || s.Stats().Throttled != 1 {
		t.Errorf("read %d users after %v, %+v", n, w.slept, s.Stats())
	}
}

// Whoever was deleted is asked for one by one, and each 404 counts as a request, too.
func TestRefusalsTellRatesToo(t *testing.T) {
	t.Parallel()
	w := start(t, fakecloud.OktaConfig{Gen: fakecloud.Gen{Users: 120}, RateLimit: 40})
	cursor := begin(t, w.source())
	w.clock.Advance(time.Hour)
	w.Edit(func(e *fakecloud.Edit) {
		for u := range fakecloud.UserNo(100) {
			e.PurgeUser(u)
		}
	})
	s := w.source()
	if all, _ := changes(t, s, cursor); len(all.GoneUsers) != 100 {
		t.Errorf("%d users are gone", len(all.GoneUsers))
	}
	if stats := s.Stats(); stats.Throttled != 0 {
		t.Errorf("Okta had to complain: %+v", stats)
	}
}

// What stands between us and Okta may throttle, too, in its own way; and its clock may be off, so
// that the time of the reset is always past.
func TestThrottledInOtherWays(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		tell   func(h http.Header)
		refuse time.Duration // for how long
		most   time.Duration // that it may take
	}{
		{"a gateway", func(h http.Header) { h.Set("Retry-After", "90") }, 89 * time.Second, 90 * time.Second},
		{"a reset that is past", func(h http.Header) {
			h.Set("Date", noon.Add(5*time.Minute).Format(http.TimeFormat))
			h.Set("X-Rate-Limit-Limit", "300")
			h.Set("X-Rate-Limit-Remaining", "0")
			h.Set("X-Rate-Limit-Reset", strconv.FormatInt(noon.Unix(), 10))
		}, time.Minute, 3 * time.Minute},
	} {
		w := &world{t: t, clock: fakecloud.NewClock(noon)}
		server := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, _ *http.Request) {
			if w.clock.Now().Before(noon.Add(c.refuse)) {
				c.tell(out.Header())
				out.WriteHeader(http.StatusTooManyRequests)
				return
			}
			fmt.Fprint(out, `[{"id":"00u1","status":"ACTIVE"}]`)
		}))
		t.Cleanup(server.Close)
		s, err := okta.New(okta.Options{OrgURL: server.URL, Token: "00abc", Now: w.clock.Now, Sleep: w.sleep})
		if err != nil {
			t.Fatal(err)
		}
		if n := len(users(t, s)); n != 1 || w.slept > c.most {
			t.Errorf("%s: read %d users after %v", c.name, n, w.slept)
		}
	}
}
