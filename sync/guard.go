package sync

import (
	"fmt"
	"math"
	"strings"

	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/models"
)

// A Guard stops a plan that takes away, or brings, more than is likely to be meant.
type Guard struct {
	Users       directory.Limit // that leave: deactivated or removed
	Groups      directory.Limit // that are emptied or removed
	Memberships directory.Limit // that are removed
	Adds        directory.Limit // of each of the three
}

func passed(l directory.Limit, n, of int) bool {
	return l.Set && n > l.Count && float64(n)*100 > l.Percent*float64(of)
}

// sizes is how much of each there is before the plan.
type sizes struct{ users, groups, memberships int }

// A look is one comparison of the guard: so many, of so many that there are, against a limit.
type look struct {
	limit         directory.Limit
	n             int
	of            func(*sizes) *int
	what, setting string
}

func (g *Guard) looks(r *models.Run) []look {
	users := func(s *sizes) *int { return &s.users }
	groups := func(s *sizes) *int { return &s.groups }
	memberships := func(s *sizes) *int { return &s.memberships }
	return []look{
		{g.Users, r.Users.Deactivated + r.Users.Removed, users, "users would leave", "guard-users"},
		{g.Groups, r.Groups.Emptied + r.Groups.Removed, groups, "groups would be emptied or removed", "guard-groups"},
		{g.Memberships, r.Memberships.Removed, memberships, "memberships would be removed", "guard-memberships"},
		{g.Adds, r.Users.Created, users, "users would be created beside those that there are", "guard-adds"},
		{g.Adds, r.Groups.Created, groups, "groups would be created beside those that there are", "guard-adds"},
		{g.Adds, r.Memberships.Added, memberships, "memberships would be added to those that there are", "guard-adds"},
	}
}

// stops says why a plan must be held; empty when it need not.
func (g *Guard) stops(r *models.Run, had sizes) string {
	var why []string
	for _, l := range g.looks(r) {
		if of := *l.of(&had); passed(l.limit, l.n, of) {
			why = append(why, fmt.Sprintf("%d of %d %s (limit %d and %g %%, setting %s)", l.n, of, l.what, l.limit.Count, l.limit.Percent, l.setting))
		}
	}
	return strings.Join(why, "; ")
}

// matters tells how many there may be of each before a plan at most for the guard to hold it: of
// more the plan is too small a part. Zero where no number holds it.
func (g *Guard) matters(r *models.Run) (most sizes) {
	for _, l := range g.looks(r) {
		if passed(l.limit, l.n, 0) {
			of := l.of(&most)
			*of = max(*of, int(min(float64(l.n)*100/l.limit.Percent, math.MaxInt32)))
		}
	}
	return most
}
