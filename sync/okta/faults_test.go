package okta_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
	dirsync "github.com/rollcall-id/rollcall/sync"
	"github.com/rollcall-id/rollcall/sync/cloud"
	"github.com/rollcall-id/rollcall/sync/okta"
)

// What stays ends the read with a sentence that names what was asked, Okta's own word for what
// was answered, and the way out where there is one.
func TestFaultsInOktasWords(t *testing.T) {
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

// A token endpoint that isn't found must not look like a group or a user that isn't there, and
// nothing that it says like something Okta said of them.
func TestMissingTokenIsNoMissingObject(t *testing.T) {
	t.Parallel()
	for name, ask := range map[string]func(ctx context.Context, w *world, s *okta.Source, since dirsync.Cursor) (told any, err error){
		"members": func(ctx context.Context, w *world, s *okta.Source, _ dirsync.Cursor) (told any, err error) {
			err = s.Members(ctx, []string{w.GroupID(0), w.GroupID(1)}, func(m dirsync.Members) error { told = m; return nil })
			return told, err
		},
		"groups of a user": func(ctx context.Context, w *world, s *okta.Source, _ dirsync.Cursor) (told any, err error) {
			err = s.GroupsOf(ctx, []string{w.UserID(0)}, func(_ string, groups []string) error { told = groups; return nil })
			return told, err
		},
		"users by id": func(ctx context.Context, w *world, s *okta.Source, _ dirsync.Cursor) (told any, err error) {
			err = s.UsersByID(ctx, []string{w.UserID(0)}, func(u dirsync.User) error { told = u; return nil })
			return told, err
		},
		"a first cursor": func(ctx context.Context, _ *world, s *okta.Source, _ dirsync.Cursor) (told any, err error) {
			_, err = s.Begin(ctx)
			return nil, err
		},
		"changes": func(ctx context.Context, _ *world, s *okta.Source, since dirsync.Cursor) (told any, err error) {
			_, err = s.Changes(ctx, since, func(c dirsync.Changes) error { told = c; return nil })
			if full, ok := errors.AsType[*dirsync.FullRead](err); ok {
				told = full
			}
			return told, err
		},
		"a check": func(ctx context.Context, _ *world, s *okta.Source, _ dirsync.Cursor) (told any, err error) {
			report, err := s.Check(ctx)
			if len(report.Missing)+len(report.Notes) > 0 {
				told = report
			}
			return told, err
		},
	} {
		for _, do := range []fakecloud.Trouble{fakecloud.NotFound, fakecloud.Forbidden, fakecloud.Gone, fakecloud.ServerError} {
			w := start(t, app(fakecloud.OktaConfig{Gen: fakecloud.Gen{Users: 6, Groups: 5, AvgMembers: 2}}))
			s := w.source(asApp(ecWebKey()))
			groups(t, s)
			since := begin(t, s)
			w.RevokeTokens()
			w.Fail(fakecloud.Fault{Path: "/oauth2/v1/token", Do: do, Times: -1})
			told, err := ask(t.Context(), w, s, since)
			if err == nil || !strings.Contains(err.Error(), "/oauth2/v1/token was answered") || told != nil {
				t.Errorf("%s, trouble %v: want the token endpoint's refusal alone, got %v and %v", name, do, told, err)
			}
		}
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
