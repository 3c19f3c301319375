package roster

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// A shape says how large a generated directory is.
type shape struct {
	users, groups int
	perUser       int // how many groups each user is directly in
}

// generated makes a Snapshot of one directory, number 1, with nothing in its overlay, straight
// through the builders. Groups stand in layers of ten, each in two groups of the layer above:
// a group of the lowest layer is in 65 or fewer.
func generated(tb testing.TB, s shape) *Snapshot {
	tb.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	b := &base{users: generatedUsers(tb, s.users, r), groups: generatedGroups(tb, s.groups)}
	var members, nested pairs
	for u := range uint32(s.users) {
		for range s.perUser {
			members.add(uint32(r.IntN(s.groups)), u)
		}
	}
	dedupe(&members)
	layer := s.groups / 11
	for child := range layer * 10 {
		depth, place := child/layer, child%layer
		for _, parent := range []int{place, (place + 1) % layer} {
			nested.add(uint32((depth+1)*layer+parent), uint32(child))
		}
	}
	b.pair(&members, &nested)
	return &Snapshot{dirs: map[models.ID]*dirView{1: newView(1, b)}}
}

func dedupe(p *pairs) {
	seen := map[[2]uint32]struct{}{}
	var out pairs
	for i := range p.left {
		pair := [2]uint32{p.left[i], p.right[i]}
		if _, ok := seen[pair]; !ok {
			seen[pair] = struct{}{}
			out.add(pair[0], pair[1])
		}
	}
	*p = out
}

func userName(i int) string { return fmt.Sprintf("user%07d", i) }

// generatedUsers makes users of about 115 bytes of text; ids come in another order than names.
func generatedUsers(tb testing.TB, n int, r *rand.Rand) *table {
	tb.Helper()
	b := newTableBuilder(userTexts)
	ids := r.Perm(n)
	for i := range n {
		name := userName(i)
		row := store.Row{ID: models.ID(ids[i] + 1), Active: true, CreatedAt: 1_780_000_000_000 + models.Time(i), UpdatedAt: 1_790_000_000_000,
			Texts: texts(name, name, "Firstname", fmt.Sprintf("Lastname%d", i), fmt.Sprintf("Firstname Lastname%d", i), name+"@example.com",
				fmt.Sprintf("%08x-0000-4000-8000-%012x", i, i))}
		if err := b.addRow(&row); err != nil {
			tb.Fatal(err)
		}
	}
	return b.done()
}

func generatedGroups(tb testing.TB, n int) *table {
	tb.Helper()
	b := newTableBuilder(groupTexts)
	for i := range n {
		name := fmt.Sprintf("group%06d", i)
		row := store.Row{ID: models.ID(i + 1), Active: true, CreatedAt: 1_780_000_000_000, UpdatedAt: 1_790_000_000_000,
			Texts: texts(name, name, "One of many", fmt.Sprintf("%08x-0000-4000-9000-%012x", i, i))}
		if err := b.addRow(&row); err != nil {
			tb.Fatal(err)
		}
	}
	return b.done()
}

func texts(list ...string) [][]byte {
	out := make([][]byte, len(list))
	for i, s := range list {
		out[i] = []byte(s)
	}
	return out
}
