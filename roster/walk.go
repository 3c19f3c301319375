package roster

import (
	"iter"

	"github.com/rollcall-id/rollcall/models"
)

// A walk goes through the groups of several directories.
type walk struct {
	views []*dirView
	found []*finding // groups, of each view
	alike bool       // with a group come those of the same name in the other views
}

func newWalk(views []*dirView, alike bool) *walk {
	w := &walk{views: views, found: make([]*finding, len(views)), alike: alike && len(views) > 1}
	for i, d := range views {
		w.found[i] = newFinding(d.groupSide())
	}
	return w
}

func (w *walk) drop() {
	for _, f := range w.found {
		f.drop()
	}
}

// add adds a group of the i-th view.
func (w *walk) add(i int, h hit) {
	if !w.found[i].add(h) || !w.alike {
		return
	}
	key := h.key()
	for j, d := range w.views {
		if same, ok := d.groupSide().ofKey(key); ok && j != i {
			w.found[j].add(same)
		}
	}
}

// start adds the groups that the rows of some ids are linked with.
func (w *walk) start(ids []models.ID, first func(*dirView) relation) {
	for i, d := range w.views {
		r := first(d)
		for _, id := range ids {
			if h, ok := r.near.ofID(id); ok {
				r.each(h, func(g hit) { w.add(i, g) })
			}
		}
	}
}

// startAt adds the groups of some ids themselves.
func (w *walk) startAt(ids []models.ID) {
	for i, d := range w.views {
		for _, id := range ids {
			if h, ok := d.groupSide().ofID(id); ok {
				w.add(i, h)
			}
		}
	}
}

// on follows a relation from every group, also from those that it leads to, in circles too.
func (w *walk) on(next func(*dirView) relation) {
	for going := true; going; {
		going = false
		for i, d := range w.views {
			r := next(d)
			for h, ok := w.found[i].next(); ok; h, ok = w.found[i].next() {
				going = true
				r.each(h, func(g hit) { w.add(i, g) })
			}
		}
	}
}

// A placed hit is one of several directories.
type placed struct {
	dir *dirView
	hit hit
}

// answer gives a page of what was found in several views, but for one name: of each name its
// canonical row, if that was found, or with names if any row of the name was.
func answer(views []*dirView, found []*finding, side func(*dirView) side, names bool, but string, p models.Page) iter.Seq[placed] {
	return func(yield func(placed) bool) {
		if len(views) == 1 {
			if but != "" {
				found[0].leaveOut(but)
			}
			for _, h := range found[0].list(page(p, found[0].len())) {
				if !yield(placed{views[0], h}) {
					return
				}
			}
			return
		}
		skip, left := max(p.Start, 0), p.Max
		for m := range merge(views, found, side, names) {
			switch {
			case left == 0:
				return
			case but != "" && m.hit.key() == but:
			case skip > 0:
				skip--
			default:
				if left--; !yield(m) {
					return
				}
			}
		}
	}
}

// merge is answer without pages.
func merge(views []*dirView, found []*finding, side func(*dirView) side, names bool) iter.Seq[placed] {
	return func(yield func(placed) bool) {
		heads := make([][]hit, len(views))
		keys := make([]string, len(views))
		for i, f := range found {
			if heads[i] = f.list(0, f.len()); len(heads[i]) > 0 {
				keys[i] = heads[i][0].key()
			}
		}
		for {
			first := -1
			for i := range heads {
				if len(heads[i]) > 0 && (first < 0 || keys[i] < keys[first]) {
					first = i
				}
			}
			if first < 0 {
				return
			}
			key := keys[first]
			// The canonical row is that of the first view which has the name at all.
			canonical, is := placed{views[first], heads[first][0]}, true
			for _, d := range views[:first] {
				if h, ok := side(d).ofKey(key); ok {
					canonical, is = placed{d, h}, names
					break
				}
			}
			if is && !yield(canonical) {
				return
			}
			for i := range heads {
				if len(heads[i]) > 0 && keys[i] == key {
					if heads[i] = heads[i][1:]; len(heads[i]) > 0 {
						keys[i] = heads[i][0].key()
					}
				}
			}
		}
	}
}

// linked gathers, of each view, what the groups that were found are linked with.
func (w *walk) linked(to func(*dirView) relation) []*finding {
	out := make([]*finding, len(w.views))
	for i, d := range w.views {
		r := to(d)
		f := newFinding(r.far)
		w.found[i].all(func(g hit) { r.each(g, func(h hit) { f.add(h) }) })
		out[i] = f
	}
	return out
}
