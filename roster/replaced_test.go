package roster_test

import (
	"database/sql"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/roster"
	"github.com/rollcall-id/rollcall/store"
)

// generation makes everything in the stage's directory say a number, in one transaction.
func (st *stage) generation(raw *sql.DB, n int) {
	st.t.Helper()
	tx, err := raw.BeginTx(st.t.Context(), nil)
	if err != nil {
		st.t.Fatal(err)
	}
	defer tx.Rollback()
	for _, statement := range []string{
		"UPDATE users SET first_name = '%d' WHERE directory_id = %d",
		"UPDATE groups SET description = '%d' WHERE directory_id = %d",
		"INSERT INTO changes (at, kind, writer, row_id, directory_id) VALUES (1, 'directory-replaced', 2, %d, %d)",
	} {
		if _, err := tx.ExecContext(st.t.Context(), fmt.Sprintf(statement, n, st.dir.ID)); err != nil {
			st.t.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		st.t.Fatal(err)
	}
}

// seen gives the number that a directory's users and group say, all the same one.
func (st *stage) seen(r roster.Reads) string {
	st.t.Helper()
	v := store.Visible{Dirs: []models.ID{st.dir.ID}}
	g, err := r.VisibleGroup(st.t.Context(), v, "crew")
	if err != nil {
		st.t.Error(err)
		return ""
	}
	members, err := r.MembersOf(st.t.Context(), v, store.Start{IDs: []models.ID{g.ID}, Key: "crew"}, models.Everything)
	if err != nil || len(members) < 50 {
		st.t.Errorf("%d members, %v", len(members), err)
	}
	for _, u := range members {
		if u.FirstName != g.Description {
			st.t.Errorf("a picture of several moments: group of %s, %s of %s", g.Description, u.Name, u.FirstName)
			break
		}
	}
	return g.Description
}

// crowd puts so many users into the stage's group.
func (st *stage) crowd(n int) {
	st.t.Helper()
	st.write(func(tx *store.Tx) error {
		tx.Quiet()
		for i := range n {
			u := &models.User{DirectoryID: st.dir.ID, Name: fmt.Sprint("member ", i)}
			if err := tx.CreateUser(u); err != nil {
				return err
			}
			if err := tx.AddMember(st.crew, u); err != nil {
				return err
			}
		}
		return nil
	})
}

// A directory that was replaced is loaded anew beside the picture before it: no picture has
// parts of both. What is written meanwhile is read at once, and is in the new one too.
func TestReplacedDirectoryIsSwappedAsAWhole(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		here, there := newReplica(t, db), newReplica(t, db)
		st := newStage(t, here.store, "staff")
		st.crowd(50)
		raw := db.Raw(t)
		st.generation(raw, 0)
		for _, r := range []*replica{here, there} {
			catchUp(t, r.store) // or rows of the crowd would be asked for one by one
			build(t, r.roster)
			testkit.Go(t, r.store.Follow)
			testkit.Go(t, r.roster.Run)
		}
		var done atomic.Bool
		var readers sync.WaitGroup
		for _, r := range []*replica{here, there} {
			readers.Go(func() {
				for !done.Load() && !t.Failed() {
					st.seen(reads(t, r.roster))
				}
			})
		}
		const last = 20
		for n := 1; n <= last; n++ {
			st.generation(raw, n)
			name := fmt.Sprint("new ", n)
			st.user(name, name)
			wantUser(t, wantFrom(t, here.roster, false), st.dir, name)
		}
		for _, r := range []*replica{here, there} {
			eventually(t, "the last generation", func() bool { return st.seen(reads(t, r.roster)) == fmt.Sprint(last) })
			catchUp(t, r.store)
			for n := 1; n <= last; n++ {
				wantUser(t, wantFrom(t, r.roster, false), st.dir, fmt.Sprint("new ", n))
			}
			if _, built := r.roster.Ready(); built != 1 {
				t.Errorf("built %d times", built)
			}
		}
		done.Store(true)
		readers.Wait()
	})
}

// The process that replaces a directory loads it anew, too; who can't wait is answered by SQL.
func TestWhoCannotWaitForAReplacedDirectoryReadsSQL(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		r := roster.New(s, testkit.Log(t))
		st, other := newStage(t, s, "staff"), newStage(t, s, "guests")
		build(t, r)
		now := func(dirs ...models.ID) roster.Reads {
			reads, err := r.ReadsNow(dirs)
			if err != nil {
				t.Error(err)
			}
			return reads
		}
		st.write(func(tx *store.Tx) error { tx.DirectoryReplaced(st.dir); return nil })
		wantFrom(t, r, false)
		if now(other.dir.ID, st.dir.ID) != roster.Reads(&s.Reads) || now(other.dir.ID) == roster.Reads(&s.Reads) {
			t.Error("want SQL for the directory that was replaced, and memory for the other")
		}
		if err := r.Reload(); err != nil {
			t.Fatal(err)
		}
		if now(other.dir.ID, st.dir.ID) == roster.Reads(&s.Reads) {
			t.Error("want memory once the directory is loaded")
		}
	})
}

// A directory that can't be loaded is tried again; where that goes on, SQL answers rather than
// the picture before.
func TestReplacedDirectoryThatCannotBeLoaded(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		r := roster.Deaf(s, testkit.Log(t))
		r.Retry(time.Millisecond, 50*time.Millisecond)
		st := newStage(t, s, "staff")
		build(t, r)
		raw := db.Raw(t)
		rename := func(from, to string) {
			t.Helper()
			if _, err := raw.ExecContext(t.Context(), "ALTER TABLE "+from+" RENAME TO "+to); err != nil {
				t.Fatal(err)
			}
		}
		rename("memberships", "away")
		r.Heed([]models.Change{{Seq: 1 << 40, Kind: models.DirectoryReplaced, DirectoryID: st.dir.ID, RowID: st.dir.ID}})
		wantUser(t, wantFrom(t, r, false), st.dir, "ada")
		testkit.Go(t, r.Run)
		eventually(t, "SQL to answer", func() bool { ready, _ := r.Ready(); return !ready })
		rename("away", "memberships")
		waitReady(t, r)
		wantUser(t, wantFrom(t, r, false), st.dir, "ada")
	})
}

func catchUp(t *testing.T, s *store.Store) {
	t.Helper()
	if err := s.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if is() {
			return
		}
	}
	t.Fatalf("waited in vain for %s", what)
}
