package crowd

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/rollcall-id/rollcall/models"
)

// maxCQL is the longest search in Crowd's query language, in bytes. It comes in a query, which
// the server limits too.
const maxCQL = 32 << 10

// parseCQL reads a search in Crowd's query language:
//
//	search     = all { "or" all }
//	all        = term { "and" term }
//	term       = "(" search ")" | property ( "=" | "<" | ">" ) value
//	property   = word | quoted          what isn't a property of what is searched is a custom attribute
//	value      = word | quoted          "*" at its start or end stands for any text, in quotes too
//
// A word has letters, digits and some signs; "and" and "or", in any case, are words only in
// quotes. In quotes \" is a quote and \\ a backslash. Nothing at all finds everything, and so
// does a property that is "*". Dates without a zone are in the given one.
//
// Failures are IllegalArgument, and say at which character what was expected.
func parseCQL(text string, of searched, zone *time.Location) (models.Filter, error) {
	if strings.TrimSpace(text) == "" {
		return models.Filter{}, nil
	}
	if len(text) > maxCQL {
		return models.Filter{}, models.Fail(models.IllegalArgument, "restriction", fmt.Sprintf("The restriction is longer than %d bytes", maxCQL))
	}
	p := cqlParser{lexer: cqlLexer{rest: text, at: 1}, of: of, zone: zone}
	if err := p.advance(); err != nil {
		return models.Filter{}, err
	}
	f, err := p.search(0)
	if err != nil {
		return models.Filter{}, err
	}
	if p.token.kind != cqlEnd {
		return models.Filter{}, p.token.unexpected(`"and", "or" or the end`)
	}
	return f, nil
}

type cqlParser struct {
	lexer cqlLexer
	token cqlToken // the one that comes next
	of    searched
	zone  *time.Location
	terms int
}

func (p *cqlParser) advance() (err error) {
	p.token, err = p.lexer.next()
	return err
}

// search reads terms between "and" and "or"; "and" binds tighter. depth is how many parentheses
// are open.
func (p *cqlParser) search(depth int) (models.Filter, error) {
	return p.chain(models.Or, func() (models.Filter, error) {
		return p.chain(models.And, func() (models.Filter, error) { return p.term(depth) })
	})
}

// chain reads what one keyword joins.
func (p *cqlParser) chain(logic models.Logic, part func() (models.Filter, error)) (models.Filter, error) {
	var list []models.Filter
	for {
		f, err := part()
		if err != nil {
			return models.Filter{}, err
		}
		list = append(list, f)
		if p.token.kind != cqlKeyword || logics[strings.ToLower(p.token.text)] != logic {
			return combine(logic, list), nil
		}
		if err := p.advance(); err != nil {
			return models.Filter{}, err
		}
	}
}

func (p *cqlParser) term(depth int) (models.Filter, error) {
	switch p.token.kind {
	case cqlOpen:
		return p.parenthesis(depth + 1)
	case cqlWord, cqlQuoted:
		return p.comparison()
	}
	return models.Filter{}, p.token.unexpected(`a property or "("`)
}

func (p *cqlParser) parenthesis(depth int) (models.Filter, error) {
	if depth > maxFilterDepth {
		return models.Filter{}, badCQL(p.token.at, "parentheses are nested deeper than %d", maxFilterDepth)
	}
	if err := p.advance(); err != nil {
		return models.Filter{}, err
	}
	f, err := p.search(depth)
	if err != nil {
		return models.Filter{}, err
	}
	if p.token.kind != cqlClose {
		return models.Filter{}, p.token.unexpected(`"and", "or" or ")"`)
	}
	return f, p.advance()
}

func (p *cqlParser) comparison() (models.Filter, error) {
	property := p.token
	if property.text == "" {
		return models.Filter{}, badCQL(property.at, "expected a property, not empty quotes")
	}
	if p.terms++; p.terms > maxFilterTerms {
		return models.Filter{}, badCQL(property.at, "the search compares more than %d times", maxFilterTerms)
	}
	if err := p.advance(); err != nil {
		return models.Filter{}, err
	}
	operator := p.token
	if operator.kind != cqlOperator {
		return models.Filter{}, operator.unexpected(`"=", "<" or ">"`)
	}
	if err := p.advance(); err != nil {
		return models.Filter{}, err
	}
	value := p.token
	if value.kind != cqlWord && value.kind != cqlQuoted {
		return models.Filter{}, value.unexpected("a value")
	}
	f, err := p.compare(property.text, operator, value)
	if err != nil {
		return models.Filter{}, err
	}
	return f, p.advance()
}

