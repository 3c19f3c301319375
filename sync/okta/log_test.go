package okta_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
	dirsync "github.com/rollcall-id/rollcall/sync"
	"github.com/rollcall-id/rollcall/sync/okta"
)

// Okta's search finds a change late. The System Log tells it at once, and whoever it names is
// read by id.
func TestTheLogTellsWhatTheSearchDoesNotKnowYet(t *testing.T) {
	t.Parallel()
	w := start(t, fakecloud.OktaConfig{Gen: fakecloud.Gen{Users: 10}, SearchLag: 10 * time.Minute})
	cursor := begin(t, w.source())
	w.clock.Advance(time.Hour)
	w.Edit(func(e *fakecloud.Edit) { e.UpdateUser(1, func(u *fakecloud.User) { u.Surname = "First" }) })
	w.clock.Advance(11 * time.Minute)
	w.Edit(func(e *fakecloud.Edit) {
		e.UpdateUser(1, func(u *fakecloud.User) { u.Surname = "Second" }) // the search has First
		e.DeleteUser(2)
		e.PurgeUser(3)
	})
	all, next := changes(t, w.source(), cursor)
	if n := len(all.Users); n == 0 || all.Users[n-1].Last != "Second" {
		t.Errorf("the last word on the user is %+v", all.Users)
	}
	slices.Sort(all.GoneUsers)
	if diff := cmp.Diff(slices.Sorted(slices.Values([]string{w.UserID(2), w.UserID(3)})), all.GoneUsers); diff != "" {
		t.Error(diff)
	}
	// Many changes that the search doesn't know are left to the next run: it asks for them again.
	w.Edit(func(e *fakecloud.Edit) {
		for n := range 200 {
			e.CreateUser(fakecloud.User{Login: "new" + strings.Repeat("x", n)})
		}
	})
	s := w.source()
	if all, next = changes(t, s, next); len(all.Users) > 30 || s.Stats().Requests > 50 {
		t.Errorf("told %d users with %d requests", len(all.Users), s.Stats().Requests)
	}
	w.clock.Advance(15 * time.Minute)
	if all, _ = changes(t, w.source(), next); len(userIDs(all.Users)) < 200 {
		t.Errorf("told %d users of 200", len(all.Users))
	}
}

