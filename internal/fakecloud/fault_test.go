package fakecloud_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
)

func TestTroubles(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		do     fakecloud.Trouble
		status int    // 0: the connection breaks
		body   string // is in it
		broken bool   // it isn't JSON
	}{
		{"throttled", fakecloud.Throttle, 429, "TooManyRequests", false},
		{"unavailable", fakecloud.Unavailable, 503, "ServiceUnavailable", false},
		{"server error", fakecloud.ServerError, 500, "InternalServerError", false},
		{"bad gateway", fakecloud.BadGateway, 502, "BadGateway", false},
		{"gateway timeout", fakecloud.GatewayTimeout, 504, "UnknownError", false},
		{"expired", fakecloud.Expired, 401, "InvalidAuthenticationToken", false},
		{"forbidden", fakecloud.Forbidden, 403, "Authorization_RequestDenied", false},
		{"not found", fakecloud.NotFound, 404, "Request_ResourceNotFound", false},
		{"gone", fakecloud.Gone, 410, "resyncRequired", false},
		{"page for people", fakecloud.HTMLPage, 200, "<html>", true},
		{"nothing", fakecloud.EmptyBody, 200, "", true},
		{"truncated", fakecloud.Truncated, 200, `{"@odata.context"`, true},
		{"wrong type", fakecloud.WrongType, 200, `"value":[`, false},
		{"slow", fakecloud.Slow, 200, `"value":[`, false},
		{"cut", fakecloud.CutBody, 0, "", true},
		{"reset", fakecloud.Reset, 0, "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cloud := startEntra(t, fakecloud.EntraConfig{Gen: fakecloud.Gen{Users: 300}})
			v := visit(t, cloud)
			cloud.Fail(fakecloud.Fault{Method: http.MethodGet, Path: `/v1\.0/users\?`, Nth: 2, Times: 2, Do: c.do, Delay: 50 * time.Millisecond})
			const address = "/users?$select=id&$top=200"
			whole := v.get(address)
			for range 2 {
				began := time.Now()
				r, err := v.do(http.MethodGet, address, "")
				if (err != nil) != (c.status == 0) {
					t.Fatalf("want a broken connection: %v, got %v", c.status == 0, err)
				}
				if err == nil && (r.status != c.status || !strings.Contains(r.body, c.body) || json.Valid([]byte(r.body)) == c.broken) {
					t.Errorf("want %d with %q, got %d %.200s", c.status, c.body, r.status, r.body)
				}
				if c.do == fakecloud.Slow && time.Since(began) < 50*time.Millisecond {
					t.Error("the answer wasn't slow")
				}
				if c.do == fakecloud.WrongType && r.header.Get("Content-Type") != "text/plain" {
					t.Errorf("want text/plain, got %v", r.header)
				}
				if c.do == fakecloud.Gone && r.header.Get("Location") == "" {
					t.Error("410 has no Location")
				}
			}
			if again := v.get(address); again.body == "" || len(again.body) != len(whole.body) {
				t.Errorf("the trouble doesn't end: %d %.200s", again.status, again.body)
			}
		})
	}
}

func TestLinksThatLeadAstray(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/users?$select=id&$top=5", "/users/delta?$select=id", "/groups/delta?$select=id,members"} {
		cloud := startEntra(t, fakecloud.EntraConfig{Gen: fakecloud.Typical(20, 5), PageLimit: 5, DeltaPage: 5})
		v := visit(t, cloud)

		cloud.Fail(fakecloud.Fault{Path: "/v1.0/", Do: fakecloud.RepeatLink, Times: -1})
		first := v.page(path)
		if second := v.page(first.Next); second.Next != first.Next || first.Delta != "" {
			t.Errorf("%s: the link isn't repeated: %s, then %s", path, first.Next, second.Next)
		}

		cloud.Heal()
		cloud.Fail(fakecloud.Fault{Path: "/v1.0/", Do: fakecloud.EmptyPages, Times: -1})
		address, seen := path, map[string]bool{}
		for range 50 {
			p := v.page(address)
			if len(p.Value) != 0 || p.Next == "" || seen[p.Next] {
				t.Fatalf("%s: want an empty page with a new link, got %+v", path, p)
			}
			address = p.Next
			seen[address] = true
		}
		cloud.Heal()
		objects, _, _ := v.all(address)
		whole, _, _ := v.all(path)
		wantSame(t, path+" after empty pages", ids(whole), ids(objects))

		cloud.Fail(fakecloud.Fault{Path: "/v1.0/", Do: fakecloud.ForeignLink, Link: "https://graph.example.test/steal"})
		if next := v.page(path).Next; next != "https://graph.example.test/steal" {
			t.Errorf("%s: want the link that was asked for, got %s", path, next)
		}
	}
}

