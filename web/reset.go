package web

import (
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/netip"

	"github.com/labstack/echo/v4"

	"github.com/rollcall-id/rollcall/login"
	"github.com/rollcall-id/rollcall/models"
)

// maxForm is the largest form that a page takes, in bytes: two of the longest passwords.
const maxForm = 32 << 10

// resetData is what the page of a reset shows.
type resetData struct {
	Style    template.CSS
	Title    string
	Problem  string // what to mend; empty: nothing
	Text     string
	Username string // with Form
	Form     bool
	Done     bool
}

// resetForm answers GET /reset/{token}: the form, or that the link doesn't work. Nothing is used
// up by it: mail servers open links before people do.
func (h *handler) resetForm(c echo.Context) error {
	found, err := h.login.FindReset(c.Request().Context(), c.Param("token"))
	if err != nil {
		return h.resetFailed(c, err)
	}
	return showReset(c, http.StatusOK, formOf(found, ""))
}

func formOf(r *login.Reset, problem string) resetData {
	return resetData{Title: "Choose a new password", Form: true, Username: r.Username, Problem: problem}
}

// reset answers POST /reset/{token}: the password is set, or the form comes back and says why
// not.
func (h *handler) reset(c echo.Context) error {
	if !h.addresses.allow(network(c)) {
		return tooMany(c)
	}
	token := c.Param("token")
	found, err := h.login.FindReset(c.Request().Context(), token)
	if err != nil {
		return h.resetFailed(c, err)
	}
	if !h.accounts.allow(fmt.Sprint(found.UserID)) {
		return tooMany(c)
	}
	r := c.Request()
	r.Body = http.MaxBytesReader(c.Response(), r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return showReset(c, http.StatusBadRequest, formOf(found, "The form could not be read. Please try again."))
	}
	password := r.PostForm.Get("password")
	switch {
	case password == "":
		return showReset(c, http.StatusUnprocessableEntity, formOf(found, "The password is empty."))
	case password != r.PostForm.Get("again"):
		return showReset(c, http.StatusUnprocessableEntity, formOf(found, "The two passwords are not the same. Please type both again."))
	}
	who := login.Person{Address: c.RealIP(), Request: c.Response().Header().Get(echo.HeaderXRequestID)}
	err = h.login.FinishReset(r.Context(), token, models.Secret(password), who)
	if models.Is(err, models.InvalidCredential) {
		return showReset(c, http.StatusUnprocessableEntity, formOf(found, refusal(err)))
	}
	if err != nil {
		return h.resetFailed(c, err)
	}
	return showReset(c, http.StatusOK, resetData{
		Title: "Your password is changed", Done: true,
		Text: "You can log in with the new password now. Wherever you were logged in, you are logged out.",
	})
}

// refusal gives the policy's own words.
func refusal(err error) string {
	if e, ok := errors.AsType[*models.Error](err); ok && e.Message != "" {
		return e.Message
	}
	return "This password is not allowed. Please choose another."
}

// resetFailed shows one page for every link that doesn't work, whatever the reason, and another
// for what is our own fault.
func (h *handler) resetFailed(c echo.Context, err error) error {
	switch models.CodeOf(err) {
	case models.InvalidToken, models.UserNotFound, models.PermissionDenied:
		if c.Request().Method != http.MethodPost && !h.addresses.allow(network(c)) {
			return tooMany(c)
		}
		return showReset(c, http.StatusNotFound, resetData{
			Title: "This link does not work",
			Text:  "A link works once, for half an hour, and ends when you ask for another. Please ask for a new one.",
		})
	case models.Busy, models.Unavailable:
		c.Response().Header().Set(echo.HeaderRetryAfter, "5")
		h.log.WarnContext(c.Request().Context(), "a page could not be shown", "error", err)
		return showReset(c, http.StatusServiceUnavailable, resetData{
			Title: "Please try again in a moment", Text: "The server is busy, or being looked after. The link still works.",
		})
	}
	h.log.ErrorContext(c.Request().Context(), "a page could not be shown", "error", err)
	return showReset(c, http.StatusInternalServerError, resetData{
		Title: "Something went wrong", Text: "The password was not changed. Please try again later.",
	})
}

func tooMany(c echo.Context) error {
	c.Response().Header().Set(echo.HeaderRetryAfter, "3600")
	return showReset(c, http.StatusTooManyRequests, resetData{
		Title: "Too many attempts", Text: "Please try again in an hour.",
	})
}

func showReset(c echo.Context, status int, data resetData) error {
	data.Style = template.CSS(style)
	return show(c, status, resetPage, data)
}

// network gives what counts as one address: who has an IPv6 address has 2^64 of them.
func network(c echo.Context) string {
	addr, err := netip.ParseAddr(c.RealIP())
	if err != nil {
		return ""
	}
	if addr = addr.Unmap().WithZone(""); addr.Is4() {
		return addr.String()
	}
	return netip.PrefixFrom(addr, 64).Masked().String()
}
