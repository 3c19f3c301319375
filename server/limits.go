package server

import (
	"io"
	"log"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"
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

// guard keeps the limits that net/http has no setting for.
func (l limits) guard(next http.Handler, closing *atomic.Bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := &answer{
			ResponseWriter: w, control: *http.NewResponseController(w), closing: closing,
			stall: l.writeStall, eachTime: r.ProtoMajor >= 2,
		}
		if r.Body == http.NoBody {
			next.ServeHTTP(answer, r)
			answer.finish()
			return
		}
		body := l.limitBody(&answer.control, r)
		// A copy: net/http looks into its own request for what is left of the body.
		r = r.WithContext(r.Context())
		r.Body = body
		next.ServeHTTP(answer, r)
		body.drain()
		answer.finish()
	})
}

// maxDrain is how much of an unread body is read to its end. A client that still sends when the
// connection is closed sees a broken pipe and not the answer that says why.
const maxDrain = 16 << 20

// limitBody puts the limits on a request's body. Too large a body fails with *http.MaxBytesError
// when it is read, so that who calls is checked first; one that doesn't come in time with
// os.ErrDeadlineExceeded.
func (l limits) limitBody(control *http.ResponseController, r *http.Request) *body {
	// net/http takes the deadline away again when it reaches the end of the body.
	_ = control.SetReadDeadline(time.Now().Add(l.read))
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

// writePiece is written under one deadline; a client slower than a piece per writeStall is cut
// off.
const writePiece = 64 << 10

// answer moves the deadline for writing forward with each piece written.
type answer struct {
	http.ResponseWriter
	control  http.ResponseController // not a pointer: one allocation less for each request
	closing  *atomic.Bool
	stall    time.Duration
	eachTime bool // HTTP/2: the deadline itself resets the stream, so it stands only while writing
	armed    time.Time
	begun    bool
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

// Write writes p piece by piece.
func (a *answer) Write(p []byte) (written int, err error) {
	a.begin()
	defer a.disarm()
	for first := true; first || len(p) > 0; first = false {
		piece := p[:min(len(p), writePiece)]
		a.arm()
		n, err := a.ResponseWriter.Write(piece)
		written += n
		if err != nil {
			return written, err
		}
		p = p[len(piece):]
	}
	return written, nil
}

// Flush sends what is buffered.
func (a *answer) Flush() { _ = a.FlushError() }

// FlushError sends what is buffered, and says whether that worked.
func (a *answer) FlushError() error {
	a.begin()
	a.arm()
	defer a.disarm()
	return a.control.Flush()
}

// begin is the last moment for a header.
func (a *answer) begin() {
	if !a.begun && a.closing.Load() {
		a.Header().Set("Connection", "close")
	}
	a.begun = true
}

// arm sets the deadline, unless it was set a moment ago: a stream of small writes would spend
// more time on deadlines than on writing.
func (a *answer) arm() {
	if now := time.Now(); a.eachTime || now.Sub(a.armed) > a.stall/8 {
		a.armed = now
		_ = a.control.SetWriteDeadline(now.Add(a.stall))
	}
}

func (a *answer) disarm() {
	if a.eachTime {
		_ = a.control.SetWriteDeadline(time.Time{})
	}
}

// finish prepares for what net/http sends when the handler is done: the buffered rest, or all.
func (a *answer) finish() {
	a.begin()
	a.arm()
}
