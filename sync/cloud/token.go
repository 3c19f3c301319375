package cloud

import (
	"context"
	"sync"
	"time"
)

// A Token lets us in. It never prints.
type Token struct {
	Header  string    // the whole value of the Authorization header
	Expires time.Time // by our clock; zero: never
}

// String hides the token.
func (Token) String() string { return "[secret]" }

// GoString hides the token from %#v.
func (Token) GoString() string { return "[secret]" }

// Tokens keeps one token for all requests, and fetches the next before it ends. It is what
// oauth2.ReuseTokenSource does, and what that can't: it takes a context and a clock, and it hears
// that a token was refused.
type Tokens struct {
	fetch func(context.Context) (Token, error)
	now   func() time.Time

	mu      sync.Mutex // held while fetching: the others wait for the same token
	current Token
	renewAt time.Time
}

// NewTokens makes an empty one; fetch is called when a token is needed, once at a time.
func NewTokens(fetch func(context.Context) (Token, error), now func() time.Time) *Tokens {
	return &Tokens{fetch: fetch, now: now}
}

// renewEarly is how long before its end a token is no longer used: a request that is on its way
// must arrive with a valid one, and clocks differ.
const renewEarly = 5 * time.Minute

// Get gives a token that is good, and that isn't the refused one; else its error is a *NoToken.
// When several requests come back with the same refused token, one new token serves them all.
func (t *Tokens) Get(ctx context.Context, refused string) (Token, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	stale := !t.renewAt.IsZero() && !now.Before(t.renewAt)
	if t.current.Header != "" && t.current.Header != refused && !stale {
		return t.current, nil
	}
	fresh, err := t.fetch(ctx)
	if err != nil {
		return Token{}, &NoToken{err}
	}
	t.current, t.renewAt = fresh, time.Time{}
	if !fresh.Expires.IsZero() {
		// A token that lives for minutes only is used for half its life.
		life := fresh.Expires.Sub(now)
		t.renewAt = fresh.Expires.Add(-min(renewEarly, life/2))
	}
	return fresh, nil
}
