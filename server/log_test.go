package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"

	"github.com/rollcall-id/rollcall/api"
)

// logged runs one request through the middlewares and gives the log's lines. It takes 10 ms.
func logged(t *testing.T, level slog.Level, r *http.Request, handle echo.HandlerFunc) (lines []map[string]any, answer *httptest.ResponseRecorder) {
	t.Helper()
	var out bytes.Buffer
	c := Config{LogLevel: level, LogFormat: LogJSON, SlowRequest: time.Second, TrustedProxies: proxies}
	access := newAccessLog(NewLogger(&out, c), c)
	took := 10 * time.Millisecond
	access.took = func(*api.Call) time.Duration { return took }
	e := echo.New()
	e.Use(named(c.TrustedProxies), access.middleware)
	e.Any("/user/:name", func(c echo.Context) error {
		if r.URL.Query().Has("slow") {
			took += time.Minute
		}
		return handle(c)
	})
	answer = httptest.NewRecorder()
	func() {
		defer func() { _ = recover() }()
		e.ServeHTTP(answer, r)
	}()
	for line := range strings.Lines(out.String()) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatal(err)
		}
		delete(fields, "time")
		lines = append(lines, fields)
	}
	return lines, answer
}

func TestAccessLog(t *testing.T) {
	t.Parallel()
	ok := func(c echo.Context) error { return c.String(200, "hello") }
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for _, test := range []struct {
		name   string
		level  slog.Level
		target string
		ctx    context.Context
		handle echo.HandlerFunc
		want   map[string]any // without the request's id; nil: no line
	}{
		{name: "nothing worth a line", target: "/user/ada", handle: ok},
		{name: "each request at debug", level: slog.LevelDebug, target: "/user/ada", handle: ok, want: map[string]any{
			"level": "DEBUG", "msg": "request answered", "status": 200., "took": 1e7, "bytes": 5.}},
		{name: "a refusal is no failure", target: "/user/ada", handle: func(echo.Context) error { return echo.ErrNotFound }},
		{name: "a failure with its chain", target: "/user/ada", handle: func(echo.Context) error { return errors.New("user: read: disk full") }, want: map[string]any{
			"level": "ERROR", "msg": "request failed", "status": 500., "took": 1e7, "bytes": 36., "error": "user: read: disk full"}},
		{name: "slow", target: "/user/ada?slow", handle: ok, want: map[string]any{
			"level": "WARN", "msg": "request was slow", "status": 200., "took": 6.001e10, "bytes": 5.}},
		{name: "login", target: "/user/ada", want: map[string]any{
			"level": "INFO", "msg": "login", "status": 400., "took": 1e7, "bytes": 0., "login": "INVALID_USER_AUTHENTICATION", "application": "jira"},
			handle: func(c echo.Context) error {
				call := api.CallOf(c)
				call.Application, call.Login = "jira", "INVALID_USER_AUTHENTICATION"
				return c.NoContent(400)
			}},
		// The end of its own limit was once taken for a client that had gone away: no login was logged.
		{name: "login that waited", target: "/user/ada", want: map[string]any{
			"level": "INFO", "msg": "login", "status": 200., "took": 1e7, "bytes": 0., "login": "accepted"},
			handle: func(c echo.Context) error {
				call := api.CallOf(c)
				call.Limit(time.Minute)
				defer call.Answered()
				_ = call.Done()
				call.Login = "accepted"
				return c.NoContent(200)
			}},
		{name: "cut off", target: "/user/ada", want: map[string]any{
			"level": "ERROR", "msg": "answer cut off", "status": 200., "took": 1e7, "bytes": 5.},
			handle: func(c echo.Context) error { _ = c.String(200, "hello"); panic(http.ErrAbortHandler) }},
		{name: "the client went away", target: "/user/ada", ctx: gone, handle: func(c echo.Context) error { return c.Request().Context().Err() }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest("GET", test.target, nil)
			r.RemoteAddr = "10.0.0.1:1"
			r.Header.Set("X-Forwarded-For", "192.0.2.7")
			r.Header.Set("X-Request-ID", "mine")
			if test.ctx != nil {
				r = r.WithContext(test.ctx)
			}
			lines, answer := logged(t, test.level, r, test.handle)
			id := answer.Header().Get("X-Request-ID")
			if !regexp.MustCompile(`^[0-9a-z]{16}$`).MatchString(id) {
				t.Errorf("request id %q", id)
			}
			var want []map[string]any
			if test.want != nil {
				want = []map[string]any{{"method": "GET", "route": "/user/:name", "address": "192.0.2.7", "request": id}}
				for k, v := range test.want {
					want[0][k] = v
				}
			}
			if diff := cmp.Diff(want, lines); diff != "" {
				t.Errorf("lines (-want +got):\n%s", diff)
			}
			for _, line := range lines {
				if text, _ := json.Marshal(line); strings.Contains(string(text), "ada") {
					t.Errorf("a name in the log: %s", text)
				}
			}
		})
	}
}

func TestLinesOfARequestHaveItsID(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := NewLogger(&out, Config{LogFormat: LogText}).With("part", "sync")
	log.InfoContext(&api.Call{Context: t.Context(), ID: "abc"}, "told")
	log.Info("told")
	if got := regexp.MustCompile(`time=\S+ `).ReplaceAllString(out.String(), ""); got !=
		"level=INFO msg=told part=sync request=abc\nlevel=INFO msg=told part=sync\n" {
		t.Error(got)
	}
}

func TestLinesOfTheHTTPServer(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	w := serverErrors{NewLogger(&out, Config{LogFormat: LogText})}
	for _, line := range []string{"http: TLS handshake error from x: EOF\n", "http: panic serving x: y\n", "http: Accept error: too many open files\n"} {
		_, _ = w.Write([]byte(line))
	}
	if got := regexp.MustCompile(`level=\w+`).FindAllString(out.String(), -1); !cmp.Equal([]string{"level=ERROR", "level=WARN"}, got) {
		t.Error(got)
	}
}
