package roster

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/models"
)

func TestSpansOfFilters(t *testing.T) {
	t.Parallel()
	name := func(m models.Match, text string) models.Filter {
		return models.Filter{Logic: models.Compare, Property: "name", Match: m, Text: text}
	}
	is := func(text string) models.Filter { return name(models.Equals, text) }
	begins := func(text string) models.Filter { return name(models.StartsWith, text) }
	mail := models.Filter{Logic: models.Compare, Property: "email", Text: "a"}
	and := func(f ...models.Filter) models.Filter { return models.Filter{Logic: models.And, Filters: f} }
	or := func(f ...models.Filter) models.Filter { return models.Filter{Logic: models.Or, Filters: f} }
	for what, c := range map[string]struct {
		filter models.Filter
		want   []span // nil: anywhere
	}{
		"everything":               {models.Filter{}, nil},
		"a name":                   {is("ada"), []span{exactly("ada")}},
		"a beginning":              {begins("a"), []span{prefixed("a")}},
		"no beginning":             {begins(""), nil},
		"a part":                   {name(models.Contains, "a"), nil},
		"another property":         {mail, nil},
		"both":                     {and(mail, is("ada")), []span{exactly("ada")}},
		"either":                   {or(mail, is("ada")), nil},
		"none of any":              {or(), nil},
		"names in another order":   {or(is("bob"), is("ada"), is("bob")), []span{exactly("ada"), exactly("bob")}},
		"a name in a beginning":    {or(is("ada"), begins("a")), []span{prefixed("a")}},
		"beginnings in each other": {or(begins("ad"), begins("a"), is("b")), []span{prefixed("a"), exactly("b")}},
		"deeper":                   {or(and(mail, or(is("b"), is("a"))), is("c")), []span{exactly("a"), exactly("b"), exactly("c")}},
	} {
		got, ok := spansOf(c.filter)
		if ok != (c.want != nil) {
			t.Errorf("%s: bounded %t", what, ok)
		}
		if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(span{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
}
