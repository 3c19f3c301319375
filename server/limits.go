package server

import (
	"io"
	"log"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/rollcall-id/rollcall/api"
)

// limits holds what every client of a listener has to keep to. A client may take as long as it
// likes over a long answer as long as it takes some of it: net/http's own ReadTimeout and
// WriteTimeout count from the start of a request and would cut such an answer off.
type limits struct {
	maxHeader  int64
	maxBody    int64
	readHeader time.Duration // for the headers
	read       time.Duration // for the body
	writeStall time.Duration // for each piece of the answer
	idle       time.Duration // between requests
}

func limitsOf(c Config) limits {
	return limits{
		maxHeader: int64(c.MaxHeader), maxBody: int64(c.MaxBody),
		readHeader: c.ReadHeaderTimeout, read: c.ReadTimeout, writeStall: c.WriteStall, idle: c.IdleTimeout,
	}
}

// headerSlop is what net/http allows on top of MaxHeaderBytes.
const headerSlop = 4 << 10

// server makes an http.Server that keeps the limits around h. Once closing is set, every answer
// asks its client to use the connection no more.
func (l limits) server(h http.Handler, closing *atomic.Bool, logger *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           l.guard(h, closing),
		MaxHeaderBytes:    int(max(l.maxHeader-headerSlop, 1)),
		ReadHeaderTimeout: l.readHeader,
		IdleTimeout:       l.idle,
		ErrorLog:          log.New(serverErrors{logger}, "", 0),
	}
}

// guard keeps the limits that net/http has no setting for, and begins the call.
func (l limits) guard(next http.Handler, closing *atomic.Bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := &exchange{answer: answer{ResponseWriter: w, closing: closing}}
		if r.ProtoMajor >= 2 {
			x.answer.stream, x.answer.stall = http.NewResponseController(w), l.writeStall
		}
		r = x.call.Begin(r)
		if r.Body == http.NoBody {
			next.ServeHTTP(&x.answer, r)
			x.answer.finish()
			return
		}
		body := l.limitBody(w, r, x.call.Began)
		r.Body = body // of our copy: net/http looks into its own request for what is left of the body
		next.ServeHTTP(&x.answer, r)
		body.drain()
		x.answer.finish()
	})
}

// An exchange is what each request needs, in one allocation.
type exchange struct {
	call   api.Call
	answer answer
}

// maxDrain is how much of an unread body is read to its end. A client that still sends when the
// connection is closed sees a broken pipe and not the answer that says why.
const maxDrain = 16 << 20

// limitBody puts the limits on the body of a request that began then. Too large a body fails with
// *http.MaxBytesError when it is read, so that who calls is checked first; one that doesn't come in
// time with os.ErrDeadlineExceeded.
func (l limits) limitBody(w http.ResponseWriter, r *http.Request, began time.Time) *body {
	// net/http takes the deadline away again when it reaches the end of the body.
	_ = http.NewResponseController(w).SetReadDeadline(began.Add(l.read))
	return &body{
		in: r.Body, limit: l.maxBody, left: l.maxBody, declared: r.ContentLength,
		asksFirst: r.Header.Get("Expect") != "",
	}
}

// body reads a request's body as far as it may go.
type body struct {
	in        io.ReadCloser
	limit     int64
	left      int64
	declared  int64 // Content-Length, or -1
	asksFirst bool  // Expect: 100-continue; the answer may come before the body
	begun     bool
	ended     bool
}

// Read reads what the limit leaves. One byte more than that is asked for, to tell a body of
// exactly the limit from a larger one.
func (b *body) Read(p []byte) (int, error) {
	if b.declared > b.limit || b.left < 0 {
		return 0, &http.MaxBytesError{Limit: b.limit}
	}
	b.begun = true
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.in.Read(p)
	b.ended = b.ended || err != nil
	b.left -= int64(n)
	if b.left < 0 {
		return n - 1, &http.MaxBytesError{Limit: b.limit}
	}
	return n, err
}

// Close closes the body.
func (b *body) Close() error {
	b.ended = true
	return b.in.Close()
}

// drain reads what the handler left, before the answer goes out.
func (b *body) drain() {
	if !b.ended && (b.begun || !b.asksFirst) {
		_, _ = io.CopyN(io.Discard, b.in, maxDrain)
	}
}

// answer tells clients to leave once the server is closing. Over HTTP/2, where many answers share a
// connection, it also sets the deadline for each piece; else the connection does that itself
// (limits_conn.go).
type answer struct {
	http.ResponseWriter
	closing *atomic.Bool
	begun   bool

	stream *http.ResponseController // HTTP/2's; else nil
	stall  time.Duration
}

// Unwrap is for http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// WriteHeader begins the answer.
func (a *answer) WriteHeader(status int) {
	if status >= http.StatusOK {
		a.begin()
	}
	a.ResponseWriter.WriteHeader(status)
}

// Write writes p.
func (a *answer) Write(p []byte) (int, error) {
	a.begin()
	if a.stream == nil {
		return a.ResponseWriter.Write(p)
	}
	defer a.disarm()
	return inPieces(p, func(piece []byte) (int, error) {
		a.arm()
		return a.ResponseWriter.Write(piece)
	})
}

// Flush sends what is buffered.
func (a *answer) Flush() { _ = a.FlushError() }

// FlushError sends what is buffered, and says whether that worked.
func (a *answer) FlushError() error {
	a.begin()
	a.arm()
	defer a.disarm()
	return http.NewResponseController(a.ResponseWriter).Flush()
}

// begin is the last moment for a header.
func (a *answer) begin() {
	if !a.begun && a.closing.Load() {
		a.Header().Set("Connection", "close")
	}
	a.begun = true
}

// arm and disarm let the deadline stand only while something is written: it resets the stream by
// itself.
func (a *answer) arm() {
	if a.stream != nil {
		_ = a.stream.SetWriteDeadline(time.Now().Add(a.stall))
	}
}

func (a *answer) disarm() {
	if a.stream != nil {
		_ = a.stream.SetWriteDeadline(time.Time{})
	}
}

// finish prepares for what net/http sends when the handler is done: the buffered rest, or all.
func (a *answer) finish() {
	a.begin()
	a.arm()
}
