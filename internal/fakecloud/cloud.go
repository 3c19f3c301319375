package fakecloud

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// A Cloud is what all fakes share: a directory, the log of requests, the faults to come. Each
// fake embeds one and puts its protocol into mux.
type Cloud struct {
	// URL is where the cloud is reached, without a slash at the end. Start sets it; whoever
	// serves the cloud otherwise, with httptest for one, sets it before the first request.
	URL string
	// Directory is what the cloud has.
	Directory *Directory

	now      func() time.Time
	open     bool // takes any name of its host
	mux      *http.ServeMux
	troubles func(w http.ResponseWriter, r *http.Request, f *Fault) // says a fault in the cloud's words
	requests requestLog
	faults   faultScript
	script   eventScript
	server   *http.Server
	served   sync.WaitGroup
}

func newCloud(g Gen, now func() time.Time) *Cloud {
	if now == nil {
		now = time.Now
	}
	return &Cloud{Directory: newDirectory(g), now: now, mux: http.NewServeMux(), requests: newRequestLog()}
}

// Start serves the cloud on a TCP address, such as "127.0.0.1:0", until Close.
func (c *Cloud) Start(ctx context.Context, address string) error {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	c.URL = "http://" + l.Addr().String()
	c.server = &http.Server{Handler: c, ReadHeaderTimeout: 10 * time.Second}
	c.served.Go(func() {
		if err := c.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			c.requests.violation("the fake cloud stopped serving: %v", err)
		}
	})
	return nil
}

// Close ends what Start began, at once: whoever waits for an answer gets none.
func (c *Cloud) Close() {
	if c.server != nil {
		_ = c.server.Close() // the listener goes either way
		c.served.Wait()
	}
}

// Edit changes the directory. What do does becomes visible together.
func (c *Cloud) Edit(do func(*Edit)) { c.Directory.edit(c.now(), do) }

// After calls do when the n-th request from now on whose path and query match a regular
// expression has been worked out, and before its answer is sent: so that a change falls between
// two pages.
func (c *Cloud) After(path string, n int, do func()) { c.script.add(path, n, do) }

// ServeHTTP answers a request.
func (c *Cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.requests.begin()
	defer c.requests.end()
	if host := hostOf(c.URL); !c.open && host != "" && r.Host != host {
		c.requests.violation("%s %s went to the host %s, which isn't the cloud's%s", r.Method, r.URL.Path, r.Host, withToken(r))
	}
	c.answer(w, r, false)
}

func hostOf(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return ""
	}
	return u.Host
}

func withToken(r *http.Request) string {
	if r.Header.Get("Authorization") != "" {
		return ", with a token"
	}
	return ""
}

// base is how the client calls the cloud; links begin with it.
func (c *Cloud) base(r *http.Request) string {
	switch {
	case !c.open && c.URL != "":
		return c.URL
	case r.TLS != nil:
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// answer answers a request, or one that is inside another one.
func (c *Cloud) answer(w http.ResponseWriter, r *http.Request, inBatch bool) {
	_, endpoint := c.mux.Handler(r)
	entry := Request{At: c.now(), Method: r.Method, URL: r.URL.RequestURI(), Endpoint: endpoint, InBatch: inBatch}
	c.requests.arrived(entry)
	due, fault := c.script.due(r), c.faults.take(r, inBatch)
	if fault != nil {
		entry.Fault = fault.Do
		c.requests.mustWait(entry, fault.RetryAfter)
	}
	if due == nil && fault == nil {
		status := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		c.mux.ServeHTTP(status, r)
		entry.Status = status.status
		c.requests.answered(entry)
		return
	}
	buffered := newAnswer()
	switch {
	case fault != nil && fault.Do.replaces():
		c.troubles(buffered, r, fault)
	default:
		c.mux.ServeHTTP(buffered, r.WithContext(context.WithValue(r.Context(), faultKey{}, fault)))
	}
	for _, do := range due {
		do()
	}
	entry.Status = buffered.status
	c.requests.answered(entry)
	fault.send(w, r, buffered)
}

// A statusWriter remembers the status for the log.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (s *statusWriter) WriteHeader(status int) {
	s.status = status
	s.ResponseWriter.WriteHeader(status)
}

// An answer is kept until it is complete.
type answer struct {
	header http.Header
	status int
	body   []byte
}

func newAnswer() *answer { return &answer{header: http.Header{}, status: http.StatusOK} }

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) { a.status = status }

func (a *answer) Write(data []byte) (int, error) {
	a.body = append(a.body, data...)
	return len(data), nil
}
