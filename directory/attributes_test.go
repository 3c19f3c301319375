package directory_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

func attr(name string, values ...string) models.Attribute {
	return models.Attribute{Name: name, Values: values}
}

func (h *house) setAttributes(t *testing.T, dir *models.Directory, user string, attrs ...models.Attribute) error {
	t.Helper()
	return h.edit(t, func(e *directory.Edit) error { return e.SetUserAttributes(dir, user, attrs) })
}

// attributes reads a user's attributes as a map.
func (h *house) attributes(t *testing.T, u *models.User) map[string][]string {
	t.Helper()
	all, err := h.UserAttributes(t.Context(), []models.ID{u.ID})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]string{}
	previous := ""
	for _, a := range all[u.ID] {
		if a.Name <= previous {
			t.Errorf("want attributes by name, each once; got %q after %q", a.Name, previous)
		}
		previous = a.Name
		got[a.Name] = a.Values
	}
	return got
}

func TestAttributesMergeByName(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		dir := h.directory(t, "staff")
		u := h.user(t, dir, "ada", "")
		for _, step := range []struct {
			name string
			set  []models.Attribute
			want map[string][]string
		}{
			{"new ones", []models.Attribute{attr("room", "12"), attr("phone", "1", "2")}, map[string][]string{"room": {"12"}, "phone": {"1", "2"}}},
			{"named ones are replaced, others stay", []models.Attribute{attr("phone", "3")}, map[string][]string{"room": {"12"}, "phone": {"3"}}},
			{"a set has each value once", []models.Attribute{attr("phone", "4", "3", "4")}, map[string][]string{"room": {"12"}, "phone": {"3", "4"}}},
			{"names differ by case", []models.Attribute{attr("Room", "13")}, map[string][]string{"room": {"12"}, "Room": {"13"}, "phone": {"3", "4"}}},
			{"without values it goes", []models.Attribute{attr("phone"), attr("Room")}, map[string][]string{"room": {"12"}}},
			{"one that isn't there may go", []models.Attribute{attr("phone")}, map[string][]string{"room": {"12"}}},
			{"an empty value is a value", []models.Attribute{attr("room", "")}, map[string][]string{"room": {""}}},
			{"nothing changes nothing", nil, map[string][]string{"room": {""}}},
			{"odd values", []models.Attribute{attr("room", "<a&b>\n\t日本", strings.Repeat("ä", models.MaxValue))},
				map[string][]string{"room": {"<a&b>\n\t日本", strings.Repeat("ä", models.MaxValue)}}},
		} {
			if err := h.setAttributes(t, dir, "ADA", step.set...); err != nil {
				t.Errorf("%s: %v", step.name, err)
			}
			if diff := cmp.Diff(step.want, h.attributes(t, u)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", step.name, diff)
			}
		}
	})
}

func TestGroupAttributes(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		dir := h.directory(t, "staff")
		h.groups(t, dir, "devs")
		set := func(attrs ...models.Attribute) {
			t.Helper()
			h.must(t, func(e *directory.Edit) error { return e.SetGroupAttributes(dir, "Devs", attrs) })
		}
		set(attr("room", "12"), attr("invalidPasswordAttempts", "x")) // that of users has no meaning here
		set(attr("floor", "2", "1", "2"), attr("room"))
		g, err := h.store.GroupByName(t.Context(), dir.ID, "devs")
		if err != nil {
			t.Fatal(err)
		}
		got, err := h.GroupAttributes(t.Context(), []models.ID{g.ID})
		if err != nil {
			t.Fatal(err)
		}
		want := []models.Attribute{attr("floor", "1", "2"), attr("invalidPasswordAttempts", "x")}
		if diff := cmp.Diff(want, got[g.ID]); diff != "" {
			t.Errorf("attributes (-want +got):\n%s", diff)
		}
	})
}

func TestAttributesThatAreRefused(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		dir := h.directory(t, "staff")
		h.user(t, dir, "ada", "difference")
		h.groups(t, dir, "devs")
		before := h.lastChange(t)
		for what, a := range map[string]models.Attribute{
			"no name":               attr("", "x"),
			"a control character":   attr("ro\x00om", "x"),
			"a name with an end":    attr("room ", "x"),
			"a zero byte":           attr("room", "1\x002"),
			"not UTF-8":             attr("room", "\xe4"),
			"a value that's long":   attr("room", strings.Repeat("x", models.MaxValue+1)),
			"a name that's long":    attr(strings.Repeat("x", models.MaxName+1), "x"),
			"the second of several": attr("room", "12", "\x01"),
		} {
			wantCode(t, "user: "+what, models.IllegalArgument, h.setAttributes(t, dir, "ada", attr("floor", "1"), a))
			wantCode(t, "group: "+what, models.IllegalArgument, h.edit(t, func(e *directory.Edit) error {
				return e.SetGroupAttributes(dir, "devs", []models.Attribute{attr("floor", "1"), a})
			}))
		}
		for what, a := range map[string]models.Attribute{
			"attempts in words":     attr("invalidPasswordAttempts", "none"),
			"attempts below zero":   attr("invalidPasswordAttempts", "-1"),
			"a date that's a date":  attr("lastAuthenticated", "2026-03-02"),
			"a fraction":            attr("passwordLastChanged", "1.5"),
			"must change, in words": attr("requiresPasswordChange", "maybe"),
		} {
			wantMessage(t, what, models.IllegalArgument, a.Name, h.setAttributes(t, dir, "ada", attr("floor", "1"), a))
		}
		if after := h.lastChange(t); after != before {
			t.Errorf("refused attributes wrote %d changes", after-before)
		}
	})
}

