package crowd

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/models"
)

// An answer is what a code means in this API.
type answer struct {
	status   int
	reason   string // one of Crowd's words: Atlassian's client reads any other as none
	sentence string // with the failure's subject for %s; a message of the failure's own goes before it
}

// answers is the only place that says which status and reason a failure has. A resource that
// answers one otherwise marks it with except.
var answers = map[models.Code]answer{
	models.IllegalArgument:   {http.StatusBadRequest, "ILLEGAL_ARGUMENT", "The request makes no sense"},
	models.UserNotFound:      {http.StatusNotFound, "USER_NOT_FOUND", "User <%s> does not exist"},
	models.GroupNotFound:     {http.StatusNotFound, "GROUP_NOT_FOUND", "Group <%s> does not exist"},
	models.DirectoryNotFound: {http.StatusNotFound, "DIRECTORY_NOT_FOUND", "Directory <%s> does not exist"},
	models.AppNotFound:       {http.StatusNotFound, "APPLICATION_NOT_FOUND", "Application <%s> does not exist"},
	models.MappingNotFound:   {http.StatusNotFound, "DIRECTORY_NOT_FOUND", "Directory <%s> is not mapped to the application"},
	models.AliasNotFound:     {http.StatusNotFound, "USER_NOT_FOUND", "User <%s> has no alias"},
	models.NotMember:         {http.StatusNotFound, "MEMBERSHIP_NOT_FOUND", "The membership does not exist"},
	models.AlreadyMember:     {http.StatusConflict, "MEMBERSHIP_ALREADY_EXISTS", "The membership exists already"},
	models.InvalidUser:       {http.StatusBadRequest, "INVALID_USER", "User <%s> is not valid"},
	models.InvalidGroup:      {http.StatusBadRequest, "INVALID_GROUP", "Group <%s> is not valid"},
	models.InvalidMembership: {http.StatusBadRequest, "INVALID_MEMBERSHIP", "The membership is not valid"},
	models.InvalidCredential: {http.StatusBadRequest, "INVALID_CREDENTIAL", "The new password does not meet the directory complexity requirements"},
	models.InvalidPassword:   {http.StatusBadRequest, "INVALID_USER_AUTHENTICATION", "Failed to authenticate principal, password was invalid"},
	models.UserInactive:      {http.StatusBadRequest, "INACTIVE_ACCOUNT", "Account with name <%s> is inactive"},
	models.PasswordExpired:   {http.StatusBadRequest, "EXPIRED_CREDENTIAL", "The password of <%s> has expired and must be changed"},
	models.LoginDenied:       {http.StatusForbidden, "APPLICATION_ACCESS_DENIED", "User <%s> is not allowed to use the application"},
	models.InvalidToken:      {http.StatusNotFound, "INVALID_SSO_TOKEN", "The session token is not valid"},
	models.EventTokenExpired: {http.StatusGone, "EVENT_TOKEN_EXPIRED", "The event token has expired; read everything again"},
	models.WebhookNotFound:   {http.StatusNotFound, "WEBHOOK_NOT_FOUND", "Webhook <%s> does not exist"},
	models.InvalidEmail:      {http.StatusBadRequest, "INVALID_EMAIL", "User <%s> has no valid email address"},
	models.PermissionDenied:  {http.StatusForbidden, "APPLICATION_PERMISSION_DENIED", "The application is not allowed to do this"},
	models.Unsupported:       {http.StatusNotImplemented, "UNSUPPORTED_OPERATION", "The directory can not do this"},
	models.NameTaken:         {http.StatusConflict, "APPLICATION_ALREADY_EXISTS", "The name <%s> is taken"},

	// Both are plain text, not an Error entity; their texts stand in refuse.
	models.AppUnauthorized:  {http.StatusUnauthorized, "", ""},
	models.AddressForbidden: {http.StatusForbidden, "", ""},

	// Crowd leaves these to its servlet container. Clients parse an Error entity all the same.
	models.RequestTooLarge:  {http.StatusRequestEntityTooLarge, "ILLEGAL_ARGUMENT", "The body of the request is too large"},
	models.UnsupportedMedia: {http.StatusUnsupportedMediaType, "ILLEGAL_ARGUMENT", "The Content-Type of the body must be application/xml or application/json"},
	models.NotAcceptable:    {http.StatusNotAcceptable, "ILLEGAL_ARGUMENT", "The answer can be application/xml or application/json"},
	models.NoSuchResource:   {http.StatusNotFound, "OPERATION_FAILED", "There is no such resource"},
	models.MethodNotAllowed: {http.StatusMethodNotAllowed, "OPERATION_FAILED", "The resource does not have this method"},

	models.Busy:        {http.StatusServiceUnavailable, "OPERATION_FAILED", "The server has too much to do; try again"},
	models.Unavailable: {http.StatusServiceUnavailable, "OPERATION_FAILED", "The server can not reach its data; try again"},
	models.StorageFull: {http.StatusServiceUnavailable, "OPERATION_FAILED", "The server has no room left to write"},
	models.LeaseLost:   {http.StatusServiceUnavailable, "OPERATION_FAILED", "Another process synchronises directory <%s>"},
	models.SyncFailed:  {http.StatusBadGateway, "OPERATION_FAILED", "Directory <%s> could not be synchronised"},
	models.PlanMoved:   {http.StatusConflict, "OPERATION_FAILED", "The plan is another one now"},
	models.Internal:    {http.StatusInternalServerError, "OPERATION_FAILED", "The server failed; its log says why"},
}

