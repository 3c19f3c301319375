package sync_test

import (
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
	"github.com/rollcall-id/rollcall/internal/testkit"
	dirsync "github.com/rollcall-id/rollcall/sync"
)

// Settings that can't be read, such as those of a newer program, concern their own directory only.
func TestSettingsThatCannotBeReadStopNoOthers(t *testing.T) {
	each(t, fakecloud.EntraConfig{SecretEnds: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)}, []string{"schedule=on"}, func(h *house) {
		h.create("broken", "schedule=on", "interval=2h")
		if _, err := h.db.Raw(h.t).ExecContext(h.t.Context(), "UPDATE directory_settings SET value = 'fortnightly' WHERE name = 'interval' AND value = '2h'"); err != nil {
			h.t.Fatal(err)
		}
		due, err := dirsync.DueNow(h.t.Context(), h.sync)
		testkit.Diff(h.t, "what is due", []string{"cloud"}, due)
		if err == nil || !strings.Contains(err.Error(), "broken") || !strings.Contains(err.Error(), "interval") {
			h.t.Errorf("the schedule says %v", err)
		}
		conditions, err := h.sync.Conditions(h.t.Context())
		h.must(err)
		stale := map[string]string{}
		for _, c := range conditions {
			stale[c.Directory] = c.Stale
		}
		if len(stale) != 2 || !strings.Contains(stale["broken"], "interval") || stale["cloud"] != "it was never synchronised" {
			h.t.Errorf("the conditions are %q", stale)
		}
		if err := h.sync.PruneHistory(h.t.Context()); err == nil || !strings.Contains(err.Error(), "broken") {
			h.t.Errorf("the daily look says %v", err)
		}
	})
}
