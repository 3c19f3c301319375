package roster

import (
	"strings"
	"unicode/utf8"

	"github.com/rollcall-id/rollcall/models"
)

// A test tells whether a filter finds a row. It means what store/search.go says in SQL.
type test func(r *record) bool

// properties says where a record has the properties that a filter may compare. Any other is a
// custom attribute, which only the database has.
type properties struct {
	texts map[string]textProperty
	local bool // whether there is the property "local", which every row has
}

type textProperty struct {
	place  int // in record.texts
	folded fold
}

var userProperties = properties{texts: map[string]textProperty{
	"name": {textKey, isKey}, "firstName": {2, toKey}, "lastName": {3, toKey}, "displayName": {4, toKey}, "email": {5, toKey},
	"externalId": {6, lowerASCII},
}}

var groupProperties = properties{local: true, texts: map[string]textProperty{
	"name": {textKey, isKey}, "description": {2, toKey}, "externalId": {3, lowerASCII},
}}

// compile makes a test of a filter; ok is false where only the database can tell.
func (p properties) compile(f models.Filter) (t test, ok bool) {
	switch f.Logic {
	case models.And, models.Or:
		return p.compileAll(f)
	case models.Compare:
		return p.compare(f)
	}
	return everyRow, true
}

func everyRow(*record) bool { return true }

func (p properties) compileAll(f models.Filter) (test, bool) {
	tests := make([]test, len(f.Filters))
	for i, child := range f.Filters {
		var ok bool
		if tests[i], ok = p.compile(child); !ok {
			return nil, false
		}
	}
	ends := f.Logic == models.Or // the answer of one test that is the answer of all
	switch {
	case len(tests) == 0:
		return everyRow, true
	case len(tests) == 1:
		return tests[0], true
	}
	return func(r *record) bool {
		for _, t := range tests {
			if t(r) == ends {
				return ends
			}
		}
		return !ends
	}, true
}

func (p properties) compare(f models.Filter) (test, bool) {
	if text, ok := p.texts[f.Property]; ok {
		return text.compare(f)
	}
	null := f.Match == models.Null // of what is always there
	switch {
	case f.Property == "active":
		return func(r *record) bool { return !null && r.active == f.Flag }, true
	case f.Property == "local" && p.local:
		return func(*record) bool { return !null && f.Flag }, true
	case f.Property == "createdDate":
		return func(r *record) bool { return compareDate(r.created, f) }, true
	case f.Property == "updatedDate":
		return func(r *record) bool { return compareDate(r.updated, f) }, true
	}
	return nil, false
}

func compareDate(at models.Time, f models.Filter) bool {
	switch f.Match {
	case models.Null:
		return false
	case models.Greater:
		return at > f.At
	case models.Less:
		return at < f.At
	}
	return at == f.At
}

// compare makes a test of a text, which is folded anew for each row: the picture has texts as
// they are written. What no row can have, bytes that are no text, is left to the database.
func (p textProperty) compare(f models.Filter) (test, bool) {
	if !utf8.ValidString(f.Text) || strings.IndexByte(f.Text, 0) >= 0 {
		return nil, false
	}
	var room []byte
	folded := func(r *record) string { return p.folded(r.texts[p.place], &room) }
	switch f.Match {
	case models.Null:
		return func(r *record) bool { return r.texts[p.place] == "" }, true
	case models.StartsWith:
		if f.Text == "" {
			return everyRow, true
		}
		s := prefixed(f.Text)
		return func(r *record) bool { text := folded(r); return s.from <= text && text < s.to }, true
	case models.EndsWith:
		return func(r *record) bool { return strings.HasSuffix(folded(r), f.Text) }, true
	case models.Contains:
		return func(r *record) bool { return strings.Contains(folded(r), f.Text) }, true
	}
	return func(r *record) bool { return folded(r) == f.Text }, true
}

// A fold gives a text as filters compare it. What it gives may stand in room, until that is used
// again: ASCII, nearly always, takes no memory.
type fold func(text string, room *[]byte) string

func isKey(text string, _ *[]byte) string { return text }

func toKey(text string, room *[]byte) string {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return models.Key(text)
		}
	}
	return lowerASCII(text, room)
}

// lowerASCII leaves all other letters as they are, as the function lower of both databases does
// with external ids.
func lowerASCII(text string, room *[]byte) string {
	b := append((*room)[:0], text...)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	*room = b
	return view(b)
}
