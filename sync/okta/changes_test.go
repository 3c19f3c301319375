package okta_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
	dirsync "github.com/rollcall-id/rollcall/sync"
)

func TestChangesTakeFewRequests(t *testing.T) {
	t.Parallel()
	w := start(t, fakecloud.OktaConfig{Gen: fakecloud.Typical(20_000, 2000)})
	cursor := begin(t, w.source())
	s := w.source()
	all, cursor := changes(t, s, cursor)
	if diff := cmp.Diff(dirsync.Changes{}, all); diff != "" {
		t.Error(diff)
	}
	if n := s.Stats().Requests; n > 10 {
		t.Errorf("nothing changed, and that took %d requests", n)
	}

	w.clock.Advance(time.Hour)
	w.Edit(func(e *fakecloud.Edit) {
		for u := range fakecloud.UserNo(980) {
			e.UpdateUser(u, func(u *fakecloud.User) { u.Title = "Changed" })
		}
		for i := range 5 {
			g := e.CreateGroup(fakecloud.Group{Name: "five"})
			for u := range 4 {
				e.AddUser(g, fakecloud.UserNo(1000+4*i+u))
			}
		}
	})
	s = w.source()
	all, _ = changes(t, s, cursor)
	n := 0
	for _, m := range all.Members {
		n += len(m.Members)
	}
	if len(all.Users) != 980 || len(all.Groups) != 5 || n != 20 {
		t.Errorf("told %d users, %d groups, %d memberships", len(all.Users), len(all.Groups), n)
	}
	if n := s.Stats().Requests; n > 50 {
		t.Errorf("a thousand changes took %d requests", n)
	}
	t.Logf("a thousand changes took %d requests", s.Stats().Requests)
}

func TestWhoIsDeactivatedIsGoneAndMayComeBack(t *testing.T) {
	t.Parallel()
	w := start(t, fakecloud.OktaConfig{Gen: fakecloud.Gen{Users: 10}})
	cursor := begin(t, w.source())
	w.clock.Advance(time.Hour)
	w.Edit(func(e *fakecloud.Edit) { e.DeleteUser(4) })
	all, cursor := changes(t, w.source(), cursor)
	if !slices.Equal(all.GoneUsers, []string{w.UserID(4)}) || len(all.Users) != 0 {
		t.Errorf("gone are %v, there are %v", all.GoneUsers, all.Users)
	}
	w.clock.Advance(time.Hour)
	w.Edit(func(e *fakecloud.Edit) { e.RestoreUser(4) })
	if all, _ = changes(t, w.source(), cursor); len(all.GoneUsers) != 0 || len(all.Users) != 1 || !all.Users[0].Active {
		t.Errorf("gone are %v, there are %v", all.GoneUsers, all.Users)
	}
}

func wantFullRead(t *testing.T, w *world, since dirsync.Cursor, reason string) {
	t.Helper()
	_, err := w.source().Changes(t.Context(), since, func(dirsync.Changes) error { return nil })
	var full *dirsync.FullRead
	if !errors.As(err, &full) || !strings.Contains(full.Reason, reason) {
		t.Errorf("want a full read because of %q, got %v", reason, err)
	}
}

func TestWhatCannotBeToldTakesAFullRead(t *testing.T) {
	t.Parallel()
	w := start(t, fakecloud.OktaConfig{Gen: fakecloud.Gen{Users: 1000}, SearchMost: 400})
	cursor := begin(t, w.source())
	_, linked := changes(t, w.source(), cursor)

	w.Fail(fakecloud.Fault{Path: "/api/v1/logs", Do: fakecloud.Forbidden})
	wantFullRead(t, w, cursor, "E0000006")
	w.Fail(fakecloud.Fault{Path: "/api/v1/logs", Do: fakecloud.Gone})
	wantFullRead(t, w, cursor, "System Log can't be read on")

	w.clock.Advance(2 * 24 * time.Hour)
	wantFullRead(t, w, linked, "cursor has expired")
	if _, err := w.source().Changes(t.Context(), cursor, func(dirsync.Changes) error { return nil }); err != nil {
		t.Errorf("a time of two days ago is good: %v", err)
	}

	w.Edit(func(e *fakecloud.Edit) {
		for u := range fakecloud.UserNo(400) {
			e.UpdateUser(u, func(u *fakecloud.User) { u.Title = "Changed" })
		}
	})
	if all, _ := changes(t, w.source(), cursor); len(all.Users) != 400 {
		t.Errorf("the search shows 400, told %d", len(all.Users))
	}
	w.Edit(func(e *fakecloud.Edit) { e.UpdateUser(400, func(u *fakecloud.User) { u.Title = "Changed" }) })
	wantFullRead(t, w, cursor, "search shows no more")

	w.clock.Advance(6 * 24 * time.Hour)
	wantFullRead(t, w, cursor, "8 days ago")
	wantFullRead(t, w, "nonsense", "can't be read")
	wantFullRead(t, w, `{"since":"2026-03-10T11:00:00Z","log":"https://evil.example/api/v1/logs?"}`, "can't be read")
}

