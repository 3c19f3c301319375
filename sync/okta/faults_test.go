package okta_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
	dirsync "github.com/rollcall-id/rollcall/sync"
	"github.com/rollcall-id/rollcall/sync/cloud"
)

// What passes is tried again, and nothing is lost or doubled.
func TestFaultsThatPass(t *testing.T) {
	t.Parallel()
	faults := map[string]fakecloud.Fault{
		"429": {Do: fakecloud.Throttle, RetryAfter: 7 * time.Second}, "429 five times": {Do: fakecloud.Throttle, RetryAfter: 7 * time.Second, Times: 5},
		"a crowd": {Do: fakecloud.Throttle, Times: 3}, "503": {Do: fakecloud.Unavailable}, "503 with a time": {Do: fakecloud.Unavailable, RetryAfter: 9 * time.Second},
		"500": {Do: fakecloud.ServerError}, "502": {Do: fakecloud.BadGateway}, "504": {Do: fakecloud.GatewayTimeout}, "401": {Do: fakecloud.Expired},
		"a web page": {Do: fakecloud.HTMLPage}, "nothing": {Do: fakecloud.EmptyBody}, "half the body": {Do: fakecloud.CutBody},
		"half the JSON": {Do: fakecloud.Truncated}, "another type": {Do: fakecloud.WrongType}, "a reset": {Do: fakecloud.Reset},
	}
	for name, fault := range faults {
		for _, path := range []string{`/api/v1/users\?`, `/api/v1/groups\?`, `/api/v1/groups/.*/users`, "/oauth2/v1/token"} {
			if path == "/oauth2/v1/token" && fault.Do == fakecloud.Expired {
				continue // a refused client stays refused
			}
			t.Run(name+" at "+path, func(t *testing.T) {
				t.Parallel()
				w := start(t, app(fakecloud.OktaConfig{Gen: fakecloud.Gen{Users: 60, Groups: 30, AvgMembers: 3}, PageLimit: 20}))
				fault.Path, fault.Nth = path, 2
				if path == "/oauth2/v1/token" {
					fault.Nth = 1
				}
				w.Fail(fault)
				s := w.source(asApp(ecWebKey()))
				if n := len(users(t, s)); n != 60 {
					t.Errorf("read %d users", n)
				}
				var ids []string
				for _, g := range groups(t, s) {
					ids = append(ids, g.ID)
				}
				n := 0
				for _, m := range members(t, s, ids...) {
					n += len(m)
				}
				if len(ids) != 30 || n != 90 {
					t.Errorf("read %d groups with %d members", len(ids), n)
				}
			})
		}
	}
}

// What stays ends the read with a sentence that names what was asked, what was answered, and the
// way out where there is one.
func TestFaultsThatStay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		fault fakecloud.Fault
		want  []string
	}{
		{"429 with a time", fakecloud.Fault{Do: fakecloud.Throttle, RetryAfter: time.Minute}, []string{"429", "E0000047", "tried 20 times"}},
		{"503", fakecloud.Fault{Do: fakecloud.Unavailable}, []string{"503", "E0000010", "the next run tries again"}},
		{"500", fakecloud.Fault{Do: fakecloud.ServerError}, []string{"500", "E0000009", "request id oae"}},
		{"401", fakecloud.Fault{Do: fakecloud.Expired}, []string{"401", "E0000011", "refused twice"}},
		{"403", fakecloud.Fault{Do: fakecloud.Forbidden}, []string{"403", "E0000006", "Read-only Administrator"}},
		{"404", fakecloud.Fault{Do: fakecloud.NotFound}, []string{"404", "E0000007"}},
		{"a web page", fakecloud.Fault{Do: fakecloud.HTMLPage}, []string{"a web page came", "a proxy or a login page"}},
		{"half the JSON", fakecloud.Fault{Do: fakecloud.Truncated}, []string{"unexpected end of JSON"}},
		{"half the body", fakecloud.Fault{Do: fakecloud.CutBody}, []string{"cut off"}},
		{"a reset", fakecloud.Fault{Do: fakecloud.Reset}, []string{"check the address, the network and the proxy"}},
		{"another host", fakecloud.Fault{Do: fakecloud.ForeignLink}, []string{"http://localhost:", "not followed"}},
		{"a circle", fakecloud.Fault{Do: fakecloud.RepeatLink}, []string{"read users", "circle"}},
		{"no end", fakecloud.Fault{Do: fakecloud.EmptyPages}, []string{"read users", "no end after 20000 pages"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := start(t, app(fakecloud.OktaConfig{Gen: fakecloud.Gen{Users: 60}, PageLimit: 20}))
			c.fault.Path, c.fault.Nth, c.fault.Times = `/api/v1/users\?`, 2, -1
			w.Fail(c.fault)
			err := w.source(asApp(ecWebKey())).Users(t.Context(), "", func([]dirsync.User, dirsync.Checkpoint) error { return nil })
			if err == nil {
				t.Fatal("it ended well")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("want %q in %q", want, err)
				}
			}
			var asked *cloud.Error
			if errors.As(err, &asked) && asked.Asked != "GET /api/v1/users" {
				t.Errorf("it names %q", asked.Asked)
			}
		})
	}
}

// A refused token ends the read of members; it isn't one group's fault.
func TestARefusedTokenIsNoGroupsFault(t *testing.T) {
	t.Parallel()
	w := start(t, app(fakecloud.OktaConfig{Gen: fakecloud.Gen{Users: 6, Groups: 5, AvgMembers: 2}}))
	s := w.source(asApp(ecWebKey()))
	var ids []string
	for _, g := range groups(t, s) {
		ids = append(ids, g.ID)
	}
	w.Fail(fakecloud.Fault{Path: "/api/v1/groups/", Do: fakecloud.Expired, Times: -1})
	err := s.Members(t.Context(), ids, func(m dirsync.Members) error { return fmt.Errorf("told %+v", m) })
	if err == nil || !strings.Contains(err.Error(), "E0000011") {
		t.Errorf("got %v", err)
	}
}

// What changes between two pages is there or not, and nobody else is lost for it.
func TestUsersThatComeAndGoWhileTheyAreRead(t *testing.T) {
	t.Parallel()
	w := start(t, fakecloud.OktaConfig{Gen: fakecloud.Gen{Users: 60}, PageLimit: 20, Repeats: true})
	w.After(`/api/v1/users\?`, 1, func() {
		w.Edit(func(e *fakecloud.Edit) {
			e.DeleteUser(3)
			e.DeleteUser(30)
			e.CreateUser(fakecloud.User{Login: "late"})
		})
	})
	seen := map[string]bool{}
	for _, u := range users(t, w.source()) {
		seen[u.ID] = true
	}
	if len(seen) != 60 || !seen[w.UserID(3)] || seen[w.UserID(30)] || !seen[w.UserID(60)] {
		t.Errorf("saw %d users", len(seen))
	}
}
