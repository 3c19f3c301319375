package audit_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

var jira = models.Actor{Kind: models.ActorApplication, Name: "jira", Address: "192.0.2.7", Request: "r1"}

func TestMain(m *testing.M) { testkit.Main(m) }

// at opens a store whose time is the clock's.
func at(c *testkit.Clock) func(*store.Options) { return func(o *store.Options) { o.Now = c.Now } }

func written(t *testing.T, st *store.Store) []models.AuditEntry {
	t.Helper()
	entries, err := st.SearchAudit(t.Context(), store.AuditSearch{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(entries)
	for i := range entries {
		entries[i].ID = 0
	}
	return entries
}

func flush(t *testing.T, l *audit.Log) {
	t.Helper()
	if err := l.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestARefusalSaysWhoWhatAndFromWhere(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		c := testkit.NewClock()
		st := db.Open(t, at(c))
		l := audit.New(st, audit.Options{Now: c.Now})
		l.Refused(jira, "login.refused", "wrong-password", "ada", "staff")
		flush(t, l)
		want := []models.AuditEntry{{
			At: models.TimeOf(c.Now()), ActorKind: models.ActorApplication, Actor: "jira", Address: "192.0.2.7", Request: "r1",
			Action: "login.refused", Outcome: "wrong-password", Subject: "ada", Directory: "staff", Count: 1,
		}}
		if diff := cmp.Diff(want, written(t, st)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestEqualRefusalsBecomeOneRowWithTheirCount(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		st := db.Open(t)
		l := audit.New(st, audit.Options{})
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range 25 {
					l.Refused(jira, "login.refused", "wrong-password", "ada", "staff")
				}
			})
		}
		wg.Wait()
		flush(t, l)
		flush(t, l) // nothing is written twice
		if got := written(t, st); len(got) != 1 || got[0].Count != 100 {
			t.Errorf("100 equal refusals became %+v, want one row with the count 100", got)
		}
	})
}

func TestARefusalDuringAWriteIsCounted(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		st := db.Open(t)
		l := audit.New(st, audit.Options{})
		refusals, stop := 0, make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					l.Refused(jira, "login.refused", "wrong-password", "ada", "staff")
					refusals++
				}
			}
		})
		for len(written(t, st)) < 10 {
			flush(t, l)
		}
		close(stop)
		wg.Wait()
		flush(t, l)
		total := 0
		for _, e := range written(t, st) {
			total += e.Count
		}
		if total != refusals {
			t.Errorf("%d of %d refusals were counted", total, refusals)
		}
	})
}

func TestRefusalsThatDifferAreRowsOfTheirOwn(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		st := db.Open(t)
		l := audit.New(st, audit.Options{})
		other := jira
		other.Address = "192.0.2.8"
		confluence := jira
		confluence.Name = "confluence"
		l.Refused(jira, "login.refused", "wrong-password", "ada", "staff")
		l.Refused(other, "login.refused", "wrong-password", "ada", "staff")
		l.Refused(confluence, "login.refused", "wrong-password", "ada", "staff")
		l.Refused(jira, "login.refused", "delayed", "ada", "staff")
		l.Refused(jira, "login.refused", "wrong-password", "bob", "staff")
		l.Refused(jira, "app.refused", "wrong-password", "ada", "staff")
		flush(t, l)
		if got := written(t, st); len(got) != 6 {
			t.Errorf("%d rows, want 6: %+v", len(got), got)
		}
	})
}

func TestTooManyDifferentRefusalsAreMergedByOutcome(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		c := testkit.NewClock()
		st := db.Open(t, at(c))
		l := audit.New(st, audit.Options{Most: 5, Now: c.Now})
		for i := range 1000 {
			l.Refused(jira, "login.refused", []string{"unknown-user", "delayed"}[i%2], fmt.Sprintf("user-%d", i), "staff")
		}
		flush(t, l)
		got := map[string]int{}
		rows := written(t, st)
		for _, e := range rows {
			got[e.Outcome+" of "+e.Subject] += e.Count
		}
		want := map[string]int{
			"unknown-user of user-0": 1, "delayed of user-1": 1, "unknown-user of user-2": 1, "delayed of user-3": 1,
			"unknown-user of user-4": 1, "unknown-user of ": 497, "delayed of ": 498,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}

		// The bound is for each window.
		c.Advance(time.Minute)
		flush(t, l)
		l.Refused(jira, "login.refused", "delayed", "late", "staff")
		flush(t, l)
		if got := written(t, st); len(got) != len(rows)+1 || got[len(rows)].Subject != "late" {
			t.Errorf("in the next window %+v was written", got[len(rows):])
		}
	})
}

// Somebody who looks for the reason of a refused login must not have to wait; an attack that
// goes on for hours must not fill the database.
func TestTheFirstRefusalIsWrittenAtOnceAndTheRestWithTheWindow(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		c := testkit.NewClock()
		st := db.Open(t, at(c))
		l := audit.New(st, audit.Options{Now: c.Now})
		testkit.Go(t, l.Run)
		refuse := func(times int) {
			for range times {
				l.Refused(jira, "login.refused", "wrong-password", "ada", "staff")
			}
		}
		refuse(3)
		c.Advance(time.Second)
		waitForCounts(t, st, 3)
		refuse(40)
		c.Advance(time.Second)
		time.Sleep(600 * time.Millisecond) // twice as long as Run sleeps
		waitForCounts(t, st, 3)
		refuse(2)
		c.Advance(10 * time.Second)
		waitForCounts(t, st, 3, 42)
		c.Advance(time.Hour)
		time.Sleep(300 * time.Millisecond)
		refuse(1)
		c.Advance(time.Second)
		waitForCounts(t, st, 3, 42, 1)
	})
}

func waitForCounts(t *testing.T, st *store.Store, want ...int) {
	t.Helper()
	var got []int
	for range 200 {
		got = nil
		for _, e := range written(t, st) {
			got = append(got, e.Count)
		}
		if slices.Equal(got, want) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("the rows have the counts %v, want %v", got, want)
}

// A row that PostgreSQL refuses, such as one of a user "\x00", would hold up all others of its
// batch, again and again.
func TestAnyTextCanBeASubject(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		st := db.Open(t)
		l := audit.New(st, audit.Options{})
		odd := models.Actor{Kind: models.ActorApplication, Name: "ji\x00ra\xff", Address: "\x00"}
		l.Refused(odd, "app.refused", "wrong-password", "a\x00b\nc\xffd", "")
		l.Refused(jira, "login.refused", "unknown-user", strings.Repeat("ö", 100_000), "")
		flush(t, l)
		got := map[string]string{}
		for _, e := range written(t, st) {
			got[e.Action] = e.Actor + " " + e.Address + " " + e.Subject
		}
		want := map[string]string{
			"app.refused":   "ji?ra? ? a?b?c?d",
			"login.refused": "jira 192.0.2.7 " + strings.Repeat("ö", models.MaxName),
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestRefusalsWaitForADatabaseThatIsAway(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		st := db.Open(t)
		l := audit.New(st, audit.Options{Most: 10})
		away, cancel := context.WithCancel(t.Context())
		cancel()
		for i := range 50 {
			l.Refused(jira, "login.refused", "wrong-password", fmt.Sprint("user-", i), "staff")
			if err := l.Flush(away); err == nil {
				t.Fatal("a write that can't be made said that it was")
			}
		}
		flush(t, l)
		total := map[string]int{}
		for _, e := range written(t, st) {
			total[e.Action] += e.Count
		}
		if diff := cmp.Diff(map[string]int{"login.refused": 50}, total); diff != "" {
			t.Error(diff)
		}
	})
}
