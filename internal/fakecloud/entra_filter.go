package fakecloud

import (
	"fmt"
	"regexp"
	"strings"
)

// A graphFilter is a $filter: comparisons joined by "and", or by "or". Graph has more; what is more
// is refused.
type graphFilter struct {
	any   bool // one clause will do
	tests []graphFilterTest
}

type graphFilterTest struct {
	field string
	op    string // eq, ne, startswith, endswith
	not   bool
	value string // a literal: of text without its quotes
	text  bool
}

var (
	comparison = regexp.MustCompile(`^(\w+) (eq|ne) ('(?:[^']|'')*'|true|false|null)`)
	function   = regexp.MustCompile(`^(?i)(not )?(startswith|endswith)\((\w+), ?('(?:[^']|'')*')\)`)
	joint      = regexp.MustCompile(`^ (and|or) `)
)

func parseFilter(text string) (*graphFilter, error) {
	f, rest := &graphFilter{}, strings.TrimSpace(text)
	for {
		var t graphFilterTest
		var literal string
		if m := comparison.FindStringSubmatch(rest); m != nil {
			t.field, t.op, literal, rest = m[1], m[2], m[3], rest[len(m[0]):]
		} else if m := function.FindStringSubmatch(rest); m != nil {
			t.not, t.op, t.field, literal, rest = m[1] != "", strings.ToLower(m[2]), m[3], m[4], rest[len(m[0]):]
		} else {
			return nil, fmt.Errorf("%q isn't understood", rest)
		}
		t.value = literal
		if strings.HasPrefix(literal, "'") {
			t.text, t.value = true, strings.ReplaceAll(literal[1:len(literal)-1], "''", "'")
		}
		f.tests = append(f.tests, t)
		if rest == "" {
			return f, nil
		}
		m := joint.FindStringSubmatch(rest)
		if m == nil || len(f.tests) > 1 && f.any != (m[1] == "or") {
			return nil, fmt.Errorf("%q isn't understood", rest)
		}
		f.any, rest = m[1] == "or", rest[len(m[0]):]
	}
}

// advanced says whether the filter needs the index.
func (f *graphFilter) advanced() bool {
	for _, t := range f.tests {
		if t.not || t.op == "ne" || t.op == "endswith" {
			return true
		}
	}
	return false
}

// ids gives the ids when the filter is nothing but a list of them.
func (f *graphFilter) ids() ([]string, bool) {
	var ids []string
	for _, t := range f.tests {
		if t.field != "id" || t.op != "eq" || !t.text {
			return nil, false
		}
		ids = append(ids, t.value)
	}
	return ids, f.any || len(ids) == 1
}

// holds says whether an object, whose fields value gives as JSON, is wanted.
func (f *graphFilter) holds(value func(field string) string) bool {
	for _, t := range f.tests {
		if t.holds(value(t.field)) == f.any {
			return f.any
		}
	}
	return !f.any
}

func (t graphFilterTest) holds(is string) bool {
	want := t.value
	if t.text {
		want = string(appendString(nil, t.value))
	}
	is, want = fold(is), fold(want)
	found := is == want
	switch t.op {
	case "ne":
		return !found
	case "startswith":
		found = strings.HasPrefix(is, strings.TrimSuffix(want, `"`))
	case "endswith":
		found = strings.HasSuffix(is, strings.TrimPrefix(want, `"`))
	}
	return found != t.not
}
