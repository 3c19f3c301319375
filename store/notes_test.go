package store_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

func flush(t *testing.T, s *store.Store) {
	t.Helper()
	if err := s.FlushNotes(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// failures gives the failed attempts that a store knows of: of the user in all, and through
// an application.
func failures(t *testing.T, s *store.Store, app *models.Application, u *models.User) [2]int {
	t.Helper()
	d, err := s.Delay(t.Context(), app.ID, u.ID)
	if err != nil {
		t.Fatal(err)
	}
	return [2]int{credential(t, s, u).Failures, d.Failures}
}

func TestNotesCountAtOnceHereAndSoonElsewhere(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		clock := testkit.NewClock()
		s, other := db.Open(t, func(o *store.Options) { o.Now = clock.Now }), db.Open(t)
		jira := addApplication(t, s, "jira")
		ada := addUser(t, s, addDirectory(t, s, "staff"), "ada")
		session := addSession(t, s, ada, "token")
		clock.Advance(time.Minute)
		now := s.Now()

		s.NoteFailure(jira.ID, ada.ID)
		s.NoteFailure(jira.ID, ada.ID)
		s.NoteSessionUsed(session.ID, now)
		s.NoteCall(models.Call{ApplicationID: jira.ID, At: now, Path: "/user", Status: 200})
		see := func(s *store.Store) map[string]any {
			t.Helper()
			found, err := s.SessionByToken(t.Context(), []byte("token"))
			if err != nil {
				t.Fatal(err)
			}
			d, err := s.Delay(t.Context(), jira.ID, ada.ID)
			if err != nil {
				t.Fatal(err)
			}
			calls, err := s.Calls(t.Context(), jira.ID, 10)
			if err != nil {
				t.Fatal(err)
			}
			return map[string]any{"failures": failures(t, s, jira, ada), "last failure": d.LastAt, "session used": found.LastUsedAt, "session ends": found.ExpiresAt, "calls": len(calls)}
		}
		want := map[string]any{"failures": [2]int{2, 2}, "last failure": now, "session used": now, "session ends": now.Add(30 * time.Minute), "calls": 1}
		testkit.Diff(t, "at once in this process", want, see(s))
		if before := see(other); before["failures"] != [2]int{} {
			t.Errorf("another process knows already: %v", before)
		}
		testkit.Go(t, s.KeepNotes)
		start := time.Now()
		for failures(t, other, jira, ada) != [2]int{2, 2} && time.Since(start) < 10*time.Second {
			time.Sleep(5 * time.Millisecond)
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("want another process to know within a second, it took %s", took)
		}
		testkit.Diff(t, "soon in another process", want, see(other))
		testkit.Diff(t, "still in this process", want, see(s))
	})
}

func TestRightPasswordEndsFailures(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		clock := testkit.NewClock()
		s := db.Open(t, func(o *store.Options) { o.Now = clock.Now })
		jira := addApplication(t, s, "jira")
		ada := addUser(t, s, addDirectory(t, s, "staff"), "ada")
		for what, flushes := range map[string]bool{"in one batch": false, "in another batch": true} {
			s.NoteFailure(jira.ID, ada.ID)
			s.NoteFailure(jira.ID, ada.ID)
			if flushes {
				flush(t, s)
			}
			clock.Advance(time.Second)
			s.NoteLogin(ada.ID, false)
			s.NoteDelayEnd(jira.ID, ada.ID)
			testkit.Diff(t, "noted "+what, [2]int{0, 0}, failures(t, s, jira, ada))
			s.NoteFailure(jira.ID, ada.ID)
			testkit.Diff(t, "noted one more "+what, [2]int{1, 1}, failures(t, s, jira, ada))
			flush(t, s)
			testkit.Diff(t, "written "+what, [2]int{1, 1}, failures(t, s, jira, ada))
			if c := credential(t, s, ada); c.LastAuthenticated != s.Now() || c.LastActive != s.Now() {
				t.Errorf("%s: want it seen now, got %+v", what, c)
			}
			s.NoteLogin(ada.ID, false)
			s.NoteDelayEnd(jira.ID, ada.ID)
			flush(t, s)
			testkit.Diff(t, "ended "+what, [2]int{0, 0}, failures(t, s, jira, ada))
		}
	})
}

func TestNotesOfTwoStoresAddUp(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		stores := []*store.Store{db.Open(t), db.Open(t)}
		jira := addApplication(t, stores[0], "jira")
		staff := addDirectory(t, stores[0], "staff")
		var users []*models.User
		for i := range 5 {
			users = append(users, addUser(t, stores[0], staff, fmt.Sprintf("user %d", i)))
		}
		var group sync.WaitGroup
		for n, s := range stores {
			group.Go(func() {
				for range 5 {
					for _, u := range users {
						for range n + 1 {
							s.NoteFailure(jira.ID, u.ID)
						}
					}
					if err := s.FlushNotes(t.Context()); err != nil {
						t.Error(err)
					}
				}
			})
		}
		group.Wait()
		for _, u := range users {
			testkit.Diff(t, u.Name, [2]int{15, 15}, failures(t, stores[0], jira, u))
		}
	})
}

