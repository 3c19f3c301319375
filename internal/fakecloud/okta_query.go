package fakecloud

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// An oktaExpression is a filter or a search: comparisons joined by "and" and "or".
type oktaExpression struct {
	any   bool // one part will do
	parts []*oktaExpression
	test  *oktaTest // of a single comparison

}

type oktaTest struct {
	field, op, value string
	at               time.Time // value, of a field that is a time
}

var oktaWord = regexp.MustCompile(`^\s*("(?:[^"\\]|\\.)*"|[()]|[A-Za-z_.]+)`)

// parseOkta reads an expression. May says of each comparison whether the list takes it.
func parseOkta(text string, may func(field, op string) bool) (*oktaExpression, error) {
	var words []string
	for rest := text; strings.TrimSpace(rest) != ""; {
		m := oktaWord.FindStringSubmatch(rest)
		if m == nil {
			return nil, fmt.Errorf("%q isn't understood", rest)
		}
		words, rest = append(words, m[1]), rest[len(m[0]):]
	}
	p := oktaParser{words, may}
	x, err := p.joined("or", func() (*oktaExpression, error) { return p.joined("and", p.part) })
	if err == nil && len(p.words) > 0 {
		err = fmt.Errorf("%q is too much", p.words[0])
	}
	return x, err
}

type oktaParser struct {
	words []string
	may   func(field, op string) bool
}

func (p *oktaParser) next() string {
	if len(p.words) == 0 {
		return ""
	}
	word := p.words[0]
	p.words = p.words[1:]
	return word
}

// joined reads parts with a word between them.
func (p *oktaParser) joined(word string, part func() (*oktaExpression, error)) (*oktaExpression, error) {
	x := &oktaExpression{any: word == "or"}
	for {
		one, err := part()
		if err != nil {
			return nil, err
		}
		x.parts = append(x.parts, one)
		if len(p.words) == 0 || !strings.EqualFold(p.words[0], word) {
			break
		}
		p.next()
	}
	if len(x.parts) == 1 {
		return x.parts[0], nil
	}
	return x, nil
}

func (p *oktaParser) part() (*oktaExpression, error) {
	field := p.next()
	if field == "(" {
		x, err := p.joined("or", func() (*oktaExpression, error) { return p.joined("and", p.part) })
		if err == nil && p.next() != ")" {
			err = errors.New("a parenthesis isn't closed")
		}
		return x, err
	}
	op := strings.ToLower(p.next())
	if field == "" || !p.may(field, op) {
		return nil, fmt.Errorf("%s %s isn't supported", field, op)
	}
	quoted := p.next()
	value, ok := strings.CutPrefix(quoted, `"`)
	if !ok {
		return nil, fmt.Errorf("%s %s needs a value in quotes", field, op)
	}
	value = strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(strings.TrimSuffix(value, `"`))
	test := &oktaTest{field: field, op: op, value: value}
	if slices.Contains([]string{"created", "lastUpdated", "lastMembershipUpdated"}, field) {
		var err error
		if test.at, err = time.Parse(time.RFC3339, value); err != nil {
			return nil, err
		}
		test.value = oktaTime(test.at) // so that times compare as text
	}
	return &oktaExpression{test: test}, nil
}

// changedAfter says whether all that it holds for changed after a time.
func (x *oktaExpression) changedAfter(t time.Time) bool {
	if x.test != nil {
		return !x.test.at.IsZero() && x.test.field != "created" && (x.test.op == "gt" || x.test.op == "ge") && x.test.at.After(t)
	}
	after := func(part *oktaExpression) bool { return part.changedAfter(t) }
	if !x.any {
		return slices.ContainsFunc(x.parts, after)
	}
	return !slices.ContainsFunc(x.parts, func(part *oktaExpression) bool { return !after(part) })
}

// holds says whether something is wanted, of which field gives the values.
func (x *oktaExpression) holds(field func(name string) (string, bool)) bool {
	if x.test != nil {
		value, ok := field(x.test.field)
		return ok && x.test.holds(value)
	}
	for _, part := range x.parts {
		if part.holds(field) == x.any {
			return x.any
		}
	}
	return !x.any
}

func (t *oktaTest) holds(is string) bool {
	is, want := fold(is), fold(t.value)
	switch t.op {
	case "eq":
		return is == want
	case "sw":
		return strings.HasPrefix(is, want)
	case "co":
		return strings.Contains(is, want)
	case "gt":
		return is > want
	case "ge":
		return is >= want
	case "lt":
		return is < want
	case "le":
		return is <= want
	}
	return false
}
