package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/rollcall-id/rollcall/models"
)

// note is an entity with one text.
type note string

func (n note) AppendXML(b []byte) []byte { return AppendXMLElement(b, "note", string(n)) }
func (n note) AppendJSON(b []byte) []byte {
	return append(AppendJSONField(append(b, '{'), "note", string(n)), '}')
}

func TestWrite(t *testing.T) {
	for _, c := range []struct{ accept, contentType, body string }{
		{"*/*", "application/xml", `<?xml version="1.0" encoding="UTF-8" standalone="yes"?><note>a&amp;b</note>`},
		{"application/json", "application/json", `{"note":"a&b"}`},
	} {
		ctx, w := request(t, get, "/", "", "Accept", c.accept)
		if err := Write(ctx, http.StatusCreated, note("a&b")); err != nil {
			t.Fatal(err)
		}
		if w.Code != http.StatusCreated || w.Body.String() != c.body {
			t.Errorf("%s gets %d %s, want 201 %s", c.accept, w.Code, w.Body, c.body)
		}
		if got := w.Header().Get("Content-Type"); got != c.contentType {
			t.Errorf("the type is %q, want %q", got, c.contentType)
		}
		if got := w.Header().Get("Content-Length"); got == "" || got == "0" {
			t.Errorf("the length is %q", got)
		}
	}
}

// The node client atlassian-crowd throws when an answer has neither a body nor a type.
func TestEmptyAnswersHaveAType(t *testing.T) {
	ctx, w := request(t, post, "/", "", "Accept", "application/json")
	if err := WriteEmpty(ctx, http.StatusCreated); err != nil {
		t.Fatal(err)
	}
	if w.Code != 201 || w.Body.Len() != 0 || w.Header().Get("Content-Type") != "application/json" || w.Header().Get("Content-Length") != "0" {
		t.Errorf("the answer is %d %v %q", w.Code, w.Header(), w.Body)
	}
	ctx, w = request(t, post, "/", "")
	if err := WriteNothing(ctx); err != nil {
		t.Fatal(err)
	}
	if w.Code != 204 || w.Header().Get("Content-Type") != "" {
		t.Errorf("the answer is %d with type %q, want 204 without", w.Code, w.Header().Get("Content-Type"))
	}
}

// plain refuses in the words of a made-up API.
func plain(_ echo.Context, err error) Refusal {
	status := map[models.Code]int{models.UserNotFound: 404, models.Busy: 503, models.Internal: 500}[CodeOf(err)]
	refusal := Refusal{Status: status, Reason: "WORD", Entity: note("refused")}
	if status == 503 {
		refusal.RetryAfter = 2 * time.Second
	}
	return refusal
}

func TestErrorHandler(t *testing.T) {
	for _, c := range []struct {
		name   string
		err    error
		api    bool
		accept string
		status int
		body   string
	}{
		{"of an API, XML", models.Fail(models.UserNotFound, "bob", ""), true, "", 404, Declaration + "<note>refused</note>"},
		{"of an API, JSON", models.Fail(models.UserNotFound, "bob", ""), true, "application/json", 404, `{"note":"refused"}`},
		{"no format fits", models.Fail(models.UserNotFound, "bob", ""), true, "text/plain", 404, Declaration + "<note>refused</note>"},
		{"busy", models.Fail(models.Busy, "", ""), true, "", 503, Declaration + "<note>refused</note>"},
		{"internal", errors.New("chain of causes"), true, "", 500, Declaration + "<note>refused</note>"},
		{"elsewhere, no such path", echo.ErrNotFound, false, "", 404, "Not Found"},
		{"elsewhere, a bug", errors.New("chain of causes"), false, "", 500, "Internal Server Error"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, w := request(t, get, "/x", "", "Accept", c.accept)
			if c.api {
				Enter(ctx, plain, Undecided, "")
			}
			ErrorHandler(c.err, ctx)
			if w.Code != c.status || w.Body.String() != c.body {
				t.Errorf("the answer is %d %s, want %d %s", w.Code, w.Body, c.status, c.body)
			}
			if c.status == 503 && w.Header().Get("Retry-After") != "2" {
				t.Errorf("Retry-After is %q, want 2", w.Header().Get("Retry-After"))
			}
		})
	}
}

func TestCodeOf(t *testing.T) {
	for _, c := range []struct {
		err  error
		want models.Code
	}{
		{models.Fail(models.UserNotFound, "", ""), models.UserNotFound},
		{echo.ErrNotFound, models.NoSuchResource},
		{echo.ErrMethodNotAllowed, models.MethodNotAllowed},
		{echo.ErrStatusRequestEntityTooLarge, models.RequestTooLarge},
		{echo.ErrUnsupportedMediaType, models.UnsupportedMedia},
		{echo.NewHTTPError(http.StatusNotAcceptable), models.NotAcceptable},
		{echo.ErrTooManyRequests, models.Busy},
		{echo.ErrServiceUnavailable, models.Unavailable},
		{echo.ErrBadRequest, models.IllegalArgument},
		{echo.ErrInternalServerError, models.Internal},
		{&http.MaxBytesError{}, models.RequestTooLarge},
		{context.Canceled, models.Unavailable},
		{context.DeadlineExceeded, models.Unavailable},
		{errors.New("x"), models.Internal},
	} {
		if got := CodeOf(c.err); got != c.want {
			t.Errorf("CodeOf(%v) = %q, want %q", c.err, got, c.want)
		}
	}
}

// stream serves a list that fails after n entries; a negative n means that it doesn't.
func stream(t *testing.T, n int) *httptest.Server {
	t.Helper()
	e := echo.New()
	e.HTTPErrorHandler = ErrorHandler
	e.GET("/", func(c echo.Context) error {
		Enter(c, plain, Undecided, "")
		out := NewStream(c)
		b := append(out.Begin(), "<list>"...)
		for i := range 20_000 {
			if i == n {
				return errors.New("the database went away")
			}
			var err error
			if b, err = out.Pass(AppendXMLElement(b, "name", "ada")); err != nil {
				return err
			}
		}
		return out.End(append(b, "</list>"...))
	})
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	return server
}

func TestStream(t *testing.T) {
	for _, c := range []struct {
		name   string
		fails  int
		status int
		cut    bool
	}{
		{"whole", -1, 200, false},
		{"fails before the first byte", 10, 500, false},
		{"fails after the first byte", 15_000, 200, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			response, err := http.Get(stream(t, c.fails).URL)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			var body strings.Builder
			_, err = io.Copy(&body, response.Body)
			if response.StatusCode != c.status || (err != nil) != c.cut {
				t.Errorf("the answer is %d, reading ends with %v; want %d, cut off: %v", response.StatusCode, err, c.status, c.cut)
			}
			if response.Header.Get("Content-Type") != "application/xml" {
				t.Errorf("the type is %q", response.Header.Get("Content-Type"))
			}
			if whole := strings.HasSuffix(body.String(), "</list>"); whole != (c.fails < 0) {
				t.Errorf("the list ends as if whole: %v", whole)
			}
			if c.fails < 0 && strings.Count(body.String(), "<name>ada</name>") != 20_000 {
				t.Error("entries are missing")
			}
		})
	}
}