func TestNotesCountOnceWhileTheyAreWritten(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		jira := addApplication(t, s, "jira")
		ada := addUser(t, s, addDirectory(t, s, "staff"), "ada")
		ctx, cancel := context.WithCancel(t.Context())
		var flushes sync.WaitGroup
		flushes.Go(func() {
			for ctx.Err() == nil {
				if err := s.FlushNotes(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
		for n := range 60 {
			s.NoteFailure(jira.ID, ada.ID)
			for range 5 {
				if got := failures(t, s, jira, ada); got != [2]int{n + 1, n + 1} {
					t.Errorf("after %d failures: counted %v", n+1, got)
				}
			}
		}
		cancel()
		flushes.Wait()
	})
}

func TestNotesWaitForADatabaseThatIsAway(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		clock := testkit.NewClock()
		s := db.Open(t, func(o *store.Options) { o.Now = clock.Now })
		jira := addApplication(t, s, "jira")
		staff := addDirectory(t, s, "staff")
		ada, bob := addUser(t, s, staff, "ada"), addUser(t, s, staff, "bob")
		session := addSession(t, s, ada, "token")
		s.NoteFailure(jira.ID, bob.ID)
		flush(t, s)

		comeBack := goAway(t, db)
		s.NoteFailure(jira.ID, ada.ID)
		s.NoteFailure(jira.ID, bob.ID)
		s.NoteSessionUsed(session.ID, s.Now().Add(time.Minute))
		s.NoteCall(models.Call{ApplicationID: jira.ID, Path: "/one"})
		for range 2 {
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			wantCode(t, "flush while it is away", models.Unavailable, s.FlushNotes(ctx))
			cancel()
			clock.Advance(time.Second)
			s.NoteFailure(jira.ID, ada.ID)
			s.NoteLogin(bob.ID, false)
			s.NoteDelayEnd(jira.ID, bob.ID)
			s.NoteSeen(ada.ID)
			s.NoteCall(models.Call{ApplicationID: jira.ID, Path: "/two"})
		}
		comeBack()
		// The pool finds out which of its connections are dead.
		for range 20 {
			if s.FlushNotes(t.Context()) == nil {
				break
			}
			time.Sleep(50 * time.Millisecond)
		}

		other := db.Open(t)
		testkit.Diff(t, "ada's failures", [2]int{3, 3}, failures(t, other, jira, ada))
		testkit.Diff(t, "bob's failures", [2]int{0, 0}, failures(t, other, jira, bob))
		testkit.Diff(t, "when they were seen", [2]models.Time{s.Now(), s.Now()},
			[2]models.Time{credential(t, other, ada).LastAuthenticated, credential(t, other, bob).LastAuthenticated})
		calls, err := other.Calls(t.Context(), jira.ID, 10)
		if err != nil {
			t.Fatal(err)
		}
		var paths []string
		for _, c := range calls {
			paths = append(paths, c.Path)
		}
		testkit.Diff(t, "calls, newest first", []string{"/two", "/two", "/one"}, paths)
		found, err := other.SessionByToken(t.Context(), []byte("token"))
		if err != nil || found.LastUsedAt != session.LastUsedAt.Add(time.Minute) {
			t.Errorf("want the session used a minute later, got %+v, %v", found, err)
		}
	})
}

// goAway makes writes to the database fail until comeBack is called: PostgreSQL is unreachable,
// SQLite's one writer is another.
func goAway(t *testing.T, db testkit.Database) (comeBack func()) {
	t.Helper()
	if db.Kind == testkit.Postgres {
		db.GoAway(t)
		return func() { db.ComeBack(t) }
	}
	conn, err := db.Raw(t).Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	return func() {
		if _, err := conn.ExecContext(t.Context(), "ROLLBACK"); err != nil {
			t.Fatal(err)
		}
	}
}

func TestNotesOfWhoIsGoneArePassedOver(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		jira, wiki := addApplication(t, s, "jira"), addApplication(t, s, "wiki")
		staff := addDirectory(t, s, "staff")
		ada, bob := addUser(t, s, staff, "ada"), addUser(t, s, staff, "bob")
		session := addSession(t, s, ada, "token")
		for _, app := range []*models.Application{jira, wiki} {
			for _, u := range []*models.User{ada, bob} {
				s.NoteFailure(app.ID, u.ID)
			}
			s.NoteCall(models.Call{ApplicationID: app.ID})
		}
		s.NoteLogin(ada.ID, false)
		s.NoteSessionUsed(session.ID, s.Now().Add(time.Minute))
		write(t, s, func(tx *store.Tx) error { return tx.DeleteUser(ada) })
		write(t, s, func(tx *store.Tx) error { return tx.DeleteApplication(wiki) })
		flush(t, s)
		testkit.Diff(t, "bob's", [2]int{2, 1}, failures(t, db.Open(t), jira, bob))
		rows := db.Contents(t)
		testkit.Diff(t, "rows", [3]int{1, 1, 1}, [3]int{len(rows["credentials"]), len(rows["delays"]), len(rows["calls"])})
	})
}

