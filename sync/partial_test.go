package sync_test

import (
	"strings"
	"testing"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
	"github.com/rollcall-id/rollcall/models"
	dirsync "github.com/rollcall-id/rollcall/sync"
)

// A group whose members can't be read keeps them; the run is partial, and the next one reads
// everything again.
func TestAGroupThatCantBeRead(t *testing.T) {
	each(t, fakecloud.EntraConfig{}, nil, func(h *house) {
		u, g := team(h.cloud)
		h.apply(models.OutcomeApplied)
		h.cloud.Edit(func(e *fakecloud.Edit) {
			e.RemoveUser(g["devs"], u["ada"])
			e.RemoveUser(g["ops"], u["eve"])
		})
		h.cloud.Fail(fakecloud.Fault{Path: "/groups/" + h.cloud.GroupID(g["devs"]) + "/members", Times: -1, Do: fakecloud.Forbidden})
		run := h.apply(models.OutcomePartial, dirsync.Options{Full: true})
		if !strings.Contains(run.Problem, "devs") || run.Memberships != (models.MemberCounts{Removed: 1}) {
			h.t.Errorf("the partial run: %+v", run)
		}
		h.wantsLines("devs as it was, ops as it is", "group devs", "group ops", "group all", "member devs: ada@contoso.example", "member devs: bob@contoso.example", "child all: devs", "child all: ops")
		if run = h.apply(models.OutcomePartial); run.Mode != "full" {
			h.t.Errorf("after a partial run comes a %s one (%s)", run.Mode, run.Reason)
		}
		h.cloud.Heal()
		if run = h.apply(models.OutcomeApplied); run.Mode != "full" || run.Memberships != (models.MemberCounts{Removed: 1}) {
			h.t.Errorf("the next run: %+v", run)
		}
	})
}

// Where only members of groups come, nobody leaves because of a group that can't be read, also where
// that group has no name here; what else is known of them is applied.
func TestNobodyLeavesBecauseOfAGroupThatCantBeRead(t *testing.T) {
	for _, name := range []string{"devs", "jira-administrators"} {
		t.Run(name, func(t *testing.T) {
			each(t, fakecloud.EntraConfig{}, append([]string{"users=members"}, unguarded...), func(h *house) {
				u, g := team(h.cloud)
				h.cloud.Edit(func(e *fakecloud.Edit) {
					e.UpdateGroup(g["devs"], func(g *fakecloud.Group) { g.Name = name })
					e.Unnest(g["all"], g["devs"])
				})
				h.apply(models.OutcomeApplied)
				fault := fakecloud.Fault{Path: "/groups/" + h.cloud.GroupID(g["devs"]) + "/members", Times: -1, Do: fakecloud.Forbidden}
				h.cloud.Fail(fault)
				h.cloud.Edit(func(e *fakecloud.Edit) {
					e.RemoveUser(g["devs"], u["bob"])
					e.RemoveUser(g["ops"], u["eve"]) // she may have become one of the others
					e.UpdateUser(u["ada"], func(u *fakecloud.User) { u.Given = "Augusta" })
					e.CreateUser(fakecloud.User{Login: "new"})
				})
				run := h.apply(models.OutcomePartial, dirsync.Options{Full: true})
				if run.Users != (models.UserCounts{Changed: 1}) || !strings.Contains(run.Problem, name) {
					h.t.Errorf("the partial run: %+v", run)
				}
				h.cloud.Heal()
				if run = h.apply(models.OutcomeApplied); run.Users != (models.UserCounts{Deactivated: 2}) {
					h.t.Errorf("the next run: %+v", run)
				}
				h.still("once it can be read")
			})
		})
	}
}
