package fakecloud_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
)

// A client that is wrong must fail here, or whatever passes here proves nothing. Each case is a
// client that does one thing wrong; beside it stands what it gets for that: a refusal, a
// violation, or data that are no good.
func TestWrongClientsFail(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name      string
		client    func(t *testing.T, cloud *fakecloud.Entra, v *visitor) response
		status    int
		code      string // in the answer
		violation string
	}{
		{"builds the address of the next page itself", func(t *testing.T, _ *fakecloud.Entra, v *visitor) response {
			return v.get("/users?$select=id&$top=5&$skiptoken=UEFHRTI")
		}, 400, "Request_BadRequest", "not one that was handed out"},
		{"takes a token to another address", func(t *testing.T, _ *fakecloud.Entra, v *visitor) response {
			next := v.page("/users?$select=id&$top=5").Next
			return v.get(strings.Replace(next, "$top=5", "$top=50", 1))
		}, 400, "Request_BadRequest", "not one that was handed out"},
		{"puts the options of a link in another order", func(t *testing.T, _ *fakecloud.Entra, v *visitor) response {
			next := v.page("/users?$select=id&$top=5").Next
			options, token, _ := strings.Cut(strings.TrimPrefix(next, v.cloud.GraphURL()+"/users?"), "&$skiptoken=")
			return v.get("/users?$skiptoken=" + token + "&" + options)
		}, 400, "Request_BadRequest", "not one that was handed out"},
		{"takes a delta link for a page link", func(t *testing.T, _ *fakecloud.Entra, v *visitor) response {
			_, delta, _ := v.all("/users/delta?$select=id")
			return v.get(strings.Replace(delta, "$deltatoken", "$skiptoken", 1))
		}, 400, "Request_BadRequest", "not one that was handed out"},
		{"asks for other fields with a delta link", func(t *testing.T, _ *fakecloud.Entra, v *visitor) response {
			_, delta, _ := v.all("/users/delta?$select=id")
			return v.get(delta + "&$select=displayName")
		}, 400, "Request_BadRequest", "not one that was handed out"},
		{"comes without a token", func(t *testing.T, _ *fakecloud.Entra, v *visitor) response {
			v.token = ""
			return v.get("/users?$select=id")
		}, 401, "InvalidAuthenticationToken", "without a token"},
		{"makes a token up", func(t *testing.T, _ *fakecloud.Entra, v *visitor) response {
			v.token = "eyJhbGciOiJub25lIn0.e30."
			return v.get("/users?$select=id")
		}, 401, "InvalidAuthenticationToken", "nobody issued"},
		{"goes on with a token that has expired", func(t *testing.T, cloud *fakecloud.Entra, v *visitor) response {
			cloud.Set(func(c *fakecloud.EntraConfig) { c.TokenLife = time.Nanosecond })
			v.renew()
			return v.get("/users?$select=id")
		}, 401, "InvalidAuthenticationToken", ""},
		{"comes again before Retry-After has passed", func(t *testing.T, cloud *fakecloud.Entra, v *visitor) response {
			cloud.Fail(fakecloud.Fault{Path: "/v1.0/users", Do: fakecloud.Throttle, RetryAfter: 2 * time.Second})
			if r := v.get("/users?$select=id"); r.status != http.StatusTooManyRequests || r.header.Get("Retry-After") != "2" {
				t.Errorf("want 429 with Retry-After, got %d %v", r.status, r.header)
			}
			return v.get("/users?$select=id")
		}, 200, "", "before the Retry-After"},
		{"asks for a thousand", func(t *testing.T, _ *fakecloud.Entra, v *visitor) response {
			return v.get("/users?$select=id&$top=1000")
		}, 400, "Invalid page size specified: '1000'. Must be between 1 and 999 inclusive.", "Invalid page size"},
		{"asks for $top of a delta query", func(t *testing.T, _ *fakecloud.Entra, v *visitor) response {
			return v.get("/users/delta?$select=id&$top=100")
		}, 400, "$top", "$top"},
		{"skips", func(t *testing.T, _ *fakecloud.Entra, v *visitor) response {
			return v.get("/users?$select=id&$skip=100")
		}, 400, "$skip", "$skip"},
		{"ignores $select and takes everybody for disabled", func(t *testing.T, _ *fakecloud.Entra, v *visitor) response {
			for _, u := range v.page("/users").Value {
				if u["accountEnabled"] != nil || u["userType"] != nil || u["displayName"] == nil {
					t.Errorf("want the fields that come without $select, got %v", u)
				}
			}
			return v.get("/users")
		}, 200, "", ""},
		{"selects less than it reads", func(t *testing.T, _ *fakecloud.Entra, v *visitor) response {
			for _, u := range v.page("/users?$select=id,accountEnabled").Value {
				if len(u) != 2 {
					t.Errorf("want an id and accountEnabled, got %v", u)
				}
			}
			return v.get("/users?$select=id,nonsense")
		}, 400, "nonsense", "nonsense"},
		{"selects what is kept elsewhere", func(t *testing.T, _ *fakecloud.Entra, v *visitor) response {
			return v.get("/users?$select=id,aboutMe")
		}, 501, "NotImplemented", ""},
		{"sends its token to the host of a link", func(t *testing.T, cloud *fakecloud.Entra, v *visitor) response {
			cloud.Fail(fakecloud.Fault{Path: "/v1.0/users", Do: fakecloud.ForeignLink})
			next := v.page("/users?$select=id").Next
			if strings.HasPrefix(next, cloud.URL) || !strings.HasPrefix(next, "http://localhost:") {
				t.Errorf("want a link to another host, got %s", next)
			}
			return v.get(next)
		}, 200, "", "isn't the cloud's, with a token"},
		{"narrows to a type without ConsistencyLevel", func(t *testing.T, cloud *fakecloud.Entra, v *visitor) response {
			return v.get("/groups/" + cloud.GroupID(0) + "/members/microsoft.graph.user?$select=id")
		}, 400, "Request_UnsupportedQuery", ""},
		{"drops ConsistencyLevel on the second page", func(t *testing.T, cloud *fakecloud.Entra, v *visitor) response {
			v.header.Set("ConsistencyLevel", "eventual")
			next := v.page("/groups/" + cloud.GroupID(0) + "/members/microsoft.graph.user?$select=id&$top=5&$count=true").Next
			v.header.Del("ConsistencyLevel")
			return v.get(next)
		}, 400, "Request_UnsupportedQuery", ""},
		{"filters by inequality without ConsistencyLevel", func(t *testing.T, _ *fakecloud.Entra, v *visitor) response {
			return v.get("/users?$filter=userType%20ne%20'Guest'&$select=id")
		}, 400, "Request_UnsupportedQuery", ""},
		{"counts without ConsistencyLevel", func(t *testing.T, _ *fakecloud.Entra, v *visitor) response {
			return v.get("/users/$count")
		}, 400, "Request_UnsupportedQuery", ""},
		{"writes its token into the address", func(t *testing.T, _ *fakecloud.Entra, v *visitor) response {
			return v.get("/users/" + v.token)
		}, 404, "Request_ResourceNotFound", "has a secret in its address"},
		{"has 21 requests in a batch", func(t *testing.T, _ *fakecloud.Entra, v *visitor) response {
			r, err := v.do(http.MethodPost, "/$batch", batchOf(make([]string, 21)...))
			if err != nil {
				t.Fatal(err)
			}
			return r
		}, 400, "between 1 and 20", "between 1 and 20"},
		{"filters a delta query by 51 ids", func(t *testing.T, _ *fakecloud.Entra, v *visitor) response {
			ids := strings.TrimSuffix(strings.Repeat("id%20eq%20'a'%20or%20", 51), "%20or%20")
			return v.get("/groups/delta?$select=id&$filter=" + ids)
		}, 400, "50", "50"},
		{"comes too late with a page link", func(t *testing.T, cloud *fakecloud.Entra, v *visitor) response {
			next := v.page("/users?$select=id&$top=5").Next
			cloud.Set(func(c *fakecloud.EntraConfig) { c.LinkLife = -2 * time.Second })
			return v.get(next)
		}, 400, "Directory_ExpiredPageToken", ""},
		{"thinks of a resource that there isn't", func(t *testing.T, _ *fakecloud.Entra, v *visitor) response {
			return v.get("/people")
		}, 400, "BadRequest", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cloud := startUnchecked(t, fakecloud.EntraConfig{Gen: fakecloud.Typical(100, 10)})
			r := c.client(t, cloud, visit(t, cloud))
			if r.status != c.status || !strings.Contains(r.body, c.code) {
				t.Errorf("want %d with %q, got %d %s", c.status, c.code, r.status, r.body)
			}
			found := strings.Join(cloud.Violations(), "\n")
			if (found == "") != (c.violation == "") || !strings.Contains(found, c.violation) {
				t.Errorf("want a violation with %q, got %q", c.violation, found)
			}
		})
	}
}

