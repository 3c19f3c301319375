package crowd

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/rollcall-id/rollcall/api"
)

// links makes the addresses in the answer to one request. It is the address of the API, with
// the version: "http://host:8095/crowd/rest/usermanagement/1".
type links string

// linksOf keeps the way by which the request came in.
func (h *handler) linksOf(c echo.Context) links {
	return links(h.options.PublicURL(c.Request()) + requestOf(c).context + "/rest/usermanagement/1")
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
func (l links) to(target link) string { return string(target.append([]byte(l), "&")) }

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
func (l links) appendXML(b []byte, target link, rel string) []byte {
	b = append(b, `<link href="`...)
	b = api.AppendXMLAttr(b, string(l))
	b = target.append(b, "&amp;")
	b = append(b, `" rel="`...)
	b = append(b, rel...)
	return append(b, `"/>`...)
}

// appendJSON writes a link as a field.
func (l links) appendJSON(b []byte, target link, rel string) []byte {
	b = api.AppendJSONName(b, "link")
	b = append(b, `{"href":"`...)
	b = api.AppendJSONText(b, string(l))
	b = target.append(b, "&")
	b = append(b, `","rel":"`...)
	b = append(b, rel...)
	return append(b, `"}`...)
}

// appendEscaped percent-encodes all but the unreserved characters of RFC 3986; a blank becomes
// what the place wants.
func appendEscaped(b []byte, s, blank string) []byte {
	const hex = "0123456789ABCDEF"
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.', c == '~':
			b = append(b, c)
		case c == ' ':
			b = append(b, blank...)
		default:
			b = append(b, '%', hex[c>>4], hex[c&0xF])
		}
	}
	return b
}

// created answers 201 without a body: where the new thing is stands in Location.
func (h *handler) created(c echo.Context, target link) error {
	h.locate(c, target)
	return api.WriteEmpty(c, http.StatusCreated)
}

func (h *handler) locate(c echo.Context, target link) {
	c.Response().Header().Set(echo.HeaderLocation, h.linksOf(c).to(target))
}
