package crowd

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/models"
)

// plusTwo is the server's zone in these tests: a missing zone must mean it, and not UTC.
var plusTwo = time.FixedZone("+02:00", 2*60*60)

func is(property, text string) models.Filter { return compared(property, models.Equals, text) }

func compared(property string, match models.Match, text string) models.Filter {
	return models.Filter{Logic: models.Compare, Property: property, Match: match, Text: text}
}

func flag(property string, value bool) models.Filter {
	return models.Filter{Logic: models.Compare, Property: property, Flag: value}
}

func dated(property string, match models.Match, at string) models.Filter {
	t, err := time.Parse(time.RFC3339, at)
	if err != nil {
		panic(err)
	}
	return models.Filter{Logic: models.Compare, Property: property, Match: match, At: models.Time(t.UnixMilli())}
}

// within is what "=" means for a period: after the last moment before it, and before its end.
func within(property, start, end string) models.Filter {
	after := dated(property, models.Greater, start)
	after.At--
	return and(after, dated(property, models.Less, end))
}

func and(list ...models.Filter) models.Filter { return models.Filter{Logic: models.And, Filters: list} }
func or(list ...models.Filter) models.Filter  { return models.Filter{Logic: models.Or, Filters: list} }

var everything = models.Filter{}

// Typed in from Crowd's description of the language, and its examples.
func TestCQL(t *testing.T) {
	t.Parallel()
	bob, ada := is("name", "bob"), is("name", "ada")
	for _, c := range []struct {
		cql  string
		want models.Filter
	}{
		{``, everything},
		{"  \t\n ", everything},
		{`name = bob`, bob},
		{`name=bob`, bob},
		{`name= "bob"`, bob},
		{`name = BOB`, bob},
		{`firstName = "bob" and email = bob@example.net`, and(is("firstName", "bob"), is("email", "bob@example.net"))},
		{`lastName = "van der Berg"`, is("lastName", "van der berg")},
		{`displayName = "\"Bob\" Builder"`, is("displayName", `"bob" builder`)},
		{`name = "corp\\bob"`, is("name", `corp\bob`)},
		{`externalId = 1f0e2d3c-aaaa_b.c`, is("externalId", "1f0e2d3c-aaaa_b.c")},
		{`email = bob+lists@example.net`, is("email", "bob+lists@example.net")},
		{`name = Zoë`, is("name", "zoë")},
		{"name = Zoe\u0308", is("name", "zoë")}, // another way to write it
		{`email = ""`, is("email", "")},
		{`name = "and"`, is("name", "and")},

		{`name = bob*`, compared("name", models.StartsWith, "bob")},
		{`name = *bob`, compared("name", models.EndsWith, "bob")},
		{`name = *bob*`, compared("name", models.Contains, "bob")},
		{`name = "bob the*"`, compared("name", models.StartsWith, "bob the")},
		{`name = b*b`, is("name", "b*b")},
		{`name = *`, everything},
		{`name = "*"`, everything},
		{`name = **`, everything},
		{`active = *`, everything},
		{`createdDate = *`, everything},

		{`active = true`, flag("active", true)},
		{`active=false`, flag("active", false)},
		{`active = "TRUE"`, flag("active", true)},

		{`name = bob and name = ada`, and(bob, ada)},
		{`name = bob AND name = ada And name = bob`, and(bob, ada, bob)},
		{`name = bob or name = ada`, or(bob, ada)},
		{`name = bob or name = ada and active = true`, or(bob, and(ada, flag("active", true)))},
		{`name = bob and name = ada or active = true`, or(and(bob, ada), flag("active", true))},
		{`(name = bob or name = ada) and active = true`, and(or(bob, ada), flag("active", true))},
		{`active = true and (name = bob OR (name = ada))`, and(flag("active", true), or(bob, ada))},
		{`((name=bob))`, bob},
		{`(name=bob)and(name=ada)`, and(bob, ada)},
		{`name="bob"and"name"=ada`, and(bob, ada)},

		{`department = Ops`, is("department", "ops")}, // a custom attribute
		{`"cost center" = 4*`, compared("cost center", models.StartsWith, "4")},
		{`firstname = bob`, is("firstname", "bob")}, // not the property
		{`local = true`, is("local", "true")},       // of groups only

		{`createdDate > 2010`, dated("createdDate", models.Greater, "2010-01-01T00:00:00+02:00")},
		{`createdDate < 2010-12`, dated("createdDate", models.Less, "2010-12-01T00:00:00+02:00")},
		{`createdDate>2010-12-08`, dated("createdDate", models.Greater, "2010-12-08T00:00:00+02:00")},
		{`updatedDate > 2010-12-08T16`, dated("updatedDate", models.Greater, "2010-12-08T16:00:00+02:00")},
		{`updatedDate > 2010-12-08T16:11`, dated("updatedDate", models.Greater, "2010-12-08T16:11:00+02:00")},
		{`updatedDate > 2010-12-08T16:11:21`, dated("updatedDate", models.Greater, "2010-12-08T16:11:21+02:00")},
		{`updatedDate > 2010-12-08T16:11:21.181`, dated("updatedDate", models.Greater, "2010-12-08T16:11:21.181+02:00")},
		{`updatedDate < 2010-12-08T16:11:21.181+1100`, dated("updatedDate", models.Less, "2010-12-08T16:11:21.181+11:00")},
		{`updatedDate < "2010-12-08T16:11:21.181+11:00"`, dated("updatedDate", models.Less, "2010-12-08T16:11:21.181+11:00")},
		{`updatedDate < 2010-12-08T16:11:21Z`, dated("updatedDate", models.Less, "2010-12-08T16:11:21Z")},
		{`updatedDate < 2010-12-08T16-0500`, dated("updatedDate", models.Less, "2010-12-08T16:00:00-05:00")},
		{`createdDate = 2010-12-08T16:11:21.181+1100`, dated("createdDate", models.Equals, "2010-12-08T16:11:21.181+11:00")},
		{`createdDate = 2010`, within("createdDate", "2010-01-01T00:00:00+02:00", "2011-01-01T00:00:00+02:00")},
		{`createdDate = 2012-02`, within("createdDate", "2012-02-01T00:00:00+02:00", "2012-03-01T00:00:00+02:00")},
		{`createdDate = 2010-12-31`, within("createdDate", "2010-12-31T00:00:00+02:00", "2011-01-01T00:00:00+02:00")},
		{`createdDate = 2010-12-08T23Z`, within("createdDate", "2010-12-08T23:00:00Z", "2010-12-09T00:00:00Z")},
		{`createdDate = 2010-12-08T16:11Z`, within("createdDate", "2010-12-08T16:11:00Z", "2010-12-08T16:12:00Z")},
		{`createdDate = 2010-12-08T16:11:21Z`, within("createdDate", "2010-12-08T16:11:21Z", "2010-12-08T16:11:22Z")},
	} {
		got, err := parseCQL(c.cql, searchedUsers, plusTwo)
		if err != nil {
			t.Errorf("%s: %v", c.cql, err)
			continue
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.cql, diff)
		}
	}
	got, err := parseCQL(`local = true and description = "who *"`, searchedGroups, plusTwo)
	want := and(flag("local", true), compared("description", models.StartsWith, "who "))
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("of a group (-want +got):\n%s%v", diff, err)
	}
}

