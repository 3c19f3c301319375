package crowd

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/labstack/echo/v4"

	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/login"
)

// Options are what an operator may set about the API.
type Options struct {
	// PublicURL gives the address under which the caller of a request reaches the server, without
	// /crowd or a slash at its end: "https://id.example.com". Nil: the request's own scheme and host.
	PublicURL func(*http.Request) string
	// CrowdVersion is what X-Embedded-Crowd-Version says; empty means "Crowd/5.1.0". Clients
	// only look whether it is there.
	CrowdVersion string

	CookieDomain string // of the single sign-on cookie; empty: the host that sets it
	CookieName   string // empty means "crowd.token_key"
	CookieSecure bool
}

// Deps is what the API is made of.
type Deps struct {
	Application *application.Service
	Login       *login.Service
	Options     Options
}

type handler struct {
	application *application.Service
	login       *login.Service
	options     Options
	version     []string         // the value of a header
	plain       map[string]place // of the usual addresses: base.go
	last        atomic.Pointer[lastLinks]
}

// methods are the handlers of one path.
type methods map[string]echo.HandlerFunc

// Register adds the API to e, under /crowd/rest/usermanagement and /rest/usermanagement, in the
// versions 1, 1.0 and latest. The order is that of Crowd's reference.
func Register(e *echo.Echo, d Deps) {
	d.Options.CrowdVersion = cmp.Or(d.Options.CrowdVersion, "Crowd/5.1.0")
	d.Options.CookieName = cmp.Or(d.Options.CookieName, "crowd.token_key")
	if d.Options.PublicURL == nil {
		d.Options.PublicURL = ownURL
	}
	h := &handler{application: d.Application, login: d.Login, options: d.Options,
		version: []string{d.Options.CrowdVersion}, plain: map[string]place{}}

	e.Pre(h.enter)
	g := e.Group(base)
	at := func(path string, m methods) { h.add(g, "/1"+path, m, prepared) }

	at("/user", methods{get: h.user, post: h.createUser, put: h.updateUser, del: deleteUser})
	at("/user/rename", methods{post: h.renameUser})
	at("/user/attribute", methods{
		get: h.userAttributes, post: setUserAttributes, put: setUserAttributes, del: deleteUserAttribute,
	})
	at("/user/password", methods{put: h.setPassword, del: clearPassword})
	at("/user/mail/password", methods{post: h.mailPassword()})
	at("/user/mail/usernames", methods{post: h.mailUsernames()})
	at("/user/expire-all-passwords", methods{post: h.expireAllPasswords})
	at("/user/group/direct", methods{
		get: h.groupsOf(application.Direct), post: h.joinGroup, del: leaveGroup,
	})
	at("/user/group/nested", methods{get: h.groupsOf(application.Nested)})

	at("/authentication", methods{post: h.authenticate})
	at("/authentication/notify", methods{post: h.notify})

	at("/group", methods{get: h.group, post: h.createGroup, put: h.updateGroup, del: deleteGroup})
	at("/group/attribute", methods{
		get: h.groupAttributes, post: setGroupAttributes, put: setGroupAttributes, del: deleteGroupAttribute,
	})
	at("/group/user/direct", methods{
		get: h.members(application.Direct), post: h.addMember, del: removeMember,
	})
	at("/group/user/nested", methods{get: h.members(application.Nested)})
	at("/group/parent-group/direct", methods{get: h.parents(application.Direct), post: h.addParent})
	at("/group/parent-group/nested", methods{get: h.parents(application.Nested)})
	at("/group/child-group/direct", methods{
		get: h.children(application.Direct), post: h.addChild, del: removeChild,
	})
	at("/group/child-group/nested", methods{get: h.children(application.Nested)})
	h.add(g, "/1/group/membership", methods{get: h.memberships}, queried) // XML whatever Accept says

	at("/search", methods{get: h.search, post: h.searchByBody})

	at("/config/cookie", methods{get: h.cookie})

	at("/session", methods{post: h.startSession, del: h.endSessionsOf})
	at("/session/:token", methods{get: h.session, post: h.validateSession, del: h.endSession})

	at("/event", methods{get: h.eventToken})
	at("/event/:token", methods{get: h.events})

	at("/webhook", methods{post: h.registerWebhook})
	at("/webhook/:id", methods{get: h.webhook, del: h.removeWebhook})

	nothing := h.authenticated(echo.NotFoundHandler)
	g.RouteNotFound("", nothing)
	g.RouteNotFound("/*", nothing)
}

// The methods of HTTP that the API knows.
const (
	get  = http.MethodGet
	post = http.MethodPost
	put  = http.MethodPut
	del  = http.MethodDelete
)

// add registers a path: HEAD wherever GET is, and 405 for the methods that it doesn't have.
// (Left to Echo, the group's own 404 would go before a 405.) What goes before a handler is put
// together here: Echo would do it again for each request.
func (h *handler) add(g *echo.Group, path string, m methods, before echo.MiddlewareFunc) {
	h.remember(path)
	if read, ok := m[get]; ok {
		m[http.MethodHead] = read
	}
	var allowed []string
	for method, handle := range m {
		g.Add(method, path, h.authenticated(before(handle)))
		allowed = append(allowed, method)
	}
	slices.Sort(allowed)
	allow := strings.Join(allowed, ", ")
	refused := h.authenticated(func(c echo.Context) error {
		c.Response().Header().Set(echo.HeaderAllow, allow)
		return echo.ErrMethodNotAllowed
	})
	for _, method := range []string{
		get, http.MethodHead, post, put, del, http.MethodPatch, http.MethodOptions, http.MethodTrace,
		http.MethodConnect, echo.PROPFIND, echo.REPORT,
	} {
		if !slices.Contains(allowed, method) {
			g.Add(method, path, refused)
		}
	}
}
