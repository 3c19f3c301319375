package crowd

import (
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/rollcall-id/rollcall/api"
)

// detail says how much of a user or group an answer holds.
type detail int

const (
	minimal        detail = iota // name and link
	full                         // all fields; attributes as a link
	withAttributes               // all fields and attributes
)

// expands tells whether the request's expand names what. Names stand between commas; nested
// ones may be joined by dots ("user.attributes"), as the framework has it, though Crowd's own
// client writes "user,attributes". Unknown names, such as "none", expand nothing.
func expands(c echo.Context, what string) bool {
	for name := range strings.SplitSeq(api.Param(c, "expand"), ",") {
		for part := range strings.SplitSeq(name, ".") {
			if strings.TrimSpace(part) == what {
				return true
			}
		}
	}
	return false
}

// detailOfOne is for a resource that is one user or group: it is always full.
func detailOfOne(c echo.Context) detail {
	if expands(c, "attributes") {
		return withAttributes
	}
	return full
}

// detailOfMany is for a list of what, "user" or "group".
func detailOfMany(c echo.Context, what string) detail {
	switch {
	case !expands(c, what):
		return minimal
	case expands(c, "attributes"):
		return withAttributes
	}
	return full
}
