package store_test

import (
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/testkit"
)

// An operator is told for whose transaction events wait.
func TestHeldPlaceNamesTheOpenTransaction(t *testing.T) {
	t.Parallel()
	testkit.OnPostgres(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		raw := db.Raw(t)
		tx, err := raw.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer tx.Rollback()
		if _, err := tx.ExecContext(t.Context(), "SET LOCAL application_name = 'a forgotten script'"); err != nil {
			t.Fatal(err)
		}
		if _, err := tx.ExecContext(t.Context(), "SELECT pg_current_xact_id()"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond)
		held, by, err := s.HeldPlace(t.Context())
		if err != nil || held < 20*time.Millisecond || !strings.Contains(by, "process ") {
			t.Errorf("held for %v by %q (%v), want 20ms or more and a process", held, by, err)
		}
	})
	testkit.OnSQLite(t, func(t *testing.T, db testkit.Database) {
		if held, by, err := db.Open(t).HeldPlace(t.Context()); held != 0 || by != "" || err != nil {
			t.Errorf("held for %v by %q (%v), want nothing", held, by, err)
		}
	})
}
