package crowd

import (
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/rollcall-id/rollcall/api"
)

// cookieEntity is how the single sign-on cookie is to be set.
type cookieEntity struct {
	domain string
	secure bool
	name   string
}

// cookie answers GET /config/cookie. It is the one answer that may be cached.
func (h *handler) cookie(c echo.Context) error {
	return api.Write(c, http.StatusOK, cookieEntity{h.options.CookieDomain, h.options.CookieSecure, h.options.CookieName})
}

// AppendXML writes <cookie-config> in the order that mod_authnz_crowd insists on, without a
// domain that is empty.
func (e cookieEntity) AppendXML(b []byte) []byte {
	b = append(b, "<cookie-config>"...)
	if e.domain != "" {
		b = api.AppendXMLElement(b, "domain", e.domain)
	}
	b = api.AppendXMLElement(b, "secure", strconv.FormatBool(e.secure))
	b = api.AppendXMLElement(b, "name", e.name)
	return append(b, "</cookie-config>"...)
}

// AppendJSON writes the object; the domain is there even when it is empty.
func (e cookieEntity) AppendJSON(b []byte) []byte {
	b = append(b, '{')
	b = api.AppendJSONField(b, "domain", e.domain)
	b = appendJSONBool(b, "secure", e.secure)
	b = api.AppendJSONField(b, "name", e.name)
	return append(b, '}')
}
