package crowd

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/rollcall-id/rollcall/api"
)

func TestFind(t *testing.T) {
	const xml, json, any = api.XML, api.JSON, api.Undecided
	for _, c := range []struct {
		method, path string
		want         place
		ours         bool
	}{
		{"GET", "/crowd/rest/usermanagement/1/user", place{"/crowd", "/1/user", any}, true},
		{"GET", "/rest/usermanagement/1/user", place{"", "/1/user", any}, true},
		{"GET", "/crowd/rest/usermanagement/latest/user", place{"/crowd", "/1/user", any}, true},
		{"GET", "/rest/usermanagement/1.0/user/group/direct", place{"", "/1/user/group/direct", any}, true},
		{"GET", "//rest/usermanagement/1/user", place{"", "/1/user", any}, true},
		{"GET", "/crowd//rest/usermanagement/1/user", place{"/crowd", "/1/user", any}, true},
		{"GET", "/crowd/rest/usermanagement/1//user", place{"/crowd", "/1/user", any}, true},
		{"GET", "/crowd/rest/usermanagement/1/user/", place{"/crowd", "/1/user", any}, true},
		{"GET", "/crowd/rest/usermanagement/1/user.json", place{"/crowd", "/1/user", json}, true},
		{"GET", "/crowd/rest/usermanagement/1/user.xml/", place{"/crowd", "/1/user", xml}, true},
		{"GET", "/crowd/rest/usermanagement/1/group/membership.json", place{"/crowd", "/1/group/membership", json}, true},
		{"GET", "/crowd/rest/usermanagement/1/user/.json", place{"/crowd", "/1/user/.json", any}, true},
		{"GET", "/crowd/rest/usermanagement/1", place{"/crowd", "/1", any}, true},
		{"GET", "/crowd/rest/usermanagement/1/", place{"/crowd", "/1", any}, true},
		{"GET", "/crowd/rest/usermanagement", place{"/crowd", "/", any}, true},
		{"GET", "/crowd/rest/usermanagement/2/user", place{"/crowd", "/2/user", any}, true},
		{"GET", "/crowd/rest/usermanagement/1/session/a%3Ab", place{"/crowd", "/1/session/a%3Ab", any}, true},
		{"DELETE", "/crowd/rest/usermanagement/1/session", place{"/crowd", "/1/session", any}, true},
		{"DELETE", "/crowd/rest/usermanagement/1/session/", place{"/crowd", "/1/session/", any}, true},
		{"DELETE", "/crowd/rest/usermanagement/1/session//", place{"/crowd", "/1/session/", any}, true},
		{"POST", "/crowd/rest/usermanagement/1/session/", place{"/crowd", "/1/session", any}, true},
		{"GET", "/", place{}, false},
		{"GET", "/crowd", place{}, false},
		{"GET", "/crowd/console", place{}, false},
		{"GET", "/crowd/rest/admin/1/user", place{}, false},
		{"GET", "/crowdx/rest/usermanagement/1/user", place{}, false},
		{"GET", "/rest/usermanagementx/1/user", place{}, false},
		{"GET", "/x/rest/usermanagement/1/user", place{}, false},
		{"OPTIONS", "*", place{}, false},
	} {
		got, ours := find(c.method, c.path)
		if got != c.want || ours != c.ours {
			t.Errorf("find(%s %s) = %+v, %v; want %+v, %v", c.method, c.path, got, ours, c.want, c.ours)
		}
		if canonical(c.path) && (got != place{"/crowd", strings.TrimPrefix(c.path, base), any}) {
			t.Errorf("%s %s is taken as it is, and find makes it %+v", c.method, c.path, got)
		}
	}
}