// What is kept of logins looks like any other attribute.
func TestLoginAttributes(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		dir := h.directory(t, "staff")
		u := h.user(t, dir, "ada", "difference")
		set := timeText(h.store.Now())
		wantAttributes := func(what string, want map[string][]string) {
			t.Helper()
			if diff := cmp.Diff(want, h.attributes(t, u)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", what, diff)
			}
		}
		wantAttributes("a new user", map[string][]string{
			"invalidPasswordAttempts": {"0"}, "requiresPasswordChange": {"false"}, "passwordLastChanged": {set},
		})

		h.clock.Advance(time.Minute)
		now := timeText(h.store.Now())
		h.store.NoteLogin(u.ID, false)
		h.store.NoteFailure(0, u.ID)
		wantAttributes("a login and a wrong password, noted but not written", map[string][]string{
			"invalidPasswordAttempts": {"1"}, "requiresPasswordChange": {"false"}, "passwordLastChanged": {set},
			"lastAuthenticated": {now}, "lastActive": {now},
		})

		if err := h.store.FlushNotes(t.Context()); err != nil {
			t.Fatal(err)
		}
		err := h.setAttributes(t, dir, "ada", attr("invalidPasswordAttempts", "0"), attr("requiresPasswordChange", "TRUE"),
			attr("lastActive", "17"), attr("passwordLastChanged", "18"), attr("room", "12"))
		wantCode(t, "set", "", err)
		wantAttributes("set together with another", map[string][]string{
			"invalidPasswordAttempts": {"0"}, "requiresPasswordChange": {"true"}, "passwordLastChanged": {"18"},
			"lastAuthenticated": {now}, "lastActive": {"17"}, "room": {"12"},
		})
		if checked, err := h.CheckPassword(t.Context(), dir, u, "difference"); err != nil || !checked.MustChange {
			t.Errorf("want the right password to be expired, got %+v, %v", checked, err)
		}

		err = h.setAttributes(t, dir, "ada", attr("requiresPasswordChange", "false"), attr("lastAuthenticated"), attr("lastActive"))
		wantCode(t, "set back", "", err)
		wantAttributes("without values they go back", map[string][]string{
			"invalidPasswordAttempts": {"0"}, "requiresPasswordChange": {"false"}, "passwordLastChanged": {"18"}, "room": {"12"},
		})
		if checked, err := h.CheckPassword(t.Context(), dir, u, "difference"); err != nil || checked.MustChange {
			t.Errorf("want the password to be right and in force, got %+v, %v", checked, err)
		}
	})
}

// An operator saw a person who was kept out of one application, although a login through
// another had set the count of wrong passwords back to zero.
func TestAttemptsSetToZeroEndDelays(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		dir := h.directory(t, "staff")
		u := h.user(t, dir, "ada", "difference")
		jira := h.application(t, "jira")
		for range 7 {
			h.store.NoteFailure(jira, u.ID)
		}
		h.store.NoteLogin(u.ID, false) // through another application
		if err := h.store.FlushNotes(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := h.delay(t, jira, u); n != 7 {
			t.Fatalf("want 7 failures through jira, got %d", n)
		}
		wantCode(t, "set", "", h.setAttributes(t, dir, "ada", attr("invalidPasswordAttempts", "0")))
		if n := h.delay(t, jira, u); n != 0 {
			t.Errorf("want no delay any more, got %d failures", n)
		}
	})
}

// application makes a bare application and gives its row.
func (h *house) application(t *testing.T, name string) models.ID {
	t.Helper()
	app := &models.Application{Name: name, Active: true}
	if err := h.store.Write(t.Context(), operator, func(tx *store.Tx) error { return tx.CreateApplication(app) }); err != nil {
		t.Fatal(err)
	}
	return app.ID
}

// delay tells how many failures count against a user in an application.
func (h *house) delay(t *testing.T, app models.ID, u *models.User) int {
	t.Helper()
	d, err := h.store.Delay(t.Context(), app, u.ID)
	if err != nil {
		t.Fatal(err)
	}
	return d.Failures
}

func TestUpdatedDateFollowsAttributes(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		dir := h.directory(t, "staff")
		u := h.user(t, dir, "ada", "difference")
		h.clock.Advance(time.Minute)
		h.store.NoteLogin(u.ID, false)
		if err := h.store.FlushNotes(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := h.userNamed(t, dir, "ada").UpdatedAt; got != u.UpdatedAt {
			t.Errorf("a login moved the date from %s to %s", u.UpdatedAt, got)
		}
		wantCode(t, "set", "", h.setAttributes(t, dir, "ada", attr("room", "12")))
		if got := h.userNamed(t, dir, "ada").UpdatedAt; got != h.store.Now() {
			t.Errorf("an attribute: want the date %s, got %s", h.store.Now(), got)
		}
	})
}

func timeText(at models.Time) string { return strconv.FormatInt(int64(at), 10) }
