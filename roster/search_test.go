package roster_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/roster"
	"github.com/rollcall-id/rollcall/store"
)

// search compares random searches of users and of groups with SQL's.
func (c *comparison) search(v store.Visible) {
	c.t.Helper()
	sql, ok := c.want.(*store.Reads)
	if !ok {
		return
	}
	dates := c.dates(sql, v)
	for range 8 {
		q := store.Search{Visible: v, Filter: c.filter(userTerms, dates, 3), Skip: c.IntN(3), Limit: c.IntN(8) - 1}
		if c.IntN(3) == 0 {
			q.After = models.Key(spelled(c.Rand, userNames))
		}
		var want []*models.User
		found, err := sql.SearchUsers(c.t.Context(), q)
		for i := range found {
			want = append(want, &found[i].User)
		}
		sameFound(c, fmt.Sprintf("users that %+v finds", q), want, err, func(s *roster.Snapshot) (iter.Seq2[models.User, error], bool) {
			return s.SearchUsers(c.t.Context(), q)
		})

		q.Filter = c.filter(groupTerms, dates, 3)
		groups, err := sql.SearchGroups(c.t.Context(), q)
		sameFound(c, fmt.Sprintf("groups that %+v finds", q), groups, err, func(s *roster.Snapshot) (iter.Seq2[models.Group, error], bool) {
			return s.SearchGroups(c.t.Context(), q)
		})
	}
}

// sameFound compares what memory finds; it must find all that this test looks for by itself.
func sameFound[T any](c *comparison, what string, want []*T, err error, find func(s *roster.Snapshot) (iter.Seq2[T, error], bool)) {
	c.t.Helper()
	c.questions++
	if err != nil {
		c.t.Errorf("%s: %v", what, err)
		return
	}
	withoutKeys(want)
	for name, memory := range c.memory {
		found, ok := find(memory.(*roster.Snapshot))
		if !ok {
			c.t.Errorf("%s: %s: memory leaves it to SQL", name, what)
			continue
		}
		var got []*T
		for row, err := range found {
			if err != nil {
				c.t.Errorf("%s: %s: %v", name, what, err)
			}
			got = append(got, &row)
		}
		if !reflect.DeepEqual(want, got) {
			testkit.Diff(c.t, name+": "+what, want, got, cmpopts.EquateEmpty())
		}
	}
}

// dates gives some dates that users have.
func (c *comparison) dates(sql *store.Reads, v store.Visible) []models.Time {
	c.t.Helper()
	some, err := sql.SearchUsers(c.t.Context(), store.Search{Visible: v, Limit: 5})
	if err != nil {
		c.t.Fatal(err)
	}
	out := []models.Time{0, 1_790_000_000_000}
	for _, u := range some {
		out = append(out, u.CreatedAt, u.UpdatedAt)
	}
	return out
}

// What random filters compare, by type.
type terms struct{ texts, flags []string }

var (
	userTerms  = terms{[]string{"name", "name", "email", "firstName", "lastName", "displayName", "externalId"}, []string{"active"}}
	groupTerms = terms{[]string{"name", "name", "description", "externalId"}, []string{"active", "local"}}
)

func (c *comparison) filter(of terms, dates []models.Time, depth int) models.Filter {
	n := c.IntN(12)
	switch {
	case n == 0:
		return models.Filter{}
	case n < 5 && depth > 0:
		f := models.Filter{Logic: models.And}
		if c.IntN(2) == 0 {
			f.Logic = models.Or
		}
		for range c.IntN(4) {
			f.Filters = append(f.Filters, c.filter(of, dates, depth-1))
		}
		return f
	case n == 5:
		return models.Filter{Logic: models.Compare, Property: of.flags[c.IntN(len(of.flags))], Flag: c.IntN(2) == 0,
			Match: []models.Match{models.Equals, models.Equals, models.Null}[c.IntN(3)]}
	case n == 6:
		return models.Filter{Logic: models.Compare, Property: []string{"createdDate", "updatedDate"}[c.IntN(2)], At: dates[c.IntN(len(dates))],
			Match: []models.Match{models.Equals, models.Greater, models.Less, models.Null}[c.IntN(4)]}
	}
	if n == 7 { // names that may lie in each other's spans
		f := models.Filter{Logic: models.Or}
		for range 1 + c.IntN(4) {
			f.Filters = append(f.Filters, models.Filter{Logic: models.Compare, Property: "name", Text: c.part("name"),
				Match: []models.Match{models.Equals, models.StartsWith}[c.IntN(2)]})
		}
		return f
	}
	property := of.texts[c.IntN(len(of.texts))]
	return models.Filter{Logic: models.Compare, Property: property, Text: c.part(property),
		Match: []models.Match{models.Equals, models.StartsWith, models.EndsWith, models.Contains, models.Null}[c.IntN(5)]}
}

