package crowd_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/application"
)

func TestAuthentication(t *testing.T) {
	each(t, func(w *world) {
		w.people()
		const login = "POST /authentication?username="
		w.run(
			call{name: "right, JSON", do: login + "ada", body: `{"value":"difference"}`, want: 200, is: adaJSON},
			call{name: "right, XML", do: login + "ADA", body: `<password><value>difference</value></password>`, want: 200, is: adaXML},
			call{name: "wrong", do: login + "ada", body: `{"value":"engine"}`, want: 400, reason: "INVALID_USER_AUTHENTICATION", has: []string{"Failed to authenticate principal, password was invalid"}},
			call{name: "empty", do: login + "ada", body: `<password><value/></password>`, want: 400, reason: "INVALID_USER_AUTHENTICATION"},
			call{name: "no body", do: login + "ada", want: 400, reason: "INVALID_USER_AUTHENTICATION"},
			call{name: "Quirk 22: an unknown user is 400", do: login + "nobody", body: `{"value":"x"}`, want: 400, reason: "USER_NOT_FOUND"},
			call{name: "inactive, with any password", do: login + "eve", body: `{"value":"x"}`, want: 400, reason: "INACTIVE_ACCOUNT"},
			call{name: "no name", do: "POST /authentication", body: `{"value":"x"}`, want: 400, reason: "ILLEGAL_ARGUMENT"},
			call{name: "neither format", do: login + "ada", body: `value=difference`, kind: "-", want: 400, reason: "ILLEGAL_ARGUMENT"},
			call{name: "GET is none of its methods", do: "GET /authentication?username=ada", want: 405, gets: map[string]string{"Allow": "POST"}},
		)
	})
}

func TestAuthenticationNotify(t *testing.T) {
	each(t, func(w *world) {
		w.people()
		w.run(
			call{name: "an empty password", do: "POST /authentication/notify?username=ada", body: `<password/>`, want: 200, is: adaXML},
			call{name: "an unknown user is 400: 404 would mean an old server", do: "POST /authentication/notify?username=nobody", body: `<password/>`, want: 400, reason: "USER_NOT_FOUND"},
			call{name: "inactive", do: "POST /authentication/notify?username=eve", body: `{}`, want: 400, reason: "INACTIVE_ACCOUNT"},
		)
	})
}

func TestAccessGroups(t *testing.T) {
	each(t, func(w *world) {
		w.people()
		w.groups()
		w.app("wiki", "127.0.0.1", func(n *application.NewApplication) { n.Groups = []string{"empty"} })
		const wiki = "wiki:secret-of-wiki"
		w.run(
			call{name: "on authentication it looks like a wrong password", do: "POST /authentication?username=ada", as: wiki, body: `{"value":"difference"}`, want: 400, reason: "INVALID_USER_AUTHENTICATION"},
			call{name: "on session it is told", do: "POST /session", as: wiki, body: `{"username":"ada","password":"difference"}`, want: 403, reason: "APPLICATION_ACCESS_DENIED"},
		)
	})
}

// start logs in and gives the token.
func (w *world) start(query, body string) string {
	w.t.Helper()
	a := w.call(call{do: "POST /session" + query, body: body, want: 201})
	match := regexp.MustCompile(`"token":"([^"]*)"|<token>([^<]*)<`).FindStringSubmatch(a.body)
	if match == nil {
		w.t.Fatalf("there is no token in %s", a.body)
	}
	token := match[1] + match[2]
	if got, want := a.header.Get("Location"), w.url+"/crowd/rest/usermanagement/1/session/"+token; got != want {
		w.t.Errorf("Location is %s, want %s", got, want)
	}
	return token
}

const (
	atLogin = `{"username":"ada","password":"difference","validation-factors":{"validationFactors":[{"name":"remote_address","value":"10.0.0.7"}]}}`
	bare    = `{"validationFactors":[{"name":"remote_address","value":"10.0.0.7"}]}`
	other   = `{"validationFactors":[{"name":"remote_address","value":"10.0.0.8"}]}`
)

