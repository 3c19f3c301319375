package server

import (
	"database/sql"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
)

func observed() (*echo.Echo, *metrics) {
	e, m := echo.New(), newMetrics("1.2.3")
	e.Use(m.observe)
	group := e.Group("/rest", func(next echo.HandlerFunc) echo.HandlerFunc { return next })
	group.GET("/user/:name", func(c echo.Context) error { return c.NoContent(http.StatusNoContent) })
	group.POST("/user", func(echo.Context) error { return echo.ErrServiceUnavailable })
	group.GET("/cut", func(echo.Context) error { panic(http.ErrAbortHandler) })
	m.closeRoutes(e.Routes())
	return e, m
}

func scrape(m *metrics) string {
	w := httptest.NewRecorder()
	m.handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	return w.Body.String()
}

func TestRequestsAreCounted(t *testing.T) {
	t.Parallel()
	e, m := observed()
	ask := func(method, target string) {
		defer func() { _ = recover() }()
		e.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(method, target, nil))
	}
	ask("GET", "/rest/user/ada")
	ask("GET", "/rest/user/grace")
	ask("POST", "/rest/user")
	ask("GET", "/rest/cut")
	ask("BREW", "/rest/user/ada")
	ask("GET", "/nowhere")
	text := scrape(m)
	for _, want := range []string{
		`rollcall_http_requests_total{code="204",method="GET",route="/rest/user/:name"} 2`,
		`rollcall_http_requests_total{code="503",method="POST",route="/rest/user"} 1`,
		`rollcall_http_requests_total{code="aborted",method="GET",route="/rest/cut"} 1`,
		`rollcall_http_requests_total{code="404",method="GET",route="unmatched"} 1`,
		`method="other"`,
		`rollcall_http_request_duration_seconds_count{method="GET",route="/rest/user/:name"} 2`,
		`rollcall_http_requests_in_flight 0`,
		`version="1.2.3"`,
		`go_goroutines`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
}

// A label taken from a request as it is would let a stranger fill the memory of server and
// Prometheus.
func TestStrangersAddNoSeries(t *testing.T) {
	t.Parallel()
	e, m := observed()
	series := func() int { return strings.Count(scrape(m), "\nrollcall_http") }
	methods := []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"}
	for _, method := range methods { // every series that there can be
		for _, path := range []string{"/x", "/rest/x", "/rest/user", "/rest/user/x"} {
			e.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(method, path, nil))
		}
	}
	before := series()
	random := rand.New(rand.NewPCG(1, 2))
	word := func(most int) string {
		letters := make([]byte, 1+random.IntN(most))
		for i := range letters {
			letters[i] = "abcdefghijklmnopqrstuvwxyzABCDEF-_.~"[random.IntN(36)]
		}
		return string(letters)
	}
	for i := range 10_000 {
		method, path := methods[random.IntN(len(methods))], "/"+word(20)
		switch i % 4 {
		case 0:
			path = "/rest/user/" + word(200)
		case 1:
			path = "/rest/" + word(5) + "/" + word(5) + "?" + word(5)
		case 2:
			method = strings.ToUpper(word(10))
		}
		r := httptest.NewRequest("GET", path, nil)
		r.Method, r.Host = method, word(20)
		e.ServeHTTP(httptest.NewRecorder(), r)
	}
	if after := series(); after != before {
		t.Errorf("%d series became %d", before, after)
	}
}

func TestWatched(t *testing.T) {
	t.Parallel()
	m := newMetrics("dev")
	m.watchPasswords(func() PasswordStats { return PasswordStats{Running: 2, Waiting: 7, Hashed: 100, Refused: 3} })
	m.watchCertificate(func() time.Time { return time.Unix(2_000_000_000, 0) })
	for _, pool := range []string{"read", "write"} {
		m.watchPool(pool, func() sql.DBStats { return sql.DBStats{OpenConnections: 4, InUse: 1, WaitDuration: time.Second} })
	}
	text := scrape(m)
	for _, want := range []string{
		"rollcall_password_hashes_running 2", "rollcall_password_hashes_waiting 7",
		"rollcall_password_hashes_total 100", "rollcall_password_hashes_refused_total 3",
		"rollcall_tls_certificate_expiry_timestamp_seconds 2e+09",
		`rollcall_database_connections_open{pool="read"} 4`, `rollcall_database_connections_in_use{pool="write"} 1`,
		`rollcall_database_wait_seconds_total{pool="read"} 1`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
}

func BenchmarkObserve(b *testing.B) {
	e, m := observed()
	m.routes["/"] = &series{route: "/"}
	r := httptest.NewRequest("GET", "/rest/user/ada", nil)
	for b.Loop() {
		e.ServeHTTP(discard{}, r)
	}
}

// discard is an http.ResponseWriter that keeps nothing.
type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) WriteHeader(int)             {}
