package sync_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
	"github.com/rollcall-id/rollcall/internal/testkit"
	dirsync "github.com/rollcall-id/rollcall/sync"
)

// Okta tells what changed in another way than Entra: the members of a group whole, what was told
// already again, and who was deactivated as gone though still in all groups. After each run by
// delta a full run has nothing to do there either.
func TestADeltaOfOktaComesToWhatAFullReadDoes(t *testing.T) {
	t.Parallel()
	for i, c := range []struct {
		name     string
		settings []string
		deltas   int // of the runs, at least
	}{
		{"default", nil, 8},
		{"groups", []string{"groups=eng-*"}, 4},
		{"members", []string{"groups=eng-*", "users=members"}, 1},
		{"local part", []string{"username=upn-local-part"}, 6},
		{"follow", []string{"group-names=follow"}, 1},
		{"at once", []string{"purge-after=0", "disabled=exclude", "attributes=department"}, 6},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
				h, source := newMirror(t, db, provider{start: startOkta(fakecloud.Gen{})}, testkit.Log(t), slices.Concat(unguarded, c.settings)...)
				w := &world{t: t, h: h, rnd: rand.New(rand.NewPCG(uint64(i), 7))}
				source.cloud.Edit(func(e *fakecloud.Edit) {
					for range 6 {
						w.createUser(e)
						w.createGroup(e)
					}
				})
				deltas := 0
				for n := range 12 {
					var story []string
					source.cloud.Edit(func(e *fakecloud.Edit) {
						for range 1 + w.rnd.IntN(6) {
							story = append(story, w.edit(e, func(fakecloud.GroupNo) bool { return false })) // none comes back at Okta
						}
					})
					run := h.run()
					if run.Mode == "delta" {
						deltas++
					}
					if plan := h.plan(dirsync.Options{Full: true}); len(plan.Steps) > 0 {
						t.Fatalf("run %d (%s: %s): a full run would still do %+v\nafter\n%s\nwhere the run did %+v",
							n, run.Mode, run.Reason, plan.Steps, strings.Join(story, "\n"), run.Steps)
					}
					h.clock.Advance([]time.Duration{time.Minute, time.Hour}[w.rnd.IntN(2)]) // within what is asked for again, and beyond it
				}
				if deltas < c.deltas {
					t.Errorf("of 12 runs only %d were deltas", deltas)
				}
			})
		})
	}
}
