package roster

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"reflect"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// changes makes random changes of the generated directory, whose base ends with number 0: such
// changes need no database.
type changes struct {
	*rand.Rand
	shape
	seq     int64
	deleted map[models.ID]bool
}

func newChanges(s shape) *changes {
	return &changes{Rand: rand.New(rand.NewPCG(5, 6)), shape: s, deleted: map[models.ID]bool{}}
}

func (c *changes) next() []models.Change {
	c.seq++
	user, group := models.ID(c.IntN(c.users)+1), models.ID(c.IntN(c.groups)+1)
	for c.deleted[user] {
		user = models.ID(c.IntN(c.users) + 1)
	}
	next := models.Change{Seq: c.seq, At: models.Time(c.seq), DirectoryID: 1}
	switch c.IntN(8) {
	case 0, 1, 2:
		next.Kind, next.RowID, next.Name = models.UserRenamed, user, fmt.Sprintf("renamed %d", c.seq)
	case 3:
		next.Kind, next.RowID = models.UserDeleted, user
		c.deleted[user] = true
	case 4, 5:
		next.Kind, next.RowID, next.MemberID = models.MemberAdded, group, user
	default:
		next.Kind, next.RowID, next.MemberID = models.NestingRemoved, group, models.ID(c.IntN(c.groups)+1)
	}
	next.Data, _ = json.Marshal(models.ChangedUser{ExternalID: fmt.Sprint("external ", c.seq), UpdatedAt: next.At})
	return []models.Change{next}
}

// everything is all that a Snapshot answers about the generated directory.
func everything(t *testing.T, s *Snapshot, size shape) any {
	t.Helper()
	v := store.Visible{Dirs: []models.ID{1}}
	var all []any
	groups, err := s.VisibleGroups(t.Context(), v, "", size.groups)
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range groups {
		members, err := s.MembersOf(t.Context(), v, store.Start{IDs: []models.ID{g.ID}, Key: g.NameKey, Nested: true}, models.Everything)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, g, members)
	}
	var dump []store.Member
	for m, err := range s.DumpUsers(t.Context(), v, "", "~") {
		if err != nil {
			t.Fatal(err)
		}
		dump = append(dump, m)
	}
	return append(all, dump)
}

// compareAll looks for the difference only when there is one: that takes long.
func compareAll(t *testing.T, what string, want, got any) {
	t.Helper()
	if !reflect.DeepEqual(want, got) {
		t.Errorf("%s (-want +got):\n%s", what, cmp.Diff(want, got))
	}
}

// A Snapshot that somebody holds answers the same, whatever is applied to it or folded
// meanwhile. The race detector looks at the trees that it shares with later ones.
func TestHeldSnapshotStays(t *testing.T) {
	t.Parallel()
	size := shape{users: 200, groups: 22, perUser: 2}
	r := newRoster(&store.Store{}, slog.New(slog.DiscardHandler))
	r.spare = 40
	r.current.Store(generated(t, size))
	news := newChanges(size)
	var readers sync.WaitGroup
	for seq := 1; seq <= 400; seq++ {
		r.heed(news.next())
		if seq%40 == 0 {
			held := r.current.Load()
			want := everything(t, held, size)
			readers.Go(func() {
				for range 3 {
					compareAll(t, "a held snapshot", want, everything(t, held, size))
				}
			})
		}
		if seq%130 == 0 {
			if err := r.renewDue(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	readers.Wait()
	if r.current.Load() == nil {
		t.Error("the picture was given up")
	}
}

// Readers go on while a directory is folded; what is written meanwhile is in the folded one.
func TestWritesDuringAFoldAreKept(t *testing.T) {
	t.Parallel()
	size := shape{users: 1000, groups: 110, perUser: 2}
	r := newRoster(&store.Store{}, slog.New(slog.DiscardHandler))
	r.spare = 40
	r.current.Store(generated(t, size))
	plain := generated(t, size)
	news := newChanges(size)
	write := func() {
		c := news.next()
		r.heed(c)
		var err error
		if plain, err = apply(r.store, plain, c); err != nil {
			t.Fatal(err)
		}
	}
	for range 10 {
		for range 100 {
			write()
		}
		d, seq := r.claim()
		if d == nil {
			t.Fatal("nothing is due")
		}
		for range 20 {
			write()
		}
		if err := r.fold(d, seq); err != nil {
			t.Fatal(err)
		}
		now := r.current.Load()
		if now == nil || now.dirs[1].over.changes != 20 {
			t.Fatal("the folded directory has not what came meanwhile")
		}
	}
	compareAll(t, "what was folded", everything(t, plain, size), everything(t, r.current.Load(), size))
}
