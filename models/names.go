package models

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// MaxName is the longest name of a user, group, application or directory, in characters.
const MaxName = 255

// MaxText is the longest other standard field (first name, mail, description), in characters.
const MaxText = 1000

// MaxValue is the longest value of an attribute, in characters: what Crowd's database holds.
const MaxValue = 4000

// Key folds a name for comparison: "Ada" and "ada" are one user. It is the lower case of
// the NFC form, in every directory and for every kind of name; the lower case of a few letters
// must be composed once more, so that a key is its own key.
func Key(name string) string {
	if isLowerASCII(name) {
		return name
	}
	return norm.NFC.String(strings.ToLower(norm.NFC.String(name)))
}

func isLowerASCII(s string) bool {
	for i := range len(s) {
		if c := s[i]; c >= utf8.RuneSelf || 'A' <= c && c <= 'Z' {
			return false
		}
	}
	return true
}

// NameProblem says in words why name can't name a user or a group; it is empty when it can.
// Blanks inside, "@", "/" and the like are allowed, as in Crowd.
func NameProblem(name string) string {
	switch {
	case strings.TrimSpace(name) == "":
		return "the name is empty"
	case strings.TrimSpace(name) != name:
		return "the name starts or ends with a blank"
	case utf8.RuneCountInString(name) > MaxName:
		return "the name is longer than 255 characters"
	}
	return TextProblem(name, MaxName)
}

// TextProblem says in words why text can't be stored: too long, not UTF-8, or with a control
// character, which XML can't carry. It is empty when text is fine.
func TextProblem(text string, limit int) string {
	if !utf8.ValidString(text) {
		return "it is not valid UTF-8"
	}
	if utf8.RuneCountInString(text) > limit {
		return "it is too long"
	}
	for _, r := range text {
		if unicode.IsControl(r) || r == '\uFFFE' || r == '\uFFFF' {
			return "it has a control character"
		}
	}
	return ""
}

// ValueProblem says in words why an attribute's value can't be stored; line breaks and tabs
// are fine in it.
func ValueProblem(value string) string {
	return TextProblem(strings.NewReplacer("\n", "", "\r", "", "\t", "").Replace(value), MaxValue)
}

// A Page is the part of a list that a caller wants: from Start, counted from 0, at most Max
// entries; a negative Max means all.
type Page struct{ Start, Max int }

// Everything is the page that holds the whole list.
var Everything = Page{Max: -1}
