package server

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/rollcall-id/rollcall/api"
)

// The forms of the log.
const (
	LogJSON = "json"
	LogText = "text"
)

// The keys of log lines, the same everywhere, so that one query finds all lines about one thing.
const (
	KeyRequest     = "request"     // the request's id, also in the answer's X-Request-ID
	KeyApplication = "application" // its name
	KeyDirectory   = "directory"   // its name
	KeyUser        = "user"        // a name; never at info or above
	KeyRun         = "run"         // id of a sync run
	KeyAddress     = "address"     // the client's
	KeyError       = "error"
)

// NewLogger makes the program's logger.
func NewLogger(w io.Writer, c Config) *slog.Logger {
	options := &slog.HandlerOptions{Level: c.LogLevel}
	var form slog.Handler = slog.NewJSONHandler(w, options)
	if c.LogFormat == LogText {
		form = slog.NewTextHandler(w, options)
	}
	return slog.New(requestHandler{form})
}

// requestHandler adds the request's id to each line that is logged with the request's context.
type requestHandler struct{ slog.Handler }

func (h requestHandler) Handle(ctx context.Context, line slog.Record) error {
	if call := api.CallIn(ctx); call != nil && call.ID != "" {
		line = line.Clone()
		line.AddAttrs(slog.String(KeyRequest, call.ID))
	}
	return h.Handler.Handle(ctx, line)
}

func (h requestHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return requestHandler{h.Handler.WithAttrs(attrs)}
}

func (h requestHandler) WithGroup(name string) slog.Handler {
	return requestHandler{h.Handler.WithGroup(name)}
}

// named gives each request an id, for the log and for the caller, and finds out who calls. An id
// that the caller sent is not taken over: two requests could then look like one.
func named(trusted []netip.Prefix) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			call := api.CallOf(c)
			call.Address = ClientAddress(c.Request(), trusted)
			call.Name(newRequestID(), c)
			return next(c)
		}
	}
}

// newRequestID gives 80 random bits in 16 letters and digits that can be read aloud.
func newRequestID() string {
	const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"
	var id [16]byte
	for half := range 2 {
		bits := rand.Uint64()
		for i := range 8 {
			id[half*8+i] = alphabet[bits>>(5*i)&31]
		}
	}
	return string(id[:])
}

// accessLog writes a line for each request that failed, was slow or was a login; for the others
// only at debug, since a line per request costs a tenth of the throughput. Lines name the route
// and never the address that was asked for, which holds people's names.
type accessLog struct {
	log  *slog.Logger
	slow time.Duration // 0: nothing is slow
	took func(*api.Call) time.Duration
}

func newAccessLog(log *slog.Logger, c Config) *accessLog {
	return &accessLog{log: log, slow: c.SlowRequest, took: (*api.Call).Took}
}

// middleware lets Echo's error handler answer an error before it writes the line: only then the
// status is known. The chain of the error is logged here; the handler only answers.
func (a *accessLog) middleware(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		answered := false
		var failure error
		defer func() { a.write(c, answered, failure) }()
		if failure = next(c); failure != nil {
			c.Error(failure)
		}
		answered = true
		return nil
	}
}

// write decides whether a request is worth a line. answered is false when a panic is on its way
// up, which is also how an answer is cut off that failed midway.
func (a *accessLog) write(c echo.Context, answered bool, err error) {
	call, status := api.CallOf(c), c.Response().Status
	took, gone := a.took(call), call.Gone()
	level, message := slog.LevelDebug, "request answered"
	switch {
	case gone && (status < http.StatusInternalServerError || errors.Is(err, context.Canceled)):
		message = "client went away"
	case !answered:
		level, message = slog.LevelError, "answer cut off"
	case status >= http.StatusInternalServerError:
		level, message = slog.LevelError, "request failed"
	case a.slow > 0 && took > a.slow:
		level, message = slog.LevelWarn, "request was slow"
	case call.Login != "":
		level, message = slog.LevelInfo, "login"
	}
	if !a.log.Enabled(call, level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("method", methodLabel(c.Request().Method)),
		slog.String("route", c.Path()),
		slog.Int("status", status),
		slog.Duration("took", took),
		slog.Int64("bytes", c.Response().Size),
		slog.String(KeyAddress, call.Address.String()),
	}
	if call.Application != "" {
		attrs = append(attrs, slog.String(KeyApplication, call.Application))
	}
	if call.Login != "" {
		attrs = append(attrs, slog.String("login", call.Login))
	}
	if err != nil && level >= slog.LevelError {
		attrs = append(attrs, slog.String(KeyError, err.Error()))
	}
	a.log.LogAttrs(call, level, message, attrs...)
}

// serverErrors passes on what net/http itself has to say: a client's broken TLS handshake is
// for debugging, a panic is an error, the rest (no more file descriptors) a warning.
type serverErrors struct{ log *slog.Logger }

func (s serverErrors) Write(line []byte) (int, error) {
	text, level := strings.TrimSpace(string(line)), slog.LevelWarn
	switch {
	case strings.Contains(text, "TLS handshake error"):
		level = slog.LevelDebug
	case strings.Contains(text, "panic serving"):
		level = slog.LevelError
	}
	s.log.Log(context.Background(), level, "http server", KeyError, text)
	return len(line), nil
}
