package entra

import (
	"maps"
	"slices"

	dirsync "github.com/rollcall-id/rollcall/sync"
)

// A told is what a run's delta query said of memberships, the last word of each. Graph's copies lag
// behind each other: one that is asked afterwards may not know it yet, and what was told isn't told
// again. When the copy is ahead instead, the next delta query tells.
type told struct {
	groups  map[string]map[string]word // by member
	members map[string]map[string]word // by group
}

type word struct {
	kind dirsync.MemberKind
	in   bool
}

func (t *told) note(edges []dirsync.Edge, in bool) {
	if t.groups == nil {
		t.groups, t.members = map[string]map[string]word{}, map[string]map[string]word{}
	}
	for _, e := range edges {
		w := word{e.Member.Kind, in}
		put(t.groups, e.Member.ID, e.Group, w)
		put(t.members, e.Group, e.Member.ID, w)
	}
}

func put(words map[string]map[string]word, of, id string, w word) {
	if words[of] == nil {
		words[of] = map[string]word{}
	}
	words[of][id] = w
}

// groupsOf corrects the groups that a user is said to be in.
func (t *told) groupsOf(user string, groups []string) []string {
	words := t.groups[user]
	if len(words) == 0 {
		return groups
	}
	groups = slices.DeleteFunc(groups, func(id string) bool { _, told := words[id]; return told })
	for _, id := range slices.Sorted(maps.Keys(words)) {
		if words[id].in {
			groups = append(groups, id)
		}
	}
	return groups
}

// membersOf corrects a part of the members that a group is said to have.
func (t *told) membersOf(group string, part []dirsync.Member, last bool) []dirsync.Member {
	words := t.members[group]
	if len(words) == 0 {
		return part
	}
	part = slices.DeleteFunc(part, func(m dirsync.Member) bool { _, told := words[m.ID]; return told })
	if !last {
		return part
	}
	for _, id := range slices.Sorted(maps.Keys(words)) {
		if w := words[id]; w.in {
			part = append(part, dirsync.Member{ID: id, Kind: w.kind})
		}
	}
	return part
}
