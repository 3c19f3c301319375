package fakecloud

import (
	"net/http"
	"strconv"
	"sync"
	"time"
)

// oktaRates counts the requests of each bucket of endpoints. A bucket's minute begins with its
// first request, not with the clock's.
type oktaRates struct {
	mu      sync.Mutex
	buckets map[string]*oktaBucket
	running int
}

type oktaBucket struct {
	resets time.Time
	used   int
	told   bool // an answer has said that nothing remains
}

func newOktaRates() oktaRates { return oktaRates{buckets: map[string]*oktaBucket{}} }

const oktaWindow = time.Minute

// A rateNote is what an answer says of its bucket.
type rateNote struct {
	limit, remaining int
	resets           time.Time
}

// limited lets a request through when its bucket has room, and tells how much is left.
func (o *Okta) limited(bucket string, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		o.date(w)
		c := o.settings()
		o.rates.mu.Lock()
		o.rates.running++
		crowded := c.AtOnce > 0 && o.rates.running > c.AtOnce
		o.rates.mu.Unlock()
		defer func() {
			o.rates.mu.Lock()
			o.rates.running--
			o.rates.mu.Unlock()
		}()
		if crowded {
			o.tooMany(w, rateNote{resets: o.now().Add(oktaWindow)})
			return
		}
		b, note := o.spend(bucket, c.RateLimit, r)
		if note.remaining < 0 {
			note.remaining = 0
			o.tooMany(w, note)
			return
		}
		o.tellRate(w, note)
		next(w, r)
		if note.remaining == 0 {
			o.rates.mu.Lock()
			b.told = true
			o.rates.mu.Unlock()
		}
	}
}

// spend takes one request from a bucket. A client that comes although it was told that nothing
// remains doesn't read what it is told.
func (o *Okta) spend(name string, limit int, r *http.Request) (*oktaBucket, rateNote) {
	o.rates.mu.Lock()
	defer o.rates.mu.Unlock()
	b, now := o.rates.buckets[name], o.now()
	if b == nil || !now.Before(b.resets) {
		b = &oktaBucket{resets: now.Add(oktaWindow)}
		o.rates.buckets[name] = b
	}
	if b.told {
		o.requests.violation("%s %s came %v before the reset, after X-Rate-Limit-Remaining: 0", r.Method, r.URL.Path, b.resets.Sub(now))
	}
	b.used++
	return b, rateNote{limit, limit - b.used, b.resets}
}

func (o *Okta) tellRate(w http.ResponseWriter, n rateNote) {
	w.Header().Set("X-Rate-Limit-Limit", strconv.Itoa(n.limit))
	w.Header().Set("X-Rate-Limit-Remaining", strconv.Itoa(n.remaining))
	w.Header().Set("X-Rate-Limit-Reset", strconv.FormatInt(o.told(n.resets).Add(time.Second-1).Unix(), 10))
}

// tooMany refuses a request. A limit of zero says that too many came at once; then the reset is
// only an estimate.
func (o *Okta) tooMany(w http.ResponseWriter, n rateNote) {
	o.tellRate(w, n)
	o.refuse(w, http.StatusTooManyRequests, "E0000047", "API call exceeded rate limit due to too many requests.")
}

// told is a time as the org's own clock has it.
func (o *Okta) told(t time.Time) time.Time { return t.Add(o.settings().ClockAhead) }

func (o *Okta) date(w http.ResponseWriter) {
	w.Header().Set("Date", o.clock().UTC().Format(http.TimeFormat))
}
