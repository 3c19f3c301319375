package sync

import (
	"cmp"
	"slices"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// pairs finds out which memberships come and go.
func (p *comparison) pairs() error {
	pp := &pairer{p: p, add: map[uint64]bool{}, remove: map[store.Pair]bool{}, unnest: map[store.Pair]bool{}}
	for _, step := range []func() error{pp.leavers, pp.emptied, pp.whole, pp.asked, pp.single, pp.nested} {
		if err := step(); err != nil {
			return err
		}
	}
	for m := range pp.add {
		p.d.addMembers = append(p.d.addMembers, m)
	}
	slices.Sort(p.d.addMembers)
	for m := range pp.remove {
		p.d.removeMembers = append(p.d.removeMembers, m)
	}
	slices.SortFunc(p.d.removeMembers, comparePairs)
	for m := range pp.unnest {
		p.d.removeChildren = append(p.d.removeChildren, m)
	}
	slices.SortFunc(p.d.removeChildren, comparePairs)
	slices.Sort(p.d.addChildren)
	return nil
}

func comparePairs(a, b store.Pair) int {
	if a.Top != b.Top {
		return int(a.Top - b.Top)
	}
	return int(a.Bottom - b.Bottom)
}

// A pairer collects memberships, each once.
type pairer struct {
	p      *comparison
	add    map[uint64]bool
	remove map[store.Pair]bool
	unnest map[store.Pair]bool
}

// leavers lose all their memberships.
func (pp *pairer) leavers() error {
	of, err := pp.p.reads.SyncedGroupsOf(pp.p.ctx, slices.Concat(pp.p.d.deactivate, pp.p.d.leftUsers, pp.p.d.removeUsers))
	if err != nil {
		return err
	}
	for user, groups := range of {
		for _, g := range groups {
			if !pp.p.goes[g] {
				pp.remove[store.Pair{Top: g, Bottom: user}] = true
			}
		}
	}
	return nil
}

// emptied groups lose all their members, and are in no others.
func (pp *pairer) emptied() error {
	for _, g := range slices.Concat(pp.p.d.emptied, pp.p.d.removeGroups) {
		parents, err := pp.p.reads.SyncedParentsOf(pp.p.ctx, g)
		if err != nil {
			return err
		}
		for _, parent := range parents {
			if !pp.p.goes[parent] {
				pp.unnest[store.Pair{Top: parent, Bottom: g}] = true
			}
		}
		if pp.p.goes[g] {
			continue
		}
		users, children, err := pp.p.reads.SyncedMembersOf(pp.p.ctx, g)
		if err != nil {
			return err
		}
		for _, u := range users {
			pp.remove[store.Pair{Top: g, Bottom: u}] = true
		}
		for _, child := range children {
			pp.unnest[store.Pair{Top: g, Bottom: child}] = true
		}
	}
	return nil
}

// whole compares the groups whose members were read completely.
func (pp *pairer) whole() error {
	for id, whole := range pp.p.c.members {
		at, ok := pp.p.w.groupOf[id]
		if !ok {
			continue
		}
		g := pp.p.w.groups[at]
		g.unreadable = whole.problem
		if !g.published() || whole.problem != "" || !whole.last {
			continue
		}
		// A list that changes while it is paged may have a member twice.
		slices.SortFunc(whole.members, func(a, b Member) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID)) })
		whole.members = slices.Compact(whole.members)
		var users, children []models.ID
		var err error
		if g.row != 0 {
			if users, children, err = pp.p.reads.SyncedMembersOf(pp.p.ctx, g.row); err != nil {
				return err
			}
		}
		pp.wholeUsers(at, whole, users)
		pp.wholeGroups(at, whole, children)
	}
	return nil
}

func (pp *pairer) wholeUsers(at int32, whole *wholeGroup, users []models.ID) {
	p, g, ours := pp.p, pp.p.w.groups[at], map[models.ID]bool{}
	for _, u := range users {
		ours[u] = true
	}
	for _, m := range whole.members {
		if m.Kind != MemberUser {
			continue
		}
		n := p.w.users.find(m.ID)
		if n == none {
			p.w.skips.add("membership", g.ID+"/"+m.ID, g.name, "the member is no user that the source lists: an outside account, or one that was removed")
			continue
		}
		switch row := p.memberRow(uint32(n)); {
		case row == unwanted:
		case row != 0 && ours[row]:
			delete(ours, row)
		default:
			pp.add[uint64(at)<<32|uint64(n)] = true
		}
	}
	for u := range ours {
		pp.remove[store.Pair{Top: g.row, Bottom: u}] = true
	}
}

