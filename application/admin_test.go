package application_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

func (h *house) record(t testing.TB, name string) *store.ApplicationRecord {
	t.Helper()
	record, err := h.ByName(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return record
}

func TestCreateApplication(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		staff, partners := h.fill(t, "staff", "devs:"), h.fill(t, "partners")
		app, warnings, err := h.Create(t.Context(), operator, application.NewApplication{
			Name: "Jira", Description: "Issues", Password: secret, Addresses: []string{"10.0.0.1", "10.0.0.1/32", "::1"},
			Directories: []string{"partners", "STAFF"}, Permissions: models.UpdateUser, Groups: []string{"Devs"},
			Options: application.Options{Aggregate: new(true), LowerCase: new(true), Nested: new(false)},
		})
		if err != nil || len(warnings) != 1 || !strings.Contains(warnings[0], "partners has no group Devs yet") {
			t.Fatalf("want a warning of the group that partners lacks, got %q, %v", warnings, err)
		}
		got := h.record(t, "JIRA")
		want := &store.ApplicationRecord{
			Application: models.Application{ID: app.ID, Name: "Jira", Key: "jira", Description: "Issues", Active: true, Aggregate: true, LowerCase: true,
				CreatedAt: h.store.Now(), UpdatedAt: h.store.Now()},
			Passwords: []models.ApplicationPassword{{ApplicationID: app.ID, CreatedAt: h.store.Now()}},
			Addresses: []string{"10.0.0.1", "::1"},
			Mappings: []models.Mapping{
				{ApplicationID: app.ID, DirectoryID: partners.ID, Position: 1, Permissions: models.UpdateUser, Groups: []string{"Devs"}},
				{ApplicationID: app.ID, DirectoryID: staff.ID, Position: 2, Permissions: models.UpdateUser, Groups: []string{"Devs"}},
			},
		}
		ids := cmp.Options{cmpopts.IgnoreFields(models.Mapping{}, "ID"), cmpopts.IgnoreFields(models.ApplicationPassword{}, "ID", "Hash")}
		if diff := cmp.Diff(want, got, ids); diff != "" {
			t.Errorf("everything given (-want +got):\n%s", diff)
		}

		_, warnings, err = h.Create(t.Context(), operator, application.NewApplication{Name: "bare", Password: secret})
		if err != nil || len(warnings) != 2 || !strings.Contains(warnings[0], "reached from nowhere") || !strings.Contains(warnings[1], "sees nobody") {
			t.Errorf("want a warning of addresses and one of directories, got %q, %v", warnings, err)
		}
		bare := h.record(t, "bare").Application
		if !bare.Active || !bare.Nested || bare.Aggregate || bare.LowerCase {
			t.Errorf("defaults: want active, with nested groups, first match; got %+v", bare)
		}

		// Without groups everybody may log in; without permissions it may only read.
		h.create(t, application.NewApplication{Name: "reader", Directories: []string{"staff"}})
		if m := h.record(t, "reader").Mappings[0]; !m.AllowAll || m.Permissions != models.ReadOnly {
			t.Errorf("want everybody let in and nothing permitted, got %+v", m)
		}
		all, err := h.List(t.Context())
		if err != nil || len(all) != 3 || all[0].Name != "bare" {
			t.Errorf("want three applications by name, got %v, %v", all, err)
		}
	})
}