func TestSessionShapes(t *testing.T) {
	each(t, func(w *world) {
		w.people()
		token := w.start("", atLogin)
		session := func(user string) string {
			return declaration + `<session expand="user"><token>` + token + `</token>` + user + self("/session/"+token) +
				`<created-date>2026-03-02T12:00:00.000Z</created-date><expiry-date>2026-03-02T12:30:00.000Z</expiry-date>` +
				`<unaliased-username>Ada</unaliased-username></session>`
		}
		minimal := `<user name="Ada">` + self("/user?username=Ada") + `</user>`
		whole := strings.TrimPrefix(adaXML, declaration)
		factors := `<validation-factors><validation-factor><name>remote_address</name><value>10.0.0.7</value></validation-factor></validation-factors>`
		context := `<authentication-context><username>ada</username><password><![CDATA[difference]]></password>` + factors + `</authentication-context>`
		w.run(
			call{name: "Quirk 28 and 43: token, user, link, dates; the same token again", do: "POST /session", body: context, want: 201, is: session(minimal)},
			call{name: "with the whole user", do: "POST /session?expand=user", body: context, want: 201, is: session(whole)},
			call{name: "validate", do: "POST /session/" + token, body: factors, want: 200, is: session(minimal)},
			call{name: "validate with the whole user", do: "POST /session/" + token + "?expand=user", body: factors, want: 200, is: session(whole)},
			call{name: "Quirk 40: GET needs no factors and has the whole user", do: "GET /session/" + token, accept: "-", want: 200, is: session(whole)},
			call{name: "JSON", do: "POST /session/" + token, body: bare, want: 200,
				is: `{"expand":"user",` + selfJSON("/session/"+token) + `,"token":"` + token + `","user":{` + selfJSON("/user?username=Ada") + `,"name":"Ada"},` +
					`"created-date":1772452800000,"expiry-date":1772454600000,"unaliased-username":"Ada"}`},
		)
	})
}

func TestStartSession(t *testing.T) {
	each(t, func(w *world) {
		w.people()
		w.run(
			call{name: "wrong password", do: "POST /session", body: `{"username":"ada","password":"x"}`, want: 400, reason: "INVALID_USER_AUTHENTICATION"},
			call{name: "Quirk 22: an unknown user looks the same", do: "POST /session", body: `{"username":"nobody","password":"x"}`, want: 400, reason: "INVALID_USER_AUTHENTICATION"},
			call{name: "inactive", do: "POST /session", body: `{"username":"eve","password":"x"}`, want: 400, reason: "INACTIVE_ACCOUNT"},
			call{name: "Quirk 41: no password to check", do: "POST /session?validate-password=false", body: `{"username":"bob"}`, want: 201},
			call{name: "unknown without a password", do: "POST /session?validate-password=false", body: `{"username":"nobody"}`, want: 400, reason: "INVALID_USER_AUTHENTICATION"},
			call{name: "a misspelt flag lets nobody in", do: "POST /session?validate-password=flase", body: `{"username":"bob"}`, want: 400, reason: "ILLEGAL_ARGUMENT"},
			call{name: "userName, as atlassian-python-api has it", do: "POST /session", body: `{"userName":"ada","password":"difference"}`, want: 201},
			call{name: "a duration", do: "POST /session?duration=600", body: `{"username":"ada","password":"difference"}`, want: 201, has: []string{`"expiry-date":1772453400000`}},
			call{name: "a duration beyond the server's", do: "POST /session?duration=999999", body: `{"username":"ada","password":"difference","validation-factors":{"validation-factor":[{"name":"a","value":"b"}]}}`, want: 201, has: []string{`"expiry-date":1772454600000`}},
			call{name: "a duration that is none", do: "POST /session?duration=long", body: `{"username":"ada","password":"difference"}`, want: 400, reason: "ILLEGAL_ARGUMENT"},
			call{name: "no name", do: "POST /session", body: `{}`, want: 400, reason: "ILLEGAL_ARGUMENT"},
			call{name: "no type", do: "POST /session", body: `<authentication-context><username>ada</username><password>difference</password></authentication-context>`, kind: "-", want: 201},
		)
	})
}