// compare reads the value by the property's type, which also says whether it has an order.
func (p *cqlParser) compare(property string, operator, value cqlToken) (models.Filter, error) {
	kind := p.of.properties[property]
	if operator.text != "=" && kind != models.DateProperty {
		return models.Filter{}, badCQL(operator.at, `expected "=": only dates have an order, and <%s> is none`, property)
	}
	if operator.text == "=" && value.text != "" && strings.Trim(value.text, "*") == "" {
		return models.Filter{}, nil // "*" alone is everything, whoever hasn't got the property included
	}
	f := models.Filter{Logic: models.Compare, Property: property}
	switch kind {
	case models.FlagProperty:
		switch strings.ToLower(value.text) {
		case "true", "false":
			f.Flag = strings.EqualFold(value.text, "true")
			return f, nil
		}
		return models.Filter{}, badCQL(value.at, "expected true or false, not %s", value.shown())
	case models.DateProperty:
		period, ok := parsePeriod(value.text, p.zone)
		if !ok {
			return models.Filter{}, badCQL(value.at, "expected a date like 2010-12-08 or 2010-12-08T16:11:21.181+1100, not %s", value.shown())
		}
		return period.filter(f, operator.text), nil
	}
	f.Match, f.Text = wildcards(value.text)
	f.Text = models.Key(f.Text)
	return f, nil
}

// wildcards tells a match by the asterisks around a value. One in the middle is itself.
func wildcards(value string) (models.Match, string) {
	inner, start := strings.CutPrefix(value, "*")
	both, end := strings.CutSuffix(inner, "*")
	switch {
	case start && end:
		return models.Contains, both
	case start:
		return models.EndsWith, inner
	case end:
		return models.StartsWith, both
	}
	return models.Equals, value
}

// A period is what the beginning of a date means: "2010-12" is a month. It ends before its end.
type period struct{ start, end models.Time }

// filter compares with a period: "=" is within it, for nobody was created in the millisecond in
// which a year began; "<" and ">" are before and after its start, as in Crowd.
func (p period) filter(f models.Filter, operator string) models.Filter {
	before, after := f, f
	before.Match, before.At = models.Less, p.start
	after.Match, after.At = models.Greater, p.start
	switch {
	case operator == "<":
		return before
	case operator == ">":
		return after
	case p.end == p.start+1:
		f.At = p.start
		return f
	}
	after.At, before.At = p.start-1, p.end
	return models.Filter{Logic: models.And, Filters: []models.Filter{after, before}}
}

// The beginnings of an ISO date that CQL takes, each with what comes after its period. Those
// with a time of day may have a zone.
var (
	days = []periodFormat{
		{"2006", func(t time.Time) time.Time { return t.AddDate(1, 0, 0) }},
		{"2006-01", func(t time.Time) time.Time { return t.AddDate(0, 1, 0) }},
		{"2006-01-02", func(t time.Time) time.Time { return t.AddDate(0, 0, 1) }},
	}
	times = []periodFormat{
		{"2006-01-02T15", func(t time.Time) time.Time { return t.Add(time.Hour) }},
		{"2006-01-02T15:04", func(t time.Time) time.Time { return t.Add(time.Minute) }},
		{"2006-01-02T15:04:05", func(t time.Time) time.Time { return t.Add(time.Second) }},
	}
	zones = []string{"", "Z0700", "Z07:00", "Z07"}
)

type periodFormat struct {
	layout string
	next   func(time.Time) time.Time
}

