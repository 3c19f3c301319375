package sync

import (
	"context"
	"slices"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// memberships compares who is in which group.
func (c *comparer) memberships(ctx context.Context, l *store.Load) error {
	members := &pairing{c: c, want: c.w.members, add: &c.d.addMembers, remove: &c.d.removeMembers, row: c.memberRow}
	ours := func(each func(store.Pair) error) error {
		return l.SyncedMemberships(c.dir.ID, func(group, user models.ID) error { return each(store.Pair{Top: group, Bottom: user}) })
	}
	if err := besideRows(ctx, ours, func(p store.Pair) error { return members.live(p.Top, p.Bottom) }); err != nil {
		return err
	}
	members.rest()
	c.d.had.memberships = members.had
	nested := &pairing{c: c, want: c.w.nestings, add: &c.d.addChildren, remove: &c.d.removeChildren, row: func(bottom uint32) models.ID {
		child := c.w.groups[bottom]
		if !child.published() {
			return unwanted
		}
		return child.row
	}}
	if err := l.SyncedNestings(c.dir.ID, nested.live); err != nil {
		return err
	}
	nested.rest()
	c.d.had.memberships += nested.had
	return nil
}

// memberRow gives the row of a wanted member: zero when it is created in this run, unwanted when
// the user isn't published. One in doubt stays where it is.
func (c *comparer) memberRow(bottom uint32) models.ID {
	e := c.w.users.at(num(bottom))
	doubt := e.state&stateLoser != 0 || c.w.inDoubt(e)
	if _, away := c.departures["user"][e.row]; doubt && e.row != 0 && !away {
		return e.row
	}
	if doubt || !c.w.inScope(e) {
		return unwanted
	}
	return e.row
}

// unwanted stands for a member that isn't published.
const unwanted = models.ID(-1)

// A pairing compares the wanted pairs with ours, which come ordered by group and member. In its
// memory is one group at a time.
type pairing struct {
	c      *comparer
	want   []uint64
	add    *[]uint64
	remove *[]store.Pair
	row    func(bottom uint32) models.ID
	had    int
	apart  bool // add is no longer the beginning of want

	top  models.ID   // the group that is being compared
	ours []models.ID // its members here
	seen map[int32]bool
}

// adds notes a wanted pair that isn't there. As long as all that is wanted is new, as in a first
// run, the additions are the beginning of the wanted list itself: five million of them take no memory.
func (p *pairing) adds(pair uint64) {
	n := len(*p.add)
	if !p.apart && n < len(p.want) && p.want[n] == pair {
		*p.add = p.want[: n+1 : n+1] // who appends to it copies it
		return
	}
	p.apart = true
	*p.add = append(*p.add, pair)
}

func (p *pairing) live(top, bottom models.ID) error {
	p.had++
	if top != p.top {
		p.end()
		p.top = top
	}
	p.ours = append(p.ours, bottom)
	return nil
}

// end compares the group whose members have all come.
func (p *pairing) end() {
	if p.top == 0 {
		return
	}
	g, ok := p.c.live[p.top]
	switch {
	case !ok: // the group leaves: if its row goes, so do its memberships
		if !p.c.goes[p.top] {
			for _, bottom := range p.ours {
				*p.remove = append(*p.remove, store.Pair{Top: p.top, Bottom: bottom})
			}
		}
	case p.c.w.groups[g].unreadable != "":
	default:
		p.compare(g)
	}
	if ok {
		p.mark(g)
	}
	p.ours = p.ours[:0]
}

func (p *pairing) mark(g int32) {
	if p.seen == nil {
		p.seen = map[int32]bool{}
	}
	p.seen[g] = true
}

// compare merges a group's members, wanted and ours.
func (p *pairing) compare(g int32) {
	type wanted struct {
		row models.ID
		n   uint32
	}
	var list []wanted
	left := 0
	for _, pair := range p.of(g) {
		n := uint32(pair)
		switch row := p.row(n); row {
		case unwanted:
			left++
		case 0:
			p.adds(pair)
		default:
			list = append(list, wanted{row, n})
		}
	}
	if left > 0 {
		it := p.c.w.groups[g]
		p.c.w.skips.add("membership", it.ID, it.name, short(left, "member is", "members are")+" skipped, or not published")
	}
	slices.SortFunc(list, func(a, b wanted) int { return int(a.row - b.row) })
	i := 0
	for _, row := range p.ours {
		for i < len(list) && list[i].row < row {
			p.adds(uint64(g)<<32 | uint64(list[i].n))
			i++
		}
		if i < len(list) && list[i].row == row {
			i++
		} else {
			*p.remove = append(*p.remove, store.Pair{Top: p.top, Bottom: row})
		}
	}
	for ; i < len(list); i++ {
		p.adds(uint64(g)<<32 | uint64(list[i].n))
	}
}

// of gives a group's wanted pairs.
func (p *pairing) of(g int32) []uint64 {
	from, _ := slices.BinarySearch(p.want, uint64(g)<<32)
	to, _ := slices.BinarySearch(p.want, uint64(g+1)<<32)
	return p.want[from:to]
}

// rest adds the members of groups that have none here yet.
func (p *pairing) rest() {
	p.end()
	p.ours = nil
	for i, g := range p.c.w.groups {
		if g.published() && !p.seen[int32(i)] && g.unreadable == "" {
			p.top = g.row
			p.compare(int32(i))
		}
	}
}
