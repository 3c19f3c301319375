package application_test

import (
	"context"
	"strings"
	"testing"

	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// nest puts a group into another without looking for circles, as an import may.
func (h *house) nest(t testing.TB, dir *models.Directory, parent, child string) {
	t.Helper()
	err := h.store.Write(t.Context(), operator, func(tx *store.Tx) error {
		p, err := tx.GroupByName(t.Context(), dir.ID, parent)
		if err != nil {
			return err
		}
		c, err := tx.GroupByName(t.Context(), dir.ID, child)
		if err != nil {
			return err
		}
		return tx.AddChild(p, c)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// An asked is one question about memberships, and its answer in both modes.
type asked struct {
	of                     string // "ada", or "@devs" for a group
	question               string // groups, members, parents, children
	depth                  application.Depth
	firstMatch, aggregated string
}

func (a asked) answer(ctx context.Context, v *application.View) (names []string, err error) {
	group := strings.TrimPrefix(a.of, "@")
	switch a.question {
	case "groups":
		return answered(v.GroupsOf(ctx, a.of, a.depth, models.Everything))
	case "members":
		return answered(v.Members(ctx, group, a.depth, models.Everything))
	case "parents":
		return answered(v.Parents(ctx, group, a.depth, models.Everything))
	}
	return answered(v.Children(ctx, group, a.depth, models.Everything))
}

func answered[T named](list []T, err error) ([]string, error) { return namesOf(list), err }

// The application aggregates, or it takes a user's groups from the user's own directory alone.
func TestMembershipsOfSeveralDirectories(t *testing.T) {
	const direct, nested = application.Direct, application.Nested
	questions := []asked{
		{"ada", "groups", direct, "devs", "devs qa sales"},
		{"ada", "groups", nested, "devs eng", "all devs eng qa sales"},
		{"carl", "groups", direct, "Devs", "Devs"}, // the first spelling
		{"carl", "groups", nested, "all Devs", "all Devs eng"},
		{"bob", "groups", nested, "", ""},

		{"@devs", "members", direct, "ada carl", "ada carl"},
		{"@sales", "members", direct, "dora", "ada dora"}, // the ada of partners is shadowed
		{"@eng", "members", direct, "", ""},
		{"@eng", "members", nested, "ada", "ada carl"},
		{"@all", "members", nested, "carl dora", "ada carl dora"},
		{"@qa", "members", nested, "", "ada"},

		{"@devs", "parents", direct, "eng", "all eng"},
		{"@devs", "parents", nested, "eng", "all eng"},
		{"@sales", "parents", nested, "all", "all"},
		{"@eng", "parents", nested, "", ""},
		{"@all", "children", direct, "sales", "Devs sales"},
		{"@all", "children", nested, "sales", "Devs sales"},
		{"@eng", "children", nested, "Devs", "Devs"},
	}
	eachReader(t, func(t *testing.T, h *house) {
		h.fill(t, "staff", "bob", "Devs: ada", "eng: @Devs")
		h.fill(t, "partners", "devs: carl", "sales: Ada dora", "qa: Ada", "all: @devs @sales")
		h.app(t, "first", firstMatch, "staff", "partners")
		h.app(t, "union", aggregated, "staff", "partners")
		for _, q := range questions {
			for app, want := range map[string]string{"first": q.firstMatch, "union": q.aggregated} {
				what := app + ", " + q.of + ", " + q.question + map[application.Depth]string{direct: " direct", nested: " nested"}[q.depth]
				got, err := q.answer(t.Context(), h.view(t, app))
				want = strings.ReplaceAll(want, "devs", "Devs")
				if err != nil || want != strings.Join(got, " ") {
					t.Errorf("%s: want %q, got %q, %v", what, want, got, err)
				}
			}
		}
	})
}

// Without nested groups, "nested" is the same as "direct".
func TestNestedGroupsSwitchedOff(t *testing.T) {
	eachReader(t, func(t *testing.T, h *house) {
		h.fill(t, "staff", "devs: ada", "eng: bob @devs", "all: @eng")
		h.app(t, "jira", firstMatch, "staff")
		h.app(t, "flat", application.Options{Nested: new(false)}, "staff")
		for _, q := range []struct{ of, question, nested, flat string }{
			{"ada", "groups", "all devs eng", "devs"},
			{"@eng", "members", "ada bob", "bob"},
			{"@all", "members", "ada bob", ""},
			{"@devs", "parents", "all eng", "eng"},
			{"@all", "children", "devs eng", "eng"},
		} {
			for app, want := range map[string]string{"jira": q.nested, "flat": q.flat} {
				got, err := asked{of: q.of, question: q.question, depth: application.Nested}.answer(t.Context(), h.view(t, app))
				if err != nil || want != strings.Join(got, " ") {
					t.Errorf("%s, %s of %s: want %q, got %q, %v", app, q.question, q.of, want, got, err)
				}
			}
		}
		wantMessage(t, "nest", models.InvalidMembership, "does not support nested groups", h.view(t, "flat").AddChild(t.Context(), "all", "devs"))
		wantCode(t, "take out", "", h.view(t, "flat").RemoveChild(t.Context(), "eng", "all"))
	})
}

// A circle that came by an import: every walk ends, names each once, and leaves the start out.
func TestCirclesThatExist(t *testing.T) {
	eachReader(t, func(t *testing.T, h *house) {
		staff := h.fill(t, "staff", "a: ada @b", "b: bob @c", "c: carl ada", "self: dora")
		h.nest(t, staff, "c", "a")
		h.nest(t, staff, "self", "self")
		for _, o := range []application.Options{firstMatch, aggregated} {
			name := "first"
			if o.Aggregate != nil {
				name = "union"
			}
			h.app(t, name, o, "staff")
			for _, q := range []asked{
				{"@a", "members", application.Nested, "ada bob carl", ""},
				{"@b", "children", application.Nested, "a c", ""},
				{"@b", "parents", application.Nested, "a c", ""},
				{"ada", "groups", application.Nested, "a b c", ""},
				{"@self", "children", application.Nested, "", ""},
				{"@self", "parents", application.Nested, "", ""},
				{"@self", "children", application.Direct, "", ""},
				{"@self", "members", application.Nested, "dora", ""},
			} {
				got, err := q.answer(t.Context(), h.view(t, name))
				if err != nil || q.firstMatch != strings.Join(got, " ") {
					t.Errorf("%s, %s of %s: want %q, got %q, %v", name, q.question, q.of, q.firstMatch, got, err)
				}
			}
		}
	})
}

func TestMembershipsOfTheUnknown(t *testing.T) {
	eachReader(t, func(t *testing.T, h *house) {
		h.fill(t, "staff", "ada", "devs: ada")
		h.app(t, "jira", firstMatch, "staff")
		v := h.view(t, "jira")
		for _, page := range []models.Page{models.Everything, {Max: 0}, {Max: 10}} {
			_, err := v.GroupsOf(t.Context(), "nobody", application.Direct, page)
			wantCode(t, "groups of nobody", models.UserNotFound, err)
			_, err = v.Members(t.Context(), "none", application.Nested, page)
			wantCode(t, "members of none", models.GroupNotFound, err)
			_, err = v.Parents(t.Context(), "none", application.Nested, page)
			wantCode(t, "parents of none", models.GroupNotFound, err)
			_, err = v.Children(t.Context(), "none", application.Direct, page)
			wantCode(t, "children of none", models.GroupNotFound, err)
		}
		// A question whether one is in the other has one negative answer.
		for _, pair := range [][2]string{{"nobody", "devs"}, {"ada", "none"}, {"nobody", "none"}} {
			wantCode(t, pair[0]+" in "+pair[1], models.NotMember, v.CheckMember(t.Context(), pair[0], pair[1], application.Nested))
			wantCode(t, "group "+pair[0]+" in "+pair[1], models.NotMember, v.CheckChild(t.Context(), pair[0], pair[1], application.Nested))
		}
	})
}

func TestIsOneInTheOther(t *testing.T) {
	eachReader(t, func(t *testing.T, h *house) {
		h.fill(t, "staff", "Devs: ada", "eng: @Devs", "all: @eng")
		h.app(t, "jira", firstMatch, "staff")
		v := h.view(t, "jira")
		for _, c := range []struct {
			member, group  string
			direct, nested models.Code
		}{
			{"ADA", "devs", "", ""},
			{"ada", "Eng", models.NotMember, ""},
			{"ada", "ALL", models.NotMember, ""},
		} {
			wantCode(t, c.member+" in "+c.group, c.direct, v.CheckMember(t.Context(), c.member, c.group, application.Direct))
			wantCode(t, c.member+" in "+c.group+", nested", c.nested, v.CheckMember(t.Context(), c.member, c.group, application.Nested))
		}
		wantCode(t, "devs in eng", "", v.CheckChild(t.Context(), "DEVS", "ENG", application.Direct))
		wantCode(t, "devs in all", models.NotMember, v.CheckChild(t.Context(), "devs", "all", application.Direct))
		wantCode(t, "devs in all, nested", "", v.CheckChild(t.Context(), "devs", "all", application.Nested))
		wantCode(t, "all in devs, nested", models.NotMember, v.CheckChild(t.Context(), "all", "devs", application.Nested))
	})
}

// Pages cut the list in the order of names; together they are the list.
func TestPagesOfMemberships(t *testing.T) {
	eachReader(t, func(t *testing.T, h *house) {
		h.fill(t, "staff", "devs: u1 U2 u3", "all: @devs")
		h.fill(t, "partners", "devs: u4 u2 u5")
		h.app(t, "jira", aggregated, "partners", "staff")
		v := h.view(t, "jira")
		for _, c := range []struct {
			page models.Page
			want string
		}{
			{models.Everything, "u1 u2 u3 u4 u5"},
			{models.Page{Start: 0, Max: 2}, "u1 u2"},
			{models.Page{Start: 2, Max: 2}, "u3 u4"},
			{models.Page{Start: 4, Max: 2}, "u5"},
			{models.Page{Start: 5, Max: 2}, ""},
			{models.Page{Start: 3, Max: -1}, "u4 u5"},
			{models.Page{Start: 0, Max: 0}, ""},
			{models.Page{Start: 1, Max: 99999}, "u2 u3 u4 u5"},
		} {
			members, err := v.Members(t.Context(), "all", application.Nested, c.page)
			wantNames(t, "members", c.want, members, err)
		}
		groups, err := v.GroupsOf(t.Context(), "u1", application.Nested, models.Page{Start: 1, Max: 5})
		wantNames(t, "groups", "devs", groups, err)
	})
}
