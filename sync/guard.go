package sync

import (
	"fmt"
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

// stops says why a plan must be held; empty when it need not.
func (g *Guard) stops(r *models.Run, had sizes) string {
	var why []string
	look := func(l directory.Limit, n, of int, what, setting string) {
		if passed(l, n, of) {
			why = append(why, fmt.Sprintf("%d of %d %s (limit %d and %g %%, setting %s)", n, of, what, l.Count, l.Percent, setting))
		}
	}
	look(g.Users, r.Users.Deactivated+r.Users.Removed, had.users, "users would leave", "guard-users")
	look(g.Groups, r.Groups.Emptied+r.Groups.Removed, had.groups, "groups would be emptied or removed", "guard-groups")
	look(g.Memberships, r.Memberships.Removed, had.memberships, "memberships would be removed", "guard-memberships")
	look(g.Adds, r.Users.Created, had.users, "users would be created beside those that there are", "guard-adds")
	look(g.Adds, r.Groups.Created, had.groups, "groups would be created beside those that there are", "guard-adds")
	look(g.Adds, r.Memberships.Added, had.memberships, "memberships would be added to those that there are", "guard-adds")
	return strings.Join(why, "; ")
}