func TestCQLErrorsSayWhere(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		cql  string
		at   int
		want string
	}{
		{`bob`, 4, `expected "=", "<" or ">", not the end`},
		{`bob smith`, 5, `expected "=", "<" or ">", not <smith>`},
		{`name =`, 7, `expected a value, not the end`},
		{`name = = bob`, 8, `expected a value, not <=>`},
		{`name = and`, 8, `expected a value, not <and>`},
		{`name = bob and`, 15, `expected a property or "(", not the end`},
		{`and name = bob`, 1, `expected a property or "(", not <and>`},
		{`name = bob name = ada`, 12, `expected "and", "or" or the end, not <name>`},
		{`name = bob)`, 11, `expected "and", "or" or the end, not <)>`},
		{`(name = bob`, 12, `expected "and", "or" or ")", not the end`},
		{`()`, 2, `expected a property or "(", not <)>`},
		{`"" = bob`, 1, `expected a property, not empty quotes`},
		{`name = b\ob`, 9, `what has a "\\" must stand in quotes`},
		{`name = b/ob`, 9, `what has a "/" must stand in quotes`},
		{`name != bob`, 6, `what has a "!" must stand in quotes`},
		{`name ~ bob`, 6, `what has a "~" must stand in quotes`},
		{`name = "b\ob"`, 10, `after a backslash, expected " or another backslash`},
		{`name = "bob\"`, 8, `the quote has no end`},
		{`name = "bob\`, 12, `after a backslash`},
		{`name = "bob`, 8, `the quote has no end`},
		{`Zoë = "zoë" or name = 'x'`, 23, `what has a "'" must stand in quotes`}, // characters, not bytes
		{`name > bob`, 6, `expected "=": only dates have an order, and <name> is none`},
		{`active < true`, 8, `only dates have an order`},
		{`department > 4`, 12, `only dates have an order`},
		{`active = yes`, 10, `expected true or false, not <yes>`},
		{`active = t*`, 10, `expected true or false`},
		{`createdDate > yesterday`, 15, `expected a date like 2010-12-08`},
		{`createdDate > *`, 15, `expected a date`},
		{`createdDate = 2010*`, 15, `expected a date`},
		{`createdDate = 2010-13`, 15, `expected a date`},
		{`createdDate = 2010-02-30`, 15, `expected a date`},
		{`createdDate = 2010-1`, 15, `expected a date`},
		{`createdDate = 10`, 15, `expected a date`},
		{`createdDate = 2010Z`, 15, `expected a date`},
		{`createdDate = ""`, 15, `expected a date`},
		{`createdDate = 2010-12-08T16:11:21 +1100`, 35, `expected "and", "or" or the end, not <+1100>`},
		{strings.Repeat("(", maxFilterDepth+1) + "name=bob", maxFilterDepth + 1, `parentheses are nested deeper than 20`},
	} {
		_, err := parseCQL(c.cql, searchedUsers, plusTwo)
		known, ok := err.(*models.Error)
		if !ok || known.Code != models.IllegalArgument {
			t.Errorf("%s: %v, want IllegalArgument", c.cql, err)
			continue
		}
		where := fmt.Sprintf("The restriction can not be read at character %d: ", c.at)
		if !strings.HasPrefix(known.Message, where) || !strings.Contains(known.Message, c.want) {
			t.Errorf("%s:\n%q, want\n%q … %q", c.cql, known.Message, where, c.want)
		}
	}
}

