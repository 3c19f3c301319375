package roster_test

import (
	"database/sql"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/roster"
	"github.com/rollcall-id/rollcall/store"
)

// An ear keeps what a store's listeners are told, until somebody takes it.
type ear struct {
	mu    sync.Mutex
	told  [][]models.Change
	users []models.ID // that were created
}

func (e *ear) hear(changes []models.Change) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.told = append(e.told, slices.Clone(changes))
	for _, c := range changes {
		if c.Kind == models.UserCreated {
			e.users = append(e.users, c.RowID)
		}
	}
}

// take gives what was told from place i on.
func (e *ear) take(i int) []models.Change {
	e.mu.Lock()
	defer e.mu.Unlock()
	changes := e.told[i]
	e.told = slices.Delete(e.told, i, i+1)
	return changes
}

func (e *ear) waiting() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.told)
}

// usersSeen gives some of the users that there ever were, or all.
func (e *ear) usersSeen(r interface{ IntN(n int) int }, most int) []models.ID {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.users) <= most {
		return slices.Clone(e.users)
	}
	var out []models.ID
	for range most {
		out = append(out, e.users[r.IntN(len(e.users))])
	}
	return out
}

func build(t *testing.T, r *roster.Roster) {
	t.Helper()
	if err := r.Build(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func reads(t *testing.T, r *roster.Roster) roster.Reads {
	t.Helper()
	reads, err := r.Reads()
	if err != nil {
		t.Fatal(err)
	}
	return reads
}

// foldAll leaves nothing in the overlays; all changes must have come.
func foldAll(t *testing.T, r *roster.Roster) {
	t.Helper()
	if err := r.FoldAll(); err != nil {
		t.Fatal(err)
	}
}

// replaceOne changes much of one of the directories at once.
func replaceOne(t *testing.T, s *store.Store, rnd *rand.Rand, raw *sql.DB) error {
	t.Helper()
	dirs, err := s.Directories(t.Context())
	if err != nil || len(dirs) == 0 {
		return err
	}
	return bulk{rnd, raw, dirs[rnd.IntN(len(dirs))].ID}.write(t.Context())
}

// The roster and SQL have one meaning: whatever was written, by this process or another, and
// in whatever order the changes come. One roster hears as the program's does; another hears
// each transaction some time later, and them in another order than they happened. Now and then
// much of a directory is replaced at once.
func TestMemoryAnswersAsSQLDoes(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) { sameMeaning(t, db, 300, 8) })
}

func sameMeaning(t *testing.T, db testkit.Database, writes, every int) {
	rnd := seedOf(t)
	s, other, raw := db.Open(t), db.Open(t), db.Raw(t)
	var e ear
	s.OnCommit(e.hear)
	prompt, late := roster.New(s, testkit.Log(t)), roster.Deaf(s, testkit.Log(t))
	rosters := map[string]*roster.Roster{"prompt": prompt, "late": late}
	for _, r := range rosters {
		r.FoldAfter(15)
	}
	w := &scribe{Rand: rnd, ctx: t.Context(), most: 3}
	c := &comparison{Rand: rnd, t: t, want: &s.Reads}
	inBase, inOverlay := 0, 0
	unsettled := map[*roster.Roster]int{}
	fold := func(t *testing.T, r *roster.Roster) {
		if err := r.Fold(); errors.Is(err, roster.ErrUnsettled) {
			unsettled[r]++
		} else if err != nil {
			t.Fatal(err)
		}
	}
	for n := 1; n <= writes; n++ {
		at := s
		if rnd.IntN(4) == 0 {
			at = other
		}
		if err := w.write(at); err != nil {
			t.Fatalf("write %d: %v", n, err)
		}
		if rnd.IntN(10) == 0 {
			if err := replaceOne(t, s, rnd, raw); err != nil {
				t.Fatalf("after write %d: %v", n, err)
			}
		}
		if n == writes/10 {
			build(t, prompt)
			build(t, late)
		}
		for e.waiting() > 0 && rnd.IntN(2) > 0 {
			late.Heed(e.take(rnd.IntN(e.waiting())))
		}
		if rnd.IntN(3) == 0 {
			fold(t, late)
			fold(t, prompt)
		}
		if n < writes/10 || n%every != 0 && n != writes {
			continue
		}
		if err := s.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		all := rnd.IntN(3) == 0 || n == writes
		for all && e.waiting() > 0 {
			late.Heed(e.take(rnd.IntN(e.waiting())))
		}
		if all && rnd.IntN(2) == 0 {
			foldAll(t, late)
			foldAll(t, prompt)
		}
		c.memory = map[string]roster.Reads{}
		for name, r := range rosters {
			if r == late && !all {
				continue
			}
			if err := r.Reload(); err != nil {
				t.Fatal(err)
			}
			c.memory[name] = reads(t, r)
			if r.Changed() == 0 {
				inBase++
			} else {
				inOverlay++
			}
		}
		c.compare(s, e.usersSeen(rnd, 10))
		if t.Failed() {
			t.Fatalf("after write %d", n)
		}
	}
	for name, r := range rosters {
		t.Logf("%s: %d folds waited for changes", name, unsettled[r])
		if ready, built := r.Ready(); !ready || built > max(1, writes/50) {
			t.Errorf("%s: ready %v, and built %d times for %d writes", name, ready, built, writes)
		}
	}
	t.Logf("%d questions; asked %d times of a base alone, %d times of one with changes", c.questions, inBase, inOverlay)
}
