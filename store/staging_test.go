package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

func openStaging(t *testing.T, s *store.Store, dir *models.Directory, epoch int64, label string) *store.Staging {
	t.Helper()
	st, err := s.OpenStaging(t.Context(), dir.ID, epoch, label)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	return st
}

// stage adds pages, each with its text, and commits them.
func stage(t *testing.T, st *store.Staging, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if err := st.Add(t.Context(), 'u', 1, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := st.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// staged reads all pages, in order and one by one.
func staged(t *testing.T, st *store.Staging) []string {
	t.Helper()
	texts := []string{}
	err := st.Pages(t.Context(), func(seq int, kind byte, data []byte) error {
		if seq != len(texts) || kind != 'u' {
			t.Errorf("want page %d of users, got %d of %q", len(texts), seq, kind)
		}
		texts = append(texts, string(data))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for seq, text := range texts {
		if page, err := st.Page(t.Context(), seq); err != nil || string(page) != text {
			t.Errorf("want page %d, got %q, %v", seq, page, err)
		}
	}
	if st.Len() != len(texts) {
		t.Errorf("want %d pages, got %d", len(texts), st.Len())
	}
	if _, err := st.Page(t.Context(), len(texts)); err == nil {
		t.Error("want no page behind the last one")
	}
	return texts
}

func TestStagingGoesOnWhereAKilledRunEnded(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		clock := testkit.NewClock()
		s := db.Open(t, func(o *store.Options) { o.Now = clock.Now })
		staff, other := addDirectory(t, s, "staff"), addDirectory(t, s, "other")
		killed := openStaging(t, s, staff, takeLease(t, s, staff, 0), "label")
		if got := killed.Started(); got != 0 {
			t.Errorf("want no start of what isn't there, got %v", got)
		}
		began := s.Now()
		stage(t, killed, "one", "", "three")
		if err := killed.Add(t.Context(), 'u', 1, []byte("only in memory")); err != nil {
			t.Fatal(err)
		}
		stage(t, openStaging(t, s, other, takeLease(t, s, other, 0), "label"), "another directory's")

		clock.Advance(time.Hour)
		next := db.Open(t, func(o *store.Options) { o.Now = clock.Now })
		again := openStaging(t, next, staff, takeLease(t, next, staff, 0), "label")
		testkit.Diff(t, "what the next run finds", []string{"one", "", "three"}, staged(t, again))
		testkit.Diff(t, "when it began", began, again.Started())
		stage(t, again, "four")
		testkit.Diff(t, "what it goes on with", []string{"one", "", "three", "four"}, staged(t, again))

		last := openStaging(t, next, staff, takeLease(t, next, staff, 0), "label")
		testkit.Diff(t, "what the run after it finds", []string{"one", "", "three", "four"}, staged(t, last))
		if err := last.Drop(t.Context()); err != nil {
			t.Fatal(err)
		}
		empty := openStaging(t, next, staff, takeLease(t, next, staff, 0), "label")
		testkit.Diff(t, "what is left", []string{}, staged(t, empty))
	})
}

func TestStagingOfOtherSettingsIsDropped(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		staff := addDirectory(t, s, "staff")
		epoch := takeLease(t, s, staff, time.Hour)
		stage(t, openStaging(t, s, staff, epoch, "before"), "one", "two")
		after := openStaging(t, s, staff, epoch, "after")
		testkit.Diff(t, "pages under another label", []string{}, staged(t, after))
		stage(t, after, "new")
		testkit.Diff(t, "pages under the first label again", []string{}, staged(t, openStaging(t, s, staff, epoch, "before")))
	})
}

