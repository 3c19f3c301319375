package sync

import (
	"slices"
)

// opens tells whether the members of a child count as the parent's own: where groups are
// flattened, and where the child isn't published itself.
func (w *want) opens(child int32) bool { return w.settings.flatten || !w.groups[child].chosen }

// children gives the groups in each group, as the source has them.
func (w *want) children() map[int32][]int32 {
	out := map[int32][]int32{}
	for _, n := range w.nestings {
		parent, child := int32(n>>32), int32(uint32(n))
		out[parent] = append(out[parent], child)
	}
	return out
}

// needed lists the groups whose members must be known: those that are chosen, and those below
// them through which members come.
func (w *want) needed() (out []int32) {
	children := w.children()
	seen := make([]bool, len(w.groups))
	for i, g := range w.groups {
		if g.chosen {
			seen[i] = true
			out = append(out, int32(i))
		}
	}
	for at := 0; at < len(out); at++ {
		for _, child := range children[out[at]] {
			if !seen[child] && (w.opens(child) || w.settings.membersOnly) {
				seen[child] = true
				out = append(out, child)
			}
		}
	}
	return out
}

// settle makes the source's memberships into those that are to be here: of published groups
// only, each pair once, in order. Circles do no harm: each group is opened once.
func (w *want) settle() {
	for _, g := range w.everyone {
		for u := range num(w.users.n) {
			if w.users.at(u).state&stateExcluded == 0 {
				w.members = append(w.members, uint64(g)<<32|uint64(u))
			}
		}
	}
	w.everyone = nil
	slices.Sort(w.members)
	w.members = slices.Compact(w.members)
	slices.Sort(w.nestings)
	w.nestings = slices.Compact(w.nestings)
	if w.settings.membersOnly {
		w.markScope()
	}
	w.keepEdges()
	w.open()
	w.read = w.skips
}

// keepEdges notes the groups in groups whose members count as the outer one's, or are in scope
// through it: a delta must know them.
func (w *want) keepEdges() {
	needed := map[int32]bool{}
	for _, g := range w.needed() {
		needed[g] = true
	}
	for _, n := range w.nestings {
		parent, child := int32(n>>32), int32(uint32(n))
		edge := [2]string{w.groups[parent].ID, w.groups[child].ID}
		switch {
		case !needed[parent] || parent == child:
		case w.opens(child):
			w.edges = append(w.edges, edge)
		case w.settings.membersOnly:
			w.inner = append(w.inner, edge)
		}
	}
}

// unbornGroups lists the groups that are chosen and have no name here: a delta must know them.
func (w *want) unbornGroups() (ids []string) {
	for _, g := range w.groups {
		if g.chosen && g.skip != "" && !g.gone {
			ids = append(ids, g.ID)
		}
	}
	return ids
}

// markScope marks the users that are in a chosen group, directly or nested.
func (w *want) markScope() {
	for _, g := range w.below(w.chosenGroups(), func(int32) bool { return true }) {
		w.blurred = w.blurred || w.groups[g].unreadable != ""
		for _, m := range w.membersOf(g) {
			w.users.at(num(uint32(m))).state |= stateInScope
		}
	}
}

func (w *want) chosenGroups() (out []int32) {
	for i, g := range w.groups {
		if g.chosen {
			out = append(out, int32(i))
		}
	}
	return out
}

// below lists the groups and all those in them, through the children that may be opened.
func (w *want) below(from []int32, may func(child int32) bool) []int32 {
	children := w.children()
	out := slices.Clone(from)
	seen := map[int32]bool{}
	for _, g := range from {
		seen[g] = true
	}
	for at := 0; at < len(out); at++ {
		for _, child := range children[out[at]] {
			if !seen[child] && may(child) {
				seen[child] = true
				out = append(out, child)
			}
		}
	}
	return out
}

// membersOf gives a group's own members, packed.
func (w *want) membersOf(g int32) []uint64 {
	from, _ := slices.BinarySearch(w.members, uint64(g)<<32)
	to, _ := slices.BinarySearch(w.members, uint64(g+1)<<32)
	return w.members[from:to]
}

// open gives each published group what comes through the groups that are opened in it, and
// leaves the memberships of published groups only.
func (w *want) open() {
	children := w.children()
	var members, nestings []uint64
	for i := range w.groups {
		parent := int32(i)
		if !w.groups[i].chosen {
			continue
		}
		opened := []int32{parent}
		seen := map[int32]bool{parent: true}
		for at := 0; at < len(opened); at++ {
			for _, child := range children[opened[at]] {
				if seen[child] {
					continue
				}
				seen[child] = true
				if w.opens(child) {
					opened = append(opened, child)
				} else {
					nestings = append(nestings, uint64(parent)<<32|uint64(child))
				}
			}
		}
		if len(opened) == 1 {
			continue
		}
		for _, g := range opened[1:] {
			for _, m := range w.membersOf(g) {
				members = append(members, uint64(parent)<<32|m&0xffffffff)
			}
			if problem := w.groups[g].unreadable; problem != "" && w.groups[parent].unreadable == "" {
				w.groups[parent].unreadable = "the members of " + w.groups[g].Name + " in it: " + problem
			}
		}
	}
	w.nestings = nestings
	slices.Sort(w.nestings)
	w.nestings = slices.Compact(w.nestings)
	if len(members) > 0 || slices.ContainsFunc(w.groups, func(g *group) bool { return !g.chosen }) {
		w.members = slices.DeleteFunc(w.members, func(m uint64) bool { return !w.groups[m>>32].chosen })
		w.members = append(w.members, members...)
		slices.Sort(w.members)
		w.members = slices.Compact(w.members)
	}
}

// inDoubt tells whether the settings would let a user come who can't be named: what we have of
// it stays.
func (w *want) inDoubt(e *entry) bool {
	return e.state&(stateSkipped|stateExcluded) == stateSkipped && w.belongs(e)
}

// inScope tells whether the settings let a user come.
func (w *want) inScope(e *entry) bool {
	return e.state&stateSkipped == 0 && w.belongs(e)
}

// belongs tells whether a user is in a group that is chosen, where only such users come.
func (w *want) belongs(e *entry) bool {
	return !w.settings.membersOnly || e.state&(stateInScope|stateStays) != 0
}
