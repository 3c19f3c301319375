package fakecloud

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

// An entraGrant is what an access token stands for.
type entraGrant struct {
	permissions []string
	ends        time.Time
	revoked     bool
}

// A graphAccess is what a request may see.
type graphAccess struct{ permissions []string }

func (a graphAccess) any(permissions ...string) bool {
	return slices.ContainsFunc(permissions, func(p string) bool { return slices.Contains(a.permissions, p) })
}

func (a graphAccess) users() bool { return a.any(UserReadAll, UserReadBasicAll, DirectoryReadAll) }

func (a graphAccess) allOfUsers() bool { return a.any(UserReadAll, DirectoryReadAll) }

// basicFields are what User.ReadBasic.All shows of a user.
var basicFields = []string{"id", "displayName", "givenName", "mail", "surname", "userPrincipalName"}

// visible makes those fields of users null that somebody may not see: Graph doesn't refuse them.
func (a graphAccess) visible(fields []graphField[User]) []graphField[User] {
	if a.allOfUsers() {
		return fields
	}
	for i := range fields {
		if !slices.Contains(basicFields, fields[i].name) {
			fields[i].append = func(_ *Entra, b []byte, _ int, _ *User) []byte { return append(b, "null"...) }
		}
	}
	return fields
}

func (a graphAccess) groups() bool { return a.any(GroupMemberReadAll, GroupReadAll, DirectoryReadAll) }

// membersOf says whether somebody may see who is in a group.
func (a graphAccess) membersOf(g *Group) bool {
	return a.groups() && (!g.Hidden || a.any(MemberReadHidden))
}

type insideBatch struct{}

// graph lets a request to Graph through to a handler when it brings a token.
func (e *Entra) graph(handle graphHandler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a, ok := r.Context().Value(insideBatch{}).(graphAccess); ok {
			handle(w, r, a)
			return
		}
		token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !ok || token == "" {
			e.requests.violation("%s %s came without a token", r.Method, r.URL.Path)
			e.unauthorized(w, r, "Access token is empty.")
			return
		}
		e.mu.Lock()
		grant, known := e.tokens[token]
		e.mu.Unlock()
		switch {
		case !known:
			e.requests.violation("%s %s came with a token that nobody issued", r.Method, r.URL.Path)
			e.unauthorized(w, r, "Invalid authentication token.")
		case grant.revoked:
			w.Header().Set("WWW-Authenticate", `Bearer realm="", error="insufficient_claims", claims="eyJhY2Nlc3NfdG9rZW4iOnt9fQ=="`)
			e.unauthorized(w, r, "Continuous access evaluation resulted in challenge.")
		case !e.now().Before(grant.ends):
			e.unauthorized(w, r, "Lifetime validation failed, the token is expired.")
		case len(grant.permissions) == 0:
			e.forbidden(w, r)
		default:
			handle(w, r, graphAccess{grant.permissions})
		}
	})
}

func (e *Entra) unauthorized(w http.ResponseWriter, r *http.Request, message string) {
	if w.Header().Get("WWW-Authenticate") == "" {
		w.Header().Set("WWW-Authenticate", `Bearer realm="", authorization_uri="`+e.base(r)+`/common/oauth2/authorize"`)
	}
	e.refuse(w, r, http.StatusUnauthorized, "InvalidAuthenticationToken", message)
}

func (e *Entra) forbidden(w http.ResponseWriter, r *http.Request) {
	e.refuse(w, r, http.StatusForbidden, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
}

func (e *Entra) notFound(w http.ResponseWriter, r *http.Request, id string) {
	e.refuse(w, r, http.StatusNotFound, "Request_ResourceNotFound",
		"Resource '"+id+"' does not exist or one of its queried reference-property objects are not present.")
}

// refuse writes Graph's form of an error.
func (e *Entra) refuse(w http.ResponseWriter, r *http.Request, status int, code, message string) {
	type inner struct {
		Date            string `json:"date"`
		RequestID       string `json:"request-id"`
		ClientRequestID string `json:"client-request-id"`
	}
	var body struct {
		Error struct {
			Code    string `json:"code"`
			Message string `json:"message"`
			Inner   inner  `json:"innerError"`
		} `json:"error"`
	}
	body.Error.Code, body.Error.Message = code, message
	body.Error.Inner = inner{e.now().UTC().Format("2006-01-02T15:04:05"), e.requestID(), r.Header.Get("client-request-id")}
	w.Header().Set("request-id", body.Error.Inner.RequestID)
	writeJSON(w, status, body)
}

// requestID names a request for Microsoft's support.
func (e *Entra) requestID() string {
	return e.ids.of(Member{Device, e.Requests("") + 1<<40}).String()
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	data, err := json.Marshal(body)
	if err != nil {
		panic(err) // only our own plain values come here
	}
	w.Header().Set("Content-Type", "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(data) // a client that went away is its own business
}

// trouble says a fault as Graph does, or the token endpoint.
func (e *Entra) trouble(w http.ResponseWriter, r *http.Request, f *Fault) {
	if f.tell(w) {
		return
	}
	if strings.HasSuffix(r.URL.Path, "/oauth2/v2.0/token") {
		e.refuseToken(w, status[f.Do], "temporarily_unavailable", 90033, "A transient error has occurred. Please try again.")
		return
	}
	said := map[Trouble]struct{ code, message string }{
		Throttle:       {"TooManyRequests", "Too many requests."},
		Unavailable:    {"ServiceUnavailable", "Service is temporarily unavailable. Please wait and retry again."},
		ServerError:    {"InternalServerError", "An internal server error occurred."},
		BadGateway:     {"BadGateway", "The server is temporarily unavailable."},
		GatewayTimeout: {"UnknownError", ""},
		Expired:        {"InvalidAuthenticationToken", "Lifetime validation failed, the token is expired."},
		Forbidden:      {"Authorization_RequestDenied", "Insufficient privileges to complete the operation."},
		NotFound:       {"Request_ResourceNotFound", "Resource does not exist or one of its queried reference-property objects are not present."},
		Gone:           {"resyncRequired", "Resync required. Replace any local items with the server's version."},
	}[f.Do]
	said.code = cmp.Or(f.Reason, said.code)
	switch f.Do {
	case Throttle:
		w.Header().Set("x-ms-throttle-scope", "Tenant_Application/ReadWrite/"+e.ClientID+"/"+e.Tenant)
		w.Header().Set("x-ms-throttle-information", "ResourceUnitLimitExceeded")
	case Gone:
		w.Header().Set("Location", e.startAgain(r))
	}
	e.refuse(w, r, status[f.Do], said.code, said.message)
}
