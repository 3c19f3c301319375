package google

import (
	"net/http"
	"net/url"
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
		{"as the Directory API says it", `{"error":{"code":404,"message":"Resource Not Found: groupKey","errors":[{"domain":"global","reason":"notFound"}]}}`, true},
		{"as newer back ends say it", `{"error":{"code":404,"message":"Resource Not Found: groupKey","status":"NOT_FOUND"}}`, true},
		{"a proxy's page", "<html>not found</html>", false},
		{"somebody else's JSON", `{"message":"no such route"}`, false},
		{"nothing", "", false},
	} {
		v := judge(cloud.Answer{Status: http.StatusNotFound, Header: http.Header{}, Body: []byte(c.body)})
		v.Err.Status = http.StatusNotFound
		err := problem(&url.Error{Op: "Get", URL: "https://admin.googleapis.com/x?pageToken=y", Err: v.Err})
		if got := gone(err); got != c.want || gone(problem(&url.Error{Err: &noToken{v.Err}})) {
			t.Errorf("%s: want gone %v, got %v", c.name, c.want, got)
		}
	}
}
