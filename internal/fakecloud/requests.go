package fakecloud

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// A Request is one line of the log.
type Request struct {
	At       time.Time // by the cloud's clock
	Method   string
	URL      string // path and query
	Endpoint string // such as "GET /v1.0/groups/{id}/members"; empty for a path that there isn't
	Status   int
	InBatch  bool    // it came inside another request
	Fault    Trouble // what went wrong on purpose
}

// kept is how many requests, and how many violations, are remembered one by one.
const kept = 10_000

type requestLog struct {
	mu         sync.Mutex
	total      int
	running    int
	most       int
	byEndpoint map[string]int
	recent     []Request // a ring, once it is full
	next       int       // where the ring goes on
	violations []string
	secrets    []string             // what no URL may contain
	notBefore  map[string]time.Time // by method and URL: what was asked to wait
	quietUntil time.Time            // the latest of them
	early      int                  // requests to other URLs before that
}

func newRequestLog() requestLog {
	return requestLog{byEndpoint: map[string]int{}, notBefore: map[string]time.Time{}}
}

// Requests counts the requests to an endpoint, such as "GET /v1.0/users" or
// "GET /v1.0/groups/{id}/members", those inside a batch as well; to "" all HTTP requests.
func (c *Cloud) Requests(endpoint string) int {
	c.requests.mu.Lock()
	defer c.requests.mu.Unlock()
	if endpoint == "" {
		return c.requests.total
	}
	return c.requests.byEndpoint[endpoint]
}

// RecentRequests gives the last ten thousand requests, oldest first, each as it was answered.
func (c *Cloud) RecentRequests() []Request {
	c.requests.mu.Lock()
	defer c.requests.mu.Unlock()
	return slices.Concat(c.requests.recent[c.requests.next:], c.requests.recent[:c.requests.next])
}

// MostAtOnce is the greatest number of requests that were being answered at one time.
func (c *Cloud) MostAtOnce() int {
	c.requests.mu.Lock()
	defer c.requests.mu.Unlock()
	return c.requests.most
}

// WhileThrottled counts the requests that came while another one had been asked to wait. Those
// that were underway already are among them, so that a client with n workers may have n-1 for
// each time it was throttled.
func (c *Cloud) WhileThrottled() int {
	c.requests.mu.Lock()
	defer c.requests.mu.Unlock()
	return c.requests.early
}

// Violations tells what clients did that they may not: what a real cloud would have refused, or
// would have let pass until the day it doesn't.
func (c *Cloud) Violations() []string {
	c.requests.mu.Lock()
	defer c.requests.mu.Unlock()
	return slices.Clone(c.requests.violations)
}

// ForgetRequests begins the log anew.
func (c *Cloud) ForgetRequests() { c.requests.forget() }

func (l *requestLog) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total, l.most, l.next, l.early = 0, l.running, 0, 0
	l.recent, l.violations = nil, nil
	clear(l.byEndpoint)
	clear(l.notBefore)
	l.quietUntil = time.Time{}
}

func (l *requestLog) begin() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total++
	l.running++
	l.most = max(l.most, l.running)
}

func (l *requestLog) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.running--
}

// arrived checks what can be seen of a request before it is answered.
func (l *requestLog) arrived(r Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.byEndpoint[r.Endpoint]++
	for _, secret := range l.secrets {
		if strings.Contains(r.URL, secret) {
			l.add("%s %s has a secret in its address", r.Method, strings.ReplaceAll(r.URL, secret, "[secret]"))
		}
	}
	key := r.Method + " " + r.URL
	until, asked := l.notBefore[key]
	switch {
	case asked && r.At.Before(until):
		l.add("%s came %v before the Retry-After that it was given had passed", key, until.Sub(r.At))
	case asked:
		delete(l.notBefore, key)
	case r.At.Before(l.quietUntil):
		l.early++
	}
}

// mustWait remembers that a request was asked to wait.
func (l *requestLog) mustWait(r Request, wait time.Duration) {
	if wait <= 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	until := r.At.Add(wait)
	l.notBefore[r.Method+" "+r.URL] = until
	if until.After(l.quietUntil) {
		l.quietUntil = until
	}
}

func (l *requestLog) answered(r Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.recent) < kept {
		l.recent = append(l.recent, r)
		return
	}
	l.recent[l.next] = r
	l.next = (l.next + 1) % kept
}

// maxSecrets bounds how many tokens are looked for in addresses.
const maxSecrets = 32

// secret names something that no address may contain.
func (l *requestLog) secret(s string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s == "" {
		return
	}
	if len(l.secrets) == maxSecrets {
		l.secrets = slices.Delete(l.secrets, 1, 2) // the first one lives longest
	}
	l.secrets = append(l.secrets, s)
}

func (l *requestLog) violation(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.add(format, args...)
}

func (l *requestLog) add(format string, args ...any) {
	if len(l.violations) < kept {
		l.violations = append(l.violations, fmt.Sprintf(format, args...))
	}
}
