package password

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestNoMoreThanItsSlotsRunAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := NewHasher(tiny, 3)
		var now, most atomic.Int64
		var all sync.WaitGroup
		start := time.Now()
		for range 20 {
			all.Go(func() {
				leave, err := h.enter(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				defer leave()
				n := now.Add(1)
				for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
				}
				time.Sleep(100 * time.Millisecond)
				now.Add(-1)
			})
		}
		synctest.Wait()
		if diff := cmp.Diff(Stats{Slots: 3, Running: 3, Waiting: 17}, h.Stats()); diff != "" {
			t.Errorf("stats (-want +got):\n%s", diff)
		}
		all.Wait()
		if most.Load() != 3 {
			t.Errorf("want 3 at once, got %d", most.Load())
		}
		if got := time.Since(start); got != 700*time.Millisecond {
			t.Errorf("want 20 in 7 rounds of 100 ms, got %v", got)
		}
		if diff := cmp.Diff(Stats{Slots: 3}, h.Stats()); diff != "" {
			t.Errorf("stats afterwards (-want +got):\n%s", diff)
		}
	})
}

func TestSlowSchemesNeedASlotAndFastOnesNone(t *testing.T) {
	t.Parallel()
	for _, v := range vectors {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := full(t)
				_, err := h.Check(t.Context(), v.encoded, v.password)
				if v.needsASlot != errors.Is(err, ErrBusy) {
					t.Errorf("needs a slot %t, but got %v", v.needsASlot, err)
				}
			})
		})
	}
}

func TestWaitingEndsBusyAfterTwoSeconds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := full(t)
		start := time.Now()
		_, err := h.Hash(t.Context(), "difference")
		if !errors.Is(err, ErrBusy) || time.Since(start) != 2*time.Second {
			t.Errorf("want ErrBusy after 2 s, got %v after %v", err, time.Since(start))
		}
		if diff := cmp.Diff(Stats{Slots: 1, Running: 1, Refused: 1}, h.Stats()); diff != "" {
			t.Errorf("stats (-want +got):\n%s", diff)
		}
	})
}

func TestFullQueueIsBusyAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := full(t)
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		for range 1024 {
			all.Go(func() {
				if _, err := h.Hash(ctx, "difference"); !errors.Is(err, context.Canceled) {
					t.Errorf("in the queue: want context.Canceled, got %v", err)
				}
			})
		}
		synctest.Wait()
		start := time.Now()
		if _, err := h.Hash(t.Context(), "difference"); !errors.Is(err, ErrBusy) || time.Since(start) != 0 {
			t.Errorf("want ErrBusy at once, got %v after %v", err, time.Since(start))
		}
		if diff := cmp.Diff(Stats{Slots: 1, Running: 1, Waiting: 1024, Refused: 1}, h.Stats()); diff != "" {
			t.Errorf("stats (-want +got):\n%s", diff)
		}
		cancel()
		all.Wait()
	})
}

func TestCancelledContextLeavesAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := full(t)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(500*time.Millisecond, cancel)
		start := time.Now()
		_, err := h.Hash(ctx, "difference")
		if !errors.Is(err, context.Canceled) || time.Since(start) != 500*time.Millisecond {
			t.Errorf("while waiting: want context.Canceled after 500 ms, got %v after %v", err, time.Since(start))
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	h := NewHasher(tiny, 1)
	if _, err := h.Hash(ctx, "difference"); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled before: want context.Canceled, got %v", err)
	}
	if diff := cmp.Diff(Stats{Slots: 1}, h.Stats()); diff != "" {
		t.Errorf("stats (-want +got):\n%s", diff)
	}
}

func TestTooLongIsRefusedUnhashed(t *testing.T) {
	t.Parallel()
	h := NewHasher(tiny, 1)
	long := strings.Repeat("x", MaxLength+1)
	if _, err := h.Hash(t.Context(), long); !errors.Is(err, ErrTooLong) {
		t.Errorf("Hash: want ErrTooLong, got %v", err)
	}
	if _, err := h.Check(t.Context(), h.Decoy(), long); !errors.Is(err, ErrTooLong) {
		t.Errorf("Check: want ErrTooLong, got %v", err)
	}
	if done := h.Stats().Done; done != 0 {
		t.Errorf("want no hash computed, got %d", done)
	}
}

func TestSecondTryIsTheComposedForm(t *testing.T) {
	t.Parallel()
	const (
		composed   = "caf\u00e9"
		decomposed = "cafe\u0301"
		latin1     = "caf\xe9"

		ofComposed   = "{SHA}9CRFKpZzkYxvCbDN01sgvo5q59c="
		ofDecomposed = "{SHA}NvXAK13KTsw7KlrnozVbmfJJmdU="
		ofLatin1     = "{SHA}0vUrxEBomPxyLAtOMU+bRvyFzeQ="
	)
	h := NewHasher(tiny, 1)
	for _, c := range []struct {
		name, encoded, password string
		want                    Verdict
	}{
		{"as stored", ofComposed, composed, Verdict{OK: true, Upgrade: true}},
		{"decomposed, without upgrade", ofComposed, decomposed, Verdict{OK: true}},
		{"decomposed on both sides", ofDecomposed, decomposed, Verdict{OK: true, Upgrade: true}},
		{"no way back", ofDecomposed, composed, Verdict{}},
		{"Latin-1 is just bytes", ofLatin1, latin1, Verdict{OK: true, Upgrade: true}},
		{"Latin-1 is not guessed", ofComposed, latin1, Verdict{}},
	} {
		got, err := h.Check(t.Context(), c.encoded, c.password)
		if err != nil || got != c.want {
			t.Errorf("%s: want %+v, got %+v, %v", c.name, c.want, got, err)
		}
	}
}

// The single slot would make a second try wait for the first.
func TestSecondTryKeepsItsSlot(t *testing.T) {
	t.Parallel()
	h := NewHasher(tiny, 1)
	if _, err := h.Check(t.Context(), h.Decoy(), "cafe\u0301"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Stats{Slots: 1, Done: 2}, h.Stats()); diff != "" {
		t.Errorf("stats (-want +got):\n%s", diff)
	}
}

func TestCompositionThatWouldBeTooLongIsNotTried(t *testing.T) {
	t.Parallel()
	h := NewHasher(tiny, 1)
	grows := strings.Repeat("\u0958", MaxLength/3) // composed, each becomes two letters
	if _, err := h.Check(t.Context(), h.Decoy(), grows); err != nil {
		t.Fatal(err)
	}
	if done := h.Stats().Done; done != 1 {
		t.Errorf("want one hash computed, got %d", done)
	}
}

// full returns a Hasher whose only slot stays taken.
func full(t *testing.T) *Hasher {
	t.Helper()
	h := NewHasher(tiny, 1)
	if _, err := h.enter(t.Context()); err != nil {
		t.Fatal(err)
	}
	return h
}
