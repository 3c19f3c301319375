package api

import (
	"context"
	"sync"
	"time"
)

// A limit is until when a call may take. Most calls are answered from memory and wait for
// nothing: only for one that does, a timer is started.
type limit struct {
	mu    sync.Mutex
	until time.Time       // zero: as long as it takes
	timed context.Context // once somebody waits
	stop  context.CancelFunc
}

// Limit ends the call's context d after the call began. Whoever asks for it says when the call is
// Answered.
func (c *Call) Limit(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.until = c.Began.Add(d)
}

// Answered stops the timer, if there is one: nobody waits any more.
func (c *Call) Answered() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stop != nil {
		c.stop()
	}
}

// Gone tells whether the client went away.
func (c *Call) Gone() bool { return c.Context.Err() != nil }

// Deadline is part of context.Context.
func (c *Call) Deadline() (time.Time, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if own := c.until; !own.IsZero() {
		if of, ok := c.Context.Deadline(); !ok || own.Before(of) {
			return own, true
		}
	}
	return c.Context.Deadline()
}

// Done is part of context.Context: somebody waits.
func (c *Call) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timed == nil && !c.until.IsZero() {
		c.timed, c.stop = context.WithDeadline(c.Context, c.until)
	}
	return c.current().Done()
}

// Err is part of context.Context.
func (c *Call) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timed == nil && !c.until.IsZero() && !time.Now().Before(c.until) {
		return context.DeadlineExceeded
	}
	return c.current().Err()
}

// Value is part of context.Context. Contexts made of this one look here for what they hang on.
func (c *Call) Value(key any) any {
	if key == (callKey{}) {
		return c
	}
	c.mu.Lock()
	current := c.current()
	c.mu.Unlock()
	return current.Value(key)
}

func (c *Call) current() context.Context {
	if c.timed != nil {
		return c.timed
	}
	return c.Context
}