func TestEventsFallBetweenPages(t *testing.T) {
	t.Parallel()
	cloud := startEntra(t, fakecloud.EntraConfig{Gen: fakecloud.Gen{Users: 20}, PageLimit: 5})
	v := visit(t, cloud)
	cloud.After(`/v1\.0/users\?`, 2, func() {
		cloud.Edit(func(e *fakecloud.Edit) {
			e.DeleteUser(7)  // was shown
			e.DeleteUser(12) // wasn't yet
			e.CreateUser(fakecloud.User{Login: "late"})
		})
	})
	users, _, pages := v.all("/users?$select=id")
	var want []string
	for n := range fakecloud.UserNo(21) {
		if n != 12 {
			want = append(want, cloud.UserID(n))
		}
	}
	wantSame(t, "users", want, ids(users))
	if pages != 4 {
		t.Errorf("want 4 pages, got %d", pages)
	}
}

func TestBatch(t *testing.T) {
	t.Parallel()
	cloud := startEntra(t, fakecloud.EntraConfig{Gen: fakecloud.Typical(100, 10)})
	v := visit(t, cloud)
	cloud.Fail(fakecloud.Fault{Path: cloud.GroupID(1), Do: fakecloud.Throttle, RetryAfter: 7 * time.Second})
	r, err := v.do(http.MethodPost, "/$batch", batchOf(
		"/groups/"+cloud.GroupID(0)+"/members?$select=id&$top=5",
		"/groups/"+cloud.GroupID(1)+"/members?$select=id&$top=5",
		"/groups/11111111-1111-4111-8111-111111111111/members",
		"/users/$count"))
	if err != nil || r.status != http.StatusOK {
		t.Fatal(err, r)
	}
	var body struct {
		Responses []struct {
			ID      string
			Status  int
			Headers map[string]string
			Body    json.RawMessage
		}
	}
	if err := json.Unmarshal([]byte(r.body), &body); err != nil {
		t.Fatal(err, r.body)
	}
	for i, want := range []struct {
		id     string
		status int
		body   string
	}{{"d", 200, `"MTAw"`}, {"c", 404, "Request_ResourceNotFound"}, {"b", 429, "TooManyRequests"}, {"a", 200, cloud.URL + "/v1.0/groups/"}} {
		got := body.Responses[i]
		if got.ID != want.id || got.Status != want.status || !strings.Contains(string(got.Body), want.body) {
			t.Errorf("want %+v, got %+v %s", want, got, got.Body)
		}
		if retry := got.Headers["Retry-After"]; (retry == "7") != (got.Status == 429) {
			t.Errorf("Retry-After of %s is %q", got.ID, retry)
		}
	}
	var first graphPage
	if err := json.Unmarshal(body.Responses[3].Body, &first); err != nil {
		t.Fatal(err)
	}
	rest, _, _ := v.all(first.Next)
	wantSame(t, "members, begun in a batch", memberIDs(cloud, 0), append(ids(first.Value), ids(rest)...))
	if n := cloud.Requests("GET /v1.0/groups/{id}/members"); n < 4 {
		t.Errorf("requests inside a batch aren't counted: %d", n)
	}
}
