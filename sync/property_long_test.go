//go:build long

package sync_test

import (
	"fmt"
	"testing"

	"github.com/rollcall-id/rollcall/internal/testkit"
)

// Many histories, as TestADeltaComesToWhatAFullReadDoes.
func TestLongADeltaComesToWhatAFullReadDoes(t *testing.T) {
	t.Parallel()
	for i, c := range histories {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
				for seed := range uint64(6) {
					t.Run(fmt.Sprint(seed), func(t *testing.T) { agree(t, testkit.Fresh(t, db.Kind), i, 100+seed, 60, 4+3*int(seed%2)) })
				}
			})
		})
	}
}
