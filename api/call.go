package api

import "github.com/labstack/echo/v4"

// A call is what this package remembers of one request.
type call struct {
	refuse func(echo.Context, error) Refusal // nil outside of every API
	forced Format                            // by a suffix of the path

	query       []param
	queryIsRead bool
}

const callKey = "rollcall.api.call"

// Enter says, before c is routed, that c belongs to an API that words its failures by refuse.
// A format other than Undecided goes before what the caller's Accept header says.
func Enter(c echo.Context, refuse func(echo.Context, error) Refusal, forced Format) {
	c.Set(callKey, &call{refuse: refuse, forced: forced})
}

func callOf(c echo.Context) *call {
	if known, ok := c.Get(callKey).(*call); ok {
		return known
	}
	fresh := &call{}
	c.Set(callKey, fresh)
	return fresh
}
