package audit

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rollcall-id/rollcall/models"
)

// clean makes a text that a stranger sent fit for a row: PostgreSQL refuses what is not
// UTF-8, and one such row would hold up all others.
func clean(text string) string {
	if len(text) > 4*models.MaxName { // its first characters are enough; don't read them all
		text = text[:4*models.MaxName]
	}
	text = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.IsControl(r) {
			return '?'
		}
		return r
	}, text)
	if utf8.RuneCountInString(text) > models.MaxName {
		text = string([]rune(text)[:models.MaxName])
	}
	return text
}
