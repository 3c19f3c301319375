package session_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/session"
)

func TestTokensComeFromTheRandomBytesAlone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, random, want string }{
		{"bytes below the alphabet's size", strings.Repeat("\x00\x01\x3d", 8), strings.Repeat("AB9", 8)},
		{"bytes that wrap around", strings.Repeat("\x3e\xf7", 12), strings.Repeat("A9", 12)},
		{"bytes that would make some letters likelier", strings.Repeat("\xf8\xff\x02", 24), strings.Repeat("C", 24)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, testkit.NewSQLite(t), session.Options{Random: strings.NewReader(c.random)})
			if got := w.issue(session.Request{User: w.ada.ID}).Token; got != c.want {
				t.Errorf("token = %q, want %q", got, c.want)
			}
		})
	}
}

func TestWithoutRandomnessThereIsNoSession(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	w := newWorld(t, testkit.NewSQLite(t), session.Options{Random: io.MultiReader(strings.NewReader("123456"), iotest.ErrReader(broken))})
	if _, err := w.Issue(t.Context(), models.System, session.Request{User: w.ada.ID}); !errors.Is(err, broken) {
		t.Errorf("Issue = %v, want %v", err, broken)
	}
}
