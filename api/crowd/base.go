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
	path    string     // with the version: "/1/user"; enter puts base before it
	format  api.Format // by a suffix; Undecided when there is none
}

// enter tells the API's requests from others, and readies c for whatever may happen to it from
// here on: Atlassian's client looks for the version header before it looks at the status, so
// even an answer that some middleware gives must have it.
func (h *handler) enter(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		written := echo.GetPath(c.Request())
		at, ok := h.place(c.Request().Method, written)
		if !ok {
			return next(c)
		}
		api.Enter(c, refuse, at.format, at.context)
		move(c, at.path)
		header := c.Response().Header()
		header["X-Embedded-Crowd-Version"] = h.version
		header["X-Crowd-User-Management-Version"] = ownLevel
		if at.path != base+"/1/config/cookie" {
			// Atlassian's client sits on a caching HTTP client.
			header[echo.HeaderCacheControl] = noCache
			header["Pragma"] = noPragma
		}
		return next(c)
	}
}

// The values of headers that all answers share; nobody changes them in place.
var (
	ownLevel = []string{apiLevel}
	noCache  = []string{"no-cache, no-store, no-transform"}
	noPragma = []string{"no-cache"}
)

// place tells where a path points to; false when that is not in the API.
func (h *handler) place(method, written string) (place, bool) {
	if at, ok := h.plain[written]; ok {
		return at, true
	}
	if canonical(written) {
		return place{context: "/crowd", path: written}, true
	}
	at, ok := find(method, written)
	at.path = base + at.path
	return at, ok
}

// canonical tells whether find would leave a path as it is.
func canonical(path string) bool {
	resource, ok := strings.CutPrefix(path, base+"/1/")
	return ok && resource != "" && resource[0] != '/' && resource[len(resource)-1] != '/' &&
		!strings.HasSuffix(resource, ".json") && !strings.HasSuffix(resource, ".xml")
}

// remember makes the two usual addresses of a path known, so that they needn't be read.
func (h *handler) remember(path string) {
	for _, context := range []string{"", "/crowd"} {
		h.plain[context+"/rest/usermanagement"+path] = place{context: context, path: base + path}
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
