package api

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/rollcall-id/rollcall/models"
)

// request makes a context of one request; headers come in pairs.
func request(t *testing.T, method, target, body string, headers ...string) (echo.Context, *httptest.ResponseRecorder) {
	t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	r := httptest.NewRequest(method, target, reader)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	return echo.New().NewContext(r, w), w
}

// wantCode checks which failure err is; an empty code means none.
func wantCode(t *testing.T, err error, want models.Code) {
	t.Helper()
	if err == nil && want == "" {
		return
	}
	if err == nil || want == "" || CodeOf(err) != want {
		t.Errorf("the failure is %v, want code %q", err, want)
	}
}

// message gives what the caller is told.
func message(err error) string {
	if known, ok := err.(*models.Error); ok {
		return known.Message
	}
	return ""
}

const get, post = http.MethodGet, http.MethodPost
