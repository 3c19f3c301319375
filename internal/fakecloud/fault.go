package fakecloud

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"sync"
	"time"
)

// A Fault is something that goes wrong at some requests.
type Fault struct {
	Method     string // empty: any
	Path       string // a regular expression that path and query match; empty: any
	Nth        int    // the first matching request that it hits, counted from 1; zero is 1
	Times      int    // how many in a row; zero is 1, negative is for ever
	Do         Trouble
	RetryAfter time.Duration // told to the client, in whole seconds; zero: it isn't told
	Delay      time.Duration // of Slow
	Reason     string        // the cloud's own word for it, where one status has several; empty: the usual one
	Link       string        // of ForeignLink: the link; empty: the cloud's own address by another name
}

// A Trouble is one kind of things that go wrong.
type Trouble int

const (
	_ Trouble = iota

	// Answers that say what is wrong.

	Throttle       // 429
	Unavailable    // 503
	ServerError    // 500
	BadGateway     // 502
	GatewayTimeout // 504
	Expired        // 401: the token has expired
	Forbidden      // 403
	NotFound       // 404
	Gone           // 410: begin again
	HTMLPage       // 200 with a page for people, as a proxy sends it
	EmptyBody      // 200 with nothing

	// Answers that are broken underway.

	CutBody   // the connection is closed after half the body
	Truncated // 200 with half the JSON
	WrongType // the right body, called text/plain
	Reset     // the connection is reset without an answer
	Slow      // the right answer after Delay, or never for a client that went away

	// Lists that lead astray.

	ForeignLink // the link to the next page leads to another host
	RepeatLink  // the link to the next page leads to the same page
	EmptyPages  // nothing, and always a link to the next page
)

// replaces says that the answer isn't the right one in any way.
func (t Trouble) replaces() bool { return t <= EmptyBody }

// breaksConnection says that it can't happen inside another request.
func (t Trouble) breaksConnection() bool { return t == CutBody || t == Reset || t == Slow }

// status is that of a Trouble that has one.
var status = map[Trouble]int{
	Throttle: http.StatusTooManyRequests, Unavailable: http.StatusServiceUnavailable, ServerError: http.StatusInternalServerError,
	BadGateway: http.StatusBadGateway, GatewayTimeout: http.StatusGatewayTimeout, Expired: http.StatusUnauthorized,
	Forbidden: http.StatusForbidden, NotFound: http.StatusNotFound, Gone: http.StatusGone,
	HTMLPage: http.StatusOK, EmptyBody: http.StatusOK,
}

// Fail lets something go wrong. Of several faults that a request matches, the first one that is
// due happens.
func (c *Cloud) Fail(f Fault) { c.faults.add(f) }

// Heal forgets all faults.
func (c *Cloud) Heal() { c.faults.clear() }

type faultScript struct {
	mu     sync.Mutex
	faults []*plannedFault
}

type plannedFault struct {
	Fault
	path *regexp.Regexp
	seen int // matching requests
}

func (s *faultScript) add(f Fault) {
	if f.Do == 0 {
		panic("fakecloud: a fault needs to Do something")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f.Nth = max(f.Nth, 1)
	if f.Times == 0 {
		f.Times = 1
	}
	s.faults = append(s.faults, &plannedFault{Fault: f, path: regexp.MustCompile(f.Path)})
}

func (s *faultScript) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// take gives the fault that a request meets, if any.
func (s *faultScript) take(r *http.Request, inBatch bool) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	var hit *Fault
	for _, f := range s.faults {
		if f.Method != "" && f.Method != r.Method || inBatch && f.Do.breaksConnection() || !f.path.MatchString(r.URL.RequestURI()) {
			continue
		}
		f.seen++
		if hit == nil && f.seen >= f.Nth && (f.Times < 0 || f.seen < f.Nth+f.Times) {
			hit = &f.Fault
		}
	}
	return hit
}

type faultKey struct{}

// linkFault is what happens to the links of an answer.
func linkFault(r *http.Request) (Fault, bool) {
	f, _ := r.Context().Value(faultKey{}).(*Fault)
	if f == nil || f.Do < ForeignLink {
		return Fault{}, false
	}
	return *f, true
}

// tell writes what every cloud says alike; false leaves the body to the cloud.
func (f *Fault) tell(w http.ResponseWriter) bool {
	if f.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int((f.RetryAfter+time.Second-1)/time.Second)))
	}
	switch f.Do {
	case HTMLPage:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, "<!DOCTYPE html><html><body><h1>Please sign in to the network</h1></body></html>")
	case EmptyBody:
		w.Header().Set("Content-Type", "application/json")
	default:
		return false
	}
	return true
}

// send sends an answer as the fault lets it through; without a fault as it is.
func (f *Fault) send(w http.ResponseWriter, r *http.Request, a *answer) {
	do := Trouble(0)
	if f != nil {
		do = f.Do
	}
	switch do {
	case Reset:
		hangUp(w, nil)
		return
	case CutBody:
		hangUp(w, a)
		return
	case Slow:
		select {
		case <-time.After(f.Delay):
		case <-r.Context().Done():
			return
		}
	case Truncated:
		a.body = a.body[:len(a.body)/2]
		a.header.Del("Content-Length")
	case WrongType:
		a.header.Set("Content-Type", "text/plain")
	}
	for name, values := range a.header {
		w.Header()[name] = values
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // a client that went away is its own business
}

// hangUp closes the connection: after half of an answer, or without one by a reset.
func hangUp(w http.ResponseWriter, a *answer) {
	hijacker, ok := w.(http.Hijacker)
	if !ok {
		panic(http.ErrAbortHandler) // HTTP/2: the stream is reset
	}
	conn, _, err := hijacker.Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer conn.Close()
	if a == nil {
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // best effort: without it the client sees an end instead of a reset
		}
		return
	}
	whole := http.Response{StatusCode: a.status, ProtoMajor: 1, ProtoMinor: 1, Header: a.header,
		ContentLength: int64(len(a.body)), Body: io.NopCloser(bytes.NewReader(a.body))}
	var wire bytes.Buffer
	if err := whole.Write(&wire); err != nil {
		panic(err) // into memory
	}
	_, _ = conn.Write(wire.Bytes()[:wire.Len()-(len(a.body)+1)/2])
}

// An eventScript is what happens after certain requests.
type eventScript struct {
	mu     sync.Mutex
	events []*event
}

type event struct {
	path *regexp.Regexp
	left int
	do   func()
}

func (s *eventScript) add(path string, n int, do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, &event{regexp.MustCompile(path), max(n, 1), do})
}

// due gives what is to happen after a request.
func (s *eventScript) due(r *http.Request) (due []func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.events {
		if e.left > 0 && e.path.MatchString(r.URL.RequestURI()) {
			if e.left--; e.left == 0 {
				due = append(due, e.do)
			}
		}
	}
	return due
}