func TestValidateSession(t *testing.T) {
	each(t, func(w *world) {
		w.people()
		token := w.start("", atLogin)
		free := w.start("?validate-password=false", `{"username":"bob"}`)
		w.run(
			call{name: "Quirk 16: the bare list", do: "POST /session/" + token, body: bare, want: 200},
			call{name: "the list as at login", do: "POST /session/" + token, body: `{"validation-factors":` + bare + `}`, want: 200},
			call{name: "Quirk 24: other factors", do: "POST /session/" + token, body: other, want: 404, reason: "INVALID_SSO_TOKEN"},
			call{name: "no factors", do: "POST /session/" + token, body: `{}`, want: 404, reason: "INVALID_SSO_TOKEN"},
			call{name: "Quirk 24: an unknown token", do: "POST /session/unknown", body: bare, want: 404, reason: "INVALID_SSO_TOKEN"},
			call{name: "GET of an unknown token", do: "GET /session/unknown", want: 404, reason: "INVALID_SSO_TOKEN"},
			call{name: "Quirk 15: an empty object", do: "POST /session/" + free, body: `{}`, want: 200},
			call{name: "Quirk 15: an empty list", do: "POST /session/" + free, body: `{"validationFactors":[]}`, want: 200},
			call{name: "no body", do: "POST /session/" + free, want: 200},
			call{name: "a JSON suffix", do: "GET /session/" + free + ".json", accept: "-", want: 200, has: []string{`"token":"` + free + `"`}},
			call{name: "Quirk 46: a token that is escaped", do: "GET /session/%" + strings.ToUpper(hex(free[0])) + free[1:], want: 200},
			call{name: "a token with a slash in it", do: "GET /session/a%2Fb", want: 404, reason: "INVALID_SSO_TOKEN"},
		)
		w.clock.Advance(31 * time.Minute)
		w.run(call{name: "expired", do: "POST /session/" + free, body: `{}`, want: 404, reason: "INVALID_SSO_TOKEN"})
	})
}

func hex(c byte) string {
	const digits = "0123456789abcdef"
	return string([]byte{digits[c>>4], digits[c&15]})
}

func TestEndSession(t *testing.T) {
	each(t, func(w *world) {
		w.people()
		one := w.start("", atLogin)
		two := w.start("", strings.Replace(atLogin, "10.0.0.7", "10.0.0.8", 1))
		three := w.start("", strings.Replace(atLogin, "10.0.0.7", "10.0.0.9", 1))
		w.run(
			call{name: "no token at all ends nothing", do: "DELETE /session/", want: 404},
			call{name: "nor with a name", do: "DELETE /session/?username=ada", want: 404},
			call{name: "nor without one", do: "DELETE /session", want: 400, reason: "ILLEGAL_ARGUMENT"},
			call{name: "still there", do: "GET /session/" + one, want: 200},
			call{name: "end one", do: "DELETE /session/" + one, want: 204},
			call{name: "ended", do: "GET /session/" + one, want: 404, reason: "INVALID_SSO_TOKEN"},
			call{name: "again", do: "DELETE /session/" + one, want: 204},
			call{name: "unknown", do: "DELETE /session/unknown", want: 204},
			call{name: "all but one", do: "DELETE /session?username=ADA&exclude=" + two, want: 204},
			call{name: "the one", do: "GET /session/" + two, want: 200},
			call{name: "another", do: "GET /session/" + three, want: 404},
			call{name: "of an unknown user", do: "DELETE /session?username=nobody", want: 204},
			call{name: "all", do: "DELETE /session?username=ada", want: 204},
			call{name: "that one too", do: "GET /session/" + two, want: 404},
		)
	})
}

func TestPasswordChangeEndsSessions(t *testing.T) {
	each(t, func(w *world) {
		w.people()
		token := w.start("", atLogin)
		w.run(
			call{do: "PUT /user/password?username=ada", body: `{"value":"engine"}`, want: 204},
			call{do: "GET /session/" + token, want: 404, reason: "INVALID_SSO_TOKEN"},
		)
	})
}
