package server

import (
	"fmt"
	"log/slog"
	"regexp"
	"strings"

	"github.com/rollcall-id/rollcall/models"
)

// mask stands where a secret would.
const mask = "[secret]"

// Secret is a text that prints as "[secret]" everywhere.
type Secret = models.Secret

// DatabaseURL names the database. It may hold a password, so it prints without one.
type DatabaseURL string

// Reveal gives the address with its password.
func (u DatabaseURL) Reveal() string { return string(u) }

// secretParameter finds the query parameters of a PostgreSQL address that hold secrets.
var secretParameter = regexp.MustCompile(`(?i)([?&][^=&]*password=)[^&]*`)

// String gives the address with [secret] for the password. An address that is written wrongly
// may lose more than that, never less: the last "@" ends the password, wherever it stands.
func (u DatabaseURL) String() string {
	scheme, rest, ok := strings.Cut(string(u), "://")
	if !ok {
		return string(u) // sqlite:path has no place for a password
	}
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		if user, _, ok := strings.Cut(rest[:at], ":"); ok {
			rest = user + ":" + mask + rest[at:]
		}
	}
	return scheme + "://" + secretParameter.ReplaceAllString(rest, "${1}"+mask)
}

// Format hides the password from every verb of fmt.
func (u DatabaseURL) Format(f fmt.State, _ rune) { fmt.Fprint(f, u.String()) }

// MarshalText hides the password from JSON and YAML.
func (u DatabaseURL) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

// LogValue hides the password from log/slog.
func (u DatabaseURL) LogValue() slog.Value { return slog.StringValue(u.String()) }

// SQLitePath gives the file of a SQLite address, without the options behind "?"; ok is false
// when the address names a PostgreSQL database.
func (u DatabaseURL) SQLitePath() (file string, ok bool) {
	file, ok = strings.CutPrefix(string(u), "sqlite:")
	file, _, _ = strings.Cut(file, "?")
	return file, ok
}
