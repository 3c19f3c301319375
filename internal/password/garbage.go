package password

import (
	"runtime"
	"sync"
)

// allowance is how much memory of finished hashes may lie about uncollected.
const allowance = 48 << 20

// garbage keeps the memory of finished hashes from piling up.
//
// argon2 allocates its memory anew for each hash and takes no buffer from us. Go's
// collector lets garbage grow to the size of what is alive, and counts running hashes
// as alive, so a server that holds a large roster would take as much again in dead
// hashes. A collection whenever the allowance is used up bounds the resident memory by
//
//	base + slots × hash memory + allowance
//
// Measured on two cores with Default and 32 callers: peak growth of the resident memory
// over base, and processor time for each hash, without and with these collections.
//
//	what else is alive                     without            with
//	  5 MB of small objects            115 MiB, 18 ms     77 MiB, 21 ms
//	 10 MB of them, 100 MB in arrays   192 MiB, 18 ms     78 MiB, 18 ms
//	 10 MB of them, 500 MB in arrays   591 MiB, 21 ms     77 MiB, 18 ms
//	 50 MB of small objects            191 MiB, 23 ms     78 MiB, 25 ms
//	200 MB of small objects            458 MiB, 27 ms     78 MiB, 50 ms
//
// Arrays without pointers cost the collector nothing. Who keeps much in small objects
// pays with time for the memory; in the last row one of three runs reached 97 MiB.
// More than two cores were not measured.
type garbage struct {
	mu    sync.Mutex
	bytes uint64 // of hashes that finished since the last collection we asked for
}

// add notes that a hash finished and left bytes behind, and collects once they pass the
// allowance. The caller still holds its slot, so the memory of its own hash is not yet
// another's; whoever finishes during a collection waits here for the same reason.
func (g *garbage) add(bytes uint64) {
	if bytes == 0 {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.bytes += bytes
	if g.bytes > allowance {
		runtime.GC()
		g.bytes = 0
	}
}
