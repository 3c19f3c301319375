package sync_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
)

// Google has been seen to leave things out of answers that are a success, and it refuses to speak
// about users whom the subject may not see: nobody and nothing goes because of that.
func TestGoogleLeavesOut(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		h, source := newMirror(t, db, provider{start: startGoogle}, testkit.Log(t))
		source.cloud.Edit(func(e *fakecloud.Edit) {
			users := []fakecloud.UserNo{e.CreateUser(fakecloud.User{Login: "first"})}
			e.CreateUser(fakecloud.User{Login: "lone"}) // in no group: members whom the list doesn't have are asked for singly
			for i := range 19 {
				users = append(users, e.CreateUser(fakecloud.User{Login: fmt.Sprint("user", i)}))
			}
			for i := range 18 {
				g := e.CreateGroup(fakecloud.Group{Name: fmt.Sprint("group", i)})
				for _, u := range users {
					e.AddUser(g, u)
				}
				e.Add(g, fakecloud.Member{Kind: fakecloud.GoogleStranger, N: i})
			}
		})
		stranger := source.google.MemberID(fakecloud.Member{Kind: fakecloud.GoogleStranger, N: 1})
		refuse := func(users string) {
			source.cloud.Fail(fakecloud.Fault{Path: "/v1/users/" + users, Do: fakecloud.Forbidden, Times: -1})
		}
		refuse(stranger)
		h.apply(models.OutcomeApplied)
		h.counts("group0", 20)
		before := h.contents()
		for _, c := range []struct {
			list, refused string
			outcome       models.Outcome
			want          string
		}{
			{"users", stranger, models.OutcomeFailed, "leaves out users that are there all the same"},
			{"users", "", models.OutcomeFailed, "the source doesn't speak about some of them: read user"},
			{"groups", stranger, models.OutcomeHeld, "groups would be emptied or removed"},
			{"members", stranger, models.OutcomeHeld, "memberships would be removed"},
		} {
			refuse(c.refused)
			source.google.Set(func(g *fakecloud.GoogleConfig) { g.LeaveOut = []string{c.list} })
			if run := h.apply(c.outcome); !strings.Contains(run.Problem, c.want) {
				t.Errorf("%s: want %q, got %q", c.list, c.want, run.Problem)
			}
			testkit.Diff(t, c.list, before, h.contents())
			source.cloud.Heal()
		}
		source.google.Set(func(g *fakecloud.GoogleConfig) { g.LeaveOut = nil })
		h.apply(models.OutcomeNothing)
		source.cloud.Edit(func(e *fakecloud.Edit) { e.DeleteUser(1) }) // can be restored, and isn't there all the same
		if run := h.apply(models.OutcomeApplied); run.Users.Deactivated != 1 {
			t.Errorf("one user was deleted, and %d left", run.Users.Deactivated)
		}
	})
}
