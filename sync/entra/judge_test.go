package entra

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	dirsync "github.com/rollcall-id/rollcall/sync"
	"github.com/rollcall-id/rollcall/sync/cloud"
)

func TestGraphsHintAtThrottlingSlowsUsDown(t *testing.T) {
	t.Parallel()
	for used, want := range map[string]bool{"": false, "0.5": false, "0.8": true, "1.4": true, "much": false} {
		a := cloud.Answer{Status: http.StatusOK, Header: http.Header{"X-Ms-Throttle-Limit-Percentage": {used}}}
		if v := judge(a); v.Slower != want || v.Act != cloud.Accept {
			t.Errorf("%q: want slower %v, got %+v", used, want, v)
		}
	}
}

func TestOutdatedLinksWantAFullRead(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		given cloud.Error
		want  bool
	}{
		{cloud.Error{Status: 410, Code: "resyncRequired"}, true},
		{cloud.Error{Status: 410}, true},
		{cloud.Error{Status: 400, Code: "syncStateNotFound"}, true},
		{cloud.Error{Status: 400, Code: "SyncStateInvalid"}, true},
		{cloud.Error{Status: 400, Code: "BadRequest", Said: "The deltaToken is too old"}, true},
		{cloud.Error{Status: 400, Code: "Directory_ExpiredPageToken"}, true},
		{cloud.Error{Status: 404, Code: "UnknownError"}, true},
		{cloud.Error{Status: 403, Code: "Authorization_RequestDenied"}, false},
		{cloud.Error{Status: 503}, false},
	} {
		var full *dirsync.FullRead
		if got := errors.As(expired(&c.given), &full); got != c.want {
			t.Errorf("%v: want a full read %v, got %v", &c.given, c.want, got)
		}
	}
}

func TestAnApplicationThatTheTenantDoesntKnowIsNamed(t *testing.T) {
	t.Parallel()
	v := judge(cloud.Answer{Status: http.StatusUnauthorized, Header: http.Header{}, Body: []byte(`{"error":{"code":"Authorization_IdentityNotFound","message":"The identity of the calling application could not be established."}}`)})
	if v.Act != cloud.Renew || !strings.Contains(v.Err.Hint, "consent") {
		t.Errorf("want another token, then the way out, got %+v, %v", v, v.Err)
	}
}

// What isn't there is removed here, so that only Graph's own word for it counts.
func TestGoneIsGraphsWord(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, body string
		want       bool
	}{
		{"as Graph says it", `{"error":{"code":"Request_ResourceNotFound","message":"Resource '1' does not exist or one of its queried reference-property objects are not present."}}`, true},
		{"another version of Graph", `{"error":{"code":"ResourceNotFound","message":"Invalid version: groups"}}`, false},
		{"a proxy's page", "<html>not found</html>", false},
		{"somebody else's JSON", `{"message":"no such route"}`, false},
		{"nothing", "", false},
	} {
		v := judge(cloud.Answer{Status: http.StatusNotFound, Header: http.Header{}, Body: []byte(c.body)})
		v.Err.Status = http.StatusNotFound
		if got := gone(fmt.Errorf("read: %w", v.Err)); got != c.want {
			t.Errorf("%s: want gone %v, got %v", c.name, c.want, got)
		}
		if gone(fmt.Errorf("read: %w", &cloud.NoToken{Err: v.Err})) {
			t.Errorf("%s, of the token endpoint: want it not gone", c.name)
		}
	}
}
