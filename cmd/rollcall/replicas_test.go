package main_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/testkit"
)

// These tests run two real processes on one PostgreSQL. Each may be asked anything at any time:
// there is no leader, and no client is bound to one of them.

// What one replica wrote the other answers within a second, also where nobody wakes it, and while
// somebody else's transaction holds the feed's place back.
func TestReplicaAnswersWhatAnotherWrote(t *testing.T) {
	t.Parallel()
	t.Run(testkit.Postgres, func(t *testing.T) {
		t.Parallel()
		p := newLonelyPair(t)
		users := make([]string, 6)
		for i := range users {
			users[i] = fmt.Sprintf("user-%d", i)
			p.onA().must(t, 201, "POST", "/user", newUser(users[i], "first@x.test"))
			within(t, time.Second, "the other replica knows "+users[i], func() bool {
				mail, err := mailOf(p.onB(), users[i])
				return err == nil && mail == "first@x.test"
			})
		}

		t.Run("LISTEN works", func(t *testing.T) {
			l := p.lags(t, users, 100)
			t.Logf("LISTEN works: %v", l)
			if l.max() > time.Second {
				t.Errorf("want each within a second: %v", l)
			}
		})
		t.Run("a writing transaction is open elsewhere", func(t *testing.T) {
			token := p.eventsUntilNow(t)
			conn := p.connect(t)
			tx, err := conn.Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := tx.Exec(t.Context(), "SELECT pg_current_xact_id()"); err != nil {
				t.Fatal(err)
			}
			const each = 50
			l := p.lags(t, users, each)
			t.Logf("a writing transaction is open elsewhere: %v", l)
			if l.max() > time.Second {
				t.Errorf("want each within a second: %v", l)
			}
			if events, _ := eventsAfter(t, p.onB(), token); len(events) != 0 {
				t.Errorf("%d events were told while a transaction that may write before them is open", len(events))
			}
			if found := p.whoHoldsTheFeed(t); !slices.Contains(found, conn.PgConn().PID()) {
				t.Errorf("the query of docs/operate.md finds the processes %v, not %d", found, conn.PgConn().PID())
			}
			if err := tx.Rollback(t.Context()); err != nil {
				t.Fatal(err)
			}
			told := 0
			within(t, 10*time.Second, "all events once it has ended", func() bool {
				var events []event
				events, token = eventsAfter(t, p.onB(), token)
				told += len(events)
				return told >= each*len(users)
			})
			if told != each*len(users) {
				t.Errorf("%d events were told, want %d", told, each*len(users))
			}
		})
		t.Run("LISTEN is cut", func(t *testing.T) {
			cuts := p.cutListening(t)
			l := p.lags(t, users, 15)
			t.Logf("LISTEN is cut, %d times: %v", cuts(), l)
			// The poll each second is all that is left, so a second is what it takes at worst; the
			// other one is for a machine that does much else.
			if l.p99() > 1500*time.Millisecond || l.max() > 2*time.Second {
				t.Errorf("want each within a second: %v", l)
			}
		})
	})
}

// whoHoldsTheFeed runs what docs/operate.md tells to run when events come late, and gives the
// processes that it finds.
func (p pair) whoHoldsTheFeed(t *testing.T) (pids []uint32) {
	t.Helper()
	_, text, _ := strings.Cut(delivered(t, "docs/operate.md"), "```sql\n")
	text, _, _ = strings.Cut(text, "```")
	statements := strings.Split(strings.TrimSpace(text), ";\n")
	if len(statements) != 2 {
		t.Fatalf("want two statements, got %q", statements)
	}
	conn := p.connect(t)
	for i, statement := range statements {
		rows, err := conn.Query(t.Context(), statement)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			values, err := rows.Values()
			if err != nil {
				t.Fatal(err)
			}
			if pid, ok := values[0].(int32); i == 0 && ok {
				pids = append(pids, uint32(pid))
			}
		}
		if err := rows.Err(); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	return pids
}

// mailOf asks for a user; the mail of one who isn't there is empty.
func mailOf(p *probe, user string) (string, error) {
	got, err := p.call("GET", named("/user", "username", user), nil)
	switch {
	case err != nil:
		return "", err
	case got.status == 404:
		return "", nil
	case got.status != 200:
		return "", fmt.Errorf("read %s: %d %s", user, got.status, got.body)
	}
	var read struct{ Email string }
	err = json.Unmarshal([]byte(got.body), &read)
	return read.Email, err
}

