package fakecloud

import (
	"cmp"
	"sort"
)

// A Gen describes a directory that is made up as it is asked for: the n-th user, the n-th group
// and its members are pure functions of Seed and n, so that a million users take no memory. A
// zero percentage is none.
type Gen struct {
	Seed   uint64
	Users  int
	Groups int

	// AvgMembers is how many members a group has on average, groups that are nested in it
	// included: Groups × AvgMembers is the number of memberships, exactly, as long as no
	// group would need more users than there are. Zero is 50. Sizes follow a Zipf law: group 0
	// is the largest, and most have few.
	AvgMembers int
	// Everyone makes group 0 the group of all users.
	Everyone bool

	NestedPct       int // groups that are in another group, which comes before them
	UnifiedPct      int // groups that are for mail and files (Microsoft 365); no group is nested in them
	DistributionPct int // groups that are for mail only
	DupNamePct      int // groups that have the name of the group before them
	GuestPct        int // users whose account is at home elsewhere
	DisabledPct     int
	NoMailPct       int
	UnicodePct      int // users and groups whose names aren't ASCII; login names always are

	Domain string // of login names and mail; empty is contoso.example
}

// Typical describes a directory as they are: some of everything. With a million users and a
// hundred thousand groups it has five million memberships.
func Typical(users, groups int) Gen {
	return Gen{Seed: 1, Users: users, Groups: groups, NestedPct: 10, UnifiedPct: 10, GuestPct: 5,
		DisabledPct: 3, NoMailPct: 2, UnicodePct: 10}
}

const defaultAvgMembers = 50

// A generator is a Gen that has done its sums.
type generator struct {
	Gen
	names     permutation // of users over pairs of names
	teams     permutation // of groups over pairs of words
	zipf      int         // the size of the largest group by Zipf's law
	oneMoreAt int         // groups from here on have one member more, so that the sum is exact
}

func newGenerator(g Gen) generator {
	g.AvgMembers = cmp.Or(g.AvgMembers, defaultAvgMembers)
	g.Domain = cmp.Or(g.Domain, "contoso.example")
	made := generator{Gen: g,
		names: newPermutation(len(givenNames)*len(surnames), g.Seed^saltNames),
		teams: newPermutation(len(departments)*len(topics), g.Seed^saltTeams),
	}
	made.share(g.Groups * g.AvgMembers)
	return made
}

// share finds the sizes of groups that together, with those of nested groups, make total.
func (g *generator) share(total int) {
	for c := range g.Groups {
		if _, nested := g.parent(GroupNo(c)); nested {
			total--
		}
	}
	if g.Everyone {
		total -= g.Users
	}
	total = max(total, 0)
	g.oneMoreAt = g.Groups
	// The sum grows with zipf: search for the last one that isn't too much.
	g.zipf = sort.Search(total+1, func(zipf int) bool {
		g.zipf = zipf
		return g.sum() > total
	}) - 1
	g.oneMoreAt = max(0, g.Groups-(total-g.sum()))
}

// sum is how many users the groups of Zipf's law have together.
func (g *generator) sum() (sum int) {
	for n := g.firstZipf(); n < g.Groups; n++ {
		sum += g.size(GroupNo(n))
	}
	return sum
}

func (g *generator) firstZipf() int {
	if g.Everyone {
		return 1
	}
	return 0
}

// chance says whether what is asked by salt holds for n, in pct of a hundred cases.
func (g *generator) chance(salt uint64, n, pct int) bool {
	return pct > 0 && int(g.hash(salt, n)%100) < pct
}

func (g *generator) hash(salt uint64, n int) uint64 { return mix(mix(g.Seed^salt) + uint64(n)) }

// Each question has a salt of its own, so that the answers are independent of each other.
const (
	saltNames uint64 = (iota + 1) << 32
	saltTeams
	saltMembers
	saltNested
	saltUnified
	saltDistribution
	saltDupName
	saltGuest
	saltDisabled
	saltNoMail
	saltUnicode
	saltSpelling
	saltDetails
	saltUserID
	saltGroupID
	saltOtherID
	saltLinks
	saltEveryday
)
