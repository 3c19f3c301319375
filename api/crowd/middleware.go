package crowd

import (
	"context"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/application"
)

// apiLevel is the newest level of the API that we speak, as Crowd counts: 1.1 brought the
// membership dump, 1.2 events, 1.3 ending a user's sessions, 1.4 webhooks.
const apiLevel = "1.4"

// loggedIn tells the access log how a login ended.
func loggedIn(c echo.Context, err error) {
	outcome := "accepted"
	if err != nil {
		outcome = refuse(c, err).Reason
	}
	api.CallOf(c).Login = outcome
}

// view gives the window of the application that calls: a handler can't see past it.
func view(c echo.Context) *application.View { return api.CallOf(c).View }

func reqctx(c echo.Context) context.Context { return c.Request().Context() }

// patience is how long an ordinary request may take. A database that accepts a question and
// never answers, behind a network that was cut without a word, must not hold requests for ever.
const patience = 30 * time.Second

// long are the routes whose answers may take as long as their reader does.
var long = map[string]bool{"/search": true, "/group/membership": true, "/event/:token": true}

// authenticated lets an application in before anybody says whether its path exists: clients
// learn from a path that doesn't whether their password is right (404) or wrong (401).
func (h *handler) authenticated(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		call := api.CallOf(c)
		if !long[route(c)] {
			call.Limit(patience)
			defer call.Answered()
		}
		caller := application.Caller{Address: api.Address(c), Request: call.ID}
		v, err := h.application.Authenticate(call, c.Request().Header.Get(echo.HeaderAuthorization), caller)
		if err != nil {
			return err
		}
		call.View, call.Application = v, v.Application().Name
		err = next(c)
		status, reason := c.Response().Status, ""
		if err != nil {
			refusal := refuse(c, err)
			status, reason = refusal.Status, refusal.Reason
		}
		v.Note(c.Request().Method, route(c), status, reason)
		return err
	}
}

// route gives the resource without names: "/user/group/direct", "/session/:token".
func route(c echo.Context) string {
	return strings.TrimPrefix(strings.TrimPrefix(c.Path(), base), "/1")
}

// prepared stops a request that could not be answered anyway before its handler changes
// anything: nobody would read the answer's format, or its query makes no sense.
func prepared(next echo.HandlerFunc) echo.HandlerFunc {
	next = queried(next)
	return func(c echo.Context) error {
		if _, err := api.FormatOf(c); err != nil {
			return err
		}
		return next(c)
	}
}

// queried is for a resource that has its own format, whatever the caller asks for.
func queried(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if err := api.ReadQuery(c); err != nil {
			return err
		}
		return next(c)
	}
}
