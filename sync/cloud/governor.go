package cloud

import (
	"context"
	"sync"
	"time"
)

// A governor lets requests go: so many at once, so many a second, none while the cloud asked
// for silence. How many at once grows by one for each round of good answers and is halved when
// the cloud complains.
type governor struct {
	now   func() time.Time
	sleep func(context.Context, time.Duration) error
	most  float64       // at once
	gap   time.Duration // between two requests; zero: none

	mu       sync.Mutex
	limit    float64 // at once, for now
	running  int
	quiet    time.Time     // nobody sends before
	next     time.Time     // when the next one may go, by gap
	halvedAt time.Time     // complaints about requests that were sent before it count as one
	freed    chan struct{} // closed and replaced when a waiting request should look again
}

func newGovernor(most int, perSecond float64, now func() time.Time, sleep func(context.Context, time.Duration) error) *governor {
	g := &governor{now: now, sleep: sleep, most: float64(most), limit: float64(most) / 2, freed: make(chan struct{})}
	if perSecond > 0 {
		g.gap = time.Duration(float64(time.Second) / perSecond)
	}
	return g
}

// enter waits until a request may be sent. Unless it fails, leave must follow.
func (g *governor) enter(ctx context.Context) error {
	var slept time.Time // the quiet that we sat out: a clock that stands still may not keep us
	for {
		g.mu.Lock()
		now := g.now()
		switch {
		case g.quiet.After(now) && !g.quiet.Equal(slept):
			slept = g.quiet
			g.mu.Unlock()
			if err := g.sleep(ctx, slept.Sub(now)); err != nil {
				return err
			}
		case float64(g.running) >= max(1, g.limit):
			freed := g.freed
			g.mu.Unlock()
			select {
			case <-freed:
			case <-ctx.Done():
				return ctx.Err()
			}
		default:
			g.running++
			wait := g.turn(now)
			g.mu.Unlock()
			if wait > 0 {
				if err := g.sleep(ctx, wait); err != nil {
					g.leave()
					return err
				}
			}
			return nil
		}
	}
}

// turn takes the next turn of those that gap allows, and says how far it is off.
func (g *governor) turn(now time.Time) time.Duration {
	if g.gap == 0 {
		return 0
	}
	at := g.next
	if at.Before(now) {
		at = now
	}
	g.next = at.Add(g.gap)
	return at.Sub(now)
}

func (g *governor) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.running--
	g.wake()
}

// pleased lets a little more run at once.
func (g *governor) pleased() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.limit = min(g.most, g.limit+1/g.limit)
	g.wake()
}

// slower halves what runs at once, unless that was done since the request was sent.
func (g *governor) slower(sent time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if sent.Before(g.halvedAt) {
		return
	}
	g.limit = max(1, g.limit/2)
	g.halvedAt = g.now()
}

// silence lets nobody send for a while.
func (g *governor) silence(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if until := g.now().Add(d); until.After(g.quiet) {
		g.quiet = until
	}
}

func (g *governor) wake() {
	close(g.freed)
	g.freed = make(chan struct{})
}
