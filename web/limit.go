package web

import (
	"sync"
	"time"
)

// A limiter lets each key do something so many times in a window, which begins with the first.
// It counts for this process alone: what it guards can't be guessed anyway.
type limiter struct {
	most   int
	window time.Duration
	now    func() time.Time

	mu   sync.Mutex
	seen map[string]*count
}

type count struct {
	n     int
	since time.Time
}

// maxKeys bounds the memory: beyond it, those whose window is over are forgotten, and if nobody's
// is, everybody.
const maxKeys = 10_000

func newLimiter(most int, window time.Duration, now func() time.Time) *limiter {
	return &limiter{most: most, window: window, now: now, seen: map[string]*count{}}
}

// allow counts one more time and tells whether it is still allowed.
func (l *limiter) allow(key string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	c := l.seen[key]
	if c == nil || now.Sub(c.since) >= l.window {
		l.forget(now)
		c = &count{since: now}
		l.seen[key] = c
	}
	c.n++
	return c.n <= l.most
}

func (l *limiter) forget(now time.Time) {
	if len(l.seen) < maxKeys {
		return
	}
	for key, c := range l.seen {
		if now.Sub(c.since) >= l.window {
			delete(l.seen, key)
		}
	}
	if len(l.seen) >= maxKeys {
		clear(l.seen)
	}
}
