package roster

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

func compareRecords(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(record{})); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// oddRecords are users whose texts, ids and dates lie at the edges of what the table writes
// in few bytes, in the order of their keys.
func oddRecords() []record {
	long := strings.Repeat("ä", 1000)
	records := []record{
		{id: 1, active: true, texts: [userTexts]string{"a", "a", "", "", "", "", "x"}},
		{id: 127, created: 1, updated: 1, texts: [userTexts]string{"Ada", "ada", "Ada", "Lovelace", "Ada Lovelace", "ada@example.com", "0"}},
		{id: 128, created: 1_700_000_000_000, updated: 1_700_000_000_001, texts: [userTexts]string{strings.Repeat("b", 63), strings.Repeat("b", 63), strings.Repeat("1", 127), strings.Repeat("2", 128), long, long, long}},
		{id: 1 << 40, active: true, created: 5, updated: 3, texts: [userTexts]string{strings.Repeat("B", 64), strings.Repeat("b", 64), "", "\x00", "\u2028", "", "y"}},
		{id: 1<<63 - 1, created: -1, updated: 1<<62 - 1, texts: [userTexts]string{"İSTANBUL", models.Key("İSTANBUL"), "日本", "🙂", "", "", "z"}},
		{id: 3, texts: [userTexts]string{long[:510], long[:510], "", "", "", "", "a"}},
	}
	slices.SortFunc(records, func(a, b record) int { return strings.Compare(a.texts[textKey], b.texts[textKey]) })
	return records
}

func tableOf(t *testing.T, texts int, records []record) *table {
	t.Helper()
	b := newTableBuilder(texts)
	for i := range records {
		if err := b.add(&records[i]); err != nil {
			t.Fatal(err)
		}
	}
	return b.done()
}

func TestTableGivesBackWhatWasPutIn(t *testing.T) {
	t.Parallel()
	want := oddRecords()
	table := tableOf(t, userTexts, want)
	for i := range want {
		row := uint32(i)
		var got record
		table.read(row, &got)
		compareRecords(t, "row", want[i], got)
		id, name, key := table.short(row)
		compareRecords(t, "short", []any{want[i].id, want[i].texts[textName], want[i].texts[textKey]}, []any{id, name, key})
		found := []uint32{table.rowOfKey(key), table.rowOfID(id), table.rowOfExternal(want[i].texts[userTexts-1]), table.firstFrom(key)}
		compareRecords(t, "found by key, id, external id, order", []uint32{row, row, row, row}, found)
		if next := table.firstFrom(key + "\x00"); next != row+1 {
			t.Errorf("after %q comes %d, not %d", key, next, row+1)
		}
	}
	for _, row := range []uint32{table.rowOfKey("nobody"), table.rowOfID(2), table.rowOfExternal(""), table.rowOfKey("")} {
		if row != none {
			t.Errorf("found %d, which is nobody", row)
		}
	}
}

// A fold copies rows as they are, and reads from the database those that it has.
func TestTableTakesRowsOfEachKind(t *testing.T) {
	t.Parallel()
	want := oddRecords()
	source := tableOf(t, userTexts, want)
	b := newTableBuilder(userTexts)
	b.grow(source, 0)
	for i := range want {
		var err error
		if r := want[i]; i%2 == 0 {
			err = b.copyRow(source, uint32(i))
		} else {
			err = b.addRow(&store.Row{ID: r.id, Active: r.active, CreatedAt: r.created, UpdatedAt: r.updated, Texts: texts(r.texts[:]...)})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	got := b.done()
	if string(got.names) != string(source.names) || string(got.rest) != string(source.rest) {
		t.Error("the copy differs")
	}
	compareRecords(t, "places", [][]uint32{source.nameAt, source.restAt}, [][]uint32{got.nameAt, got.restAt})
}

func TestTableOfNobody(t *testing.T) {
	t.Parallel()
	table := newTableBuilder(groupTexts).done()
	if table.len() != 0 || table.rowOfKey("a") != none || table.rowOfID(1) != none || table.firstFrom("a") != 0 {
		t.Error("somebody is in an empty table")
	}
}

func TestTableRefusesWhatItCannotAddress(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		names, rest, rows int
		want              bool
	}{
		{0, 0, 0, false},
		{1<<32 - largestRow - 1, 1<<32 - largestRow - 1, maxRows - 1, false},
		{1<<32 - largestRow, 0, 0, true},
		{0, 1<<32 - largestRow, 0, true},
		{0, 0, maxRows, true},
	} {
		if got := full(c.names, c.rest, c.rows); got != c.want {
			t.Errorf("%+v: got %v", c, got)
		}
	}
}

func TestIndexFindsEachRow(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 2, 3, 10, 1000} {
		x := newIndex(n)
		hash := func(row uint32) uint64 { return uint64(row%7)<<62 | uint64(row%3) } // they crowd
		for row := range uint32(n) {
			x.put(hash(row), row)
		}
		for row := range uint32(n) {
			if got := x.find(hash(row), func(other uint32) bool { return other == row }); got != row {
				t.Errorf("of %d: want row %d, got %d", n, row, got)
			}
		}
		if got := x.find(hash(3), func(uint32) bool { return false }); got != none {
			t.Errorf("of %d: found %d, which nothing is the same as", n, got)
		}
	}
}

func TestPairsAreSeenFromBothSides(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(7, 7))
	for range 50 {
		lefts, rights := r.IntN(20), r.IntN(20)
		fromLeft, fromRight := make([][]uint32, lefts), make([][]uint32, rights)
		var p pairs
		for _, i := range r.Perm(lefts * rights) {
			if left, right := uint32(i/rights), uint32(i%rights); r.IntN(3) == 0 {
				p.add(left, right)
				fromLeft[left], fromRight[right] = append(fromLeft[left], right), append(fromRight[right], left)
			}
		}
		p.add(none, 0)
		p.add(0, none)
		gotLeft, gotRight := p.both(lefts, rights)
		checkRows(t, "from the left", fromLeft, &gotLeft)
		checkRows(t, "from the right", fromRight, &gotRight)
	}
}

func checkRows(t *testing.T, what string, want [][]uint32, got *csr) {
	t.Helper()
	for i, rows := range want {
		slices.Sort(rows)
		if !slices.Equal(rows, got.of(uint32(i))) {
			t.Fatalf("%s, row %d: want %v, got %v", what, i, rows, got.of(uint32(i)))
		}
	}
	if len(got.starts) != len(want)+1 {
		t.Fatalf("%s: %d rows, want %d", what, len(got.starts)-1, len(want))
	}
}
