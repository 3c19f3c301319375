package fakecloud

import (
	"net/http"
	"slices"
)

// A deltaPart is a group of which a part was told, and where the rest begins.
type deltaPart struct {
	At   int `json:"a"` // which group of the round
	From int `json:"f"` // which of its members
}

// replayed is how many members of a group are told again when pages overlap.
const replayed = 5

// groupsDelta answers GET /groups/delta. Large groups come in parts: several objects with one
// id, each with other members.
func (e *Entra) groupsDelta(w http.ResponseWriter, r *http.Request, a graphAccess) {
	if !a.groups() {
		e.forbidden(w, r)
		return
	}
	d, ok := e.openDelta(w, r, "groups")
	if !ok {
		return
	}
	fields, withMembers, ok := e.selectGroupDelta(w, r, d.query)
	if !ok {
		return
	}
	e.writeDelta(w, r, d, "groups", func(b []byte, p *deltaPlace) ([]byte, bool) {
		teller := groupTeller{e: e, d: d, a: a, fields: fields, withMembers: withMembers}
		teller.round(p.From, p.To)
		return teller.page(b, p)
	})
}

// selectGroupDelta finds the fields, and whether "members" is among them.
func (e *Entra) selectGroupDelta(w http.ResponseWriter, r *http.Request, q graphQuery) (fields []graphField[Group], members, ok bool) {
	members = q.selected == nil
	if i := slices.Index(q.selected, "members"); i >= 0 {
		members = true
		q.selected = slices.Delete(slices.Clone(q.selected), i, i+1)
	}
	fields, ok = e.selectGroups(w, r, q)
	return withoutID(fields), members, ok
}

// A groupTeller tells one page of a delta query of groups.
type groupTeller struct {
	e           *Entra
	d           deltaRound
	a           graphAccess
	fields      []graphField[Group]
	withMembers bool

	group func(i int) groupDelta // the i-th one of the round
	last  int                    // how many there are
}

func (t *groupTeller) round(from, to int) {
	if from == everything {
		t.last = t.e.Directory.groupCount
		t.group = func(i int) groupDelta { return groupDelta{n: GroupNo(i), changed: true, life: unborn} }
		return
	}
	changed := t.e.Directory.groupsChanged(from, to)
	t.last, t.group = len(changed), func(i int) groupDelta { return changed[i] }
}

// page appends groups until the page is full of groups, or of members.
func (t *groupTeller) page(b []byte, p *deltaPlace) ([]byte, bool) {
	c := t.d.config
	room, members := c.DeltaPage, c.DeltaMembers
	if c.Replays && p.At > 0 && len(p.Parts) == 0 {
		b, _, _ = t.append(b, t.group(p.At-1), 0, replayed)
	}
	p.Parts = slices.Clone(p.Parts)
	for resumed := false; room > 0 && members > 0; {
		var part deltaPart
		limit := members
		switch {
		case len(p.Parts) > 0 && (!resumed || !c.ShuffleDeltaParts || p.At == t.last):
			part, p.Parts, resumed = p.Parts[0], p.Parts[1:], true
		case p.At < t.last:
			part = deltaPart{At: p.At}
			p.At++
		default:
			return b, false
		}
		if c.ShuffleDeltaParts {
			limit = (members + 1) / 2 // leave room for another group
		}
		var told, next int
		b, told, next = t.append(b, t.group(part.At), part.From, limit)
		if told >= 0 {
			room--
			members -= told
		}
		if next > 0 {
			p.Parts = append(p.Parts, deltaPart{part.At, next})
		}
	}
	return b, len(p.Parts) > 0 || p.At < t.last
}

// append tells of one group, and of at most limit members from one on. It gives how many
// members it told, less than zero when there was nothing to tell at all, and where the rest
// begins, zero when there is none.
func (t *groupTeller) append(b []byte, c groupDelta, from, limit int) (_ []byte, told, next int) {
	e, id := t.e, Member{GroupMember, int(c.n)}
	g, state := e.Directory.group(c.n)
	switch {
	case t.d.ids != nil && !slices.Contains(t.d.ids, e.MemberID(id)), state == unborn, state == gone && t.d.place.From == everything:
		return b, -1, 0
	case state != alive:
		if !c.changed {
			return b, -1, 0
		}
		return e.appendRemoved(append(comma(b), '{'), id, state), 0, 0
	}
	start := len(b)
	b = appendID(e, appendKey(append(comma(b), '{'), "id"), id)
	fields := t.fields
	changed := c.changed
	if c.changed && c.life == alive {
		differ := differing(e, fields, id.N, &c.before, &g)
		changed = len(differ) > 0
		if t.d.minimal {
			fields = differ
		}
	} else if !c.changed && t.d.minimal {
		fields = nil
	}
	b = appendFields(e, b, fields, id.N, &g, true)
	if t.withMembers && t.a.membersOf(&g) {
		b, told, next = t.appendMembers(b, c, from, limit)
	}
	if !changed && told == 0 {
		return b[:start], -1, next
	}
	return append(b, '}'), told, next
}

// appendMembers appends "members@delta", unless it would have nothing in it.
func (t *groupTeller) appendMembers(b []byte, c groupDelta, from, limit int) (_ []byte, told, next int) {
	start := len(b)
	b = append(appendKey(b, "members@delta"), '[')
	if t.d.place.From == everything {
		at := from
		for m, after := range t.e.Directory.membersFrom(c.n, from) {
			if told == limit {
				next = at
				break
			}
			b, at = append(t.member(b, m), '}'), after
			told++
		}
	} else {
		for i, m := range c.members[min(from, len(c.members)):] {
			if told == limit {
				next = from + i
				break
			}
			// Whoever is deleted and may come back keeps the membership, and isn't told of.
			if t.e.Directory.memberLife(m) == deleted {
				continue
			}
			b = t.member(b, m)
			if !t.e.Directory.isMember(c.n, m) {
				b = append(b, `,"@removed":{"reason":"deleted"}`...)
			}
			b = append(b, '}')
			told++
		}
	}
	if told == 0 {
		return b[:start], 0, next
	}
	return append(b, ']'), told, next
}

// member begins one item of "members@delta".
func (t *groupTeller) member(b []byte, m Member) []byte {
	return appendID(t.e, appendKey(appendType(b, m.Kind), "id"), m)
}
