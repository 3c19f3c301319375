package cloud

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	dirsync "github.com/rollcall-id/rollcall/sync"
)

// Options say how one cloud is asked.
type Options struct {
	Root  *url.URL // below it everything is asked; the token goes to its host only; see Address
	Proxy string   // address of a proxy; empty: what the environment says
	CA    []byte   // PEM of certificates that are trusted beside the system's

	// Authorize puts the credentials on a request. Refused is the Authorization header that the
	// cloud has just refused; empty at the first attempt. Nil: nothing to put on.
	Authorize func(r *http.Request, refused string) error
	// Judge says what an answer means; nil: what HTTP says.
	Judge func(Answer) Verdict
	// Header goes with every request.
	Header http.Header

	Concurrency int     // most requests at once; it begins with half as many
	PerSecond   float64 // requests a second; zero: no limit

	Now   func() time.Time                           // nil: time.Now
	Sleep func(context.Context, time.Duration) error // nil: really
	Log   *slog.Logger                               // nil: none
}

// A Client asks one cloud for one run. It may be used by many goroutines at once.
type Client struct {
	root      *url.URL
	transport *http.Transport
	authorize func(*http.Request, string) error
	judge     func(Answer) Verdict
	header    http.Header
	now       func() time.Time
	sleep     func(context.Context, time.Duration) error
	log       *slog.Logger
	governor  *governor
	workers   int

	requests, throttled, retried, bytes atomic.Int64
	skew                                atomic.Int64 // of the last answer with a date, in nanoseconds
}

// New makes a Client. Nothing is asked yet.
func New(o Options) (*Client, error) {
	workers := max(1, o.Concurrency)
	transport, err := newTransport(o.Proxy, o.CA, workers)
	if err != nil {
		return nil, err
	}
	c := &Client{
		root: o.Root, transport: transport, authorize: o.Authorize, judge: o.Judge, header: o.Header,
		now: o.Now, sleep: o.Sleep, log: o.Log, workers: workers,
	}
	if c.authorize == nil {
		c.authorize = func(*http.Request, string) error { return nil }
	}
	if c.judge == nil {
		c.judge = Judge
	}
	if c.now == nil {
		c.now = time.Now
	}
	if c.sleep == nil {
		c.sleep = Sleep
	}
	c.log = cmp.Or(c.log, slog.New(slog.DiscardHandler))
	c.governor = newGovernor(workers, o.PerSecond, c.now, c.sleep)
	return c, nil
}

// Sleep waits, unless the context ends before.
func Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// A Request is one question. Whatever is asked this way is asked again when the answer is lost:
// so it reads, also when it is a POST.
type Request struct {
	Method string // empty: GET
	URL    string // a whole address, or a path below the root that begins with "/"
	Header http.Header
	Body   []byte
	Limit  int64 // of the answer's bytes, unpacked; zero: 16 MiB

	// Bare asks without credentials and beside the limits, wherever URL leads: for a token.
	Bare  bool
	Judge func(Answer) Verdict // in place of the client's

	// Take decodes a success; once for each attempt, so it begins afresh. The body is valid
	// until it returns. An error says that the answer is broken: it is asked again. Nil: the
	// answer doesn't matter.
	Take func(Answer) error
}

// Do asks until there is an answer, or no hope: then the error is an *Error, or the context's,
// or Authorize's.
func (c *Client) Do(ctx context.Context, r Request) error {
	target, err := c.target(r)
	if err != nil {
		return err
	}
	judge := r.Judge
	if judge == nil {
		judge = c.judge
	}
	method := cmp.Or(r.Method, http.MethodGet)
	asked := method + " " + target.Path
	if r.Bare {
		asked = method + " " + target.Host + target.Path
	}
	return c.persist(ctx, r.Bare, asked, func(refused string) (Verdict, string, error) {
		try := &attempt{client: c, bare: r.Bare, refused: refused, judge: judge, limit: r.Limit, take: r.Take}
		verdict, err := try.run(ctx, method, target, r.Header, r.Body)
		return verdict, try.sentToken, err
	})
}

func (c *Client) target(r Request) (*url.URL, error) {
	if strings.HasPrefix(r.URL, "/") {
		u, err := url.Parse(c.root.String() + r.URL)
		if err != nil {
			return nil, fmt.Errorf("a path that can't be asked: %w", errors.Unwrap(err))
		}
		return u, nil
	}
	if !r.Bare {
		if err := c.CheckLink(r.URL); err != nil {
			return nil, err
		}
	}
	u, err := url.Parse(r.URL)
	if err != nil {
		return nil, errors.New("an address that can't be asked")
	}
	return u, nil
}

