package crowd

import (
	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/login"
	"github.com/rollcall-id/rollcall/models"
)

// sessionEntity is a single sign-on session as the wire has it.
type sessionEntity struct {
	links     *links
	token     string
	user      userEntity
	created   models.Time
	expires   models.Time
	unaliased string
}

// wireSession says how a session looks on the wire.
func wireSession(l *links, s *login.Session, d detail) sessionEntity {
	return sessionEntity{
		links: l, token: s.Token, user: wireUser(l, s.User, d, nil),
		created: s.CreatedAt, expires: s.ExpiresAt, unaliased: s.User.Unaliased,
	}
}

// AppendXML writes <session>. mod_authnz_crowd wants the token first and the user second.
func (s sessionEntity) AppendXML(b []byte) []byte {
	b = append(b, `<session expand="user">`...)
	b = api.AppendXMLElement(b, "token", s.token)
	b = s.user.AppendXML(b)
	b = s.links.appendXML(b, sessionLink(s.token), "self")
	b = appendXMLTime(b, "created-date", s.created)
	b = appendXMLTime(b, "expiry-date", s.expires)
	b = api.AppendXMLElement(b, "unaliased-username", s.unaliased)
	return append(b, "</session>"...)
}

// AppendJSON writes the object.
func (s sessionEntity) AppendJSON(b []byte) []byte {
	b = append(b, '{')
	b = api.AppendJSONField(b, "expand", "user")
	b = s.links.appendJSON(b, sessionLink(s.token), "self")
	b = api.AppendJSONField(b, "token", s.token)
	b = api.AppendJSONName(b, "user")
	b = s.user.AppendJSON(b)
	b = appendJSONTime(b, "created-date", s.created)
	b = appendJSONTime(b, "expiry-date", s.expires)
	b = api.AppendJSONField(b, "unaliased-username", s.unaliased)
	return append(b, '}')
}
