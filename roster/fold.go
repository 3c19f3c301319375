package roster

import (
	"errors"

	"github.com/rollcall-id/rollcall/models"
)

// errUnsettled says that a name is between two rows: the change by which one of them left it
// is still to come. A fold would lose that row.
var errUnsettled = errors.New("changes are missing that others follow from")

// folded writes a view's rows, as they are seen, into a new base. Links that lead to rows of
// which nothing is known yet go on in the new overlay.
func folded(d *dirView, seq int64) (*dirView, error) {
	users, userRows, err := foldTable(d.userSide())
	if err != nil {
		return nil, err
	}
	groups, groupRows, err := foldTable(d.groupSide())
	if err != nil {
		return nil, err
	}
	next := newView(d.id, &base{users: users, groups: groups, loaded: d.loaded, folded: seq})
	members := foldLinks(d.usersOfGroup(), groupRows, userRows, next.groupSide(), next.userSide(), next.over.members)
	nested := foldLinks(d.childrenOfGroup(), groupRows, groupRows, next.groupSide(), next.groupSide(), next.over.nested)
	next.pair(members, nested)
	return next, nil
}

// foldTable writes one side into a new table, and tells which of its rows each row of the old
// one is: none if it is gone.
func foldTable(s side) (*table, []uint32, error) {
	b := newTableBuilder(s.t.texts)
	b.grow(s.t, s.r.byID.Len())
	moved := make([]uint32, s.t.len())
	for i := range moved {
		moved[i] = none
	}
	var err error
	s.ascend("", func(h hit) bool {
		if h.row != none {
			moved[h.row] = uint32(b.t.len())
		}
		if h.ov != nil {
			err = b.add(&h.ov.record)
		} else {
			err = b.copyRow(h.t, h.row)
		}
		return err == nil
	})
	if err == nil && b.t.len() != s.count() {
		err = errUnsettled
	}
	if err != nil {
		return nil, nil, err
	}
	return b.done(), moved, nil
}

// count gives how many rows there are, found by their ids.
func (s side) count() int {
	n := s.t.len()
	s.r.byID.Scan(func(_ models.ID, ov *row) bool {
		if ov.base != none {
			n--
		}
		if !ov.deleted {
			n++
		}
		return true
	})
	return n
}

// foldLinks gathers the pairs of a relation that starts from tops, as rows of the new tables.
func foldLinks(r relation, tops, bottoms []uint32, top, bottom side, unknown links) *pairs {
	var p pairs
	for row, to := range tops {
		if to == none {
			continue
		}
		h := hit{t: r.near.t, row: uint32(row)}
		id, changed := r.changed(h)
		for _, other := range r.csr.of(uint32(row)) {
			if !changed || !r.knows(id, r.far.t.id(other)) {
				p.add(to, bottoms[other])
			}
		}
	}
	r.links.down.Scan(func(s linkState) bool {
		if !s.there || r.near.r.gone(s.from) || r.far.r.gone(s.to) {
			return true
		}
		from, to := top.t.rowOfID(s.from), bottom.t.rowOfID(s.to)
		if from == none || to == none {
			unknown.set(s)
		}
		p.add(from, to)
		return true
	})
	return &p
}