func TestApplicationsThatAreRefused(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.fill(t, "staff")
		h.app(t, "jira", firstMatch)
		before := h.lastChange(t)
		for what, c := range map[string]struct {
			n       application.NewApplication
			want    models.Code
			message string
		}{
			"no name":                   {application.NewApplication{Password: secret}, models.IllegalArgument, "empty"},
			"a colon":                   {application.NewApplication{Name: "a:b", Password: secret}, models.IllegalArgument, "colon"},
			"a name that is taken":      {application.NewApplication{Name: "JIRA", Password: secret}, models.NameTaken, "already"},
			"a short password":          {application.NewApplication{Name: "wiki", Password: "7777777"}, models.InvalidCredential, "at least 8"},
			"a long password":           {application.NewApplication{Name: "wiki", Password: models.Secret(strings.Repeat("x", 1025))}, models.InvalidCredential, "1024"},
			"no password":               {application.NewApplication{Name: "wiki"}, models.InvalidCredential, "at least 8"},
			"an address that is none":   {application.NewApplication{Name: "wiki", Password: secret, Addresses: []string{"::1", "10.1.2"}}, models.IllegalArgument, "<10.1.2>"},
			"no such directory":         {application.NewApplication{Name: "wiki", Password: secret, Directories: []string{"staff", "people"}}, models.DirectoryNotFound, ""},
			"a group that can't be one": {application.NewApplication{Name: "wiki", Password: secret, Directories: []string{"staff"}, Groups: []string{" "}}, models.IllegalArgument, "can't be a group"},
			"a long description":        {application.NewApplication{Name: "wiki", Password: secret, Description: strings.Repeat("x", 1001)}, models.IllegalArgument, "description"},
		} {
			_, _, err := h.Create(t.Context(), operator, c.n)
			wantMessage(t, what, c.want, c.message, err)
		}
		for what, err := range map[string]error{
			"set another's address": h.Set(t.Context(), operator, "jira", application.Options{}, []string{"300.1.1.1"}),
			"set a description":     h.Set(t.Context(), operator, "jira", application.Options{Description: new("a\x01b")}, nil),
			"a note":                second(h.AddPassword(t.Context(), operator, "jira", secret, "a\x01b", 0)),
		} {
			wantCode(t, what, models.IllegalArgument, err)
		}
		wantCode(t, "a short password more", models.InvalidCredential, second(h.AddPassword(t.Context(), operator, "jira", "short", "", 0)))
		for what, err := range map[string]error{
			"set":             h.Set(t.Context(), operator, "wiki", application.Options{}, nil),
			"delete":          h.Delete(t.Context(), operator, "wiki"),
			"map":             second(h.Map(t.Context(), operator, "wiki", application.NewMapping{Directory: "staff"})),
			"unmap":           h.Unmap(t.Context(), operator, "wiki", "staff"),
			"add password":    second(h.AddPassword(t.Context(), operator, "wiki", secret, "", 0)),
			"remove password": h.RemovePassword(t.Context(), operator, "wiki", 1),
			"remove alias":    h.RemoveAlias(t.Context(), operator, "wiki", "ada"),
			"aliases":         second(h.Aliases(t.Context(), "wiki")),
		} {
			wantCode(t, "no such application: "+what, models.AppNotFound, err)
		}
		if after := h.lastChange(t); after != before {
			t.Errorf("what was refused wrote %d changes", after-before)
		}
	})
}

func second[T any](_ T, err error) error { return err }

// A directory is mapped once; a group that is named twice is meant once.
func TestWhatIsNamedTwice(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.fill(t, "staff", "devs:")
		_, _, err := h.Create(t.Context(), operator, application.NewApplication{Name: "wiki", Password: secret, Directories: []string{"staff", "Staff"}})
		wantMessage(t, "a directory", models.NameTaken, "mapped to this directory already", err)

		h.create(t, application.NewApplication{Name: "jira", Directories: []string{"staff"}, Groups: []string{"Devs", "devs", "ops"}})
		m := h.record(t, "jira").Mappings
		if len(m) != 1 || !cmp.Equal([]string{"Devs", "ops"}, m[0].Groups) {
			t.Errorf("create: want one mapping with the groups Devs and ops, got %+v", m)
		}
		if _, err := h.Map(t.Context(), operator, "jira", application.NewMapping{Directory: "staff", Groups: []string{"ops", "OPS"}}); err != nil {
			t.Fatal(err)
		}
		if m := h.record(t, "jira").Mappings; !cmp.Equal([]string{"ops"}, m[0].Groups) {
			t.Errorf("map: want the group ops, got %+v", m)
		}
	})
}

func TestSetApplication(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.create(t, application.NewApplication{Name: "jira", Addresses: []string{"::1"}})
		h.clock.Advance(time.Minute)
		before := h.lastChange(t)
		wantCode(t, "nothing", "", h.Set(t.Context(), operator, "jira", application.Options{Nested: new(true)}, nil))
		if after := h.lastChange(t); after != before {
			t.Errorf("what is so already wrote %d changes", after-before)
		}
		wantCode(t, "set", "", h.Set(t.Context(), operator, "JIRA", application.Options{
			Description: new("Issues"), Aggregate: new(true), LowerCase: new(true), Nested: new(false), Active: new(false)}, nil))
		got := h.record(t, "jira")
		want := models.Application{ID: got.ID, Name: "jira", Key: "jira", Description: "Issues", Aggregate: true, LowerCase: true,
			CreatedAt: got.CreatedAt, UpdatedAt: h.store.Now()}
		if diff := cmp.Diff(want, got.Application); diff != "" {
			t.Errorf("the application (-want +got):\n%s", diff)
		}
		for _, c := range []struct {
			name            string
			addresses, want []string
		}{
			{"nil leaves them", nil, []string{"::1"}},
			{"others", []string{"10.1.2.3/8", "jira"}, []string{"10.0.0.0/8", "jira"}},
			{"none", []string{}, nil},
		} {
			wantCode(t, c.name, "", h.Set(t.Context(), operator, "jira", application.Options{}, c.addresses))
			if got := h.record(t, "jira").Addresses; !cmp.Equal(c.want, got) {
				t.Errorf("%s: want %v, got %v", c.name, c.want, got)
			}
		}
	})
}

