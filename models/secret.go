package models

import (
	"database/sql/driver"
	"fmt"
	"log/slog"
)

// Secret is a text that prints as "[secret]" everywhere: logs, JSON, XML, %v. Reading it
// takes a visible call.
type Secret string

// Reveal gives the text itself.
func (s Secret) Reveal() string { return string(s) }

// String hides the text.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "[secret]"
}

// GoString hides the text from %#v.
func (s Secret) GoString() string { return `"` + s.String() + `"` }

// Format hides the text from every verb of package fmt.
func (s Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, s.String()) }

// MarshalText hides the text from JSON and XML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue hides the text from log/slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// Value gives the database the text itself.
func (s Secret) Value() (driver.Value, error) { return string(s), nil }