func TestLatestCallsAreKept(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		jira, wiki := addApplication(t, s, "jira"), addApplication(t, s, "wiki")
		s.NoteCall(models.Call{ApplicationID: wiki.ID})
		for i := range store.CallsKept + 20 {
			s.NoteCall(models.Call{ApplicationID: jira.ID, Status: i})
			if i == 30 {
				flush(t, s)
			}
		}
		for _, when := range []string{"noted", "written"} {
			for app, want := range map[models.ID]int{jira.ID: store.CallsKept, wiki.ID: 1} {
				calls, err := s.Calls(t.Context(), app, 1000)
				if err != nil || len(calls) != want {
					t.Errorf("%s: want %d calls of application %d, got %d, %v", when, want, app, len(calls), err)
				}
				if app == jira.ID && (calls[0].Status != store.CallsKept+19 || calls[len(calls)-1].Status != 20) {
					t.Errorf("%s: want the newest first, got %d to %d", when, calls[0].Status, calls[len(calls)-1].Status)
				}
			}
			flush(t, s)
		}
		some, err := s.Calls(t.Context(), jira.ID, 3)
		if err != nil || len(some) != 3 {
			t.Errorf("want three calls, got %d, %v", len(some), err)
		}
	})
}

func TestClosedStoreHasWrittenItsNotes(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s, other := db.Open(t), db.Open(t)
		jira := addApplication(t, other, "jira")
		ada := addUser(t, other, addDirectory(t, other, "staff"), "ada")
		s.NoteFailure(jira.ID, ada.ID)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		testkit.Diff(t, "failures", [2]int{1, 1}, failures(t, other, jira, ada))
	})
}

func TestSessionIsNotUsedBackwards(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		a, b := db.Open(t), db.Open(t)
		ada := addUser(t, a, addDirectory(t, a, "staff"), "ada")
		session := addSession(t, a, ada, "token")
		late := session.LastUsedAt.Add(time.Minute)
		a.NoteSessionUsed(session.ID, late)
		b.NoteSessionUsed(session.ID, late.Add(-time.Second))
		flush(t, a)
		flush(t, b)
		for _, s := range []*store.Store{a, b} {
			found, err := s.SessionByToken(t.Context(), []byte("token"))
			if err != nil || found.LastUsedAt != late || found.ExpiresAt != late.Add(30*time.Minute) {
				t.Errorf("want it used at %s, got %+v, %v", late, found, err)
			}
		}
	})
}

func TestExpiredPasswordIsNotedOfThatPasswordOnly(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		clock := testkit.NewClock()
		withClock := func(o *store.Options) { o.Now = clock.Now }
		s, other := db.Open(t, withClock), db.Open(t, withClock)
		ada := addUser(t, s, addDirectory(t, s, "staff"), "ada")
		setPassword(t, s, ada, "old", 0)
		clock.Advance(time.Minute)
		s.NoteLogin(ada.ID, true)
		if !credential(t, s, ada).MustChange {
			t.Error("the expired password need not be changed")
		}
		clock.Advance(time.Minute)
		setPassword(t, other, ada, "new", 0)
		flush(t, s)
		if credential(t, other, ada).MustChange {
			t.Error("the new password has to be changed, too")
		}
	})
}

func TestNotesWrittenLateTurnNoTimeBack(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		clock := testkit.NewClock()
		withClock := func(o *store.Options) { o.Now = clock.Now }
		a, b := db.Open(t, withClock), db.Open(t, withClock)
		jira := addApplication(t, a, "jira")
		ada := addUser(t, a, addDirectory(t, a, "staff"), "ada")
		for _, s := range []*store.Store{a, b} {
			clock.Advance(time.Minute)
			s.NoteSeen(ada.ID)
			s.NoteFailure(jira.ID, ada.ID)
		}
		flush(t, b)
		flush(t, a)
		d, err := a.Delay(t.Context(), jira.ID, ada.ID)
		if err != nil {
			t.Fatal(err)
		}
		c := credential(t, a, ada)
		now := a.Now()
		testkit.Diff(t, "last failure, last authenticated, last active", [3]models.Time{now, now, now}, [3]models.Time{d.LastAt, c.LastAuthenticated, c.LastActive})
		if d.Failures != 2 {
			t.Errorf("want both failures, got %d", d.Failures)
		}
	})
}