// retryAfter says when it may be better, where it may be.
var retryAfter = map[models.Code]time.Duration{
	models.Busy:        time.Second,
	models.Unavailable: 2 * time.Second,
	models.StorageFull: 30 * time.Second,
	models.LeaseLost:   30 * time.Second,
}

// refuse words a failure. Two of them are plain text: Dex compares the one of a wrong
// application password for equality, and looks for the first sentence of the other.
func refuse(c echo.Context, err error) api.Refusal {
	code := api.CodeOf(err)
	switch code {
	case models.AppUnauthorized:
		// The realm is in the configuration of a Trac plugin.
		c.Response().Header().Set(echo.HeaderWWWAuthenticate, `Basic realm="Crowd REST Service"`)
		return api.Refusal{Status: http.StatusUnauthorized, Message: "Application failed to authenticate"}
	case models.AddressForbidden:
		return api.Refusal{Status: http.StatusForbidden, Message: forbiddenAddress(api.Address(c), subject(err))}
	}
	said := answers[code]
	if marked, ok := errors.AsType[*exception](err); ok && marked.code == code {
		said.status, said.reason = marked.status, marked.reason
	}
	message := said.message(err)
	if id := api.CallOf(c).ID; id != "" && code == models.Internal {
		message += ", under request " + id
	}
	return api.Refusal{
		Status: said.status, Reason: said.reason, Message: message, RetryAfter: retryAfter[code],
		Entity: errorEntity{said.reason, message},
	}
}

// message gives the sentence for the caller: never more of the chain than what was meant for
// them.
func (a answer) message(err error) string {
	known, ok := errors.AsType[*models.Error](err)
	switch {
	case !ok:
		return strings.ReplaceAll(a.sentence, " <%s>", "")
	case known.Code != models.Internal && known.Message != "":
		return known.Message
	case known.Subject == "":
		return strings.ReplaceAll(a.sentence, " <%s>", "")
	}
	return strings.ReplaceAll(a.sentence, "%s", known.Subject)
}

func subject(err error) string {
	if known, ok := errors.AsType[*models.Error](err); ok {
		return known.Subject
	}
	return ""
}

func forbiddenAddress(from netip.Addr, application string) string {
	return fmt.Sprintf("The server understood the request but refuses to authorize it. "+
		"Client with address %q is forbidden from making requests to the application, %s.", javaAddress(from), application)
}

// javaAddress writes an address as Java does: IPv6 in eight groups without leading zeros, of
// which none are left out.
func javaAddress(a netip.Addr) string {
	if !a.IsValid() {
		return "unknown"
	}
	if a.Is4() {
		return a.String()
	}
	bytes := a.As16()
	groups := make([]string, 0, 8)
	for i := 0; i < len(bytes); i += 2 {
		groups = append(groups, fmt.Sprintf("%x", int(bytes[i])<<8|int(bytes[i+1])))
	}
	return strings.Join(groups, ":")
}

// An exception is a failure that its resource answers otherwise than the table says.
type exception struct {
	error
	code   models.Code
	status int
	reason string
}

func (e *exception) Unwrap() error { return e.error }

// except marks err, when it means code, to be answered with another status and reason.
func except(err error, code models.Code, status int, reason string) error {
	if !models.Is(err, code) {
		return err
	}
	return &exception{err, code, status, reason}
}

// inBody marks a failure to find what the request's body names: that is 400, where for what the
// query names it is 404. Atlassian's client tells by it which of the two is missing.
func inBody(err error, code models.Code, name string) error {
	if models.Key(subject(err)) != models.Key(name) {
		return err
	}
	return except(err, code, http.StatusBadRequest, answers[code].reason)
}

// errorEntity is a failure as the wire has it.
type errorEntity struct{ reason, message string }

// AppendXML writes <error>.
func (e errorEntity) AppendXML(b []byte) []byte {
	b = append(b, "<error>"...)
	b = api.AppendXMLElement(b, "reason", e.reason)
	b = api.AppendXMLElement(b, "message", e.message)
	return append(b, "</error>"...)
}

// AppendJSON writes the object.
func (e errorEntity) AppendJSON(b []byte) []byte {
	b = append(b, '{')
	b = api.AppendJSONField(b, "reason", e.reason)
	b = api.AppendJSONField(b, "message", e.message)
	return append(b, '}')
}