func TestCQLLimits(t *testing.T) {
	t.Parallel()
	most := strings.Repeat("a=b or ", maxFilterTerms-1) + "a=b"
	deepest := strings.Repeat("(", maxFilterDepth) + "a=b" + strings.Repeat(")", maxFilterDepth)
	for _, cql := range []string{most, deepest, strings.Repeat("a", maxCQL-2) + "=b"} {
		if _, err := parseCQL(cql, searchedUsers, plusTwo); err != nil {
			t.Errorf("%.40s…: %v", cql, err)
		}
	}
	for cql, want := range map[string]string{
		most + " or a=b":                       "the search compares more than 500 times",
		strings.Repeat("a", maxCQL-1) + "=b":   "longer than 32768 bytes",
		"a=" + strings.Repeat("b", 100) + " !": "at character 104",
		strings.Repeat("b", 100) + " b":        "expected",
	} {
		if _, err := parseCQL(cql, searchedUsers, plusTwo); !models.Is(err, models.IllegalArgument) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s…: %v, want %q", cql, err, want)
		}
	}
	if _, err := parseCQL("a=b "+strings.Repeat("c", 100), searchedUsers, plusTwo); err == nil || len(err.Error()) > 250 {
		t.Errorf("a message may not repeat all of a long text: %v", err)
	}
}

