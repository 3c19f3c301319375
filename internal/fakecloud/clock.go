package fakecloud

import (
	"sync"
	"time"
)

// A Clock is time that a test moves. Its Now goes to the cloud and to the client alike, and the
// client's waiting becomes Advance.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock makes a clock that stands still at start.
func NewClock(start time.Time) *Clock { return &Clock{now: start} }

// Now tells the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock forwards; backwards for a clock that was set wrong.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}
