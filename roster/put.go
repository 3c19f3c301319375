package roster

import "github.com/rollcall-id/rollcall/models"

// part names what a change writes of a row. Its fields tell all parts, but of those that it
// doesn't write they tell only what its writer had read before, which may be old news.
type part int

const (
	theName  part = 1 << iota
	theRest       // all but the name and the dates
	theDate       // of the last update
	theWhole = theName | theRest | theDate
)

// parts tells what a change of a user or group writes.
func parts(c *models.Change, updated models.Time) part {
	switch c.Kind {
	case models.UserCreated, models.GroupCreated:
		return theWhole
	case models.UserRenamed:
		return theName | theDate
	case models.UserUpdated, models.GroupUpdated:
		return theRest | theDate
	}
	if updated == c.At { // attributes and passwords move the date, bookkeeping doesn't
		return theDate
	}
	return 0
}

// news is what is heard of a row.
type news struct {
	record
	seq     int64
	parts   part // that the change wrote
	asked   bool // the database told: the row is so now, whatever came before
	deleted bool
}

// put takes news of a row into the overlay. What the row was found by before leads to it no
// longer; what it is found by now leads to it, unless another row took that over since.
func (s side) put(n *news) {
	old := s.latest(n.id)
	if old != nil && old.deleted {
		return
	}
	next := n.onto(old)
	if old == nil {
		next.base = none
	} else {
		s.forget(old)
	}
	if next.base != none {
		s.r.touch(next.base)
	}
	s.r.byID.Set(next.id, next)
	if !next.deleted {
		s.find(next)
	}
}

// latest gives what is known of a row, or nil.
func (s side) latest(id models.ID) *row {
	if ov, ok := s.r.byID.Get(id); ok {
		return ov
	}
	number := s.t.rowOfID(id)
	if number == none {
		return nil
	}
	r := &row{base: number}
	s.t.read(number, &r.record)
	return r
}

// onto gives the row with the news in it. Of a row that is not known yet the news is the best
// there is: what created it may come later.
func (n *news) onto(old *row) *row {
	next := &row{record: n.record, deleted: n.deleted}
	if old != nil {
		*next = *old
		next.deleted = n.deleted
	}
	switch {
	case n.deleted:
	case n.asked:
		next.record = n.record
		next.nameSeq, next.restSeq, next.dateSeq = max(next.nameSeq, n.seq), max(next.restSeq, n.seq), max(next.dateSeq, n.seq)
	default:
		n.write(next)
	}
	return next
}

// write sets the parts of which nothing later is known.
func (n *news) write(r *row) {
	if n.parts&theName != 0 && n.seq >= r.nameSeq {
		r.nameSeq = n.seq
		r.texts[textName], r.texts[textKey] = n.texts[textName], n.texts[textKey]
	}
	if n.parts&theRest != 0 && n.seq >= r.restSeq {
		r.restSeq = n.seq
		name, key := r.texts[textName], r.texts[textKey]
		r.active, r.texts = n.active, n.texts
		r.texts[textName], r.texts[textKey] = name, key
	}
	if n.parts&theDate != 0 && n.seq >= r.dateSeq {
		r.dateSeq = n.seq
		r.updated = n.updated
	}
}

// forget hides what a row was found by, unless another row took it over meanwhile. The nil
// stays: it also hides the row of the base, which ascend relies on.
func (s side) forget(old *row) {
	if owner := s.r.atKey(old.texts[textKey]); owner == nil || owner.id == old.id {
		s.r.byKey.Set(old.texts[textKey], nil)
	}
	external := old.texts[s.t.texts-1]
	if owner := s.r.atExternal(external); owner == nil || owner.id == old.id {
		s.r.byExternal.Set(external, nil)
	}
}

// find lets a row be found, unless another row that was named later has its place: then the
// change by which this one left it is still to come.
func (s side) find(r *row) {
	if owner := s.r.atKey(r.texts[textKey]); owner == nil || owner.nameSeq <= r.nameSeq {
		s.r.byKey.Set(r.texts[textKey], r)
	}
	external := r.texts[s.t.texts-1]
	if owner := s.r.atExternal(external); owner == nil || owner.nameSeq <= r.nameSeq {
		s.r.byExternal.Set(external, r)
	}
}
