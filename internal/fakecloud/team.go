package fakecloud

import (
	"strconv"
	"strings"
	"time"
)

// A GroupNo names a group inside the fake: the n-th one.
type GroupNo int

// A GroupKind is what a group is for, where a cloud tells that apart.
type GroupKind int

const (
	Security     GroupKind = iota // access; the ordinary case
	MailSecurity                  // access, with a mail address
	Unified                       // mail, files and access (Microsoft 365)
	Distribution                  // mail only
)

// A Group is a named set of users and groups, in no cloud's words.
type Group struct {
	Name        string
	Description string
	Mail        string // empty: has none
	Kind        GroupKind
	Dynamic     bool // its members follow from a rule
	Hidden      bool // who is in it is hidden from whoever has no special permission
	Created     time.Time

	deletedAt time.Time // kept by the directory
}

// A MemberKind is what a member of a group is.
type MemberKind int

const (
	UserMember MemberKind = iota
	GroupMember
	Device
	ServicePrincipal
	Contact
	Everybody // all users of the account, as one member; Google has that
)

// A Member is somebody or something in a group: the N-th of its kind.
type Member struct {
	Kind MemberKind
	N    int
}

// group makes the n-th group up.
func (g *generator) group(n GroupNo) Group {
	i := int(n)
	details := g.hash(saltDetails, -1-i)
	made := Group{Name: g.teamName(i), Kind: g.groupKind(n), Created: firstDay.Add(time.Duration(details%(5*365*24)) * time.Hour)}
	if details>>32%2 == 0 {
		made.Description = "Everybody of " + made.Name
	}
	if made.Kind != Security {
		made.Mail = strings.ReplaceAll(g.asciiTeamName(i), " ", "-") + "." + strconv.Itoa(i) + "@" + g.Domain
	}
	return made
}

func (g *generator) teamName(i int) string {
	if g.Everyone && i == 0 {
		return "all-users"
	}
	if i > g.firstZipf() && g.chance(saltDupName, i, g.DupNamePct) {
		i--
	}
	name := g.asciiTeamName(i)
	if g.chance(saltUnicode, -1-i, g.UnicodePct) {
		name += "-größe"
	}
	return name
}

func (g *generator) asciiTeamName(i int) string {
	pairs := len(departments) * len(topics)
	pair, round := g.teams.at(i%pairs), i/pairs
	name := departments[pair/len(topics)] + "-" + topics[pair%len(topics)]
	if round > 0 {
		name += "-" + strconv.Itoa(round+1)
	}
	return name
}

func (g *generator) groupKind(n GroupNo) GroupKind {
	switch {
	case g.chance(saltDistribution, int(n), g.DistributionPct):
		return Distribution
	case g.chance(saltUnified, int(n), g.UnifiedPct):
		return Unified
	}
	return Security
}

// size says how many users are in the n-th group, not counting those of nested groups.
func (g *generator) size(n GroupNo) int {
	if g.Everyone && n == 0 {
		return g.Users
	}
	size := g.zipf / (int(n) + 1 - g.firstZipf())
	if int(n) >= g.oneMoreAt {
		size++
	}
	return min(size, g.Users)
}

// members is the list of all users, shuffled for the n-th group: the first ones are in it.
func (g *generator) members(n GroupNo) permutation {
	return newPermutation(g.Users, g.hash(saltMembers, int(n)))
}

// hasUser says whether a generated user is in a generated group.
func (g *generator) hasUser(n GroupNo, u UserNo) bool {
	return int(u) < g.Users && g.members(n).indexOf(int(u)) < g.size(n)
}

// fanOut is how many groups may be nested in one. Group n may be nested in group (n-1)/fanOut
// only: so nesting has no cycle, and both directions are a division away.
const fanOut = 4

// parent gives the group in which the n-th one is nested.
func (g *generator) parent(n GroupNo) (GroupNo, bool) {
	if n == 0 || !g.chance(saltNested, int(n), g.NestedPct) {
		return 0, false
	}
	p := (n - 1) / fanOut
	kind := g.groupKind(p)
	return p, kind != Unified && !(g.Everyone && p == 0)
}

// child gives the i-th group that may be nested in the n-th.
func (g *generator) child(n GroupNo, i int) (GroupNo, bool) {
	c := n*fanOut + 1 + GroupNo(i)
	if int(c) >= g.Groups {
		return 0, false
	}
	_, nested := g.parent(c)
	return c, nested
}

var departments = []string{"eng", "sales", "ops", "hr", "finance", "legal", "it", "support", "marketing", "research"}

var topics = []string{
	"backend", "frontend", "platform", "mobile", "data", "security", "admins", "leads", "interns", "emea", "apac", "americas",
	"projects", "vendors", "training", "travel", "on-call", "reports", "archive", "tools", "quality", "release", "design", "partners",
}
