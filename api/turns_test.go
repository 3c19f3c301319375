package api

import (
	"testing"
	"time"
)

func TestStreamsTakeTurns(t *testing.T) {
	s := NewStream(nil)
	s.Begin()
	if len(turns) != 1 {
		t.Fatalf("%d turns are taken, want 1", len(turns))
	}
	s.Close()
	s.Close()
	if len(turns) != 0 {
		t.Fatal("a turn is not given back")
	}

	// Who has a turn may be stuck; others wait a moment for it, and give back no turn but their own.
	for range cap(turns) {
		turns <- struct{}{}
	}
	start := time.Now()
	s.Begin()
	if took := time.Since(start); took < maxWait {
		t.Errorf("a stream began after %v, with no turn left", took)
	}
	s.Close()
	if len(turns) != cap(turns) {
		t.Error("a stream gave another's turn back")
	}
	for range cap(turns) {
		give()
	}
}