func TestGoodManners(t *testing.T) {
	t.Parallel()
	clock := fakecloud.NewClock(time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC))
	cloud := startEntra(t, fakecloud.EntraConfig{Gen: fakecloud.Gen{Users: 20}, Now: clock.Now, TokenLife: time.Minute})
	v := visit(t, cloud)
	cloud.Fail(fakecloud.Fault{Path: `/v1\.0/users\?`, Do: fakecloud.Throttle, RetryAfter: 7 * time.Second, Times: 2})
	for range 2 {
		if r := v.get("/users?$select=id"); r.status != http.StatusTooManyRequests {
			t.Fatalf("want 429, got %d", r.status)
		}
		v.get("/users/" + cloud.UserID(1) + "?$select=id") // another address meanwhile: counted, not condemned
		clock.Advance(7 * time.Second)
	}
	if r := v.get("/users?$select=id"); r.status != http.StatusOK {
		t.Errorf("want 200 after the wait, got %d", r.status)
	}
	clock.Advance(time.Minute)
	if r := v.get("/users?$select=id"); r.status != http.StatusUnauthorized {
		t.Errorf("want 401 with a token that is too old, got %d", r.status)
	}
	v.renew()
	if r := v.get("/users?$select=id"); r.status != http.StatusOK {
		t.Errorf("want 200 with the next one, got %d", r.status)
	}
	cloud.RevokeTokens()
	if r := v.get("/users?$select=id"); r.status != http.StatusUnauthorized || !strings.Contains(r.header.Get("WWW-Authenticate"), "insufficient_claims") {
		t.Errorf("want 401 with a challenge, got %d %v", r.status, r.header)
	}
	if n := cloud.WhileThrottled(); n != 2 {
		t.Errorf("want 2 requests meanwhile, got %d", n)
	}
	if all, users := cloud.Requests(""), cloud.Requests("GET /v1.0/users"); all != 10 || users != 6 {
		t.Errorf("want 10 requests, 6 for users, got %d and %d", all, users)
	}
	log := cloud.RecentRequests()
	if last := log[len(log)-1]; last.Status != 401 || last.Endpoint != "GET /v1.0/users" || log[1].Fault != fakecloud.Throttle {
		t.Errorf("the log has %+v", log)
	}
	if cloud.MostAtOnce() != 1 {
		t.Errorf("want one request at a time, got %d", cloud.MostAtOnce())
	}
	cloud.ForgetRequests()
	if cloud.Requests("") != 0 || len(cloud.RecentRequests()) != 0 {
		t.Error("the log isn't empty")
	}
}

// batchOf makes the body of a batch that gets addresses.
func batchOf(addresses ...string) string {
	var body struct {
		Requests []map[string]any `json:"requests"`
	}
	for i, address := range addresses {
		body.Requests = append(body.Requests, map[string]any{"id": string(rune('a' + i)), "method": "GET", "url": address,
			"headers": map[string]string{"ConsistencyLevel": "eventual"}})
	}
	data, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	return string(data)
}
