package roster

import (
	"cmp"
	"slices"
	"unicode/utf8"

	"github.com/rollcall-id/rollcall/models"
)

// A span is the keys from one on that come before another. No end is an empty to.
type span struct{ from, to string }

var allKeys = span{}

// exactly holds one key.
func exactly(key string) span { return span{key, key + "\x00"} }

// prefixed holds the keys that start with a text, which is not empty.
func prefixed(text string) span { return span{text, text + string(utf8.MaxRune)} }

// spansOf gives where the keys of all that a filter finds lie, in order; ok is false where they
// may be anywhere.
func spansOf(f models.Filter) (spans []span, ok bool) {
	switch {
	case f.Logic == models.Compare && f.Property == "name" && f.Match == models.Equals:
		return []span{exactly(f.Text)}, true
	case f.Logic == models.Compare && f.Property == "name" && f.Match == models.StartsWith && f.Text != "":
		return []span{prefixed(f.Text)}, true
	case f.Logic == models.And:
		for _, child := range f.Filters {
			if spans, ok := spansOf(child); ok {
				return spans, true
			}
		}
	case f.Logic == models.Or && len(f.Filters) > 0:
		for _, child := range f.Filters {
			more, ok := spansOf(child)
			if !ok {
				return nil, false
			}
			spans = append(spans, more...)
		}
		return merged(spans), true
	}
	return nil, false
}

// merged puts spans in order, and those that overlap together. All have an end.
func merged(spans []span) []span {
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	out := spans[:1]
	for _, s := range spans[1:] {
		if last := &out[len(out)-1]; s.from <= last.to {
			last.to = max(last.to, s.to)
		} else {
			out = append(out, s)
		}
	}
	return out
}
