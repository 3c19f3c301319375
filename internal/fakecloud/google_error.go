package fakecloud

import (
	"encoding/json"
	"net/http"
)

// A googleRefusal is an error as the Directory API says it.
type googleRefusal struct {
	status  int
	reason  string // what a client must go by: one status has many
	message string
	word    string // the newer status: PERMISSION_DENIED
	detail  string // the newer reason: SERVICE_DISABLED
}

const notAuthorized = "Not Authorized to access this resource/api"

var (
	googleNoToken     = googleRefusal{status: 401, reason: "required", message: "Login Required.", word: "UNAUTHENTICATED"}
	googleBadToken    = googleRefusal{status: 401, reason: "authError", message: "Invalid Credentials", word: "UNAUTHENTICATED"}
	googleForbidden   = googleRefusal{status: 403, reason: "forbidden", message: notAuthorized, word: "PERMISSION_DENIED"}
	googleNoScope     = googleRefusal{status: 403, reason: "insufficientPermissions", message: "Request had insufficient authentication scopes.", word: "PERMISSION_DENIED", detail: "ACCESS_TOKEN_SCOPE_INSUFFICIENT"}
	googleUserDeleted = googleRefusal{status: 412, reason: "conditionNotMet", message: "User is deleted."}
	googleNoSuchPath  = googleRefusal{status: 404, reason: "notFound", message: "Not Found"}

	googleCustomerSuspended = googleRefusal{status: 403, reason: "domainCannotUseApis", message: "Domain cannot use apis."}
	googleAPIOff            = googleRefusal{status: 403, reason: "accessNotConfigured", word: "PERMISSION_DENIED", detail: "SERVICE_DISABLED",
		message: "Admin SDK API has not been used in project 123456789 before or it is disabled. Enable it by visiting https://console.developers.google.com/apis/api/admin.googleapis.com/overview?project=123456789 then retry. If you enabled this API recently, wait a few minutes for the action to propagate to our systems and retry."}
)

func googleUnknownParam(name string) *googleRefusal {
	return &googleRefusal{status: 400, reason: "badRequest", word: "INVALID_ARGUMENT",
		message: "Invalid JSON payload received. Unknown name \"" + name + "\": Cannot bind query parameter. Field '" + name + "' could not be found in request message."}
}

func googleInvalid(what string) *googleRefusal {
	return &googleRefusal{status: 400, reason: "invalid", message: "Invalid Input: " + what}
}

func googleNotFound(what string) *googleRefusal {
	return &googleRefusal{status: 404, reason: "notFound", message: "Resource Not Found: " + what}
}

func (e googleRefusal) send(w http.ResponseWriter) {
	type item struct {
		Message string `json:"message"`
		Domain  string `json:"domain"`
		Reason  string `json:"reason"`
	}
	type detail struct {
		Type   string `json:"@type"`
		Reason string `json:"reason"`
		Domain string `json:"domain"`
	}
	var body struct {
		Error struct {
			Code    int      `json:"code"`
			Message string   `json:"message"`
			Errors  []item   `json:"errors"`
			Status  string   `json:"status,omitempty"`
			Details []detail `json:"details,omitempty"`
		} `json:"error"`
	}
	body.Error.Code, body.Error.Message, body.Error.Status = e.status, e.message, e.word
	body.Error.Errors = []item{{e.message, "global", e.reason}}
	if e.detail != "" {
		body.Error.Details = []detail{{"type.googleapis.com/google.rpc.ErrorInfo", e.detail, "googleapis.com"}}
	}
	data, err := json.Marshal(body)
	if err != nil {
		panic(err) // plain strings
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(e.status)
	_, _ = w.Write(data) // a client that went away is its own business
}

// googleTroubles is how Google says what goes wrong at any cloud.
var googleTroubles = map[Trouble]googleRefusal{
	Throttle:       {status: 429, reason: "rateLimitExceeded", message: "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute per user' of service 'admin.googleapis.com'.", word: "RESOURCE_EXHAUSTED"},
	Unavailable:    {status: 503, reason: "backendError", message: "Service unavailable. Please try again"},
	ServerError:    {status: 500, reason: "backendError", message: "Backend Error"},
	BadGateway:     {status: 502, reason: "backendError", message: "Bad Gateway"},
	GatewayTimeout: {status: 504, reason: "backendError", message: "Gateway Timeout"},
	Expired:        googleBadToken,
	Forbidden:      googleForbidden,
	NotFound:       {status: 404, reason: "notFound", message: "Resource Not Found: groupKey"},
	Gone:           {status: 410, reason: "updatedMinTooLongAgo", message: "The requested minimum modification time lies too far in the past."},
}

// googleReasons are the sentences of what Fault.Reason may say.
var googleReasons = map[string]string{
	"quotaExceeded":         "Request rate higher than configured.",
	"userRateLimitExceeded": "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute per user'.",
	"rateLimitExceeded":     "Rate Limit Exceeded",
	"dailyLimitExceeded":    "Daily Limit Exceeded",
	"domainCannotUseApis":   googleCustomerSuspended.message,
	"accessNotConfigured":   googleAPIOff.message,
}

// trouble says a fault in Google's words.
func (g *Google) trouble(w http.ResponseWriter, r *http.Request, f *Fault) {
	if f.tell(w) {
		return
	}
	with := googleTroubles[f.Do]
	if r.URL.Path == "/token" {
		oauthRefusal{with.status, "internal_failure", "Backend Error"}.send(w)
		return
	}
	if f.Reason != "" {
		with.reason, with.message = f.Reason, googleReasons[f.Reason]
	}
	with.send(w)
}

// An oauthRefusal is an error as the token endpoint says it.
type oauthRefusal struct {
	status      int
	code        string
	description string
}

func (e oauthRefusal) send(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(e.status)
	body := appendKey([]byte("{"), "error")
	body = appendString(body, e.code)
	body = appendString(appendKey(body, "error_description"), e.description)
	_, _ = w.Write(append(body, '}')) // a client that went away is its own business
}