// What a run knew from the log the next one doesn't unlearn: the search may still be behind.
func TestALateSearchBringsNobodyBack(t *testing.T) {
	t.Parallel()
	w := start(t, fakecloud.OktaConfig{Gen: fakecloud.Gen{Users: 10}, SearchLag: 5 * time.Minute})
	cursor := begin(t, w.source())
	w.clock.Advance(time.Hour)
	w.Edit(func(e *fakecloud.Edit) {
		for u := range fakecloud.UserNo(3) {
			e.UpdateUser(u, func(u *fakecloud.User) { u.Title = "Changed" })
		}
	})
	w.clock.Advance(6 * time.Minute)
	w.Edit(func(e *fakecloud.Edit) {
		e.PurgeUser(0)
		e.DeleteUser(1)
		e.UpdateUser(2, func(u *fakecloud.User) { u.Disabled = true })
	})
	for run := range 20 {
		active := map[string]bool{}
		next, err := w.source().Changes(t.Context(), cursor, func(c dirsync.Changes) error {
			for _, u := range c.Users {
				active[u.ID] = u.Active
			}
			for _, id := range c.GoneUsers {
				active[id] = false
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for n := range fakecloud.UserNo(3) {
			if active[w.UserID(n)] {
				t.Errorf("run %d tells user %d as active", run, n)
			}
		}
		cursor = next
		w.clock.Advance(time.Minute)
	}
}

// An event that the log has late is told by the next run.
func TestALateLogLosesNothing(t *testing.T) {
	t.Parallel()
	w := start(t, fakecloud.OktaConfig{Gen: fakecloud.Gen{Users: 10, Groups: 3, AvgMembers: 2}, LogLag: 40 * time.Minute})
	cursor := begin(t, w.source())
	w.clock.Advance(time.Hour)
	_, cursor = changes(t, w.source(), cursor)
	w.Edit(func(e *fakecloud.Edit) { e.PurgeUser(1); e.DeleteGroup(2) })
	w.clock.Advance(time.Minute)
	all, cursor := changes(t, w.source(), cursor)
	if len(all.GoneUsers)+len(all.GoneGroups) != 0 {
		t.Errorf("the log knows nothing of it yet, and gone are %v and %v", all.GoneUsers, all.GoneGroups)
	}
	w.clock.Advance(time.Hour)
	if all, _ = changes(t, w.source(), cursor); !slices.Equal(all.GoneUsers, []string{w.UserID(1)}) || !slices.Equal(all.GoneGroups, []string{w.GroupID(2)}) {
		t.Errorf("gone are %v and %v", all.GoneUsers, all.GoneGroups)
	}
}

// A log whose next link was lost on the way isn't read to its end.
func TestALogWithoutALinkIsNotComplete(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/api/v1/logs") {
			fmt.Fprint(w, `[{"eventType":"user.lifecycle.create","published":"2026-03-02T12:00:00.000Z","target":[]}]`)
			return
		}
		fmt.Fprint(w, "[]")
	}))
	t.Cleanup(server.Close)
	s, err := okta.New(okta.Options{OrgURL: server.URL, Token: "00abc", Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Changes(t.Context(), begin(t, s), func(dirsync.Changes) error { return nil })
	var full *dirsync.FullRead
	if !errors.As(err, &full) || !strings.Contains(full.Reason, "without a link") {
		t.Errorf("got %v", err)
	}
}

// Deleted users and groups are in no list: the System Log alone names them. A removal is
// confirmed by asking for them.
func TestDeletionsComeFromTheLog(t *testing.T) {
	t.Parallel()
	w := start(t, fakecloud.OktaConfig{Gen: fakecloud.Gen{Users: 10, Groups: 3, AvgMembers: 3}})
	cursor := begin(t, w.source())
	w.clock.Advance(time.Hour)
	w.Edit(func(e *fakecloud.Edit) {
		e.PurgeUser(1)
		e.DeleteGroup(2)
	})
	all, _ := changes(t, w.source(), cursor)
	if !slices.Contains(all.GoneUsers, w.UserID(1)) || !slices.Equal(all.GoneGroups, []string{w.GroupID(2)}) {
		t.Errorf("gone are %v and %v", all.GoneUsers, all.GoneGroups)
	}
	if len(all.Users) > 0 {
		t.Errorf("told users %+v", all.Users)
	}
}

// Without the System Log nobody tells of deletions: then there is no cursor, and each run reads
// everything.
func TestWithoutTheLogThereIsNoCursor(t *testing.T) {
	t.Parallel()
	w := start(t, fakecloud.OktaConfig{})
	w.Fail(fakecloud.Fault{Path: "/api/v1/logs", Do: fakecloud.Forbidden, Times: -1})
	if c, err := w.source().Begin(t.Context()); c != "" || err != nil {
		t.Errorf("got %q, %v", c, err)
	}
	w.Heal()
	w.Fail(fakecloud.Fault{Path: "/api/v1/logs", Do: fakecloud.ServerError, Times: -1})
	if c, err := w.source().Begin(t.Context()); c != "" || err == nil || !strings.Contains(err.Error(), "System Log") {
		t.Errorf("got %q, %v", c, err)
	}
}

func TestManyDeletionsTakeAFullRead(t *testing.T) {
	t.Parallel()
	w := start(t, fakecloud.OktaConfig{Gen: fakecloud.Gen{Users: 1100}})
	cursor := begin(t, w.source())
	w.clock.Advance(time.Hour)
	w.Edit(func(e *fakecloud.Edit) {
		for u := range fakecloud.UserNo(1001) {
			e.PurgeUser(u)
		}
	})
	wantFullRead(t, w, cursor, "were deleted")
}

// The log names users and groups that the role leaves out: nobody's of ours.
func TestWhomTheLogNamesMayBeHidden(t *testing.T) {
	t.Parallel()
	w := start(t, fakecloud.OktaConfig{Gen: fakecloud.Gen{Users: 10, Groups: 3, AvgMembers: 3}})
	cursor := begin(t, w.source())
	w.clock.Advance(time.Hour)
	w.Edit(func(e *fakecloud.Edit) {
		e.PurgeUser(1)
		e.PurgeUser(2)
		e.DeleteGroup(1)
		e.DeleteGroup(2)
	})
	for _, hidden := range []string{w.UserID(1), w.GroupID(1)} {
		w.Fail(fakecloud.Fault{Path: hidden, Do: fakecloud.Forbidden, Times: -1})
	}
	all, _ := changes(t, w.source(), cursor)
	if !slices.Equal(all.GoneUsers, []string{w.UserID(2)}) || !slices.Equal(all.GoneGroups, []string{w.GroupID(2)}) {
		t.Errorf("gone are %v and %v", all.GoneUsers, all.GoneGroups)
	}
	err := w.source().UsersByID(t.Context(), []string{w.UserID(1)}, func(u dirsync.User) error { return fmt.Errorf("told %+v", u) })
	if err != nil {
		t.Error(err)
	}
}
