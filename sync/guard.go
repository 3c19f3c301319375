package sync

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/rollcall-id/rollcall/models"
)

// A Guard stops a plan that takes away, or brings, more than is likely to be meant.
type Guard struct {
	Users       Limit // that leave: deactivated or removed
	Groups      Limit // that are emptied or removed
	Memberships Limit // that are removed
	Adds        Limit // of each of the three
}

// A Limit is passed when both its number and its part are. The zero Limit is never passed.
type Limit struct {
	Set     bool
	Count   int
	Percent float64
}

// readLimit reads COUNT,PERCENT%; empty is no limit.
func readLimit(text string) (l Limit, err error) {
	if text == "" {
		return l, nil
	}
	count, percent, _ := strings.Cut(text, ",")
	l.Set = true
	if l.Count, err = strconv.Atoi(strings.TrimSpace(count)); err != nil {
		return l, err
	}
	l.Percent, err = strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(percent), "%"), 64)
	return l, err
}

func (l Limit) passedBy(n, of int) bool {
	return l.Set && n > l.Count && float64(n)*100 > l.Percent*float64(of)
}

// sizes is how much of each there is before the plan.
type sizes struct{ users, groups, memberships int }

// stops says why a plan must be held; empty when it need not.
func (g *Guard) stops(r *models.Run, had sizes) string {
	var why []string
	look := func(l Limit, n, of int, what, setting string) {
		if l.passedBy(n, of) {
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
