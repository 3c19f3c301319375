package sync

import (
	"math/rand/v2"
	"testing"

	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/models"
)

// Who counts a directory only as far as it matters hears of the guard what who counts all of it does.
func TestTheGuardNeedsNoWholeCount(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	limit := func() directory.Limit {
		return directory.Limit{Set: rng.IntN(4) > 0, Count: rng.IntN(20), Percent: []float64{0, 0.5, 1, 3, 10, 33.3, 100}[rng.IntN(7)]}
	}
	held := 0
	for range 100_000 {
		g := Guard{Users: limit(), Groups: limit(), Memberships: limit(), Adds: limit()}
		var r models.Run
		for _, n := range []*int{&r.Users.Created, &r.Users.Deactivated, &r.Groups.Created, &r.Groups.Removed, &r.Memberships.Added, &r.Memberships.Removed} {
			*n = rng.IntN(30)
		}
		all := sizes{rng.IntN(1000), rng.IntN(1000), rng.IntN(1000)}
		most := g.matters(&r)
		some := sizes{min(all.users, most.users+1), min(all.groups, most.groups+1), min(all.memberships, most.memberships+1)}
		want := g.stops(&r, all)
		if want != "" {
			held++
		}
		if got := g.stops(&r, some); got != want {
			t.Fatalf("%+v, of %+v:\nwith all counted %q\nwith %+v counted %q", g, all, want, some, got)
		}
	}
	if held < 1000 {
		t.Errorf("only %d plans were held", held)
	}
}