func TestLateRunStagesNothing(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s, other := db.Open(t), db.Open(t)
		staff := addDirectory(t, s, "staff")
		first := takeLease(t, s, staff, 0)
		frozen := openStaging(t, s, staff, first, "label")
		stage(t, frozen, "one")

		second := takeLease(t, other, staff, time.Hour)
		present := openStaging(t, other, staff, second, "label")
		stage(t, present, "two")
		if err := frozen.Add(t.Context(), 'u', 1, []byte("late")); err != nil {
			t.Fatal(err)
		}
		wantCode(t, "a late commit", models.LeaseLost, frozen.Flush(t.Context()))
		wantCode(t, "a late drop", models.LeaseLost, frozen.Drop(t.Context()))
		_, err := s.OpenStaging(t.Context(), staff.ID, first, "label")
		wantCode(t, "a late opening", models.LeaseLost, err)
		testkit.Diff(t, "what the present run has", []string{"one", "two"}, staged(t, present))
		testkit.Diff(t, "what is kept of it", []string{"one", "two"}, staged(t, openStaging(t, other, staff, second, "label")))
	})
}

func TestStagingCommitsWhenEnoughHasGathered(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		rows int
		size int
		wait time.Duration
		want int // pages that a kill leaves, of the two that are added
	}{
		{"little", 1, 1, 0, 0},
		{"rows", 5000, 1, 0, 2},
		{"bytes", 1, 4 << 20, 0, 2},
		{"a second", 1, 1, time.Second, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
				clock := testkit.NewClock()
				s := db.Open(t, func(o *store.Options) { o.Now = clock.Now })
				staff := addDirectory(t, s, "staff")
				epoch := takeLease(t, s, staff, 0)
				st := openStaging(t, s, staff, epoch, "label")
				for range 2 {
					clock.Advance(c.wait)
					if err := st.Add(t.Context(), 'u', c.rows, bytes.Repeat([]byte("x"), c.size)); err != nil {
						t.Fatal(err)
					}
				}
				if err := store.Settle(st); err != nil {
					t.Fatal(err)
				}
				if got := len(staged(t, openStaging(t, s, staff, epoch, "label"))); got != c.want {
					t.Errorf("want %d pages to be committed, got %d", c.want, got)
				}
			})
		})
	}
}

// A commit goes on beside what its caller does. One that fails is told by what the caller does next,
// and loses nothing; closing and dropping wait for it.
func TestStagingCommitsBesideItsCaller(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		staff := addDirectory(t, s, "staff")
		epoch := takeLease(t, s, staff, time.Hour)
		st := openStaging(t, s, staff, epoch, "label")
		ended, end := context.WithCancel(t.Context())
		end()
		if err := st.Add(ended, 'u', 10_000, []byte("one")); err != nil {
			t.Errorf("want a commit to begin, got %v", err)
		}
		if err := st.Add(t.Context(), 'u', 10_000, []byte("two")); !errors.Is(err, context.Canceled) || st.Len() != 2 {
			t.Errorf("want the end of the commit before, and both pages, got %v and %d", err, st.Len())
		}
		testkit.Diff(t, "the second try", []string{"one", "two"}, staged(t, st))

		if err := st.Add(t.Context(), 'u', 10_000, []byte("three")); err != nil {
			t.Fatal(err)
		}
		if err := st.Close(); err != nil {
			t.Fatal(err)
		}
		next := openStaging(t, s, staff, epoch, "label")
		testkit.Diff(t, "what a close waited for", []string{"one", "two", "three"}, staged(t, next))
		if err := next.Add(t.Context(), 'u', 10_000, []byte("four")); err != nil {
			t.Fatal(err)
		}
		if err := next.Drop(t.Context()); err != nil {
			t.Fatal(err)
		}
		testkit.Diff(t, "what a drop leaves", []string{}, staged(t, openStaging(t, s, staff, epoch, "label")))
	})
}

func TestPagesAreNotCompressedByTheDatabase(t *testing.T) {
	t.Parallel()
	testkit.OnPostgres(t, func(t *testing.T, db testkit.Database) {
		var storage string
		err := db.Raw(t).QueryRowContext(t.Context(), "SELECT attstorage::text FROM pg_attribute WHERE attrelid = 'staged_pages'::regclass AND attname = 'data'").Scan(&storage)
		if err != nil || storage != "e" {
			t.Errorf("want the storage external, got %q, %v", storage, err)
		}
	})
}

