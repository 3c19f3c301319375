package sync_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	dirsync "github.com/rollcall-id/rollcall/sync"
)

// What a run takes away while some groups can't be read, it would take away if they could.
func TestAPartialReadTakesNoMoreAway(t *testing.T) {
	t.Parallel()
	for i, c := range histories {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
				w := newWorld(t, db, c.settings, uint64(100+i))
				for range 4 {
					w.partial()
				}
			})
		})
	}
}

func (w *world) partial() {
	w.t.Helper()
	story := w.change(6)
	full := dirsync.Options{Full: true}
	may := map[string]bool{}
	for _, s := range w.h.plan(full).Steps {
		may[fmt.Sprint(s.Kind, s.ID, s.Name, s.Member)] = true
	}
	for _, g := range w.groups {
		if w.rnd.IntN(2) == 0 {
			w.h.cloud.Fail(fakecloud.Fault{Path: "/groups/" + w.h.cloud.GroupID(g) + "/members", Times: -1, Do: fakecloud.Forbidden})
		}
	}
	run, err := w.h.sync.Apply(w.t.Context(), "cloud", full)
	w.h.must(err)
	for _, s := range run.Steps {
		takes := strings.HasPrefix(string(s.Kind), "remove") || strings.HasPrefix(string(s.Kind), "empty") || s.Kind == models.StepDeactivateUser
		if takes && !may[fmt.Sprint(s.Kind, s.ID, s.Name, s.Member)] {
			w.t.Errorf("%+v, and no complete read would do so, after\n%s\nwhere %s", s, strings.Join(story, "\n"), run.Problem)
		}
	}
	w.h.cloud.Heal()
	w.h.run()
	w.h.still("once all groups can be read")
}

// What changes while a run reads, the next one finds, whether the first one ended well or not.
func TestWhatChangesWhileARunReads(t *testing.T) {
	t.Parallel()
	for i, c := range histories {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
				w := newWorld(t, db, c.settings, uint64(200+i))
				w.restores = c.restores
				for range 4 {
					w.meanwhile()
				}
			})
		})
	}
}

func (w *world) meanwhile() {
	w.t.Helper()
	story, reads := w.change(6), true
	rows := w.rows()
	w.h.cloud.After("/v1.0/", 1+w.rnd.IntN(8), func() {
		w.h.cloud.Edit(func(e *fakecloud.Edit) {
			for range 4 {
				if reads {
					story = append(story, "meanwhile "+w.edit(e, func(g fakecloud.GroupNo) bool { return rows[w.h.cloud.GroupID(g)] }))
				}
			}
		})
	})
	if w.rnd.IntN(3) == 0 {
		w.h.cloud.Fail(fakecloud.Fault{Path: "/v1.0/", Nth: 2 + w.rnd.IntN(6), Times: -1, Do: fakecloud.ForeignLink})
	}
	_, err := w.h.sync.Apply(w.t.Context(), "cloud", dirsync.Options{By: models.System, Full: w.rnd.IntN(2) == 0})
	reads = false
	w.h.cloud.Heal()
	first, second := w.h.run(), w.h.run() // what the first one found held, it read before all had changed
	if plan := w.h.plan(dirsync.Options{Full: true}); len(plan.Steps) > 0 {
		w.t.Errorf("a full run would still do %+v\nafter\n%s\nwhere the first run ended with %v, the next did %+v, and the last %+v",
			plan.Steps, strings.Join(story, "\n"), err, first.Steps, second.Steps)
	}
}
