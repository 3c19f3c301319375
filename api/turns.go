package api

import (
	"runtime"
	"time"
)

// turns lets only so many streams make their next chunk at a time that a processor is left for short
// requests: ten dumps at once would keep all busy, and who asks for one user would wait behind them.
var turns = make(chan struct{}, max(1, runtime.GOMAXPROCS(0)-1))

// maxWait is how long a stream waits for its turn. Whoever has one may be waiting for a database;
// that must not stop others.
const maxWait = 50 * time.Millisecond

// take waits for a turn and tells whether it got one, to be given back.
func take() bool {
	select {
	case turns <- struct{}{}:
		return true
	default:
	}
	timer := time.NewTimer(maxWait)
	defer timer.Stop()
	select {
	case turns <- struct{}{}:
		return true
	case <-timer.C:
		return false
	}
}

// give gives a turn back.
func give() { <-turns }