func TestTornFramesEndTheFile(t *testing.T) {
	t.Parallel()
	testkit.OnSQLite(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		staff := addDirectory(t, s, "staff")
		epoch := takeLease(t, s, staff, time.Hour)
		texts := []string{"one", "two", "three"}
		path := fmt.Sprintf("%s-sync-%d", db.Path(), staff.ID)
		stage(t, openStaging(t, s, staff, epoch, "label"), texts...)
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		// opened is what a run finds in a file of these bytes: the first pages, and it can add more.
		opened := func(what string, data []byte) int {
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
			st := openStaging(t, s, staff, epoch, "label")
			got := staged(t, st)
			if len(got) > len(texts) {
				t.Fatalf("%s: got %q", what, got)
			}
			testkit.Diff(t, what, texts[:len(got)], got)
			stage(t, st, "more")
			testkit.Diff(t, what+", after one more", append(texts[:len(got):len(got)], "more"), staged(t, openStaging(t, s, staff, epoch, "label")))
			return len(got)
		}
		last := 0
		for n := range whole {
			got := opened(fmt.Sprintf("cut at %d", n), whole[:n])
			if got < last {
				t.Errorf("cut at %d: %d pages, and %d of a shorter file", n, got, last)
			}
			last = got
			damaged := bytes.Clone(whole)
			damaged[n] ^= 0x10
			if got := opened(fmt.Sprintf("damaged at %d", n), damaged); got == len(texts) {
				t.Errorf("damaged at %d: want it to be noticed", n)
			}
		}
		if last != 2 || opened("whole", whole) != 3 {
			t.Errorf("want two pages of a file that is a byte short, got %d", last)
		}
	})
}

func TestStagingFileIsPrivateAndGoesWithItsDirectory(t *testing.T) {
	t.Parallel()
	testkit.OnSQLite(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		staff := addDirectory(t, s, "staff")
		stage(t, openStaging(t, s, staff, takeLease(t, s, staff, time.Hour), "label"), "one")
		path := fmt.Sprintf("%s-sync-%d", db.Path(), staff.ID)
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("want a file that only its owner can read, got %v, %v", info, err)
		}
		write(t, s, func(tx *store.Tx) error { return tx.DeleteDirectory(staff) })
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("want no file of a directory that is gone, got %v", err)
		}
	})
}

func TestStagingOnAFullDisk(t *testing.T) {
	t.Parallel()
	testkit.OnSQLite(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		staff := addDirectory(t, s, "staff")
		st := openStaging(t, s, staff, takeLease(t, s, staff, time.Hour), "label")
		stage(t, st, "one")
		makeRoom := store.FillDisk(t, st)
		if err := st.Add(t.Context(), 'u', 1, []byte("two")); err != nil {
			t.Fatal(err)
		}
		err := st.Flush(t.Context())
		wantCode(t, "a commit", models.StorageFull, err)
		if known, ok := errors.AsType[*models.Error](err); !ok || known.Subject != fmt.Sprintf("%s-sync-%d", db.Path(), staff.ID) {
			t.Errorf("want the file's name, got %v", err)
		}
		makeRoom()
		testkit.Diff(t, "what is there once there is room", []string{"one", "two"}, staged(t, st))
	})
}

func FuzzStagingFile(f *testing.F) {
	f.Add(store.StagedFile("label", "one", "two"))
	f.Add([]byte{})
	f.Add(bytes.Repeat([]byte{0xff}, 64))
	f.Fuzz(func(t *testing.T, data []byte) {
		pages, err := store.ReadStaged(data, "label")
		if err != nil {
			t.Errorf("want no error from any bytes, got %v", err)
		}
		// What was read, written anew, is what was there.
		if again := store.StagedFile("label", pages...); len(pages) > 0 && len(again) > len(data)+64 {
			t.Errorf("got %d bytes of pages from %d bytes", len(again), len(data))
		}
	})
}
