package crowd

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/models"
)

// reasons are the words that Atlassian's client knows; it reads any other as none.
var reasons = []string{
	"APPLICATION_ACCESS_DENIED", "APPLICATION_PERMISSION_DENIED", "EXPIRED_CREDENTIAL", "GROUP_NOT_FOUND",
	"ILLEGAL_ARGUMENT", "INACTIVE_ACCOUNT", "INVALID_USER_AUTHENTICATION", "INVALID_CREDENTIAL", "INVALID_EMAIL",
	"INVALID_GROUP", "INVALID_SSO_TOKEN", "INVALID_USER", "MEMBERSHIP_NOT_FOUND", "MEMBERSHIP_ALREADY_EXISTS",
	"NESTED_GROUPS_NOT_SUPPORTED", "APPLICATION_NOT_FOUND", "UNSUPPORTED_OPERATION", "USER_NOT_FOUND",
	"OPERATION_FAILED", "EVENT_TOKEN_EXPIRED", "INCREMENTAL_SYNC_NOT_AVAILABLE", "WEBHOOK_NOT_FOUND",
	"PERMISSION_DENIED", "INVALID_MEMBERSHIP", "DIRECTORY_NOT_FOUND", "APPLICATION_ALREADY_EXISTS",
}

func caller(t *testing.T) echo.Context {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RemoteAddr = "10.1.2.3:4567"
	e := echo.New()
	e.IPExtractor = echo.ExtractIPDirect()
	return e.NewContext(r, httptest.NewRecorder())
}

func TestEveryCodeHasAnAnswer(t *testing.T) {
	for _, code := range models.Codes {
		said, ok := answers[code]
		if !ok {
			t.Errorf("%s has no answer", code)
			continue
		}
		got := refuse(caller(t), fmt.Errorf("wrapped: %w", models.Fail(code, "ada", "")))
		if got.Status != said.status || got.Status < 400 || got.Message == "" || strings.Contains(got.Message, "%") {
			t.Errorf("%s is answered %d %q, want %d and a sentence", code, got.Status, got.Message, said.status)
		}
		plain := code == models.AppUnauthorized || code == models.AddressForbidden
		if plain != (got.Entity == nil) || !plain && !slices.Contains(reasons, got.Reason) {
			t.Errorf("%s has the reason %q and the entity %v", code, got.Reason, got.Entity)
		}
		if (got.Status == 503) != (got.RetryAfter > 0) {
			t.Errorf("%s is %d with Retry-After %v", code, got.Status, got.RetryAfter)
		}
	}
	if len(answers) != len(models.Codes) {
		t.Errorf("the table has %d codes, models has %d", len(answers), len(models.Codes))
	}
}

// Typed in from Crowd's reference: status and reason of each failure a client may see.
func TestStatusAndReason(t *testing.T) {
	for _, c := range []struct {
		code   models.Code
		status int
		reason string
	}{
		{models.IllegalArgument, 400, "ILLEGAL_ARGUMENT"},
		{models.UserNotFound, 404, "USER_NOT_FOUND"},
		{models.GroupNotFound, 404, "GROUP_NOT_FOUND"},
		{models.NotMember, 404, "MEMBERSHIP_NOT_FOUND"},
		{models.AlreadyMember, 409, "MEMBERSHIP_ALREADY_EXISTS"},
		{models.InvalidUser, 400, "INVALID_USER"},
		{models.InvalidGroup, 400, "INVALID_GROUP"},
		{models.InvalidMembership, 400, "INVALID_MEMBERSHIP"},
		{models.InvalidCredential, 400, "INVALID_CREDENTIAL"},
		{models.InvalidPassword, 400, "INVALID_USER_AUTHENTICATION"},
		{models.UserInactive, 400, "INACTIVE_ACCOUNT"},
		{models.PasswordExpired, 400, "EXPIRED_CREDENTIAL"},
		{models.LoginDenied, 403, "APPLICATION_ACCESS_DENIED"},
		{models.InvalidToken, 404, "INVALID_SSO_TOKEN"},
		{models.EventTokenExpired, 410, "EVENT_TOKEN_EXPIRED"},
		{models.WebhookNotFound, 404, "WEBHOOK_NOT_FOUND"},
		{models.InvalidEmail, 400, "INVALID_EMAIL"},
		{models.PermissionDenied, 403, "APPLICATION_PERMISSION_DENIED"},
		{models.Unsupported, 501, "UNSUPPORTED_OPERATION"},
		{models.Busy, 503, "OPERATION_FAILED"},
		{models.Unavailable, 503, "OPERATION_FAILED"},
		{models.StorageFull, 503, "OPERATION_FAILED"},
		{models.Internal, 500, "OPERATION_FAILED"},
		{models.RequestTooLarge, 413, "ILLEGAL_ARGUMENT"},
		{models.UnsupportedMedia, 415, "ILLEGAL_ARGUMENT"},
		{models.NotAcceptable, 406, "ILLEGAL_ARGUMENT"},
		{models.NoSuchResource, 404, "OPERATION_FAILED"},
		{models.MethodNotAllowed, 405, "OPERATION_FAILED"},
	} {
		got := refuse(caller(t), models.Fail(c.code, "", ""))
		if got.Status != c.status || got.Reason != c.reason {
			t.Errorf("%s is %d %s, want %d %s", c.code, got.Status, got.Reason, c.status, c.reason)
		}
	}
}

