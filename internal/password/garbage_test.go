package password

import (
	"runtime"
	"runtime/metrics"
	"sync"
	"testing"
	"time"
)

// A server with a large roster grew by as much again in dead hashes, because the
// collector waits until the heap has doubled. Not parallel: it measures the heap of the
// whole process.
func TestFinishedHashesDoNotPileUp(t *testing.T) {
	const (
		slots  = 2
		memory = 8 << 20
		slack  = 8 << 20 // for what the test itself and the runtime allocate
	)
	roster := make([]byte, 256<<20) // never touched, so it takes no real memory
	runtime.GC()
	base := heap()
	h := NewHasher(Params{Memory: memory >> 10, Time: 1, Threads: 1}, slots)

	stop, peak := make(chan struct{}), make(chan uint64)
	go func() {
		var most uint64
		for {
			select {
			case <-stop:
				peak <- most
				return
			case <-time.After(time.Millisecond):
				most = max(most, heap())
			}
		}
	}()
	var all sync.WaitGroup
	for range 2 * slots {
		all.Go(func() {
			for range 8 {
				if _, err := h.Hash(t.Context(), "difference"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	close(stop)
	const want = slots*memory + allowance + slack
	if grown := <-peak - base; grown > want {
		t.Errorf("want growth of at most %d MiB, got %d MiB", want>>20, grown>>20)
	}
	runtime.KeepAlive(roster)
}

// heap returns the bytes of objects alive or not yet collected.
func heap() uint64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}
