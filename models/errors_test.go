package models_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/rollcall-id/rollcall/models"
)

func TestErrorSaysEachThingOnce(t *testing.T) {
	t.Parallel()
	refused := errors.New("read users: 403 forbidden")
	for _, c := range []struct {
		name  string
		given models.Error
		want  string
	}{
		{"a code", models.Error{Code: models.Busy}, "busy"},
		{"a subject", models.Error{Code: models.UserNotFound, Subject: "ada"}, "user-not-found <ada>"},
		{"a sentence and what lay underneath", models.Error{Code: models.SyncFailed, Subject: "ws", Message: "no run", Err: refused},
			"sync-failed <ws>: no run: read users: 403 forbidden"},
		{"a sentence that has it", models.Error{Code: models.SyncFailed, Subject: "ws", Message: "directory ws: read users: 403 forbidden", Err: refused},
			"sync-failed <ws>: directory ws: read users: 403 forbidden"},
		{"a sentence that is it", models.Error{Code: models.InvalidCredential, Message: refused.Error(), Err: refused},
			"invalid-credential: read users: 403 forbidden"},
	} {
		if got := c.given.Error(); got != c.want {
			t.Errorf("%s: want %q, got %q", c.name, c.want, got)
		}
	}
}

// What is not said twice is still there for who looks for it.
func TestWhatLayUnderneathIsFound(t *testing.T) {
	t.Parallel()
	cause := fmt.Errorf("read users: %w", io.ErrUnexpectedEOF)
	err := error(&models.Error{Code: models.SyncFailed, Message: "directory ws: " + cause.Error(), Err: cause})
	if !errors.Is(err, io.ErrUnexpectedEOF) || !models.Is(fmt.Errorf("run: %w", err), models.SyncFailed) {
		t.Errorf("the cause or the code isn't found in %v", err)
	}
}
