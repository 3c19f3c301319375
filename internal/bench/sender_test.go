package main

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// A server that answers at once but stands still for a second once: of five seconds' requests a
// fifth are late. A client that waits for each answer would find one.
func TestSenderCountsThoseWhoHadToWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		still := begun.Add(2 * time.Second)
		took, err := sender{rate: 200, ask: func(context.Context, int) error {
			if since := time.Since(still); since >= 0 && since < time.Second {
				time.Sleep(time.Second - since)
			}
			return nil
		}}.send(t.Context(), 5*time.Second)
		if err != nil || len(took) != 1000 {
			t.Fatalf("want 1000 answers, got %d, %v", len(took), err)
		}
		late := 0
		for _, d := range took {
			if d > 100*time.Millisecond {
				late++
			}
		}
		if late != 180 {
			t.Errorf("want 180 requests that waited for more than 100 ms, got %d", late)
		}
		if p99 := took.p99(); p99 != 950*time.Millisecond {
			t.Errorf("want a p99 of 950 ms, got %v", p99)
		}
	})
}

func TestSenderEndsWithAWrongAnswer(t *testing.T) {
	t.Parallel()
	wrong := errors.New("wrong answer")
	synctest.Test(t, func(t *testing.T) {
		_, err := sender{rate: 100, ask: func(_ context.Context, n int) error {
			if n == 50 {
				return wrong
			}
			return nil
		}}.send(t.Context(), time.Hour)
		if !errors.Is(err, wrong) {
			t.Errorf("want the wrong answer, got %v", err)
		}
	})
}

func TestP99(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ n, want int }{{1, 1}, {50, 50}, {99, 99}, {100, 99}, {101, 100}, {200, 198}, {1000, 990}} {
		var l latencies
		for i := c.n; i > 0; i-- {
			l = append(l, time.Duration(i))
		}
		if got := l.p99(); got != time.Duration(c.want) {
			t.Errorf("of 1 to %d: want %d, got %d", c.n, c.want, got)
		}
	}
}