const (
	mostTries     = 6         // of what just fails
	mostThrottled = 20        // of what we are told to ask later
	longestWait   = time.Hour // that a run sits out
)

// persist lets once run until its verdict is final. Once says which token it sent.
func (c *Client) persist(ctx context.Context, bare bool, asked string, once func(refused string) (Verdict, string, error)) error {
	refused, failed, throttled := "", 0, 0
	for tries := 1; ; tries++ {
		verdict, token, err := once(refused)
		if err != nil {
			return err
		}
		give := func(hint string) error {
			problem := verdict.Err
			problem.Asked, problem.Tries = asked, tries
			problem.Hint = cmp.Or(problem.Hint, hint)
			c.log.Debug("asked in vain", "asked", asked, "status", problem.Status, "code", problem.Code, "tries", tries)
			return problem
		}
		endRun := func(hint string) error {
			verdict.Err.EndsRun = true
			return give(hint)
		}
		switch verdict.Act {
		case Accept:
			return nil
		case Fail:
			return give("")
		case Renew:
			if bare || refused != "" || token == "" {
				return give("the credentials are refused; check them")
			}
			refused = token
			c.retried.Add(1)
			continue
		}
		if verdict.Throttled {
			throttled++
		} else {
			failed++
		}
		switch {
		case failed >= mostTries:
			return give(disturbed)
		case throttled >= mostThrottled:
			return endRun(disturbed)
		case verdict.Wait > longestWait:
			return endRun(fmt.Sprintf("it asks to wait %v; run again then", verdict.Wait.Round(time.Second)))
		case !c.spend():
			return endRun(spent)
		}
		c.log.Debug("asking again", "asked", asked, "status", verdict.Err.Status, "code", verdict.Err.Code, "wait", verdict.Wait)
		wait := verdict.Wait
		switch {
		case bare && wait == 0, !verdict.Throttled && wait == 0:
			wait = backOff(failed + throttled)
		case bare: // it doesn't pass the governor
		case wait == 0:
			c.governor.silence(backOff(throttled))
		default: // the governor knows it already
			wait = 0
		}
		if wait > 0 {
			if err := c.sleep(ctx, wait); err != nil {
				return err
			}
		}
	}
}

// backOff is 1, 2, 4, 8, 16, 30, 30… seconds, half more or less.
func backOff(n int) time.Duration {
	seconds := min(30, 1<<min(n-1, 10))
	return time.Duration((0.5 + rand.Float64()) * float64(seconds) * float64(time.Second))
}

const (
	disturbed = "the service may be disturbed; the next run tries again"
	spent     = "too many requests of this run had to be repeated; " + disturbed
)

// smallestBudget is how many retries a run has at least; above it, one for ten requests.
const smallestBudget = 50

// spend takes one retry from the budget of the run: a sick service ends it instead of
// prolonging it for hours.
func (c *Client) spend() bool {
	return c.retried.Add(1) <= max(smallestBudget, c.requests.Load()/10)
}

// Again waits before a part of an answer is asked for again, as one item of a batch that fared
// worse than the others. When it was throttled everybody waits, as long as it was told; else the
// caller alone does. Without a time it is a back-off, which grows with the number of the try. The
// error says that nothing more may be repeated in this run.
func (c *Client) Again(ctx context.Context, try int, throttled bool, wait time.Duration) error {
	if wait == 0 {
		wait = backOff(try)
	}
	if throttled {
		c.throttled.Add(1)
		c.governor.slower(c.now())
	}
	switch {
	case wait > longestWait:
		return fmt.Errorf("the service asks to wait %v; run again then", wait.Round(time.Second))
	case !c.spend():
		return errors.New(spent)
	case throttled:
		c.governor.silence(wait)
		return nil
	}
	return c.sleep(ctx, wait)
}

// Workers is how many goroutines can have something to do at the best of times.
func (c *Client) Workers() int { return c.workers }

// Root is the address below which everything is asked.
func (c *Client) Root() *url.URL { return c.root }

// Skew is how far the server's clock is ahead of ours, as of its last answer.
func (c *Client) Skew() time.Duration { return time.Duration(c.skew.Load()) }

// Stats says what was asked so far.
func (c *Client) Stats() dirsync.Stats {
	return dirsync.Stats{Requests: c.requests.Load(), Throttled: c.throttled.Load(), Retried: c.retried.Load(), Bytes: c.bytes.Load()}
}

// Close ends connections that nobody uses.
func (c *Client) Close() { c.transport.CloseIdleConnections() }
