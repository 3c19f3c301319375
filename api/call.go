package api

import (
	"context"
	"net/http"
	"net/netip"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/rollcall-id/rollcall/application"
)

// A Call is one request: all that the doors remember of it. It is the request's context too, so
// that it is found without a search and costs one allocation.
type Call struct {
	context.Context // the server's: it ends when the client goes away

	Began       time.Time         // when we first looked at it
	ID          string            // under which the log and the audit know the request
	Address     netip.Addr        // the client's, as far as proxies are trusted; Address(c) asks Echo otherwise
	Application string            // the name of the application that calls; for the access log
	Login       string            // how a login ended: "accepted" or the reason against it; for the access log
	Prefix      string            // what stood before the API's own path: "/crowd"
	View        *application.View // what the application sees; nil until it has proven who it is

	Next echo.HandlerFunc // what follows the middlewares that all requests go through

	refuse func(echo.Context, error) Refusal // nil outside of every API
	forced Format                            // by a suffix of the path

	query       []param
	queryIsRead bool
	took        time.Duration

	// Room for what nearly every request needs, so that it needs no allocation of its own.
	params           [3]param
	idHeader, length [1]string

	limit
}

type callKey struct{}

// Begin makes c the call that r is, from now on, and gives the request that knows it.
func (c *Call) Begin(r *http.Request) *http.Request {
	c.Context, c.Began = r.Context(), time.Now()
	return r.WithContext(c)
}

// CallOf gives the call that c is, and makes c one if it isn't yet.
func CallOf(c echo.Context) *Call {
	if known := CallIn(c.Request().Context()); known != nil {
		return known
	}
	fresh := new(Call)
	c.SetRequest(fresh.Begin(c.Request()))
	return fresh
}

// Took gives how long the call took until somebody first asked, which is when it is answered.
// The clock is looked at once for all who want to know.
func (c *Call) Took() time.Duration {
	if c.took == 0 {
		c.took = time.Since(c.Began)
	}
	return c.took
}

// CallIn gives the call that ctx belongs to; nil when it belongs to none.
func CallIn(ctx context.Context) *Call {
	if known, ok := ctx.(*Call); ok {
		return known
	}
	known, _ := ctx.Value(callKey{}).(*Call)
	return known
}

// Enter says, before c is routed, that c belongs to an API that words its failures by refuse.
// A format other than Undecided goes before what the caller's Accept header says. The prefix is
// what the address has before the API's own path.
func Enter(c echo.Context, refuse func(echo.Context, error) Refusal, forced Format, prefix string) {
	call := CallOf(c)
	call.refuse, call.forced, call.Prefix = refuse, forced, prefix
}

// Name gives the call an id, and tells it to the caller.
func (c *Call) Name(id string, to echo.Context) {
	c.ID, c.idHeader[0] = id, id
	to.Response().Header()[headerRequestID] = c.idHeader[:]
}

// headerRequestID is X-Request-ID as net/http writes it.
const headerRequestID = "X-Request-Id"

// Address gives who calls, as far as proxies are trusted; it is not valid when that can't be
// told.
func Address(c echo.Context) netip.Addr {
	call := CallOf(c)
	if !call.Address.IsValid() {
		if a, err := netip.ParseAddr(c.RealIP()); err == nil {
			call.Address = a.Unmap().WithZone("")
		}
	}
	return call.Address
}