func parsePeriod(text string, zone *time.Location) (period, bool) {
	for _, f := range days {
		if t, err := time.ParseInLocation(f.layout, text, zone); err == nil {
			return period{models.Time(t.UnixMilli()), models.Time(f.next(t).UnixMilli())}, true
		}
	}
	for _, f := range times {
		for _, z := range zones {
			t, err := time.ParseInLocation(f.layout+z, text, zone)
			if err != nil {
				continue
			}
			start := models.Time(t.UnixMilli())
			if strings.ContainsAny(text, ".,") {
				return period{start, start + 1}, true // parts of a second are as exact as we are
			}
			return period{start, models.Time(f.next(t).UnixMilli())}, true
		}
	}
	return period{}, false
}

// A cqlToken is one piece of the text. at counts characters from 1.
type cqlToken struct {
	kind cqlKind
	text string // of a quoted one, what is meant
	at   int
}

type cqlKind int

const (
	cqlEnd      cqlKind = iota
	cqlWord             // a property or a value
	cqlQuoted           // the same
	cqlKeyword          // "and", "or", in any case
	cqlOperator         // "=", "<", ">"
	cqlOpen
	cqlClose
)

func (t cqlToken) unexpected(expected string) error {
	return badCQL(t.at, "expected %s, not %s", expected, t.shown())
}

// shown gives the token for a message.
func (t cqlToken) shown() string {
	if t.kind == cqlEnd {
		return "the end"
	}
	const most = 40
	text := t.text
	if utf8.RuneCountInString(text) > most {
		text = string([]rune(text)[:most]) + "…"
	}
	return "<" + text + ">"
}

func badCQL(at int, format string, args ...any) error {
	return models.Fail(models.IllegalArgument, "restriction", fmt.Sprintf("The restriction can not be read at character %d: ", at)+fmt.Sprintf(format, args...))
}

type cqlLexer struct {
	rest string
	at   int // the position of rest, in characters from 1
}

// take gives the first n bytes of the rest, and goes on after them.
func (l *cqlLexer) take(n int) string {
	taken := l.rest[:n]
	l.rest = l.rest[n:]
	l.at += utf8.RuneCountInString(taken)
	return taken
}

func (l *cqlLexer) next() (cqlToken, error) {
	l.take(len(l.rest) - len(strings.TrimLeftFunc(l.rest, unicode.IsSpace)))
	t := cqlToken{at: l.at}
	if l.rest == "" {
		return t, nil
	}
	switch c := l.rest[0]; c {
	case '(':
		t.kind, t.text = cqlOpen, l.take(1)
		return t, nil
	case ')':
		t.kind, t.text = cqlClose, l.take(1)
		return t, nil
	case '=', '<', '>':
		t.kind, t.text = cqlOperator, l.take(1)
		return t, nil
	case '"':
		var err error
		t.kind = cqlQuoted
		t.text, err = l.quoted()
		return t, err
	}
	return l.word()
}

// word reads letters, digits and the signs that names, addresses and dates have.
func (l *cqlLexer) word() (cqlToken, error) {
	t := cqlToken{kind: cqlWord, at: l.at}
	end := strings.IndexFunc(l.rest, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) && !strings.ContainsRune(".@-_*:+", r)
	})
	if end == 0 {
		r, _ := utf8.DecodeRuneInString(l.rest)
		return t, badCQL(l.at, `what has a %q must stand in quotes`, string(r))
	}
	if end < 0 {
		end = len(l.rest)
	}
	t.text = l.take(end)
	if slices.Contains([]string{"and", "or"}, strings.ToLower(t.text)) {
		t.kind = cqlKeyword
	}
	return t, nil
}

// quoted reads up to the closing quote.
func (l *cqlLexer) quoted() (string, error) {
	opened := l.at
	l.take(1)
	var text strings.Builder
	for {
		i := strings.IndexAny(l.rest, `"\`)
		if i < 0 {
			return "", badCQL(opened, "the quote has no end")
		}
		text.WriteString(l.take(i))
		if l.rest[0] == '"' {
			l.take(1)
			return text.String(), nil
		}
		if len(l.rest) < 2 || l.rest[1] != '"' && l.rest[1] != '\\' {
			return "", badCQL(l.at, `after a backslash, expected " or another backslash`)
		}
		text.WriteByte(l.rest[1])
		l.take(2)
	}
}
