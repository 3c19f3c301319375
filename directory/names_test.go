package directory_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/directory"
)

// names are a user's derived ones.
type names struct{ First, Last, Display string }

// Crowd fills in blank names on each create and update, and leaves given ones untouched.
func TestBlankNamesAreDerived(t *testing.T) {
	cases := []struct {
		name        string
		given, want names
	}{
		{"first and last", names{"Ada", "Lovelace", ""}, names{"Ada", "Lovelace", "Ada Lovelace"}},
		{"only first", names{"Ada", "", ""}, names{"Ada", "Ada", "Ada"}},
		{"only last", names{"", "Lovelace", ""}, names{"", "Lovelace", "Lovelace"}},
		{"only display, several words", names{"", "", "Ada King  of Lovelace"}, names{"Ada", "King  of Lovelace", "Ada King  of Lovelace"}},
		{"only display, one word", names{"", "", "Ada"}, names{"", "Ada", "Ada"}},
		{"nothing", names{"", "", ""}, names{"", "ada", "ada"}},
		{"nothing but blanks", names{" ", "  ", " "}, names{"", "ada", "ada"}},
		{"everything", names{"Augusta", "King", "Ada Lovelace"}, names{"Augusta", "King", "Ada Lovelace"}},
		{"given names keep their blanks", names{" Ada", "Lovelace ", ""}, names{" Ada", "Lovelace ", " Ada Lovelace "}},
	}
	eachHouse(t, func(t *testing.T, h *house) {
		for _, c := range cases {
			dir := h.directory(t, c.name)
			created, err := h.CreateUser(t.Context(), operator, dir, directory.NewUser{
				Name: "ada", FirstName: c.given.First, LastName: c.given.Last, DisplayName: c.given.Display, Active: true,
			})
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
				continue
			}
			got := names{created.FirstName, created.LastName, created.DisplayName}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s, create (-want +got):\n%s", c.name, diff)
			}

			h.must(t, func(e *directory.Edit) error {
				_, err := e.UpdateUser(dir, "ada", directory.UserPatch{FirstName: new("Grace"), LastName: new("Hopper"), DisplayName: new("Admiral")})
				return err
			})
			h.must(t, func(e *directory.Edit) error {
				_, err := e.UpdateUser(dir, "ada", directory.UserPatch{FirstName: &c.given.First, LastName: &c.given.Last, DisplayName: &c.given.Display})
				return err
			})
			u := h.userNamed(t, dir, "ada")
			got = names{u.FirstName, u.LastName, u.DisplayName}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s, update (-want +got):\n%s", c.name, diff)
			}
		}
	})
}

func TestUpdateOfOtherFieldsKeepsNames(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		dir := h.directory(t, "staff")
		h.user(t, dir, "ada", "")
		h.must(t, func(e *directory.Edit) error {
			_, err := e.UpdateUser(dir, "ada", directory.UserPatch{FirstName: new("Ada"), LastName: new("Lovelace"), DisplayName: new("Countess")})
			return err
		})
		h.must(t, func(e *directory.Edit) error {
			_, err := e.UpdateUser(dir, "ADA", directory.UserPatch{Email: new("Ada@Example.test"), Active: new(false)})
			return err
		})
		u := h.userNamed(t, dir, "ada")
		if diff := cmp.Diff(names{"Ada", "Lovelace", "Countess"}, names{u.FirstName, u.LastName, u.DisplayName}); diff != "" {
			t.Errorf("names (-want +got):\n%s", diff)
		}
		if u.Email != "Ada@Example.test" || u.EmailKey != "ada@example.test" || u.Active {
			t.Errorf("want the mail as written, its key in lower case, and inactive; got %q, %q, active %t", u.Email, u.EmailKey, u.Active)
		}
	})
}
