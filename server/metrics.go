package server

import (
	"database/sql"
	"net/http"
	"runtime"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/login"
)

// metrics counts what the server does, for Prometheus. Every label has a closed set of values:
// no request can add a series by its path, its method or anything else that it brings.
type metrics struct {
	registry *prometheus.Registry
	routes   map[string]*series // by the patterns of the routes; anything else is unmatched
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	inFlight prometheus.Gauge
	logins   *prometheus.CounterVec

	syncRuns, syncRequests, syncThrottled *prometheus.CounterVec

	unmatched series
}

// newMetrics makes the registry with what concerns the process itself; version is the program's.
func newMetrics(version string) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rollcall_http_requests_total",
			Help: "Requests answered, by method, route and status.",
		}, []string{"method", "route", "code"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "rollcall_http_request_duration_seconds",
			Help:    "Time from the first look at a request to the end of its answer.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, 1, 5, 30},
		}, []string{"method", "route"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "rollcall_http_requests_in_flight",
			Help: "Requests being answered now.",
		}),
		logins: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rollcall_logins_total",
			Help: "Logins by outcome.",
		}, []string{"outcome"}),
		syncRuns: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rollcall_sync_runs_total",
			Help: "Synchronisations that this process ran, by outcome.",
		}, []string{"directory", "outcome"}),
		syncRequests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rollcall_sync_requests_total",
			Help: "Requests to sources.",
		}, []string{"directory"}),
		syncThrottled: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rollcall_sync_throttled_total",
			Help: "Requests to sources that were answered with: not so fast.",
		}, []string{"directory"}),
		unmatched: series{route: "unmatched"},
	}
	for _, outcome := range login.Outcomes {
		m.logins.WithLabelValues(string(outcome)) // each is there from the start, at zero
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name:        "rollcall_build_info",
		Help:        "Always 1; the labels say which program runs.",
		ConstLabels: prometheus.Labels{"version": version, "go": runtime.Version()},
	})
	build.Set(1)
	m.registry.MustRegister(m.requests, m.duration, m.inFlight, m.logins, build,
		m.syncRuns, m.syncRequests, m.syncThrottled,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// countLogin counts the outcome of a login.
func (m *metrics) countLogin(outcome login.Outcome) { m.logins.WithLabelValues(string(outcome)).Inc() }

// handler answers /metrics.
func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry})
}

// closeRoutes tells which routes exist. It is called once, when all are registered and before the
// first request.
func (m *metrics) closeRoutes(routes []*echo.Route) {
	m.routes = make(map[string]*series, len(routes))
	for _, r := range routes {
		m.routes[r.Path] = &series{route: r.Path}
	}
}

// observe counts and times each request. Like the access log it lets Echo's error handler answer
// first, whichever of the two is outside.
func (m *metrics) observe(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		call, status := api.CallOf(c), aborted
		m.inFlight.Inc()
		defer func() {
			m.inFlight.Dec()
			of := m.seriesOf(c.Path()).of(m, answered{methodLabel(c.Request().Method), status})
			of.requests.Inc()
			of.duration.Observe(call.Took().Seconds())
		}()
		if err := next(c); err != nil {
			c.Error(err)
		}
		status = c.Response().Status
		return nil
	}
}

func (m *metrics) seriesOf(path string) *series {
	if known := m.routes[path]; known != nil {
		return known
	}
	return &m.unmatched
}

// methodLabel keeps the methods of HTTP and calls every other one "other".
func methodLabel(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
		http.MethodDelete, http.MethodOptions:
		return method
	}
	return "other"
}

// aborted stands for the status of an answer that was cut off.
const aborted = -1

func codeLabel(status int) string {
	if status == aborted {
		return "aborted"
	}
	if http.StatusText(status) == "" {
		return "other"
	}
	return strconv.Itoa(status)
}

// PasswordStats is what the metrics tell about password hashing.
type PasswordStats struct {
	Running int   // hashes being computed
	Waiting int   // requests waiting for a free place
	Hashed  int64 // computed since the start
	Refused int64 // sent away, since the start, because too many waited
}

// watchPasswords shows password hashing; stats is asked at each scrape.
func (m *metrics) watchPasswords(stats func() PasswordStats) {
	m.gauge("rollcall_password_hashes_running", "Password hashes being computed.",
		func() float64 { return float64(stats().Running) })
	m.gauge("rollcall_password_hashes_waiting", "Requests waiting to compute a password hash.",
		func() float64 { return float64(stats().Waiting) })
	m.counter("rollcall_password_hashes_total", "Password hashes computed.",
		func() float64 { return float64(stats().Hashed) })
	m.counter("rollcall_password_hashes_refused_total", "Requests sent away because too many waited for a hash.",
		func() float64 { return float64(stats().Refused) })
}

// watchCertificate shows when the TLS certificate ends.
func (m *metrics) watchCertificate(expiry func() time.Time) {
	m.gauge("rollcall_tls_certificate_expiry_timestamp_seconds", "When the TLS certificate ends.",
		func() float64 { return float64(expiry().Unix()) })
}

// watchPool shows a pool of database connections; name tells it from others: "read", "write".
func (m *metrics) watchPool(name string, stats func() sql.DBStats) {
	labels := prometheus.Labels{"pool": name}
	gauge := func(metric, help string, value func(sql.DBStats) float64) {
		m.registry.MustRegister(prometheus.NewGaugeFunc(
			prometheus.GaugeOpts{Name: metric, Help: help, ConstLabels: labels}, func() float64 { return value(stats()) }))
	}
	counter := func(metric, help string, value func(sql.DBStats) float64) {
		m.registry.MustRegister(prometheus.NewCounterFunc(
			prometheus.CounterOpts{Name: metric, Help: help, ConstLabels: labels}, func() float64 { return value(stats()) }))
	}
	gauge("rollcall_database_connections_open", "Open database connections.",
		func(s sql.DBStats) float64 { return float64(s.OpenConnections) })
	gauge("rollcall_database_connections_in_use", "Database connections in use.",
		func(s sql.DBStats) float64 { return float64(s.InUse) })
	counter("rollcall_database_waits_total", "Times that a free database connection was waited for.",
		func(s sql.DBStats) float64 { return float64(s.WaitCount) })
	counter("rollcall_database_wait_seconds_total", "Time spent waiting for a free database connection.",
		func(s sql.DBStats) float64 { return s.WaitDuration.Seconds() })
}

func (m *metrics) gauge(name, help string, value func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
}

func (m *metrics) counter(name, help string, value func() float64) {
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, value))
}
