package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"
)

// A sender sends requests at a fixed rate, whether those before were answered or not. An answer's
// time counts from when its request was meant to leave: a server that stands still for a second is
// late for each of the requests of that second, and not for one of them only, as it would be for a
// client that waits for an answer before it asks again.
type sender struct {
	rate int // per second
	ask  func(ctx context.Context, n int) error
}

// send sends for so long and gives how late each answer was. The first error ends it.
func (s sender) send(ctx context.Context, d time.Duration) (latencies, error) {
	group, sending := errgroup.WithContext(ctx)
	took := make(latencies, int(d.Seconds()*float64(s.rate)))
	begun := time.Now()
	for n := range took {
		due := begun.Add(time.Duration(n) * time.Second / time.Duration(s.rate))
		time.Sleep(time.Until(due)) // who is late goes on at once
		if sending.Err() != nil {
			break
		}
		group.Go(func() error {
			err := s.ask(sending, n)
			took[n] = time.Since(due)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return took, ctx.Err()
}

// kept is a client that keeps as many connections as are in use at once.
var kept = &http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 1000}}

// askUser asks for a user over a kept connection and gives what came.
func askUser(ctx context.Context, url, name string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url+base+"/user?username="+name, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", authorization())
	r.Header.Set("Accept", "application/json")
	got, err := kept.Do(r)
	if err != nil {
		return nil, err
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err == nil && got.StatusCode != http.StatusOK {
		err = fmt.Errorf("wrong answer: GET user %s: %d %s", name, got.StatusCode, text)
	}
	return text, err
}