func (pp *pairer) wholeGroups(at int32, whole *wholeGroup, children []models.ID) {
	p, g, ours := pp.p, pp.p.w.groups[at], map[models.ID]bool{}
	for _, child := range children {
		ours[child] = true
	}
	for _, m := range whole.members {
		if m.Kind != MemberGroup {
			continue
		}
		child, ok := p.w.groupOf[m.ID]
		if !ok || child == at || !p.w.groups[child].published() {
			continue
		}
		if row := p.w.groups[child].row; row != 0 && ours[row] {
			delete(ours, row)
		} else {
			p.d.addChildren = append(p.d.addChildren, uint64(at)<<32|uint64(child))
		}
	}
	for child := range ours {
		pp.unnest[store.Pair{Top: g.row, Bottom: child}] = true
	}
}

// asked compares the users whose groups were asked for.
func (pp *pairer) asked() error {
	p := pp.p
	var rows []models.ID
	for id := range p.c.groupsOf {
		if n := p.w.users.find(id); n != none && p.w.users.at(n).row != 0 {
			rows = append(rows, p.w.users.at(n).row)
		}
	}
	of, err := p.reads.SyncedGroupsOf(p.ctx, rows)
	if err != nil {
		return err
	}
	for id, groups := range p.c.groupsOf {
		n := p.w.users.find(id)
		if n == none {
			continue
		}
		row := p.memberRow(uint32(n))
		if row == unwanted {
			continue
		}
		here := map[models.ID]bool{}
		for _, g := range of[row] {
			here[g] = true
		}
		for _, at := range p.wanted(groups) {
			g := p.w.groups[at]
			if g.row != 0 && here[g.row] {
				delete(here, g.row)
			} else {
				pp.add[uint64(at)<<32|uint64(n)] = true
			}
		}
		for g := range here {
			if at, ok := p.live[g]; ok && p.w.groups[at].unreadable != "" {
				continue
			}
			pp.remove[store.Pair{Top: g, Bottom: row}] = true
		}
	}
	return nil
}

// single takes in the memberships that were told one by one.
func (pp *pairer) single() error {
	p := pp.p
	var pairs []store.Pair
	for key, e := range p.c.edges {
		at, known := p.w.groupOf[key[0]]
		n := p.w.users.find(key[1])
		if e.kind == MemberUser && known && n != none && p.w.groups[at].row != 0 && p.w.users.at(n).row != 0 {
			pairs = append(pairs, store.Pair{Top: p.w.groups[at].row, Bottom: p.w.users.at(n).row})
		}
	}
	ours, err := p.reads.SyncedOf(p.ctx, pairs)
	if err != nil {
		return err
	}
	for key, e := range p.c.edges {
		at, known := p.w.groupOf[key[0]]
		n := p.w.users.find(key[1])
		if _, asked := p.c.groupsOf[key[1]]; asked || e.kind != MemberUser || !known || !p.w.groups[at].published() {
			continue
		}
		if p.c.members[key[0]] != nil {
			continue
		}
		if n == none {
			if e.added && !p.c.goneUsers[key[1]] {
				p.w.skips.add("membership", key[0]+"/"+key[1], p.w.groups[at].name, "the member is no user that the source lists: an outside account, or one that was removed")
			}
			continue
		}
		row, g := p.memberRow(uint32(n)), p.w.groups[at].row
		here := ours[store.Pair{Top: g, Bottom: row}]
		switch {
		case row == unwanted:
		case e.added && !here:
			pp.add[uint64(at)<<32|uint64(n)] = true
		case !e.added && here:
			pp.remove[store.Pair{Top: g, Bottom: row}] = true
		}
	}
	return nil
}

// nested takes in the groups that came into groups, or left them.
func (pp *pairer) nested() error {
	p := pp.p
	for key, e := range p.c.edges {
		parent, ok := p.w.groupOf[key[0]]
		child, known := p.w.groupOf[key[1]]
		if e.kind != MemberGroup || parent == child || !ok || !known || !p.w.groups[parent].published() || !p.w.groups[child].published() || p.c.members[key[0]] != nil {
			continue
		}
		top, bottom := p.w.groups[parent].row, p.w.groups[child].row
		here := false
		if top != 0 && bottom != 0 {
			var err error
			if here, err = p.reads.HasChild(p.ctx, top, bottom); err != nil {
				return err
			}
		}
		switch {
		case e.added && !here:
			p.d.addChildren = append(p.d.addChildren, uint64(parent)<<32|uint64(child))
		case !e.added && here:
			pp.unnest[store.Pair{Top: top, Bottom: bottom}] = true
		}
	}
	return nil
}