// The order of mappings decides who shadows whom.
func TestMap(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		names := map[models.ID]string{}
		for _, name := range []string{"a", "b", "c", "d"} {
			names[h.fill(t, name, "devs:").ID] = name
		}
		h.app(t, "jira", firstMatch, "a", "b")
		order := func() string {
			var b strings.Builder
			for i, m := range h.record(t, "jira").Mappings {
				if m.Position != i+1 {
					t.Errorf("want position %d, got %d", i+1, m.Position)
				}
				b.WriteString(names[m.DirectoryID])
			}
			return b.String()
		}
		for _, step := range []struct {
			directory string
			position  int
			want      string
		}{
			{"c", 0, "abc"}, {"A", 0, "abc"}, {"d", 1, "dabc"}, {"d", 3, "abdc"}, {"c", 2, "acbd"}, {"a", 99, "cbda"}, {"a", -5, "acbd"}, {"b", 3, "acbd"},
		} {
			what := fmt.Sprintf("%s to %d", step.directory, step.position)
			wantCode(t, what, "", second(h.Map(t.Context(), operator, "jira", application.NewMapping{Directory: step.directory, Position: step.position})))
			if got := order(); got != step.want {
				t.Errorf("%s: want %s, got %s", what, step.want, got)
			}
		}

		warnings, err := h.Map(t.Context(), operator, "jira", application.NewMapping{Directory: "b", Permissions: models.AllPermissions, Groups: []string{"Devs", "ops"}})
		if err != nil || len(warnings) != 1 || !strings.Contains(warnings[0], "no group ops yet") {
			t.Errorf("want a warning of the group that isn't there, got %q, %v", warnings, err)
		}
		m := h.record(t, "jira").Mappings[2]
		if m.AllowAll || m.Permissions != models.AllPermissions || !cmp.Equal([]string{"Devs", "ops"}, m.Groups) {
			t.Errorf("want the mapping as it was set, got %+v", m)
		}
		wantCode(t, "everybody again", "", second(h.Map(t.Context(), operator, "jira", application.NewMapping{Directory: "b"})))
		if m := h.record(t, "jira").Mappings[2]; !m.AllowAll || len(m.Groups) > 0 || m.Permissions != models.ReadOnly {
			t.Errorf("want everybody let in and nothing permitted, got %+v", m)
		}
		wantCode(t, "a group that can't be one", models.IllegalArgument, second(h.Map(t.Context(), operator, "jira", application.NewMapping{Directory: "b", Groups: []string{"a\x00"}})))
		wantCode(t, "no such directory", models.DirectoryNotFound, second(h.Map(t.Context(), operator, "jira", application.NewMapping{Directory: "x"})))

		wantCode(t, "unmap", "", h.Unmap(t.Context(), operator, "jira", "C"))
		if got := order(); got != "abd" {
			t.Errorf("unmapped: want abd, got %s", got)
		}
		wantCode(t, "unmap again", models.MappingNotFound, h.Unmap(t.Context(), operator, "jira", "c"))
		wantCode(t, "unmap what isn't", models.DirectoryNotFound, h.Unmap(t.Context(), operator, "jira", "x"))

		// A deleted directory leaves a gap that does no harm.
		if err := h.directories.Delete(t.Context(), operator, "a"); err != nil {
			t.Fatal(err)
		}
		wantCode(t, "map after a deletion", "", second(h.Map(t.Context(), operator, "jira", application.NewMapping{Directory: "c", Position: 2})))
		if got := order(); got != "bcd" {
			t.Errorf("after a deletion: want bcd, got %s", got)
		}
	})
}

// Deleting an application takes what is its own; no password of one is readable anywhere.
func TestDeleteApplication(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		h := newHouse(t, db, testkit.NewClock())
		h.fill(t, "staff", "ada", "devs: ada")
		h.app(t, "wiki", firstMatch, "staff")
		logs := []string{"changes", "audit_entries"}
		before := db.Contents(t, logs...)

		h.create(t, application.NewApplication{Name: "jira", Password: "hidden-words", Directories: []string{"staff"}, Groups: []string{"devs"}})
		wantCode(t, "alias", "", h.SetAlias(t.Context(), operator, "jira", "ada", "countess"))
		h.store.NoteFailure(h.record(t, "jira").ID, 1)
		wantCode(t, "call", models.AppUnauthorized, h.authenticate(t, "jira", "hidden-words?"))
		wantCode(t, "flush", "", h.store.FlushNotes(t.Context()))
		wantCode(t, "flush", "", h.refusals.Flush(t.Context()))
		for table, rows := range db.Contents(t) {
			for _, row := range rows {
				if strings.Contains(row, "hidden-words") {
					t.Errorf("%s shows a password: %s", table, row)
				}
			}
		}
		wantCode(t, "delete", "", h.Delete(t.Context(), operator, "Jira"))
		logs = append(logs, "credentials") // the failure that was noted
		delete(before, "credentials")
		if diff := cmp.Diff(before, db.Contents(t, logs...)); diff != "" {
			t.Errorf("want everything as it was before (-want +got):\n%s", diff)
		}
	})
}
