package entra

import (
	"errors"
	"net/http"
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
		{cloud.Error{Status: 400, Code: "Request_BadRequest", Said: "Could not find a property named 'x'"}, false},
		{cloud.Error{Status: 403, Code: "Authorization_RequestDenied"}, false},
		{cloud.Error{Status: 503}, false},
	} {
		var full *dirsync.FullRead
		if got := errors.As(expired(&c.given), &full); got != c.want {
			t.Errorf("%v: want a full read %v, got %v", &c.given, c.want, got)
		}
	}
}
