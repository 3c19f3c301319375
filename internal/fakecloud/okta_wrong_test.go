package fakecloud_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
)

// Like TestWrongClientsFail, for Okta.
func TestOktaWrongClientsFail(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name      string
		client    func(t *testing.T, v *oktaVisitor) response
		status    int
		code      string // in the answer
		violation string
	}{
		{"builds the address of the next page itself", func(_ *testing.T, v *oktaVisitor) response {
			users, _ := v.page("/api/v1/users?limit=5") // the last id is what a real cursor looks like
			last, _ := users[len(users)-1]["id"].(string)
			return v.get("/api/v1/users?limit=5&after=" + last)
		}, 400, "E0000001", "nobody handed out"},
		{"takes a cursor to another list", func(_ *testing.T, v *oktaVisitor) response {
			_, next := v.page("/api/v1/users?limit=5")
			return v.get(strings.Replace(next, "limit=5", "limit=50", 1))
		}, 400, "E0000001", "nobody handed out"},
		{"comes too late with a cursor", func(_ *testing.T, v *oktaVisitor) response {
			_, next := v.page("/api/v1/users?limit=5")
			v.clock.Advance(25 * time.Hour)
			return v.get(next)
		}, 400, "expired", ""},
		{"counts offsets", func(t *testing.T, v *oktaVisitor) response {
			first := v.get("/api/v1/users?limit=5")
			second := v.get("/api/v1/users?limit=5&offset=5")
			if first.body != second.body {
				t.Error("the second page isn't the first one again")
			}
			return second
		}, 200, "", `the parameter "offset"`},
		{"asks for a page that is too large", func(_ *testing.T, v *oktaVisitor) response {
			return v.get("/api/v1/users?limit=1000")
		}, 400, "E0000001", ""},
		{"comes without a token", func(_ *testing.T, v *oktaVisitor) response {
			v.authorization = ""
			return v.get("/api/v1/users")
		}, 401, "E0000011", "without a token"},
		{"makes a token up", func(_ *testing.T, v *oktaVisitor) response {
			v.authorization = "Bearer 00made-up"
			return v.get("/api/v1/users")
		}, 401, "E0000011", ""},
		{"calls an API token a bearer token", func(_ *testing.T, v *oktaVisitor) response {
			v.authorization = "Bearer " + v.cloud.Token
			return v.get("/api/v1/users")
		}, 401, "E0000011", ""},
		{"sends its token to the host of a link", func(t *testing.T, v *oktaVisitor) response {
			v.cloud.Fail(fakecloud.Fault{Path: "/api/v1/users", Do: fakecloud.ForeignLink})
			_, next := v.page("/api/v1/users?limit=5")
			if !strings.HasPrefix(next, "http://localhost:") {
				t.Errorf("want a link to another host, got %s", next)
			}
			return v.get(next)
		}, 200, "", "isn't the cloud's, with a token"},
		{"doesn't read what remains", func(_ *testing.T, v *oktaVisitor) response {
			v.cloud.Set(func(c *fakecloud.OktaConfig) { c.RateLimit = 2 })
			v.get("/api/v1/users")
			v.get("/api/v1/users")
			return v.get("/api/v1/users")
		}, 429, "E0000047", "after X-Rate-Limit-Remaining: 0"},
		{"comes again before the reset", func(_ *testing.T, v *oktaVisitor) response {
			v.cloud.Fail(fakecloud.Fault{Path: "/api/v1/users", Do: fakecloud.Throttle, RetryAfter: 30 * time.Second})
			v.get("/api/v1/users")
			v.clock.Advance(29 * time.Second)
			return v.get("/api/v1/users")
		}, 200, "", "before the Retry-After"},
		{"waits for a reset by its own clock", func(t *testing.T, v *oktaVisitor) response {
			v.cloud.Set(func(c *fakecloud.OktaConfig) { c.ClockAhead = -10 * time.Minute })
			v.cloud.Fail(fakecloud.Fault{Path: "/api/v1/users", Do: fakecloud.Throttle, RetryAfter: 30 * time.Second})
			if r := v.get("/api/v1/users"); r.header.Get("X-Rate-Limit-Reset") >= "1772452800" { // noon
				t.Errorf("the reset is not in the past: %v", r.header)
			}
			return v.get("/api/v1/users")
		}, 200, "", "before the Retry-After"},
		{"writes its token into the address", func(_ *testing.T, v *oktaVisitor) response {
			return v.get("/api/v1/users/" + v.cloud.Token)
		}, 404, "E0000007", "has a secret in its address"},
		{"filters the log by time", func(_ *testing.T, v *oktaVisitor) response {
			return v.get("/api/v1/logs?" + with("filter", `published gt "2026-03-02T12:00:00Z"`))
		}, 400, "E0000053", ""},
		{"begins the log anew with a cursor", func(_ *testing.T, v *oktaVisitor) response {
			_, next := v.page("/api/v1/logs")
			return v.get(next + "&" + with("since", "2026-03-02T12:00:00Z"))
		}, 400, "since", ""},
		{"thinks of a resource that there isn't", func(_ *testing.T, v *oktaVisitor) response {
			return v.get("/api/v1/people")
		}, 404, "E0000007", ""},
		{"writes", func(t *testing.T, v *oktaVisitor) response {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, v.cloud.URL+"/api/v1/users/"+v.cloud.UserID(0), nil)
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Authorization", v.authorization)
			answer, err := http.DefaultTransport.RoundTrip(request)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			return response{status: answer.StatusCode}
		}, 405, "", ""},
		{"puts the form of a token request into the address", func(_ *testing.T, v *oktaVisitor) response {
			v.post("/oauth2/v1/token?grant_type=client_credentials", url.Values{"grant_type": {"client_credentials"}})
			return v.get("/api/v1/users?limit=1")
		}, 200, "", "belongs into the body"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			v := visitOktaUnchecked(t, fakecloud.OktaConfig{Gen: fakecloud.Gen{Users: 100, Groups: 3}})
			r := c.client(t, v)
			if r.status != c.status || !strings.Contains(r.body, c.code) {
				t.Errorf("want %d with %q, got %d %s", c.status, c.code, r.status, r.body)
			}
			found := strings.Join(v.cloud.Violations(), "\n")
			if (found == "") != (c.violation == "") || !strings.Contains(found, c.violation) {
				t.Errorf("want a violation with %q, got %q", c.violation, found)
			}
		})
	}
}
