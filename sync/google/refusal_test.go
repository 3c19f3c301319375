package google

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/rollcall-id/rollcall/sync/cloud"
)

// What isn't there is removed here, so that only Google's own word for it counts.
func TestGoneIsGooglesWord(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, body string
		want       bool
	}{
		{"a deleted user who can be restored", `{"error":{"code":412,"message":"User is deleted.","errors":[{"domain":"global","reason":"conditionNotMet"}]}}`, true},
		{"another condition", `{"error":{"code":412,"message":"Precondition Failed","errors":[{"domain":"global","reason":"conditionNotMet"}]}}`, false},
		{"a user who was deleted, in a proxy's words", `deleted`, false},
		{"as the Directory API says it", `{"error":{"code":404,"message":"Resource Not Found: groupKey","errors":[{"domain":"global","reason":"notFound"}]}}`, true},
		{"as newer back ends say it", `{"error":{"code":404,"message":"Resource Not Found: groupKey","status":"NOT_FOUND"}}`, true},
		{"a proxy's page", "<html>not found</html>", false},
		{"somebody else's JSON", `{"message":"no such route"}`, false},
		{"nothing", "", false},
	} {
		status := http.StatusNotFound
		if strings.Contains(c.body, "412") {
			status = http.StatusPreconditionFailed
		}
		v := judge(cloud.Answer{Status: status, Header: http.Header{}, Body: []byte(c.body)})
		v.Err.Status = status
		err := problem(&url.Error{Op: "Get", URL: "https://admin.googleapis.com/x?pageToken=y", Err: v.Err})
		if got := gone(err); got != c.want || gone(problem(&url.Error{Err: &cloud.NoToken{Err: v.Err}})) {
			t.Errorf("%s: want gone %v, got %v", c.name, c.want, got)
		}
	}
}

// What newer back ends say has the meaning, and the way out, of the older word.
func TestNewerErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status int
		body   string
		code   string
		act    cloud.Act
	}{
		{http.StatusForbidden, `{"error":{"code":403,"message":"Not Authorized","status":"PERMISSION_DENIED"}}`, "forbidden", cloud.Fail},
		{http.StatusForbidden, `{"error":{"code":403,"message":"off","status":"PERMISSION_DENIED","details":[{"reason":"SERVICE_DISABLED"}]}}`, "accessNotConfigured", cloud.Fail},
		{http.StatusForbidden, `{"error":{"code":403,"message":"scopes","status":"PERMISSION_DENIED","details":[{"reason":"ACCESS_TOKEN_SCOPE_INSUFFICIENT"}]}}`, "insufficientPermissions", cloud.Fail},
		{http.StatusForbidden, `{"error":{"code":403,"message":"too fast","status":"PERMISSION_DENIED","details":[{"reason":"RATE_LIMIT_EXCEEDED"}]}}`, "rateLimitExceeded", cloud.Retry},
		{http.StatusUnauthorized, `{"error":{"code":401,"message":"old","status":"UNAUTHENTICATED"}}`, "authError", cloud.Renew},
		{http.StatusBadRequest, `{"error":{"code":400,"message":"customer","status":"INVALID_ARGUMENT"}}`, "invalid", cloud.Fail},
	} {
		v := judge(cloud.Answer{Status: c.status, Header: http.Header{}, Body: []byte(c.body)})
		if v.Err.Code != c.code || v.Act != c.act || (v.Err.Hint == "") != (c.act == cloud.Retry) {
			t.Errorf("%s: want %s, got %+v with %q", c.body, c.code, v, v.Err.Hint)
		}
	}
}

// Google allows 40 requests a second; a fake on this machine has no quota.
func TestRequestsStayBelowTheQuota(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		asked float64
		root  string
		want  float64
	}{
		{0, PublicDirectory, 35}, {10, PublicDirectory, 10}, {0, "http://127.0.0.1:9702", 0}, {10, "http://127.0.0.1:9702", 10},
	} {
		root, err := cloud.Address("directory-url", c.root)
		if got := perSecond(c.asked, root); err != nil || got != c.want {
			t.Errorf("%s, asked for %v: want %v, got %v, %v", c.root, c.asked, c.want, got, err)
		}
	}
}