// A new user is a new member of Everyone, which isn't read for that: who asks for the user's
// groups is told.
func TestEveryoneChangesWithEachUser(t *testing.T) {
	t.Parallel()
	w := start(t, fakecloud.OktaConfig{Gen: fakecloud.Gen{Users: 500, Groups: 1, Everyone: true}})
	cursor := begin(t, w.source())
	w.clock.Advance(time.Hour)
	w.Edit(func(e *fakecloud.Edit) { e.AddUser(0, e.CreateUser(fakecloud.User{Login: "new"})) })
	s := w.source()
	all, _ := changes(t, s, cursor)
	if len(all.Users) != 1 || len(all.Groups) != 1 || len(all.Members) != 0 || w.Requests("GET /api/v1/groups/{id}/users") != 0 {
		t.Errorf("told %+v", all)
	}
	before := s.Stats().Requests
	err := s.GroupsOf(t.Context(), []string{all.Users[0].ID}, func(_ string, groups []string) error {
		if !slices.Equal(groups, []string{w.GroupID(0)}) {
			t.Errorf("the new user is in %v", groups)
		}
		return nil
	})
	if n := s.Stats().Requests - before; err != nil || n != 1 {
		t.Errorf("%v, %d requests", err, n)
	}
}

// Who was put into groups before the activation is a member of them from then on, and no group
// tells that it changed.
func TestWhoIsActivatedBringsTheGroups(t *testing.T) {
	t.Parallel()
	w := start(t, fakecloud.OktaConfig{})
	var u fakecloud.UserNo
	w.Edit(func(e *fakecloud.Edit) {
		u = e.CreateUser(fakecloud.User{Login: "early", Attributes: map[string]string{"status": "STAGED"}})
		e.AddUser(e.CreateGroup(fakecloud.Group{Name: "devs"}), u)
	})
	w.clock.Advance(time.Hour)
	cursor := begin(t, w.source())
	in := func() (groups []string) {
		s := w.source()
		if got := members(t, s, w.GroupID(0))[w.GroupID(0)]; len(got) > 0 {
			groups = append(groups, w.GroupID(0))
		}
		err := s.GroupsOf(t.Context(), []string{w.UserID(u)}, func(_ string, of []string) error {
			if !slices.Equal(of, groups) {
				t.Errorf("the group's members say %v, the user's groups %v", groups, of)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		return groups
	}
	if got := in(); len(got) != 0 {
		t.Errorf("before the activation the user is in %v", got)
	}
	w.clock.Advance(time.Hour)
	w.Edit(func(e *fakecloud.Edit) {
		e.UpdateUser(u, func(u *fakecloud.User) { u.Attributes["status"] = "ACTIVE" })
	})
	if all, _ := changes(t, w.source(), cursor); len(all.Users) != 1 || len(in()) != 1 {
		t.Errorf("told %+v", all)
	}
}

// A run that was called off must not look complete.
func TestACancelledReadIsAnError(t *testing.T) {
	t.Parallel()
	w := start(t, fakecloud.OktaConfig{Gen: fakecloud.Gen{Users: 5, Groups: 2}})
	s := w.source()
	members(t, s, w.GroupID(0))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := s.Members(ctx, []string{w.GroupID(0), w.GroupID(1)}, func(dirsync.Members) error { return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	stop := errors.New("enough")
	calls := 0
	err = s.Members(t.Context(), []string{w.GroupID(0), w.GroupID(1)}, func(dirsync.Members) error { calls++; return stop })
	if !errors.Is(err, stop) || calls != 1 {
		t.Errorf("got %v after %d calls", err, calls)
	}
}
