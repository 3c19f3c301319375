package sync_test

import (
	"slices"
	"testing"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
)

// Google can say that everybody is in a group. Then everybody whom the settings let come is, also
// where that group's members count as another's, or let people come; strangers never are.
func TestGooglesEverybody(t *testing.T) {
	t.Parallel()
	everybody := fakecloud.Member{Kind: fakecloud.Everybody}
	for _, c := range []struct {
		name           string
		settings       []string
		group          string // whose members are counted
		before, during int    // how many there are, and while everybody is in ops
		users          int    // how many active users leave with everybody
	}{
		{"kept", nil, "ops", 1, 4, 0},
		{"without the disabled", []string{"disabled=exclude"}, "ops", 1, 3, 0},
		{"flattened", []string{"nested=flatten"}, "all", 2, 4, 0},
		{"in a group that isn't published", []string{"groups=all"}, "all", 2, 4, 0},
		{"only members come", []string{"groups=ops", "users=members"}, "ops", 1, 4, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
				h, source := newMirror(t, db, provider{start: startGoogle}, testkit.Log(t), slices.Concat(unguarded, c.settings)...)
				u, g := team(source.cloud)
				source.cloud.Edit(func(e *fakecloud.Edit) {
					e.UpdateUser(u["bob"], func(u *fakecloud.User) { u.Disabled = true })
					e.CreateUser(fakecloud.User{Login: "fay"})
					e.RemoveUser(g["devs"], u["bob"])
					e.Add(g["ops"], fakecloud.Member{Kind: fakecloud.GoogleStranger, N: 1})
				})
				h.apply(models.OutcomeApplied)
				h.counts(c.group, c.before)
				source.cloud.Edit(func(e *fakecloud.Edit) { e.Add(g["ops"], everybody) })
				h.apply(models.OutcomeApplied)
				h.counts(c.group, c.during)
				h.still("with everybody")
				source.cloud.Edit(func(e *fakecloud.Edit) { e.Remove(g["ops"], everybody) })
				if run := h.apply(models.OutcomeApplied); run.Users.Deactivated != c.users {
					t.Errorf("without everybody %d users left, want %d: %+v", run.Users.Deactivated, c.users, run.Steps)
				}
				h.counts(c.group, c.before)
				h.still("without everybody")
			})
		})
	}
}

// Who can't be named any more stays in the group that everybody is in, as in all others.
func TestEverybodyWithoutAName(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		h, source := newMirror(t, db, provider{start: startGoogle}, testkit.Log(t), "username=attribute:organizations.department")
		u, g := team(source.cloud)
		source.cloud.Edit(func(e *fakecloud.Edit) {
			for name, n := range u {
				e.UpdateUser(n, func(u *fakecloud.User) { u.Department = name })
			}
			e.Add(g["ops"], fakecloud.Member{Kind: fakecloud.Everybody})
		})
		h.apply(models.OutcomeApplied)
		h.counts("ops", 3)
		source.cloud.Edit(func(e *fakecloud.Edit) { e.UpdateUser(u["ada"], func(u *fakecloud.User) { u.Department = "" }) })
		h.apply(models.OutcomeNothing)
		h.counts("ops", 3)
	})
}
