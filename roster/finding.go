package roster

import (
	"math/bits"
	"slices"
	"sort"
	"strings"
	"sync"
)

// A finding gathers rows of one side of a directory, each once, and puts them in order. One
// is taken from the pool for a question and given back with its answer.
type finding struct {
	side  side
	rows  []uint32 // of the base
	seen  []uint64 // the bits of rows
	over  []*row   // of the overlay
	known map[*row]struct{}
	hits  []hit // room for list

	// How far next has come.
	nextRow, nextOver int
}

var findings = sync.Pool{New: func() any { return &finding{known: map[*row]struct{}{}} }}

func newFinding(s side) *finding {
	f := findings.Get().(*finding)
	f.side = s
	if words := (s.t.len() + 63) / 64; words > len(f.seen) {
		f.seen = make([]uint64, words)
	}
	return f
}

// drop gives the finding back; nothing that it lists may be used any more.
func (f *finding) drop() {
	f.clear()
	f.side = side{}
	findings.Put(f)
}

// clear makes it empty.
func (f *finding) clear() {
	for _, row := range f.rows {
		f.seen[row/64] = 0
	}
	for _, ov := range f.over { // clearing the map would go through all that it ever had room for
		delete(f.known, ov)
	}
	clear(f.over)
	clear(f.hits)
	f.rows, f.over, f.hits, f.nextRow, f.nextOver = f.rows[:0], f.over[:0], f.hits[:0], 0, 0
}

// add adds a row, and tells whether it is new.
func (f *finding) add(h hit) bool {
	if h.ov != nil {
		if _, ok := f.known[h.ov]; ok {
			return false
		}
		f.known[h.ov] = struct{}{}
		f.over = append(f.over, h.ov)
		return true
	}
	word, bit := &f.seen[h.row/64], uint64(1)<<(h.row%64)
	if *word&bit != 0 {
		return false
	}
	*word |= bit
	f.rows = append(f.rows, h.row)
	return true
}

// next gives each row that was added once, also those that are added between two calls.
func (f *finding) next() (hit, bool) {
	switch {
	case f.nextRow < len(f.rows):
		f.nextRow++
		return hit{t: f.side.t, row: f.rows[f.nextRow-1]}, true
	case f.nextOver < len(f.over):
		f.nextOver++
		return changed(f.over[f.nextOver-1]), true
	}
	return hit{}, false
}

// all calls do with each row.
func (f *finding) all(do func(hit)) {
	for _, row := range f.rows {
		do(hit{t: f.side.t, row: row})
	}
	for _, ov := range f.over {
		do(changed(ov))
	}
}

func (f *finding) len() int { return len(f.rows) + len(f.over) }

// leaveOut takes the row of a key out; the order of rows is lost.
func (f *finding) leaveOut(key string) {
	h, ok := f.side.ofKey(key)
	switch {
	case !ok:
	case h.ov != nil:
		if i := slices.Index(f.over, h.ov); i >= 0 {
			f.over = slices.Delete(f.over, i, i+1)
			delete(f.known, h.ov)
		}
	case f.seen[h.row/64]&(1<<(h.row%64)) != 0:
		f.seen[h.row/64] &^= 1 << (h.row % 64)
		i := slices.Index(f.rows, h.row)
		f.rows = slices.Delete(f.rows, i, i+1)
	}
}

// list gives the rows from start to end in the order of keys. It is valid until the finding
// is cleared.
func (f *finding) list(start, end int) []hit {
	f.sort()
	f.hits = slices.Grow(f.hits[:0], end-start)
	if len(f.over) == 0 {
		for _, row := range f.rows[start:end] {
			f.hits = append(f.hits, hit{t: f.side.t, row: row})
		}
		return f.hits
	}
	// In the whole list ov stands after the rows of lesser keys and those of over before it.
	at, i := 0, 0 // place in the whole list, and in rows
	for j := range len(f.over) + 1 {
		stop := len(f.rows)
		if j < len(f.over) {
			stop = i + sort.Search(len(f.rows)-i, func(k int) bool { return f.side.t.key(f.rows[i+k]) >= f.over[j].texts[textKey] })
		}
		from := min(max(i, i+start-at), stop)
		to := min(max(from, i+end-at), stop)
		for _, row := range f.rows[from:to] {
			f.hits = append(f.hits, hit{t: f.side.t, row: row})
		}
		at, i = at+stop-i, stop
		if j < len(f.over) && at >= start && at < end {
			f.hits = append(f.hits, changed(f.over[j]))
		}
		at++
	}
	return f.hits
}

// sort orders rows and over, each by key. Rows of a base are numbered in that order, so of many
// rows the bits are the order already.
func (f *finding) sort() {
	if len(f.over) > 1 {
		slices.SortFunc(f.over, func(a, b *row) int { return strings.Compare(a.texts[textKey], b.texts[textKey]) })
	}
	words := (f.side.t.len() + 63) / 64
	switch {
	case slices.IsSorted(f.rows):
	case len(f.rows) < words/8:
		slices.Sort(f.rows)
	default:
		f.rows = f.rows[:0]
		for i, word := range f.seen[:words] {
			for ; word != 0; word &= word - 1 {
				f.rows = append(f.rows, uint32(i*64+bits.TrailingZeros64(word)))
			}
		}
	}
}
