//go:build long

package application_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/testkit"
)

// Many worlds, another set in each run; a failure names the seed that makes it again.
func TestLongViewsFollowTheModel(t *testing.T) {
	t.Parallel()
	start := uint64(time.Now().UnixNano())
	for i := range uint64(12) {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
				h := newHouse(t, db, testkit.NewClock())
				if i%2 == 1 {
					h.remember(t)
				}
				newWorld(t, h, start+i).run(t, 1000)
			})
		})
	}
}
