package roster

import (
	"cmp"
	"math/bits"
	"slices"

	"github.com/tidwall/btree"

	"github.com/rollcall-id/rollcall/models"
)

// An overlay holds what changed in a directory since its base. It is never changed once it
// is in a Snapshot: apply works on a copy, which shares what stays. (A tree's Copy marks both
// trees so that whichever is written next copies its nodes first; only apply copies, under the
// roster's mutex, and readers don't look at the mark.)
type overlay struct {
	users, groups *rows
	members       links // groups and users
	nested        links // parents and children
	changes       int   // how many were applied: what a fold would save
}

// copied gives an overlay that can be changed.
func (o *overlay) copied() *overlay {
	return &overlay{users: o.users.copied(), groups: o.groups.copied(), members: o.members.copied(), nested: o.nested.copied(), changes: o.changes}
}

// newOverlay is empty, over a base.
func newOverlay(b *base) *overlay {
	return &overlay{users: newRows(b.users.len()), groups: newRows(b.groups.len()), members: newLinks(), nested: newLinks()}
}

// A row is a user or group that came or changed since the base; deleted, it hides the base's.
// Its parts are written by different changes, which may come out of order: of each part the
// number of the latest is kept.
type row struct {
	record
	base    uint32 // the row of the base that it replaces, or none
	deleted bool   // for good: a row's id is never given again

	nameSeq, restSeq, dateSeq int64 // the changes that name, other fields, and date of update come from
}

// rows finds changed rows. A key or external id whose row changed away from it leads to nil.
type rows struct {
	byKey      *btree.Map[string, *row]
	byID       *btree.Map[models.ID, *row]
	byExternal *btree.Map[string, *row]
	touched    sketch // the rows of the base that are in byID
	ownSketch  bool   // it is not shared with an earlier overlay
}

// newRows is empty, over a table of so many rows.
func newRows(n int) *rows {
	return &rows{byKey: &btree.Map[string, *row]{}, byID: &btree.Map[models.ID, *row]{}, byExternal: &btree.Map[string, *row]{},
		touched: newSketch(n), ownSketch: true}
}

func (r *rows) copied() *rows {
	return &rows{byKey: r.byKey.Copy(), byID: r.byID.Copy(), byExternal: r.byExternal.Copy(), touched: r.touched}
}

// touch remembers that a row of the base is in byID.
func (r *rows) touch(row uint32) {
	if r.touched.perhaps(row) {
		return
	}
	if !r.ownSketch {
		r.touched, r.ownSketch = slices.Clone(r.touched), true
	}
	r.touched.put(row)
}

func (r *rows) atKey(key string) *row {
	ov, _ := r.byKey.Get(key)
	return ov
}

func (r *rows) atExternal(external string) *row {
	ov, _ := r.byExternal.Get(external)
	return ov
}

// gone tells whether a row is known to be deleted.
func (r *rows) gone(id models.ID) bool {
	ov, ok := r.byID.Get(id)
	return ok && ov.deleted
}

// A sketch tells most row numbers apart from those that were put into it: it may say "perhaps"
// of others too, but never "no" of one that is in it. It spares nearly all rows of a base the
// search in the overlay.
type sketch []uint64

// newSketch has a bit for every eight rows: an overlay is folded long before many are set.
func newSketch(n int) sketch { return make(sketch, 1<<bits.Len(uint(max(n/8, 1<<14)-1)/64)) }

func (s sketch) put(row uint32) { s[row/64&uint32(len(s)-1)] |= 1 << (row % 64) }

func (s sketch) perhaps(row uint32) bool { return s[row/64&uint32(len(s)-1)]&(1<<(row%64)) != 0 }

// A link is a pair of ids, ordered by the first.
type link struct{ from, to models.ID }

func (a link) compare(b link) int {
	if c := cmp.Compare(a.from, b.from); c != 0 {
		return c
	}
	return cmp.Compare(a.to, b.to)
}

// linkState says whether a pair is there, and by which change.
type linkState struct {
	link
	there bool
	seq   int64
}

type linkTree = btree.BTreeG[linkState]

// links holds changed pairs from both sides.
type links struct {
	down *linkTree // from the group or parent
	up   *linkTree // from the user or child
}

func newLinks() links {
	less := func(a, b linkState) bool { return a.compare(b.link) < 0 }
	options := btree.Options{NoLocks: true}
	return links{down: btree.NewBTreeGOptions(less, options), up: btree.NewBTreeGOptions(less, options)}
}

func (l links) copied() links { return links{down: l.down.Copy(), up: l.up.Copy()} }

func (l links) empty() bool { return l.down.Len() == 0 }

// get tells what is known of a pair.
func (l links) get(top, bottom models.ID) (linkState, bool) {
	return l.down.Get(linkState{link: link{top, bottom}})
}

func (l links) set(s linkState) {
	l.down.Set(s)
	s.from, s.to = s.to, s.from
	l.up.Set(s)
}

// from calls each with the changed pairs of one id, until it says no.
func from(tree *linkTree, id models.ID, each func(to models.ID, there bool) bool) {
	tree.Ascend(linkState{link: link{from: id}}, func(s linkState) bool {
		return s.from == id && each(s.to, s.there)
	})
}
