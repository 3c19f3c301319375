package application_test

import (
	"context"
	"iter"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/models"
)

// Whoever asks for names gets those of the list: in SQL and in memory, whatever the application
// makes of them.
func TestNamesAreThoseOfTheList(t *testing.T) {
	eachReader(t, func(t *testing.T, h *house) {
		h.fill(t, "staff", "Devs: Ada bob", "Ops: @Devs carl", "all: @Ops dora", "empty:")
		h.fill(t, "partners", "devs: eve ada", "all: frank")
		sees := []string{"staff", "partners"}
		h.app(t, "plain", firstMatch, sees...)
		h.app(t, "aliased", firstMatch, sees...)
		wantCode(t, "alias", "", h.SetAlias(t.Context(), operator, "aliased", "bob", "Zed"))
		h.app(t, "lower", application.Options{LowerCase: new(true), Nested: new(true)}, sees...)
		h.app(t, "aggregate", application.Options{Aggregate: new(true), Nested: new(true)}, sees...)
		for _, app := range []string{"plain", "aliased", "lower", "aggregate"} {
			v := h.view(t, app)
			for _, page := range []models.Page{models.Everything, {Start: 1, Max: 1}, {Start: 9, Max: 5}, {Max: 0}} {
				for _, depth := range []application.Depth{application.Direct, application.Nested} {
					sameNames(t, v.GroupsOf, v.GroupNamesOf, depth, page, "ada", "bob", "nobody")
					sameNames(t, v.Members, v.MemberNames, depth, page, "devs", "all", "empty", "nothing")
					sameNames(t, v.Parents, v.ParentNames, depth, page, "devs", "all", "nothing")
					sameNames(t, v.Children, v.ChildNames, depth, page, "devs", "all", "nothing")
				}
			}
		}
	})
}

func sameNames[T named](t *testing.T, list func(context.Context, string, application.Depth, models.Page) ([]T, error),
	names func(context.Context, string, application.Depth, models.Page) (iter.Seq[string], error), d application.Depth, p models.Page, of ...string) {
	t.Helper()
	for _, one := range of {
		want, werr := list(t.Context(), one, d, p)
		got, err := names(t.Context(), one, d, p)
		if models.CodeOf(err) != models.CodeOf(werr) {
			t.Errorf("of %s: %v, want %v", one, err, werr)
		}
		if err != nil {
			continue
		}
		if diff := cmp.Diff(namesOf(want), append([]string{}, slices.Collect(got)...)); diff != "" {
			t.Errorf("of %s, depth %d, page %v (-want +got):\n%s", one, d, p, diff)
		}
		for range got { // whoever leaves early leaves nothing behind
			break
		}
	}
}
