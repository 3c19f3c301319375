package application_test

import (
	"testing"

	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/models"
)

// A user may log in when the mapping of the user's own directory lets everybody in, or when
// one of its groups in that directory has the user, nested groups included.
func TestMayLogin(t *testing.T) {
	cases := []struct {
		name   string
		groups map[string][]string // by directory; none: everybody
		yes    string
		no     string
	}{
		{"everybody", nil, "ada bob carl dora", ""},
		{"a group of the first directory", map[string][]string{"staff": {"Devs"}}, "ada carl dora", "bob"},
		{"through another group", map[string][]string{"staff": {"all"}}, "ada bob carl dora", ""},
		{"one of several groups", map[string][]string{"staff": {"none", "eng", "devs"}}, "ada carl dora", "bob"},
		{"a group there isn't", map[string][]string{"staff": {"none"}}, "carl dora", "ada bob"},
		{"a group of another directory alone", map[string][]string{"staff": {"sales"}, "partners": {"sales"}}, "carl", "ada bob dora"},
		{"a group of both", map[string][]string{"staff": {"devs"}, "partners": {"devs"}}, "ada dora", "bob carl"},
	}
	eachReader(t, func(t *testing.T, h *house) {
		h.fill(t, "staff", "all: bob @devs", "devs: ada", "eng:")
		partners := h.fill(t, "partners", "sales: carl ada", "devs: dora") // this ada is shadowed
		others := h.fill(t, "others", "erin")
		for _, o := range []application.Options{firstMatch, aggregated} {
			for _, c := range cases {
				app := c.name
				if o.Aggregate != nil {
					app += ", aggregated"
				}
				h.app(t, app, o, "staff", "partners")
				for dir, groups := range c.groups {
					if _, err := h.Map(t.Context(), operator, app, application.NewMapping{Directory: dir, Groups: groups}); err != nil {
						t.Fatal(err)
					}
				}
				v := h.view(t, app)
				for want, users := range map[bool]string{true: c.yes, false: c.no} {
					for _, user := range words(users) {
						_, u, err := v.Owner(t.Context(), user)
						if err != nil {
							t.Fatal(err)
						}
						if may, err := v.MayLogin(t.Context(), u); err != nil || may != want {
							t.Errorf("%s: may %s? want %t, got %t, %v", app, user, want, may, err)
						}
					}
				}
				if may, err := v.MayLogin(t.Context(), h.row(t, others, "erin")); err != nil || may {
					t.Errorf("%s: a user of a directory that isn't mapped: want no, got %t, %v", app, may, err)
				}
			}
		}

		// Without nested groups only a direct member may.
		h.app(t, "flat", application.Options{Nested: new(false)}, "staff")
		if _, err := h.Map(t.Context(), operator, "flat", application.NewMapping{Directory: "staff", Groups: []string{"all"}}); err != nil {
			t.Fatal(err)
		}
		v := h.view(t, "flat")
		for user, want := range map[string]bool{"bob": true, "ada": false} {
			_, u, err := v.Owner(t.Context(), user)
			if err != nil {
				t.Fatal(err)
			}
			if may, err := v.MayLogin(t.Context(), u); err != nil || may != want {
				t.Errorf("without nested groups: may %s? want %t, got %t, %v", user, want, may, err)
			}
		}

		// A group is meant by its name: deleted and made again, it lets its members in.
		h.app(t, "by name", firstMatch, "partners")
		if _, err := h.Map(t.Context(), operator, "by name", application.NewMapping{Directory: "partners", Groups: []string{"Sales"}}); err != nil {
			t.Fatal(err)
		}
		carl := h.row(t, partners, "carl")
		for _, step := range []struct {
			name string
			do   func(e *directory.Edit) error
			want bool
		}{
			{"as it was", func(*directory.Edit) error { return nil }, true},
			{"deleted", func(e *directory.Edit) error { return e.DeleteGroup(partners, "sales") }, false},
			{"made again", func(e *directory.Edit) error {
				if _, err := e.CreateGroup(partners, directory.NewGroup{Name: "SALES"}); err != nil {
					return err
				}
				return e.AddMember(partners, "sales", "carl")
			}, true},
			{"inactive groups count", func(e *directory.Edit) error {
				_, err := e.UpdateGroup(partners, "sales", directory.GroupPatch{Active: new(false)})
				return err
			}, true},
		} {
			h.edit(t, step.do)
			if may, err := h.view(t, "by name").MayLogin(t.Context(), carl); err != nil || may != step.want {
				t.Errorf("%s: want %t, got %t, %v", step.name, step.want, may, err)
			}
		}
	})
}

// An application that aggregates sees a user in groups of other directories; to let somebody
// in, they don't count.
func TestAggregatedGroupsLetNobodyIn(t *testing.T) {
	eachReader(t, func(t *testing.T, h *house) {
		h.fill(t, "staff", "ada", "devs:")
		h.fill(t, "partners", "devs: ada")
		h.app(t, "union", aggregated, "staff", "partners")
		if _, err := h.Map(t.Context(), operator, "union", application.NewMapping{Directory: "staff", Permissions: models.AllPermissions, Groups: []string{"devs"}}); err != nil {
			t.Fatal(err)
		}
		v := h.view(t, "union")
		wantCode(t, "is seen in devs", "", v.CheckMember(t.Context(), "ada", "devs", application.Direct))
		_, u, err := v.Owner(t.Context(), "ada")
		if err != nil {
			t.Fatal(err)
		}
		if may, err := v.MayLogin(t.Context(), u); err != nil || may {
			t.Errorf("want no, got %t, %v", may, err)
		}
		wantCode(t, "leave", "", v.RemoveMember(t.Context(), "ada", "devs"))
		wantCode(t, "join", "", h.view(t, "union").AddMember(t.Context(), "ada", "devs"))
		if may, err := h.view(t, "union").MayLogin(t.Context(), u); err != nil || !may {
			t.Errorf("in the group of staff: want yes, got %t, %v", may, err)
		}
	})
}
