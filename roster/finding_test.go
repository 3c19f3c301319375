package roster

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/rollcall-id/rollcall/models"
)

// A finding lists any page of what was added, base and overlay together, in the order of keys.
func TestFindingListsInOrder(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	s, keys := mixedSide(t, 300)
	f := newFinding(s)
	defer f.drop()
	for round := range 200 {
		f.clear()
		most := []int{3, 30, 600}[round%3] // few are sorted, many counted
		var want []string
		for range r.IntN(most) {
			key := keys[r.IntN(len(keys))]
			h, ok := s.ofKey(key)
			if !ok {
				t.Fatalf("%s is not found", key)
			}
			if f.add(h) != !slices.Contains(want, key) {
				t.Fatalf("%s is new or not?", key)
			}
			if !slices.Contains(want, key) {
				want = append(want, key)
			}
		}
		if len(want) > 0 && r.IntN(2) == 0 {
			i := r.IntN(len(want))
			f.leaveOut(want[i])
			want = slices.Delete(want, i, i+1)
			f.leaveOut("nobody")
		}
		slices.Sort(want)
		start, end := page(models.Page{Start: r.IntN(20), Max: r.IntN(40) - 1}, len(want))
		var got []string
		for _, h := range f.list(start, end) {
			got = append(got, h.key())
		}
		if !slices.Equal(want[start:end], got) {
			t.Fatalf("from %d to %d of %v: got %v", start, end, want, got)
		}
	}
}

// mixedSide makes users of which some are in the base, some in the overlay, some replaced.
func mixedSide(t *testing.T, n int) (side, []string) {
	t.Helper()
	var base, changed []record
	var keys []string
	for i := range n {
		key := fmt.Sprintf("user %04d", i)
		rec := record{id: models.ID(i + 1), texts: [userTexts]string{key, key, "", "", "", "", key}}
		if i%5 != 0 {
			base = append(base, rec)
		}
		if i%5 == 0 || i%7 == 0 {
			changed = append(changed, rec)
		}
		if i%11 != 0 {
			keys = append(keys, key)
		}
	}
	s := side{tableOf(t, userTexts, base), newRows(len(base))}
	for i, rec := range changed {
		s.put(&news{record: rec, seq: int64(i + 1), parts: theWhole})
	}
	for i := 0; i < n; i += 11 {
		s.put(&news{record: record{id: models.ID(i + 1)}, seq: int64(n + i + 1), deleted: true})
	}
	return s, keys
}

func TestAscendMergesBaseAndOverlay(t *testing.T) {
	t.Parallel()
	s, keys := mixedSide(t, 300)
	for _, from := range []string{"", "user 0100", "user 0101", "user 0105", "user 0299", "v"} {
		var got []string
		s.ascend(from, func(h hit) bool {
			got = append(got, h.key())
			return len(got) < 100
		})
		i, _ := slices.BinarySearch(keys, from)
		want := keys[i:min(i+100, len(keys))]
		if !slices.Equal(want, got) {
			t.Errorf("from %q: want %v, got %v", from, want, got)
		}
	}
	if s.count() != len(keys) {
		t.Errorf("want %d, counted %d", len(keys), s.count())
	}
}

func TestSketchNeverForgets(t *testing.T) {
	t.Parallel()
	s := newSketch(1000)
	rows := []uint32{0, 63, 64, 16383, 16384, 1 << 31}
	for _, row := range rows {
		s.put(row)
	}
	for _, row := range rows {
		if !s.perhaps(row) {
			t.Errorf("%d is forgotten", row)
		}
	}
	if s.perhaps(1) || s.perhaps(16385) {
		t.Error("what was never put in is there")
	}
	if n := len(newSketch(1_000_000)) * 64; n != 1<<17 {
		t.Errorf("a million rows have %d bits", n)
	}
}
