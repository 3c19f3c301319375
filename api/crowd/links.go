package crowd

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/rollcall-id/rollcall/api"
)

// links makes the addresses in the answer to one request.
type links struct {
	base      string // the API's address, with the version: "http://host:8095/crowd/rest/usermanagement/1"
	xml, json string // the same as these write it
}

func newLinks(base string) *links {
	return &links{base: base, xml: string(api.AppendXMLAttr(nil, base)), json: string(api.AppendJSONText(nil, base))}
}

// linksOf keeps the way by which the request came in.
func (h *handler) linksOf(c echo.Context) *links {
	public, prefix := h.options.PublicURL(c.Request()), api.CallOf(c).Prefix
	if last := h.last.Load(); last != nil && last.public == public && last.prefix == prefix {
		return last.links
	}
	made := newLinks(public + prefix + "/rest/usermanagement/1")
	h.last.Store(&lastLinks{public, prefix, made})
	return made
}

// lastLinks are those of the latest request: most come in by one way.
type lastLinks struct {
	public, prefix string
	links          *links
}

// ownURL believes nothing but the connection itself.
func ownURL(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// A link is one address: a path and what its query names, in canonical spelling.
type link struct {
	path         string
	token        string // ends the path; percent-encoded
	key, value   string // the first parameter
	key2, value2 string // the second one; none when key2 is empty
}

func userLink(name string) link { return link{path: "/user", key: "username", value: name} }
func passwordLink(name string) link {
	return link{path: "/user/password", key: "username", value: name}
}
func groupLink(name string) link    { return link{path: "/group", key: "groupname", value: name} }
func sessionLink(token string) link { return link{path: "/session/", token: token} }

// attributesLink is the address of all attributes of a user or group; one of them adds its name.
func (o owner) attributesLink() link {
	if o.isGroup {
		return link{path: "/group/attribute", key: "groupname", value: o.name}
	}
	return link{path: "/user/attribute", key: "username", value: o.name}
}

func (o owner) attributeLink(attribute string) link {
	to := o.attributesLink()
	to.key2, to.value2 = "attributename", attribute
	return to
}

// An owner is whose attributes they are.
type owner struct {
	name    string
	isGroup bool
}

// to gives the whole address, for a Location header.
func (l *links) to(target link) string { return string(target.append([]byte(l.base), "&")) }

// append writes the link's part after the base; and stands between parameters.
func (t link) append(b []byte, and string) []byte {
	b = append(b, t.path...)
	b = appendEscaped(b, t.token, "%20")
	if t.key == "" {
		return b
	}
	b = append(b, '?')
	b = append(b, t.key...)
	b = append(b, '=')
	b = appendEscaped(b, t.value, "+")
	if t.key2 == "" {
		return b
	}
	b = append(b, and...)
	b = append(b, t.key2...)
	b = append(b, '=')
	return appendEscaped(b, t.value2, "+")
}

// appendXML writes a link element; rel is "self", or "edit" for a password.
func (l *links) appendXML(b []byte, target link, rel string) []byte {
	b = append(b, `<link href="`...)
	b = append(b, l.xml...)
	b = target.append(b, "&amp;")
	b = append(b, `" rel="`...)
	b = append(b, rel...)
	return append(b, `"/>`...)
}

// appendJSON writes a link as a field.
func (l *links) appendJSON(b []byte, target link, rel string) []byte {
	b = api.AppendJSONName(b, "link")
	b = append(b, `{"href":"`...)
	b = append(b, l.json...)
	b = target.append(b, "&")
	b = append(b, `","rel":"`...)
	b = append(b, rel...)
	return append(b, `"}`...)
}

// appendEscaped percent-encodes all but the unreserved characters of RFC 3986; a blank becomes
// what the place wants.
func appendEscaped(b []byte, s, blank string) []byte {
	const hex = "0123456789ABCDEF"
	if unreserved(s) {
		return append(b, s...)
	}
	for i := range len(s) {
		switch c := s[i]; {
		case isUnreserved[c]:
			b = append(b, c)
		case c == ' ':
			b = append(b, blank...)
		default:
			b = append(b, '%', hex[c>>4], hex[c&0xF])
		}
	}
	return b
}

// unreserved tells whether a text is written as it is in an address. Then it is so in XML and JSON
// too.
func unreserved(s string) bool {
	for i := range len(s) {
		if !isUnreserved[s[i]] {
			return false
		}
	}
	return true
}

// isUnreserved has the unreserved characters of RFC 3986, 2.3.
var isUnreserved = func() (table [256]bool) {
	for _, c := range []byte("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~") {
		table[c] = true
	}
	return table
}()

// created answers 201 without a body: where the new thing is stands in Location.
func (h *handler) created(c echo.Context, target link) error {
	h.locate(c, target)
	return api.WriteEmpty(c, http.StatusCreated)
}

func (h *handler) locate(c echo.Context, target link) {
	c.Response().Header().Set(echo.HeaderLocation, h.linksOf(c).to(target))
}
