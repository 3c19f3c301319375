package sync_test

import (
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
)

// eachOkta plays something against an Okta with the groups devs and ops, and with the group of
// all users, which has two made-up ones in the beginning.
func eachOkta(t *testing.T, do func(h *house, c running, u map[string]fakecloud.UserNo, g map[string]fakecloud.GroupNo)) {
	t.Helper()
	t.Parallel()
	p := provider{start: startOkta(fakecloud.Gen{Users: 2, Groups: 1, Everyone: true, NoMailPct: 100})}
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		h, c := newMirror(t, db, p, testkit.Log(t), unguarded...)
		u, g := team(c.cloud)
		for _, n := range u {
			c.cloud.Edit(func(e *fakecloud.Edit) { e.AddUser(0, n) })
		}
		h.apply(models.OutcomeApplied)
		h.clock.Advance(time.Hour) // beyond what is asked for again
		do(h, c, u, g)
	})
}

// delta runs, and wants that a full run has nothing more to do.
func (h *house) delta(what string) *models.Run {
	h.t.Helper()
	run := h.apply(models.OutcomeApplied)
	if run.Mode != "delta" {
		h.t.Fatalf("%s: the run is %s: %s", what, run.Mode, run.Reason)
	}
	h.still(what)
	h.clock.Advance(time.Hour)
	return run
}

// Okta says of Everyone only that it is everybody. Who comes, goes or comes back is in it, or
// isn't, by a delta too.
func TestOktasEveryone(t *testing.T) {
	eachOkta(t, func(h *house, c running, u map[string]fakecloud.UserNo, _ map[string]fakecloud.GroupNo) {
		h.counts("Everyone", 5)
		c.cloud.Edit(func(e *fakecloud.Edit) {
			e.AddUser(0, e.CreateUser(fakecloud.User{Login: "new@contoso.example"}))
			e.DeleteUser(u["ada"])
		})
		h.delta("somebody came and somebody went")
		h.counts("Everyone", 5)
		c.cloud.Edit(func(e *fakecloud.Edit) { e.RestoreUser(u["ada"]) })
		h.delta("somebody came back")
		h.counts("Everyone", 6)
	})
}

// Who is deactivated at Okta stays in all groups there; here the memberships go, and come back
// with the user.
func TestDeactivatedAtOkta(t *testing.T) {
	eachOkta(t, func(h *house, c running, u map[string]fakecloud.UserNo, _ map[string]fakecloud.GroupNo) {
		before := h.contents()
		c.cloud.Edit(func(e *fakecloud.Edit) { e.DeleteUser(u["ada"]) })
		if run := h.delta("deactivated"); run.Users != (models.UserCounts{Deactivated: 1}) || run.Memberships != (models.MemberCounts{Removed: 2}) {
			h.t.Errorf("deactivated: %+v, %+v", run.Users, run.Memberships)
		}
		h.counts("devs", 1)
		c.cloud.Edit(func(e *fakecloud.Edit) { e.RestoreUser(u["ada"]) })
		h.delta("activated")
		testkit.Diff(h.t, "the directory after all", before, h.contents())
	})
}

// The members of a group can't be read while its change is told: the next run catches up, though
// the source doesn't tell the change again.
func TestUnreadableInADelta(t *testing.T) {
	eachOkta(t, func(h *house, c running, u map[string]fakecloud.UserNo, g map[string]fakecloud.GroupNo) {
		c.cloud.Edit(func(e *fakecloud.Edit) { e.AddUser(g["devs"], u["eve"]) })
		c.cloud.Fail(fakecloud.Fault{Path: c.paths["members"], Times: -1, Do: fakecloud.Forbidden})
		h.apply(models.OutcomePartial)
		h.counts("devs", 2)
		c.cloud.Heal()
		h.clock.Advance(time.Hour)
		h.apply(models.OutcomeApplied)
		h.counts("devs", 3)
		h.still("after the members could be read again")
	})
}

// counts wants so many users in a group.
func (h *house) counts(group string, want int) {
	h.t.Helper()
	got := 0
	for _, line := range h.contents() {
		if strings.HasPrefix(line, "member "+group+": ") {
			got++
		}
	}
	if got != want {
		h.t.Errorf("%d users are in %s, want %d", got, group, want)
	}
}