// A person who was switched off, removed, or given a new password on one replica is refused on
// the other, with what she held.
func TestReplicaRefusesWhomAnotherSwitchedOff(t *testing.T) {
	t.Parallel()
	testkit.OnPostgres(t, func(t *testing.T, db testkit.Database) {
		p := newPair(t, db)
		for _, cut := range []bool{false, true} {
			t.Run(map[bool]string{false: "LISTEN works", true: "LISTEN is cut"}[cut], func(t *testing.T) {
				if cut {
					p.cutListening(t)
				}
				a, b := p.onA(), p.onB()
				name := map[bool]string{false: "ada", true: "eve"}[cut]
				soon := func(what string, status int, method, path string, body any) {
					t.Helper()
					began := time.Now()
					within(t, 10*time.Second, what, func() bool {
						got, err := b.call(method, path, body)
						return err == nil && got.status == status
					})
					took := time.Since(began)
					t.Logf("%s: %v", what, took)
					if took > 2*time.Second { // a second, and one for a machine that does much else
						t.Errorf("%s: it took %v", what, took)
					}
				}
				login, old := named("/authentication", "username", name), map[string]string{"value": "difference"}
				change := func(active bool) {
					t.Helper()
					a.must(t, 204, "PUT", named("/user", "username", name), map[string]any{"name": name, "active": active})
				}
				a.must(t, 201, "POST", "/user", newUser(name, "ada@x.test"))
				soon("a new person logs in", 200, "POST", login, old)
				session := newSession(t, a, name)
				soon("the session is known", 200, "POST", session, map[string]any{})

				change(false)
				soon("the session has ended", 404, "POST", session, map[string]any{})
				soon("who is switched off is refused", 400, "POST", login, old)
				change(true)
				soon("who is switched on again logs in", 200, "POST", login, old)
				soon("the ended session stays so", 404, "POST", session, map[string]any{})

				session = newSession(t, a, name)
				a.must(t, 204, "PUT", named("/user/password", "username", name), map[string]string{"value": "engine"})
				soon("the old password is refused", 400, "POST", login, old)
				soon("the new one is right", 200, "POST", login, map[string]string{"value": "engine"})
				soon("with it the session has ended", 404, "POST", session, map[string]any{})

				a.must(t, 204, "DELETE", named("/user", "username", name), nil)
				soon("a removed person isn't there", 404, "GET", named("/user", "username", name), nil)
				soon("and is refused", 400, "POST", login, map[string]string{"value": "engine"})
			})
		}
	})
}

// newSession logs in, and gives the path of the session.
func newSession(t *testing.T, p *probe, name string) string {
	t.Helper()
	var session struct{ Token string }
	decode(t, p.must(t, 201, "POST", "/session", map[string]string{"username": name, "password": "difference"}), &session)
	return "/session/" + url.PathEscape(session.Token)
}

// A session belongs to no replica: each validates what another made, and where one ended it the
// other knows at once.
func TestReplicasShareSessions(t *testing.T) {
	t.Parallel()
	testkit.OnPostgres(t, func(t *testing.T, db testkit.Database) {
		p := newPair(t, db)
		a, b := p.onA(), p.onB()
		a.must(t, 201, "POST", "/user", newUser("ada", "ada@x.test"))
		within(t, 2*time.Second, "both know ada", func() bool { mail, err := mailOf(b, "ada"); return err == nil && mail != "" })
		for i := range 20 {
			from, to := a, b
			if i%2 == 1 {
				from, to = b, a
			}
			session := newSession(t, from, "ada")
			to.must(t, 200, "POST", session, map[string]any{})
			to.must(t, 200, "GET", session, nil)
			to.must(t, 204, "DELETE", session, nil)
			within(t, 2*time.Second, "the session that the other ended has ended", func() bool {
				got, err := from.call("POST", session, map[string]any{})
				return err == nil && got.status == 404
			})
		}
	})
}

// Wrong passwords count together, whichever replica they came to: five in all, and the right one
// is refused for a second.
func TestReplicasShareDelays(t *testing.T) {
	t.Parallel()
	testkit.OnPostgres(t, func(t *testing.T, db testkit.Database) {
		p := newPair(t, db)
		// On a machine that stands still for a second the delay is over before it is looked at.
		for _, user := range []string{"ada", "eve", "joe"} {
			if p.delayedTogether(t, user) {
				return
			}
		}
		t.Error("three times the delay was over before it could be looked at, or there was none")
	})
}

// delayedTogether has three wrong passwords counted by one replica and two by the other, and tells
// whether the right one is refused then.
func (p pair) delayedTogether(t *testing.T, user string) bool {
	t.Helper()
	a, b := p.onA(), p.onB()
	login, right := named("/authentication", "username", user), map[string]string{"value": "difference"}
	wrong := func(p *probe, times int) {
		t.Helper()
		for range times {
			p.must(t, 400, "POST", login, map[string]string{"value": "wrong"})
		}
	}
	a.must(t, 201, "POST", "/user", newUser(user, "ada@x.test"))
	within(t, 2*time.Second, "both know "+user, func() bool { mail, err := mailOf(b, user); return err == nil && mail != "" })
	wrong(a, 3)
	conn := p.connect(t)
	within(t, 10*time.Second, "the failures are in the database", func() bool {
		var failures int
		err := conn.QueryRow(t.Context(), `SELECT coalesce(max(failures), 0) FROM delays JOIN users ON id = user_id
			WHERE name = $1`, user).Scan(&failures)
		return err == nil && failures == 3
	})
	wrong(b, 2)
	began := time.Now()
	got, err := b.call("POST", login, right)
	if err != nil || got.status != 400 {
		if took := time.Since(began); took < 900*time.Millisecond {
			t.Errorf("the right password after five wrong ones: want 400, got %d %s %v", got.status, got.body, err)
		}
		return false
	}
	within(t, 10*time.Second, "the right password is taken again", func() bool {
		got, err := b.call("POST", login, right)
		return err == nil && got.status == 200
	})
	t.Logf("the right password was taken again after %v", time.Since(began))
	a.must(t, 200, "POST", login, right)
	return true
}
