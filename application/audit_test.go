package application_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// Every write through a view says in the audit log which application made it, from where and
// in which request; and it moves the feed.
func TestWritesAreAuditedAndFed(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		for i, w := range viewWrites {
			name := fmt.Sprintf("app %d", i)
			dir := h.fill(t, name, filling...)
			h.app(t, name, firstMatch, name)
			caller := application.Caller{Address: netip.MustParseAddr("127.0.0.1"), Request: fmt.Sprintf("req-%d", i)}
			v, err := h.Authenticate(t.Context(), basic(name, secret), caller)
			if err != nil {
				t.Fatal(err)
			}
			feed := h.lastChange(t)
			wantCode(t, w.name, "", w.do(t.Context(), v))

			entries, err := h.store.SearchAudit(t.Context(), store.AuditSearch{Actor: name, Limit: 10})
			if err != nil {
				t.Fatal(err)
			}
			if len(entries) == 0 {
				t.Errorf("%s: not audited", w.name)
			}
			for _, e := range entries {
				if e.ActorKind != models.ActorApplication || e.Address != "127.0.0.1" || e.Request != caller.Request || e.Outcome != "done" ||
					e.Directory != name || e.Subject == "" || e.At != h.store.Now() {
					t.Errorf("%s: want the application, its address, its request and the directory; got %+v", w.name, e)
				}
				if strings.Contains(e.Before+e.After, "difference") || strings.Contains(e.Before+e.After, "argon2") {
					t.Errorf("%s: the audit log shows a password: %+v", w.name, e)
				}
			}
			changes, err := h.store.ChangesAfter(t.Context(), feed, 10)
			if err != nil {
				t.Fatal(err)
			}
			if len(changes) == 0 {
				t.Errorf("%s: not in the feed", w.name)
			}
			for _, c := range changes {
				if c.DirectoryID != dir.ID || c.Writer != models.ByOperator {
					t.Errorf("%s: want a change of directory %d by an operator, got %+v", w.name, dir.ID, c)
				}
			}
		}
	})
}

// What an application writes elsewhere with one call, a group in several directories or a copy
// of one, is audited and fed row by row.
func TestEachRowIsAudited(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.fill(t, "staff", "ada")
		h.fill(t, "partners", "sales:")
		h.app(t, "jira", firstMatch, "staff", "partners")
		v := h.view(t, "jira")
		for _, step := range []struct {
			name string
			do   func() error
			want string
		}{
			{"a group in two directories", func() error {
				_, err := v.CreateGroup(t.Context(), application.NewGroup{Name: "devs"})
				return err
			}, "group.create devs@staff, group.create devs@partners"},
			{"a member, with a copy of the group", func() error { return v.AddMember(t.Context(), "ada", "sales") },
				"group.create sales@staff, group.add sales@staff"},
			{"a group deleted twice", func() error { return v.DeleteGroup(t.Context(), "sales") },
				"group.delete sales@staff, group.delete sales@partners"},
		} {
			feed := h.lastChange(t)
			before, err := h.store.SearchAudit(t.Context(), store.AuditSearch{Limit: 1})
			if err != nil {
				t.Fatal(err)
			}
			wantCode(t, step.name, "", step.do())
			entries, err := h.store.SearchAudit(t.Context(), store.AuditSearch{Limit: 10})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, e := range entries {
				if e.ID > before[0].ID {
					got = append([]string{e.Action + " " + e.Subject + "@" + e.Directory}, got...)
				}
			}
			if strings.Join(got, ", ") != step.want {
				t.Errorf("%s: want %s, got %v", step.name, step.want, got)
			}
			if changes := h.lastChange(t) - feed; changes != int64(len(got)) {
				t.Errorf("%s: want %d changes, got %d", step.name, len(got), changes)
			}
		}
	})
}

// A view's calls are listed for the operator, newest first.
func TestCallsAreNoted(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.app(t, "jira", firstMatch)
		v := h.view(t, "jira")
		v.Note("GET", "/user", 200, "")
		v.Note("POST", "/user", 403, "APPLICATION_PERMISSION_DENIED")
		wantCode(t, "flush", "", h.store.FlushNotes(t.Context()))
		calls, err := h.store.Calls(t.Context(), v.Application().ID, 10)
		if err != nil || len(calls) != 2 || calls[0].Status != 403 || calls[1].Path != "/user" || calls[1].Address != "127.0.0.1" || calls[0].At != h.store.Now() {
			t.Errorf("want the two calls, newest first; got %+v, %v", calls, err)
		}
	})
}
