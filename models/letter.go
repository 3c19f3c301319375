package models

import (
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"
)

// LetterKind says which letter to write: the name of its template.
type LetterKind string

// The letters.
const (
	LetterReset           LetterKind = "reset"            // the link with which a password is chosen anew
	LetterResetInactive   LetterKind = "reset-inactive"   // why there is none
	LetterUsernames       LetterKind = "usernames"        // the names that belong to an address
	LetterPasswordChanged LetterKind = "password-changed" // so that nobody's is changed unnoticed
	LetterAlarm           LetterKind = "alarm"            // what is wrong with a directory's synchronisation
)

// LetterKinds lists every letter.
var LetterKinds = []LetterKind{LetterReset, LetterResetInactive, LetterUsernames, LetterPasswordChanged, LetterAlarm}

// A Letter is what a rule wants to be written to somebody. It waits in the outbox, sealed.
type Letter struct {
	Kind        LetterKind   `json:"kind"`
	To          string       `json:"to"`
	Server      string       `json:"server"`                // the public address of this server
	Application string       `json:"application,omitempty"` // through which it was asked for
	Name        string       `json:"name,omitempty"`        // of the user
	Link        string       `json:"link,omitempty"`
	Until       string       `json:"until,omitempty"` // the link's end, in words
	Names       []LetterName `json:"names,omitempty"`
	More        bool         `json:"more,omitempty"` // there are more names than these
	Directory   string       `json:"directory,omitempty"`
	Event       AlarmEvent   `json:"event,omitempty"`
	Text        string       `json:"text,omitempty"` // of an alarm
}

// A LetterName is one of the names that belong to an address.
type LetterName struct {
	Name   string `json:"name"`
	Active bool   `json:"active"`
}

// EmailProblem says in words why nobody can be written to at text; it is empty when somebody
// can. It takes the address alone: no name before it, no comment, no quotes.
func EmailProblem(text string) string {
	switch {
	case text == "":
		return "there is none"
	case len(text) > 254: // RFC 5321, 4.5.3.1.3, without the angle brackets
		return "it is too long"
	case !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) }):
		return "it has a blank or a control character"
	}
	parsed, err := mail.ParseAddress(text)
	if err != nil || parsed.Address != text || parsed.Name != "" {
		return "it has not the form name@domain"
	}
	return ""
}