// part gives a piece, or the whole, of a text that rows have.
func (c *comparison) part(property string) string {
	whole := someText(c.Rand)
	switch property {
	case "name":
		whole = []string{spelled(c.Rand, userNames), spelled(c.Rand, groupNames), "Moved 7"}[c.IntN(3)]
	case "externalId":
		whole = []string{fmt.Sprint("Source-", c.IntN(20)), fmt.Sprint("Quelle-É", c.IntN(20)), "bulk-1", "-É"}[c.IntN(4)]
	}
	runes := []rune(models.Key(whole))
	switch n := c.IntN(3); {
	case len(runes) == 0 || n == 0:
	case n == 1:
		runes = runes[:1+c.IntN(len(runes))]
	default:
		from := c.IntN(len(runes))
		runes = runes[from : from+c.IntN(len(runes)-from+1)]
	}
	return models.Key(string(runes))
}

// What memory lacks is left to SQL: attributes, aliases, texts that no row can have, and mails
// of which SQL has an index, once there are many.
func TestSearchesThatAreLeftToSQL(t *testing.T) {
	t.Parallel()
	db := testkit.NewSQLite(t)
	s := db.Open(t)
	r := roster.New(s, testkit.Log(t))
	st := newStage(t, s, "staff")
	st.crowd(2100)
	build(t, r)
	name := models.Filter{Logic: models.Compare, Property: "name", Match: models.Contains, Text: "a"}
	mail := models.Filter{Logic: models.Compare, Property: "email", Text: "ada@example.test"}
	named := models.Filter{Logic: models.Compare, Property: "name", Text: "ada"}
	both := func(l models.Logic, f ...models.Filter) models.Filter { return models.Filter{Logic: l, Filters: f} }
	with := func(f models.Filter, change func(*models.Filter)) models.Filter { change(&f); return f }
	for what, c := range map[string]struct {
		q      store.Search
		memory bool
	}{
		"everybody":                   {store.Search{}, true},
		"a name":                      {store.Search{Filter: name}, true},
		"a name, where aliases count": {store.Search{Filter: name, Application: 1}, false},
		"an attribute":                {store.Search{Filter: both(models.And, named, with(name, func(f *models.Filter) { f.Property = "colour" }))}, false},
		"a time of login":             {store.Search{Filter: with(name, func(f *models.Filter) { f.Property = "lastAuthenticated" })}, false},
		"no text":                     {store.Search{Filter: with(name, func(f *models.Filter) { f.Text = "\xff" })}, false},
		"a NUL":                       {store.Search{Filter: with(name, func(f *models.Filter) { f.Text = "\x00" })}, false},
		"a mail":                      {store.Search{Filter: mail}, false},
		"a mail's beginning":          {store.Search{Filter: with(mail, func(f *models.Filter) { f.Match = models.StartsWith })}, false},
		"a part of a mail":            {store.Search{Filter: with(mail, func(f *models.Filter) { f.Match = models.Contains })}, true},
		"a mail and a name":           {store.Search{Filter: both(models.And, mail, named)}, true},
		"a mail or a name":            {store.Search{Filter: both(models.Or, mail, named)}, false},
		"a mail or part of a name":    {store.Search{Filter: both(models.Or, mail, name)}, true},
		"a mail and part of a name":   {store.Search{Filter: both(models.And, mail, name)}, false},
	} {
		c.q.Dirs = []models.ID{st.dir.ID}
		if _, ok := r.Picture().SearchUsers(t.Context(), c.q); ok != c.memory {
			t.Errorf("%s: answered from memory: %t, want %t", what, ok, c.memory)
		}
	}
}

// A search that nobody waits for any more ends, though it finds nothing.
func TestSearchEndsWithItsContext(t *testing.T) {
	t.Parallel()
	s := roster.Generated(t, 50_000)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	none := models.Filter{Logic: models.Compare, Property: "email", Match: models.Contains, Text: "nobody"}
	found, ok := s.SearchUsers(ctx, store.Search{Visible: store.Visible{Dirs: []models.ID{1}}, Filter: none, Limit: -1})
	if !ok {
		t.Fatal("memory leaves it to SQL")
	}
	var last error
	for _, err := range found {
		last = err
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("want %v, got %v", context.Canceled, last)
	}
}

// However many a search finds, it takes no memory: the first is given before the last is read.
func TestSearchTakesNoMemory(t *testing.T) {
	s := roster.Generated(t, 50_000)
	part := models.Filter{Logic: models.Compare, Property: "email", Match: models.Contains, Text: "@"}
	for name, filter := range map[string]models.Filter{"everybody": {}, "all mails": part} {
		n := 0
		allocs := testing.AllocsPerRun(1, func() {
			n = 0
			found, _ := s.SearchUsers(t.Context(), store.Search{Visible: store.Visible{Dirs: []models.ID{1}}, Filter: filter, Limit: -1})
			for range found {
				n++
			}
		})
		if n != 50_000 || allocs > 50 {
			t.Errorf("%s: %d users with %.0f allocations", name, n, allocs)
		}
	}
}
