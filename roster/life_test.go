package roster_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/roster"
	"github.com/rollcall-id/rollcall/store"
)

// waitReady waits until memory answers.
func waitReady(t *testing.T, r *roster.Roster) {
	t.Helper()
	eventually(t, "the roster to be ready", func() bool { ready, _ := r.Ready(); return ready })
}

func wantFrom(t *testing.T, r *roster.Roster, sql bool) roster.Reads {
	t.Helper()
	now := reads(t, r)
	if _, fromSQL := now.(*store.Reads); fromSQL != sql {
		t.Errorf("answered by %T", now)
	}
	return now
}

func wantUser(t *testing.T, r roster.Reads, dir *models.Directory, name string) {
	t.Helper()
	u, err := r.VisibleUser(t.Context(), store.Visible{Dirs: []models.ID{dir.ID}}, name)
	if err != nil || u.NameKey != models.Key(name) {
		t.Errorf("user %s: %+v, %v", name, u, err)
	}
}

func TestSQLAnswersUntilMemoryDoes(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		r := roster.New(s, testkit.Log(t))
		st := newStage(t, s, "staff")
		if ready, built := r.Ready(); ready || built != 0 {
			t.Errorf("ready %v, built %d times", ready, built)
		}
		wantUser(t, wantFrom(t, r, true), st.dir, "ada")

		testkit.Go(t, r.Run)
		waitReady(t, r)
		wantUser(t, wantFrom(t, r, false), st.dir, "Ada")
		st.user("cal", "3")
		wantUser(t, wantFrom(t, r, false), st.dir, "cal") // who writes reads it at once
		if _, built := r.Ready(); built != 1 {
			t.Errorf("built %d times", built)
		}
	})
}

// While a picture is built writes go on, and the one before goes on answering with them in it.
func TestWritesDuringABuildAreKept(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		r := roster.New(s, testkit.Log(t))
		st := newStage(t, s, "staff")
		var e ear
		s.OnCommit(e.hear)
		var builders sync.WaitGroup
		var done atomic.Bool
		defer builders.Wait()
		defer done.Store(true)
		builders.Go(func() {
			for !done.Load() {
				if err := r.Build(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
		w := &scribe{Rand: seedOf(t), ctx: t.Context(), most: 3}
		for i := range 60 {
			if err := w.write(s); err != nil {
				t.Fatal(err)
			}
			if dirs, err := s.Directories(t.Context()); err != nil {
				t.Fatal(err)
			} else if i%5 == 0 {
				st.dir = dirs[0]
				name := fmt.Sprint("new ", i)
				st.user(name, name)
				wantUser(t, reads(t, r), st.dir, name)
			}
		}
		done.Store(true)
		builders.Wait()
		c := &comparison{Rand: rand.New(rand.NewPCG(1, 1)), t: t, want: &s.Reads, memory: map[string]roster.Reads{"memory": wantFrom(t, r, false)}}
		for range 5 {
			c.compare(s, e.usersSeen(c, 100))
		}
	})
}

// Old news is no answer: five seconds and thirty more after the feed was last read nothing is
// said any more, and after an hour all is read anew, since the feed may have lost old lines.
func TestUnreadFeedIsNotAnswered(t *testing.T) {
	t.Parallel()
	db := testkit.NewSQLite(t)
	s := db.Open(t)
	r := roster.New(s, testkit.Log(t))
	var age atomic.Int64
	r.FeedAge(func() time.Duration { return time.Duration(age.Load()) })
	build(t, r)

	age.Store(int64(35 * time.Second))
	wantFrom(t, r, false)
	age.Store(int64(36 * time.Second))
	if _, err := r.Reads(); !models.Is(err, models.Unavailable) {
		t.Errorf("want %s, got %v", models.Unavailable, err)
	}
	age.Store(int64(time.Second))
	wantFrom(t, r, false)

	age.Store(int64(time.Hour))
	r.DropTooStale()
	if ready, _ := r.Ready(); !ready {
		t.Error("dropped too early")
	}
	age.Store(int64(time.Hour + 1))
	r.DropTooStale()
	age.Store(0)
	wantFrom(t, r, true)
	testkit.Go(t, r.Run)
	waitReady(t, r)
	if _, built := r.Ready(); built != 2 {
		t.Errorf("built %d times", built)
	}
}

// What can't be applied is read anew, and meanwhile SQL answers.
func TestUnreadableChangeMakesItBuildAnew(t *testing.T) {
	t.Parallel()
	db := testkit.NewSQLite(t)
	s := db.Open(t)
	r := roster.Deaf(s, testkit.Log(t))
	st := newStage(t, s, "staff")
	build(t, r)
	r.Heed([]models.Change{{Seq: 1 << 40, Kind: models.UserUpdated, DirectoryID: st.dir.ID, RowID: st.ada.ID, Name: "ada", Data: []byte("{")}})
	wantUser(t, wantFrom(t, r, true), st.dir, "ada")
	testkit.Go(t, r.Run)
	waitReady(t, r)
	wantUser(t, wantFrom(t, r, false), st.dir, "ada")
	if _, built := r.Ready(); built != 2 {
		t.Errorf("built %d times", built)
	}
}

// A fold that waits in vain for a change makes all be read anew.
func TestLostChangeMakesItBuildAnew(t *testing.T) {
	t.Parallel()
	db := testkit.NewSQLite(t)
	s := db.Open(t)
	r := roster.Deaf(s, testkit.Log(t))
	r.FoldAfter(0)
	r.Retry(time.Millisecond, 4*time.Millisecond)
	st := newStage(t, s, "staff")
	build(t, r)
	var e ear
	s.OnCommit(e.hear)
	st.rename(st.bob, "bob 2")
	st.rename(st.ada, "bob")
	r.Heed(e.take(1)) // two are called bob now
	testkit.Go(t, r.Run)
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if ready, built := r.Ready(); ready && built > 1 {
			break
		}
	}
	wantUser(t, wantFrom(t, r, false), st.dir, "bob 2")
}

// A large transaction that commits late is not asked for row by row.
func TestManyLateChangesAreReadAtOnce(t *testing.T) {
	t.Parallel()
	testkit.OnPostgres(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		r := roster.Deaf(s, testkit.Log(t))
		st := newStage(t, s, "staff")
		var e ear
		s.OnCommit(e.hear)
		st.write(func(tx *store.Tx) error {
			tx.Quiet()
			for i := range 501 {
				now := *st.ada
				now.Email = string(rune('a' + i%26))
				if err := tx.SaveUser(st.ada, &now); err != nil {
					return err
				}
			}
			return nil
		})
		build(t, r)
		changes := e.take(0)
		r.Heed(changes[:500])
		wantFrom(t, r, false)
		r.Heed(changes)
		wantFrom(t, r, true)
	})
}

