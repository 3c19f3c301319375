package directory

import (
	"strings"

	"github.com/rollcall-id/rollcall/models"
)

// CompleteNames fills in the names that are blank, as Crowd does on each create and update:
//
//	first and last given    display is "first last"
//	only first              last and display are the same
//	only last               first is empty, display is the last
//	only display            its first word, and everything after it; one word is the last
//	nothing                 last and display are the user's name
func CompleteNames(u *models.User) {
	first, last, display := blank(u.FirstName), blank(u.LastName), blank(u.DisplayName)
	switch {
	case first && last && display:
		u.FirstName, u.LastName, u.DisplayName = "", u.Name, u.Name
	case display && last:
		u.LastName, u.DisplayName = u.FirstName, u.FirstName
	case display && first:
		u.FirstName, u.DisplayName = "", u.LastName
	case display:
		u.DisplayName = u.FirstName + " " + u.LastName
	default:
		given, family := splitName(u.DisplayName)
		if first {
			u.FirstName = given
		}
		if last {
			u.LastName = family
		}
	}
}

func blank(s string) bool { return strings.TrimSpace(s) == "" }

func splitName(display string) (given, family string) {
	display = strings.TrimSpace(display)
	i := strings.IndexFunc(display, isSpace)
	if i < 0 {
		return "", display
	}
	return display[:i], strings.TrimSpace(display[i:])
}

func isSpace(r rune) bool { return strings.TrimSpace(string(r)) == "" }
