package crowd

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/rollcall-id/rollcall/api"
)

// base is the path under which the routes are registered. Requests that write it otherwise are
// moved there before they are routed.
const base = "/crowd/rest/usermanagement"

// A place is where a request's path points to in the API.
type place struct {
	context string     // "/crowd" or "": what stands before /rest
	path    string     // under base, with the version: "/1/user"
	format  api.Format // by a suffix; Undecided when there is none
}

// enter tells the API's requests from others, and readies c for whatever may happen to it from
// here on: Atlassian's client looks for the version header before it looks at the status, so
// even an answer that some middleware gives must have it.
func (h *handler) enter(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		at, ok := find(c.Request().Method, echo.GetPath(c.Request()))
		if !ok {
			return next(c)
		}
		api.Enter(c, refuse, at.format)
		c.Set(requestKey, &request{context: at.context})
		move(c, base+at.path)
		header := c.Response().Header()
		header.Set("X-Embedded-Crowd-Version", h.options.CrowdVersion)
		header.Set("X-Crowd-User-Management-Version", apiLevel)
		if at.path != "/1/config/cookie" {
			// Atlassian's client sits on a caching HTTP client.
			header.Set(echo.HeaderCacheControl, "no-cache, no-store, no-transform")
			header.Set("Pragma", "no-cache")
		}
		return next(c)
	}
}

// find reads a path. It tolerates repeated slashes up to the resource (base addresses end with
// one or don't), a slash at the end, and a suffix that names the format.
func find(method, path string) (place, bool) {
	at := place{}
	rest := path
	if after, ok := cutSegment(rest, "crowd"); ok {
		at.context, rest = "/crowd", after
	}
	rest, ok := cutSegment(rest, "rest")
	if !ok {
		return place{}, false
	}
	if rest, ok = cutSegment(rest, "usermanagement"); !ok {
		return place{}, false
	}
	version, resource, _ := strings.Cut(strings.TrimLeft(rest, "/"), "/")
	switch version {
	case "1", "1.0", "latest":
		version = "1"
	}
	at.path, at.format = normalize(method, resource)
	at.path = "/" + version + at.path
	return at, true
}

// cutSegment takes a path's first segment off, when it is want.
func cutSegment(path, want string) (rest string, ok bool) {
	trimmed := strings.TrimLeft(path, "/")
	if trimmed == path {
		return path, false
	}
	rest, ok = strings.CutPrefix(trimmed, want)
	if !ok || rest != "" && rest[0] != '/' {
		return path, false
	}
	return rest, true
}

// normalize gives a resource's path with one slash before it and none after it.
func normalize(method, resource string) (string, api.Format) {
	written := strings.TrimLeft(resource, "/")
	resource = strings.TrimRight(written, "/")
	if method == http.MethodDelete && resource == "session" && written != resource {
		// "DELETE /session/" is a client that ends a session and has no token. It must not
		// meet the resource that ends all sessions of a user.
		return "/session/", api.Undecided
	}
	format := api.Undecided
	if name, ok := cutSuffix(resource, ".json"); ok {
		resource, format = name, api.JSON
	} else if name, ok := cutSuffix(resource, ".xml"); ok {
		resource, format = name, api.XML
	}
	if resource == "" {
		return "", format
	}
	return "/" + resource, format
}

// cutSuffix takes suffix off, unless nothing else stands in the last segment.
func cutSuffix(path, suffix string) (string, bool) {
	name, ok := strings.CutSuffix(path, suffix)
	if !ok || name == "" || name[len(name)-1] == '/' {
		return path, false
	}
	return name, true
}

// move points c at another path. The address as the caller wrote it stays in RequestURI. It
// changes the address in place: the router asks the request that came in, and some middleware
// before us may have put another one, with the same address, into c.
func move(c echo.Context, path string) {
	if echo.GetPath(c.Request()) == path {
		return
	}
	address := c.Request().URL
	address.Path = path
	if address.RawPath != "" {
		address.RawPath = path
		if plain, err := url.PathUnescape(path); err == nil {
			address.Path = plain
		}
	}
}