// printCQL writes a filter as CQL that means it. ok is false where CQL has no words for it:
// what is null, and texts with an asterisk at an end that doesn't stand for anything.
func printCQL(f models.Filter, of searched) (cql string, ok bool) {
	switch f.Logic {
	case models.All:
		return "name = *", true
	case models.And, models.Or:
		word := map[models.Logic]string{models.And: " and ", models.Or: " or "}[f.Logic]
		var parts []string
		for _, child := range f.Filters {
			part, ok := printCQL(child, of)
			if !ok {
				return "", false
			}
			if child.Logic == models.Or || child.Logic == models.And && f.Logic == models.And {
				part = "(" + part + ")"
			}
			parts = append(parts, part)
		}
		return strings.Join(parts, word), true
	}
	property := quoteCQL(f.Property)
	if f.Match == models.Null {
		return "", false
	}
	switch of.properties[f.Property] {
	case models.FlagProperty:
		return fmt.Sprintf("%s=%t", property, f.Flag), true
	case models.DateProperty:
		at := f.At.Std()
		if at.Year() < 0 || at.Year() > 9999 {
			return "", false
		}
		operator := map[models.Match]string{models.Equals: "=", models.Greater: ">", models.Less: "<"}[f.Match]
		return property + operator + at.Format("2006-01-02T15:04:05.000Z"), true
	}
	value := map[models.Match]string{
		models.Equals: f.Text, models.StartsWith: f.Text + "*", models.EndsWith: "*" + f.Text, models.Contains: "*" + f.Text + "*",
	}[f.Match]
	if match, text := wildcards(value); match != f.Match || text != f.Text || value != "" && strings.Trim(value, "*") == "" {
		return "", false
	}
	return property + " = " + quoteCQL(value), true
}

func quoteCQL(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// printsBack fails the test when the filter, printed as CQL and read again, is another. A date
// that is a period takes two comparisons, and may take parentheses: a filter that is beyond the
// limits for that is passed over.
func printsBack(t *testing.T, f models.Filter, of searched) {
	t.Helper()
	cql, ok := printCQL(f, of)
	depth, terms := depthOf(f)
	if !ok || len(cql) > maxCQL || depth > maxFilterDepth || terms > maxFilterTerms {
		return
	}
	again, err := parseCQL(cql, of, plusTwo)
	if err != nil {
		t.Fatalf("%s: %v", cql, err)
	}
	if diff := cmp.Diff(refold(f), again); diff != "" {
		t.Fatalf("%s is another filter (-want +got):\n%s", cql, diff)
	}
}

// refold folds all texts once more, which changes the few whose capitals have no precomposed
// form while their small letters have one.
func refold(f models.Filter) models.Filter {
	f.Text = models.Key(f.Text)
	for i := range f.Filters {
		f.Filters[i] = refold(f.Filters[i])
	}
	return f
}

// depthOf gives how deep "and" and "or" are nested, and how many comparisons there are.
func depthOf(f models.Filter) (depth, terms int) {
	for _, child := range f.Filters {
		d, n := depthOf(child)
		depth, terms = max(depth, d), terms+n
	}
	if f.Logic == models.Compare {
		terms++
	}
	if f.Logic == models.And || f.Logic == models.Or {
		depth++
	}
	return depth, terms
}

func FuzzCQL(f *testing.F) {
	for _, cql := range []string{
		``, `name = bob`, `firstName = "bob" and email = bob@example.net`, `(a = "\"\\" or b = *c*) and active = true`,
		`createdDate > 2010-12-08T16:11:21.181+1100`, `createdDate = 2010 or updatedDate < 2010-12`, `name = *`, `a=b*and*c`,
		`((`, `a = "`, `a = "\`, "Zoe\u0308 = \"\u0130\"", `a==b`, `name = ***`, "\xff = \xfe",
	} {
		f.Add(cql, true)
	}
	f.Fuzz(func(t *testing.T, cql string, users bool) {
		of := searchedGroups
		if users {
			of = searchedUsers
		}
		filter, err := parseCQL(cql, of, plusTwo)
		if err != nil {
			if !models.Is(err, models.IllegalArgument) {
				t.Fatalf("%q: %v is no IllegalArgument", cql, err)
			}
			return
		}
		// A parenthesis may hold an "or" with an "and" in it, and a date may be two comparisons.
		if depth, terms := depthOf(filter); depth > 2*maxFilterDepth+3 || terms > 2*maxFilterTerms {
			t.Fatalf("%q is %d deep and has %d terms", cql, depth, terms)
		}
		printsBack(t, filter, of)
	})
}
