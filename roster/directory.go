package roster

import "github.com/rollcall-id/rollcall/models"

// A dirView is one directory in a Snapshot: its base, and what changed since.
type dirView struct {
	id models.ID
	*base
	over     *overlay
	replaced bool // most of it may have changed since: it is to be loaded anew
}

// newView is a directory of which nothing changed since its base.
func newView(id models.ID, b *base) *dirView { return &dirView{id: id, base: b, over: newOverlay(b)} }

// A side is the users or the groups of a directory.
type side struct {
	t *table
	r *rows
}

func (d *dirView) userSide() side  { return side{d.users, d.over.users} }
func (d *dirView) groupSide() side { return side{d.groups, d.over.groups} }

// A hit is a row that was found, in the base or in the overlay. It is read only when it is
// wanted.
type hit struct {
	t   *table
	row uint32 // in the base; also where the overlay replaces it
	ov  *row   // nil: in the base
}

func changed(ov *row) hit { return hit{row: ov.base, ov: ov} }

func (h hit) key() string {
	if h.ov != nil {
		return h.ov.texts[textKey]
	}
	return h.t.key(h.row)
}

func (h hit) id() models.ID {
	if h.ov != nil {
		return h.ov.id
	}
	return h.t.id(h.row)
}

func (h hit) short() (id models.ID, name, key string) {
	if h.ov != nil {
		return h.ov.id, h.ov.texts[textName], h.ov.texts[textKey]
	}
	return h.t.short(h.row)
}

func (h hit) read(r *record) {
	if h.ov != nil {
		*r = h.ov.record
		return
	}
	h.t.read(h.row, r)
}

func (s side) ofKey(key string) (hit, bool) {
	row := s.t.rowOfKey(key)
	if row != none && !s.r.touched.perhaps(row) {
		return hit{t: s.t, row: row}, true
	}
	if ov, ok := s.r.byKey.Get(key); ok {
		return overlaid(ov)
	}
	return hit{t: s.t, row: row}, row != none
}

func (s side) ofExternal(external string) (hit, bool) {
	row := s.t.rowOfExternal(external)
	if row != none && !s.r.touched.perhaps(row) {
		return hit{t: s.t, row: row}, true
	}
	if ov, ok := s.r.byExternal.Get(external); ok {
		return overlaid(ov)
	}
	return hit{t: s.t, row: row}, row != none
}

func (s side) ofID(id models.ID) (hit, bool) {
	row := s.t.rowOfID(id)
	if row != none {
		return s.ofRow(row)
	}
	if ov, ok := s.r.byID.Get(id); ok {
		return overlaid(ov)
	}
	return hit{}, false
}

// ofRow finds what a row of the base is now.
func (s side) ofRow(row uint32) (hit, bool) {
	if s.r.touched.perhaps(row) {
		if ov, ok := s.r.byID.Get(s.t.id(row)); ok {
			return overlaid(ov)
		}
	}
	return hit{t: s.t, row: row}, true
}

func overlaid(ov *row) (hit, bool) {
	if ov == nil || ov.deleted {
		return hit{}, false
	}
	return changed(ov), true
}

// ascend calls each with the rows from a key on, in the order of keys, until it says no.
// Whatever the overlay replaces, it knows the key of: see side.forget.
func (s side) ascend(from string, each func(hit) bool) {
	next := s.t.firstFrom(from)
	size := uint32(s.t.len())
	going := true
	s.r.byKey.Ascend(from, func(key string, ov *row) bool {
		for ; going && next < size && s.t.key(next) < key; next++ {
			going = each(hit{t: s.t, row: next})
		}
		if going && next < size && s.t.key(next) == key {
			next++
		}
		if going && ov != nil {
			going = each(changed(ov))
		}
		return going
	})
	for ; going && next < size; next++ {
		going = each(hit{t: s.t, row: next})
	}
}
