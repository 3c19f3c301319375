package fakecloud

import (
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

// An oktaGrant is what an access token stands for.
type oktaGrant struct {
	scopes []string
	ends   time.Time
}

// permitted lets a request through that brings the API token, or an access token with a scope.
func (o *Okta) permitted(scope string, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		kind, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		c := o.settings()
		o.mu.Lock()
		grant, known := o.grants[token]
		o.mu.Unlock()
		switch {
		case token == "":
			o.requests.violation("%s %s came without a token", r.Method, r.URL.Path)
			o.invalidToken(w)
		case kind == "SSWS" && subtle.ConstantTimeCompare([]byte(token), []byte(c.Token)) == 1:
			next(w, r)
		case kind == "SSWS":
			o.invalidToken(w)
		case kind != "Bearer" || !known || !o.now().Before(grant.ends):
			w.Header().Set("WWW-Authenticate", `Bearer authorization_uri="`+o.base(r)+`/oauth2/v1/authorize", realm="`+o.base(r)+
				`", scope="", error="invalid_token", error_description="The token has expired or isn't valid.", resource="/api/v1"`)
			o.invalidToken(w)
		case scope != "" && !slices.Contains(grant.scopes, scope):
			w.Header().Set("WWW-Authenticate", `Bearer realm="`+o.base(r)+`", error="insufficient_scope", `+
				`error_description="The access token provided does not contain the required scopes.", resource="/api/v1"`)
			o.refuse(w, http.StatusForbidden, "E0000006", "The access token provided does not contain the required scopes.")
		default:
			next(w, r)
		}
	}
}

func (o *Okta) invalidToken(w http.ResponseWriter) {
	o.refuse(w, http.StatusUnauthorized, "E0000011", "Invalid token provided")
}

func (o *Okta) notFound(w http.ResponseWriter, what string) {
	o.refuse(w, http.StatusNotFound, "E0000007", "Not found: Resource not found: "+what)
}

func (o *Okta) invalid(w http.ResponseWriter, code, summary string, causes ...string) {
	o.refuse(w, http.StatusBadRequest, code, summary, causes...)
}

// refuse writes Okta's form of an error.
func (o *Okta) refuse(w http.ResponseWriter, status int, code, summary string, causes ...string) {
	type cause struct {
		Summary string `json:"errorSummary"`
	}
	body := struct {
		Code    string  `json:"errorCode"`
		Summary string  `json:"errorSummary"`
		Link    string  `json:"errorLink"`
		ID      string  `json:"errorId"`
		Causes  []cause `json:"errorCauses"`
	}{code, summary, code, "oae" + o.requestID(), []cause{}}
	for _, c := range causes {
		body.Causes = append(body.Causes, cause{c})
	}
	data, err := json.Marshal(body)
	if err != nil {
		panic(err) // only our own plain values come here
	}
	o.write(w, status, data)
}

func (o *Okta) write(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Okta-Request-Id", o.requestID())
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that went away is its own business
}

// trouble says a fault as Okta does. Okta has no Retry-After when it throttles: it tells when
// the bucket is reset, and of a crowd nothing that could be relied on.
func (o *Okta) trouble(w http.ResponseWriter, r *http.Request, f *Fault) {
	o.date(w)
	if f.Do == Throttle {
		note := rateNote{resets: o.now().Add(oktaWindow)}
		if f.RetryAfter > 0 {
			note = rateNote{limit: o.settings().RateLimit, resets: o.now().Add(f.RetryAfter)}
		}
		o.tooMany(w, note)
		return
	}
	o.tellRate(w, rateNote{limit: 600, remaining: 599, resets: o.now().Add(oktaWindow)})
	if f.tell(w) {
		return
	}
	if strings.HasPrefix(r.URL.Path, "/oauth2/") {
		o.refuseToken(w, &oktaTokenError{status[f.Do], "server_error", "The server is not ready."})
		return
	}
	said := map[Trouble]struct{ code, summary string }{
		Unavailable:    {"E0000010", "Service is in read only mode"},
		ServerError:    {"E0000009", "Internal Server Error"},
		BadGateway:     {"E0000009", "Internal Server Error"},
		GatewayTimeout: {"E0000165", "The request timed out."},
		Expired:        {"E0000011", "Invalid token provided"},
		Forbidden:      {"E0000006", "You do not have permission to perform the requested action"},
		NotFound:       {"E0000007", "Not found: Resource not found"},
		Gone:           {"E0000007", "Not found: Resource not found"},
	}[f.Do]
	o.refuse(w, status[f.Do], said.code, said.summary)
}
