package crowd

import (
	"context"

	"github.com/labstack/echo/v4"

	"github.com/rollcall-id/rollcall/application"
)

// mailPassword answers POST /user/mail/password: the user gets a letter with a link to choose
// a new password. Atlassian's client sends an empty body, of the type of XML; nobody reads it.
func (h *handler) mailPassword() echo.HandlerFunc {
	return onOne("username", func(v *application.View, ctx context.Context, name string) error {
		return h.login.RequestReset(ctx, v, name)
	})
}

// mailUsernames answers POST /user/mail/usernames: whoever has the address gets a letter with
// the names that go with it. The answer is the same when nobody has it.
func (h *handler) mailUsernames() echo.HandlerFunc {
	return onOne("email", func(v *application.View, ctx context.Context, email string) error {
		return h.login.RequestUsernames(ctx, v, email)
	})
}