func TestMoveKeepsEscapes(t *testing.T) {
	for _, c := range []struct{ target, path, rawPath string }{
		{"/rest/usermanagement/1/session/a%3Ab", base + "/1/session/a:b", ""},
		{"/rest/usermanagement/1/session/a%2Fb", base + "/1/session/a/b", base + "/1/session/a%2Fb"},
		{"/crowd/rest/usermanagement/1/user?username=a%2Fb", base + "/1/user", ""},
	} {
		r := httptest.NewRequest(http.MethodGet, c.target, nil)
		ctx := echo.New().NewContext(r, httptest.NewRecorder())
		at, _ := find(r.Method, echo.GetPath(r))
		move(ctx, base+at.path)
		got := ctx.Request().URL
		if c.rawPath == "" && got.RawPath != "" && got.EscapedPath() == got.RawPath {
			c.rawPath = got.RawPath // a valid hint that says no more than the path
		}
		if got.Path != c.path || got.RawPath != c.rawPath {
			t.Errorf("%s moves to %q (raw %q), want %q (raw %q)", c.target, got.Path, got.RawPath, c.path, c.rawPath)
		}
		if r.RequestURI != c.target {
			t.Errorf("RequestURI is %q, want %q", r.RequestURI, c.target)
		}
	}
}

func TestLinks(t *testing.T) {
	for _, c := range []struct {
		name, target, host, public, want string
	}{
		{"the request's own host", "/crowd/rest/usermanagement/1/user", "id.example.com:8095", "", "http://id.example.com:8095/crowd/rest/usermanagement/1/user?username=a+b"},
		{"without /crowd", "/rest/usermanagement/1/user", "host", "", "http://host/rest/usermanagement/1/user?username=a+b"},
		{"latest is 1", "/rest/usermanagement/latest/user", "host", "", "http://host/rest/usermanagement/1/user?username=a+b"},
		{"a public address", "/crowd/rest/usermanagement/1.0/user", "10.0.0.1", "https://id.example.com", "https://id.example.com/crowd/rest/usermanagement/1/user?username=a+b"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, c.target, nil)
			r.Host = c.host
			ctx := echo.New().NewContext(r, httptest.NewRecorder())
			h := &handler{options: Options{PublicURL: ownURL}}
			if c.public != "" {
				h.options.PublicURL = func(*http.Request) string { return c.public }
			}
			var got string
			_ = h.enter(func(c echo.Context) error { got = h.linksOf(c).to(userLink("a b")); return nil })(ctx)
			if got != c.want {
				t.Errorf("the link is %s, want %s", got, c.want)
			}
		})
	}
	for _, c := range []struct {
		link link
		want string
	}{
		{sessionLink("a_B-9 /"), "/session/a_B-9%20%2F"},
		{groupLink("jira-users"), "/group?groupname=jira-users"},
		{owner{name: "bob"}.attributeLink("a&b"), "/user/attribute?username=bob&attributename=a%26b"},
		{owner{"g", true}.attributesLink(), "/group/attribute?groupname=g"},
	} {
		if got := newLinks("").to(c.link); got != c.want {
			t.Errorf("the link is %s, want %s", got, c.want)
		}
	}
}

func TestExpands(t *testing.T) {
	for _, c := range []struct {
		query string
		one   detail
		many  detail
	}{
		{"", full, minimal},
		{"expand=", full, minimal},
		{"expand=none", full, minimal},
		{"expand=user", full, full},
		{"expand=attributes", withAttributes, minimal},
		{"expand=user,attributes", withAttributes, withAttributes},
		{"expand=user.attributes", withAttributes, withAttributes},
		{"expand=attributes%2C%20user", withAttributes, withAttributes},
		{"expand=users,xattributes", full, minimal},
	} {
		r := httptest.NewRequest(http.MethodGet, "/?"+c.query, nil)
		ctx := echo.New().NewContext(r, httptest.NewRecorder())
		if got := detailOfOne(ctx); got != c.one {
			t.Errorf("%q: detail of one is %v, want %v", c.query, got, c.one)
		}
		if got := detailOfMany(ctx, "user"); got != c.many {
			t.Errorf("%q: detail of many is %v, want %v", c.query, got, c.many)
		}
	}
}
