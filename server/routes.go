package server

import (
	"fmt"
	"net/http"
	"runtime/debug"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/rollcall-id/rollcall/api"
	crowdapi "github.com/rollcall-id/rollcall/api/crowd"
	"github.com/rollcall-id/rollcall/web"
)

// routes mounts everything that the public listener answers, on one page:
//
//	/crowd/rest/usermanagement/{1,1.0,latest}/…   Crowd's REST API: an application's name and password
//	/rest/usermanagement/{1,1.0,latest}/…         the same
//
//	/reset/TOKEN                                  a page: whoever holds the link from a letter
//
// Everything else is 404. Probes and metrics are on the management listener: health.go.
func routes(e *echo.Echo, o Options, s *Services, m *metrics) {
	c := o.Config
	e.IPExtractor = func(r *http.Request) string { return ClientAddress(r, c.TrustedProxies).String() }
	e.HTTPErrorHandler = api.ErrorHandler
	e.Pre(together(named(c.TrustedProxies), m.observe, newAccessLog(o.Log, c).middleware, recovered))
	crowdapi.Register(e, crowdapi.Deps{Application: s.Application, Login: s.Login, Options: crowdapi.Options{
		PublicURL:    publicURLs(c),
		CrowdVersion: c.CrowdVersion,
		CookieDomain: c.CookieDomain, CookieName: c.CookieName, CookieSecure: c.CookieSecure,
	}})
	web.Register(e, web.Deps{Login: s.Login, Log: o.Log})
}

// together makes one middleware of several, the first outermost. Echo would put those of Pre together
// anew for each request.
func together(middlewares ...echo.MiddlewareFunc) echo.MiddlewareFunc {
	chain := func(c echo.Context) error { return api.CallOf(c).Next(c) }
	for _, around := range slices.Backward(middlewares) {
		chain = around(chain)
	}
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			api.CallOf(c).Next = next
			return chain(c)
		}
	}
}

// recovered turns a bug of ours into an ordinary failure, with its stack in the log. An answer
// that is to be cut off goes on.
func recovered(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		defer func() {
			if bug := recover(); bug != nil {
				if bug == http.ErrAbortHandler {
					panic(bug)
				}
				err = fmt.Errorf("panic: %v\n%s", bug, debug.Stack())
			}
		}()
		return next(c)
	}
}
