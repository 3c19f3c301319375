package sync_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
	"github.com/rollcall-id/rollcall/models"
	dirsync "github.com/rollcall-id/rollcall/sync"
)

const day = 24 * time.Hour

// eachWay plays a story by deltas and by full reads, on both databases.
func eachWay(t *testing.T, settings []string, do func(h *house, o dirsync.Options)) {
	for _, full := range []bool{false, true} {
		t.Run(fmt.Sprintf("full=%v", full), func(t *testing.T) {
			c := fakecloud.EntraConfig{SecretEnds: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)}
			each(t, c, settings, func(h *house) { do(h, dirsync.Options{Full: full}) })
		})
	}
}

// Who leaves is inactive and in no group at once, and is removed after 30 days.
func TestUsersLeaveInStages(t *testing.T) {
	eachWay(t, nil, func(h *house, o dirsync.Options) {
		u, _ := team(h.cloud)
		h.apply(models.OutcomeApplied)
		row := h.row(h.cloud.UserID(u["ada"])).ID
		h.cloud.Edit(func(e *fakecloud.Edit) { e.DeleteUser(u["ada"]) })
		if run := h.apply(models.OutcomeApplied, o); run.Users != (models.UserCounts{Deactivated: 1}) || run.Memberships != (models.MemberCounts{Removed: 1}) {
			h.t.Errorf("the day of the deletion: %+v", run)
		}
		h.clock.Advance(29 * day)
		h.apply(models.OutcomeNothing, o)

		// Back before that: the same row, with the memberships that the source has.
		h.cloud.Edit(func(e *fakecloud.Edit) { e.RestoreUser(u["ada"]) })
		if run := h.apply(models.OutcomeApplied, o); run.Users != (models.UserCounts{Changed: 1}) || run.Memberships != (models.MemberCounts{Added: 1}) {
			h.t.Errorf("the day of the return: %+v", run)
		}
		if ada := h.row(h.cloud.UserID(u["ada"])); ada.ID != row || !ada.Active {
			h.t.Errorf("who came back is %+v, want the row %d", ada, row)
		}
		h.clock.Advance(40 * day)
		h.apply(models.OutcomeNothing, o) // nothing is left of the departure

		h.cloud.Edit(func(e *fakecloud.Edit) { e.DeleteUser(u["ada"]) })
		h.apply(models.OutcomeApplied, o)
		h.clock.Advance(6 * day) // runs in between don't begin the time anew
		h.apply(models.OutcomeNothing, o)
		h.clock.Advance(25 * day)
		if run := h.apply(models.OutcomeApplied, o); run.Users != (models.UserCounts{Removed: 1}) {
			h.t.Errorf("after 31 days: %+v", run)
		}
		if h.row(h.cloud.UserID(u["ada"])) != nil {
			h.t.Error("the row is still there")
		}
		h.apply(models.OutcomeNothing, o)
	})
}

// A group that leaves is emptied at once, and removed after 30 days.
func TestGroupsLeaveInStages(t *testing.T) {
	eachWay(t, nil, func(h *house, o dirsync.Options) {
		_, g := team(h.cloud)
		h.apply(models.OutcomeApplied)
		h.cloud.Edit(func(e *fakecloud.Edit) { e.DeleteGroup(g["devs"]) })
		if run := h.apply(models.OutcomeApplied, o); run.Groups != (models.GroupCounts{Emptied: 1}) || run.Memberships != (models.MemberCounts{Removed: 3}) {
			h.t.Errorf("the day of the deletion: %+v", run)
		}
		h.wantsLines("emptied", "group devs", "group ops", "group all", "member ops: eve@contoso.example", "child all: ops")
		h.clock.Advance(10 * day)
		h.cloud.Edit(func(e *fakecloud.Edit) { e.RestoreGroup(g["devs"]) })
		if run := h.apply(models.OutcomeApplied, o); run.Memberships != (models.MemberCounts{Added: 3}) || run.Groups != (models.GroupCounts{}) {
			h.t.Errorf("the day of the return: %+v", run)
		}
		h.cloud.Edit(func(e *fakecloud.Edit) { e.DeleteGroup(g["devs"]) })
		h.apply(models.OutcomeApplied, o)
		h.clock.Advance(31 * day)
		if run := h.apply(models.OutcomeApplied, o); run.Groups != (models.GroupCounts{Removed: 1}) {
			h.t.Errorf("after 31 days: %+v", run)
		}
		h.wantsLines("removed", "group ops", "group all", "member ops: eve@contoso.example", "child all: ops")
		h.apply(models.OutcomeNothing, o)
	})
}

// With purge-after=0 nothing waits.
func TestNothingWaits(t *testing.T) {
	eachWay(t, []string{"purge-after=0"}, func(h *house, o dirsync.Options) {
		u, g := team(h.cloud)
		h.apply(models.OutcomeApplied)
		h.cloud.Edit(func(e *fakecloud.Edit) { e.DeleteUser(u["ada"]); e.DeleteGroup(g["ops"]) })
		if run := h.apply(models.OutcomeApplied, o); run.Users != (models.UserCounts{Removed: 1}) || run.Groups != (models.GroupCounts{Removed: 1}) {
			h.t.Errorf("the run: %+v", run)
		}
		h.wantsLines("removed", "group devs", "group all", "member devs: bob@contoso.example", "child all: devs")
		h.apply(models.OutcomeNothing, o)
	})
}

// row gives the row of a user of the source, or nil.
func (h *house) row(id string) *models.User {
	h.t.Helper()
	dir, err := h.store.DirectoryByName(h.t.Context(), "cloud")
	h.must(err)
	rows, err := h.store.UsersWithExternalIDs(h.t.Context(), dir.ID, []string{id})
	h.must(err)
	return rows[id]
}