func TestMessages(t *testing.T) {
	secret := errors.New("pq: password of 10.0.0.9 is hunter2")
	for _, c := range []struct {
		err  error
		want string
	}{
		{models.Fail(models.UserNotFound, "bob", ""), "User <bob> does not exist"},
		{models.Fail(models.UserNotFound, "", ""), "User does not exist"},
		{models.Fail(models.GroupNotFound, "100%s", ""), "Group <100%s> does not exist"},
		{models.Fail(models.InvalidPassword, "bob", ""), "Failed to authenticate principal, password was invalid"},
		{models.Fail(models.InvalidUser, "bob", "User already exists"), "User already exists"},
		{&models.Error{Code: models.InvalidUser, Subject: "bob", Err: secret}, "User <bob> is not valid"},
		{&models.Error{Code: models.Internal, Message: "internal detail", Err: secret}, "The server failed; its log says why"},
		{secret, "The server failed; its log says why"},
		{echo.ErrNotFound, "There is no such resource"},
	} {
		if got := refuse(caller(t), c.err).Message; got != c.want {
			t.Errorf("%v is told as %q, want %q", c.err, got, c.want)
		}
	}
	ctx := caller(t)
	api.CallOf(ctx).Name("r-7", ctx)
	if got, want := refuse(ctx, secret).Message, "The server failed; its log says why, under request r-7"; got != want {
		t.Errorf("the message is %q, want %q", got, want)
	}
}

// Dex compares the text for equality.
func TestQuirk5WrongApplicationPassword(t *testing.T) {
	ctx := caller(t)
	got := refuse(ctx, models.Fail(models.AppUnauthorized, "jira", "not this"))
	if got.Status != 401 || got.Message != "Application failed to authenticate" || got.Entity != nil {
		t.Errorf("the refusal is %+v", got)
	}
	if got, want := ctx.Response().Header().Get("WWW-Authenticate"), `Basic realm="Crowd REST Service"`; got != want {
		t.Errorf("WWW-Authenticate is %q, want %q", got, want)
	}
}

func TestQuirk5ForbiddenAddress(t *testing.T) {
	got := refuse(caller(t), models.Fail(models.AddressForbidden, "jira", ""))
	const want = `The server understood the request but refuses to authorize it. Client with address "10.1.2.3" is forbidden from making requests to the application, jira.`
	if got.Status != 403 || got.Message != want || got.Entity != nil {
		t.Errorf("the refusal is %+v, want 403 %s", got, want)
	}
}

func TestJavaAddress(t *testing.T) {
	for address, want := range map[string]string{
		"10.1.2.3": "10.1.2.3", "::1": "0:0:0:0:0:0:0:1", "2001:db8::ff:0a": "2001:db8:0:0:0:0:ff:a",
	} {
		if got := javaAddress(netip.MustParseAddr(address)); got != want {
			t.Errorf("javaAddress(%s) = %s, want %s", address, got, want)
		}
	}
	if got := javaAddress(netip.Addr{}); got != "unknown" {
		t.Errorf("no address is %q", got)
	}
}

// Atlassian's client tells by the status which of two names is unknown.
func TestQuirk23WhoIsNamedInTheBody(t *testing.T) {
	unknown := models.Fail(models.GroupNotFound, "Interns", "")
	for _, c := range []struct {
		name   string
		err    error
		status int
		reason string
	}{
		{"of the body", inBody(unknown, models.GroupNotFound, "interns"), 400, "GROUP_NOT_FOUND"},
		{"wrapped", fmt.Errorf("x: %w", inBody(fmt.Errorf("y: %w", unknown), models.GroupNotFound, "INTERNS")), 400, "GROUP_NOT_FOUND"},
		{"of the query", inBody(unknown, models.GroupNotFound, "developers"), 404, "GROUP_NOT_FOUND"},
		{"another failure", inBody(models.Fail(models.UserNotFound, "interns", ""), models.GroupNotFound, "interns"), 404, "USER_NOT_FOUND"},
		{"unknown at login", except(models.Fail(models.UserNotFound, "bob", ""), models.UserNotFound, 400, "INVALID_USER_AUTHENTICATION"), 400, "INVALID_USER_AUTHENTICATION"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := refuse(caller(t), c.err); got.Status != c.status || got.Reason != c.reason {
				t.Errorf("the refusal is %d %s, want %d %s", got.Status, got.Reason, c.status, c.reason)
			}
		})
	}
	if err := inBody(nil, models.GroupNotFound, "x"); err != nil {
		t.Errorf("no failure became %v", err)
	}
}

func TestQuirk22RefusedPersons(t *testing.T) {
	for _, c := range []struct {
		code   models.Code
		status int
		reason string
	}{
		{models.UserNotFound, 400, "USER_NOT_FOUND"},
		{models.InvalidPassword, 400, "INVALID_USER_AUTHENTICATION"},
		{models.UserInactive, 400, "INACTIVE_ACCOUNT"},
		{models.PasswordExpired, 400, "EXPIRED_CREDENTIAL"},
		{models.LoginDenied, 403, "APPLICATION_ACCESS_DENIED"},
		{models.Busy, 503, "OPERATION_FAILED"},
	} {
		got := refuse(caller(t), refusedPerson(models.Fail(c.code, "bob", "")))
		if got.Status != c.status || got.Reason != c.reason {
			t.Errorf("%s is %d %s, want %d %s", c.code, got.Status, got.Reason, c.status, c.reason)
		}
	}
}
