package testkit

import (
	"testing"

	"github.com/rollcall-id/rollcall/roster"
	"github.com/rollcall-id/rollcall/store"
)

// NewRoster gives a store's roster, built and running: reads are answered from memory. A
// roster.New that nobody builds leaves them to SQL.
func NewRoster(t testing.TB, st *store.Store) *roster.Roster {
	t.Helper()
	r := roster.New(st, Log(t))
	if err := r.Build(t.Context()); err != nil {
		t.Fatalf("build the roster: %v", err)
	}
	Go(t, r.Run)
	return r
}