// A build that fails leaves answering to SQL; Run goes on trying until its context ends.
func TestFailedBuildLeavesSQL(t *testing.T) {
	t.Parallel()
	db := testkit.NewSQLite(t)
	r := roster.New(db.Open(t), testkit.Log(t))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Build(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("want %v, got %v", context.Canceled, err)
	}
	wantFrom(t, r, true)
	if err := r.Run(ctx); err != nil {
		t.Errorf("Run: %v", err)
	}
	build(t, r)
	wantFrom(t, r, false)
}

// What is loaded has every text, date and flag as the rows have them.
func TestLoadReadsRowsAsTheyAre(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		clock := testkit.NewClock()
		s := db.Open(t, func(o *store.Options) { o.Now = clock.Now })
		st := newStage(t, s, "staff")
		long := strings.Repeat("Grüße, 世界 ", 100)
		var ids []models.ID
		for i, text := range []string{"", "x", "'\"\\%_", long, strings.Repeat("a", 127), strings.Repeat("a", 128), "e\u0301 \u00e9"} {
			clock.Advance(time.Duration(i) * 1000 * time.Hour)
			u := &models.User{DirectoryID: st.dir.ID, Name: fmt.Sprint("User ", i), FirstName: text, LastName: text, DisplayName: text, Email: text, Active: i%2 == 0}
			g := &models.Group{DirectoryID: st.dir.ID, Name: fmt.Sprint("Group ", i), Description: text, Active: i%2 == 1}
			st.write(func(tx *store.Tx) error { return errors.Join(tx.CreateUser(u), tx.CreateGroup(g), tx.AddMember(g, u)) })
			clock.Advance(time.Millisecond)
			st.mail(u, text+".")
			ids = append(ids, u.ID)
		}
		r := roster.New(s, testkit.Log(t))
		build(t, r)
		c := &comparison{Rand: rand.New(rand.NewPCG(1, 1)), t: t, want: &s.Reads, memory: map[string]roster.Reads{"memory": wantFrom(t, r, false)}}
		names := func(of string) (out []string) {
			for i := range ids {
				out = append(out, fmt.Sprint(of, i))
			}
			return out
		}
		c.lookAt(store.Visible{Dirs: []models.ID{st.dir.ID}}, names("user "), names("group "), ids)
	})
}
