package main_test

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/store"
)

// A rolling upgrade has two builds of the program work on one database: this one is the older, and
// with the build tag nextadds or nextbreaks it is the newer, which knows one step of the schema
// more (store/migrations/next_adds.go, next_breaks.go).

// The older program reads and writes while the newer one starts and upgrades the schema under it,
// and beside it from then on: no request fails, each answers what the other wrote, and both tell
// the same feed.
func TestRollingUpgrade(t *testing.T) {
	t.Parallel()
	t.Run(testkit.Postgres, func(t *testing.T) {
		t.Parallel()
		newer := testkit.BinaryWith(t, "nextadds")
		p := pair{db: testkit.Database{Kind: testkit.Postgres, URL: startPostgres(t).url, Key: make([]byte, 32)}}
		p.a = testkit.StartServer(t, p.db, nil)
		newStaff(t, p.db)
		token := p.eventsUntilNow(t)

		older := workOn(p.a, "older")
		older.untilEachDid(t, 3)
		p.b = testkit.StartProgram(t, newer, p.db, nil)
		if level := schemaLevel(t, p.db); level != store.SchemaLevel()+1 {
			t.Fatalf("the newer program serves a schema at step %d, want %d", level, store.SchemaLevel()+1)
		}
		older.untilEachDid(t, 3) // with what it had prepared before
		newest := workOn(p.b, "newest")
		newest.untilEachDid(t, 5)
		users := []string{"lag-0", "lag-1"}
		for _, user := range users {
			p.onA().must(t, 201, "POST", "/user", newUser(user, "first@x.test"))
		}
		lags := p.lags(t, users, 10)
		older.end(t)
		newest.end(t)
		t.Logf("older: %v; newer: %v; from one to the other: %v", older, newest, lags)
		if lags.max() > 2*time.Second { // a second, and one for a machine that does much else
			t.Errorf("want each read within a second: %v", lags)
		}

		told := p.sameEvents(t, token)
		for _, worker := range slices.Concat(older.workers, newest.workers) {
			if diff := cmp.Diff(worker.written, told[worker.name]); diff != "" {
				t.Errorf("%s: the feed tells something else than was written (-written +told):\n%s", worker.name, diff)
			}
		}
		if code, log := p.a.Stop(t); code != 0 {
			t.Errorf("the older program ended with %d:\n%s", code, log)
		}
		back := testkit.StartServer(t, p.db, nil) // and whoever has to go back may
		newProbe(back.URL, "probe", probePassword).must(t, 201, "POST", "/user", newUser("back", "back@x.test"))
		for _, worker := range slices.Concat(older.workers, newest.workers) {
			for user, mail := range worker.stay {
				for _, server := range []*testkit.Server{p.b, back} {
					if got, err := mailOf(newProbe(server.URL, "probe", probePassword), user); err != nil || got != mail {
						t.Errorf("%s on %s: want %q, got %q %v", user, server.URL, mail, got, err)
					}
				}
			}
		}
		doctorAgrees(t, p.db)
	})
}

// A step that says so keeps older programs out: they end at once, with what to do.
func TestOlderProgramRefusesASchemaThatNeedsANewerOne(t *testing.T) {
	t.Parallel()
	newer := testkit.BinaryWith(t, "nextbreaks")
	testkit.EachEmptyDatabase(t, func(t *testing.T, db testkit.Database) {
		older := testkit.StartServer(t, db, nil)
		newStaff(t, db)
		newProbe(older.URL, "probe", probePassword).must(t, 201, "POST", "/user", newUser("ada", "ada@x.test"))
		older.Stop(t) // as the changelog of such a release says
		upgraded := testkit.StartProgram(t, newer, db, nil)
		before := db.Contents(t)
		for _, args := range [][]string{{"serve", "--listen", "127.0.0.1:0"}, {"user", "show", "ada"}} {
			r := testkit.Run(t, append(db.Env(t), "ROLLCALL_MANAGEMENT_LISTEN=127.0.0.1:0"), args...)
			said := r.Stdout + r.Stderr
			for _, words := range []string{"upgraded by a newer program", "keep colours", "start the newer rollcall, or restore the backup"} {
				if r.Code != 1 || !strings.Contains(said, words) {
					t.Errorf("rollcall %s: want code 1 and %q, got %d and:\n%s", args[0], words, r.Code, said)
				}
			}
		}
		testkit.Diff(t, "the database", before, db.Contents(t))
		if mail, err := mailOf(newProbe(upgraded.URL, "probe", probePassword), "ada"); err != nil || mail != "ada@x.test" {
			t.Errorf("the newer program answers %q, %v", mail, err)
		}
	})
}

func schemaLevel(t *testing.T, db testkit.Database) int {
	t.Helper()
	var level sql.NullInt64
	if err := db.Raw(t).QueryRowContext(t.Context(), "SELECT max(number) FROM schema_steps").Scan(&level); err != nil {
		t.Fatal(err)
	}
	return int(level.Int64)
}

// sameEvents reads the feed from a place to its end on both servers, which have to tell the same,
// and gives it by the writers' names.
func (p pair) sameEvents(t *testing.T, token string) map[string][]event {
	t.Helper()
	var told [2][]event
	for i, server := range []*probe{p.onA(), p.onB()} {
		place, quiet := token, 0
		within(t, 30*time.Second, "there are no more events", func() bool {
			var page []event
			page, place = eventsAfter(t, server, place)
			told[i] = append(told[i], page...)
			if quiet++; len(page) > 0 {
				quiet = 0
			}
			return quiet == 20
		})
	}
	if diff := cmp.Diff(told[0], told[1]); diff != "" {
		t.Errorf("the older and the newer program tell another feed (-older +newer):\n%s", diff)
	}
	by := map[string][]event{}
	for _, e := range told[0] {
		name, _, _ := strings.Cut(e.User+e.Group, "_")
		by[name] = append(by[name], e)
	}
	return by
}

// A crew works on one server until it is ended: a light load of everything that clients do.
type crew struct {
	workers []*worker
	group   sync.WaitGroup
	stop    atomic.Bool
}

func workOn(server *testkit.Server, name string) *crew {
	c := &crew{}
	for i := range 3 {
		w := &worker{name: fmt.Sprintf("%s-%d", name, i), probe: newProbe(server.URL, "probe", probePassword), stay: map[string]string{}}
		c.workers = append(c.workers, w)
		c.group.Go(func() {
			for ; !c.stop.Load() && w.err == nil; w.lives.Add(1) {
				w.live(int(w.lives.Load()))
				time.Sleep(5 * time.Millisecond)
			}
			w.failed.Store(w.err != nil)
		})
	}
	return c
}

// untilEachDid waits until every worker did so much more.
func (c *crew) untilEachDid(t *testing.T, lives int64) {
	t.Helper()
	for _, w := range c.workers {
		before := w.lives.Load()
		within(t, time.Minute, w.name+" works", func() bool { return w.failed.Load() || w.lives.Load() >= before+lives })
	}
	if slices.ContainsFunc(c.workers, func(w *worker) bool { return w.failed.Load() }) {
		c.end(t)
		t.FailNow()
	}
}

// end ends the work; none of it may have failed.
func (c *crew) end(t *testing.T) {
	t.Helper()
	c.stop.Store(true)
	c.group.Wait()
	for _, w := range c.workers {
		if w.err != nil {
			t.Errorf("%s: %v", w.name, w.err)
		}
	}
}

// String says how much was done.
func (c *crew) String() string {
	requests, slowest := 0, time.Duration(0)
	for _, w := range c.workers {
		requests += w.requests
		slowest = max(slowest, w.slowest)
	}
	return fmt.Sprintf("%d requests, the slowest took %v", requests, slowest)
}

// A worker asks one thing after the other, and stops at the first answer that is not the right one.
type worker struct {
	name     string
	probe    *probe
	lives    atomic.Int64
	failed   atomic.Bool
	requests int
	slowest  time.Duration
	written  []event           // what the feed has to tell, in order
	stay     map[string]string // the mails of users who weren't removed
	err      error
}

// live makes a user and a group, does with them whatever clients do, and removes every other user.
func (w *worker) live(i int) {
	user, group := fmt.Sprintf("%s_user-%d", w.name, i), fmt.Sprintf("%s_group-%d", w.name, i)
	byName, members := named("/user", "username", user), named("/group/user/direct", "groupname", group)
	const first, second = "first@x.test", "second@x.test"
	member := map[string]any{"name": user}

	w.write(event{"CREATED", user, first, ""}, 201, "POST", "/user", newUser(user, first))
	w.call(200, "POST", named("/authentication", "username", user), map[string]string{"value": "difference"})
	w.write(event{"CREATED", "", "", group}, 201, "POST", "/group", map[string]any{"name": group})
	w.write(event{"CREATED", user, "", group}, 201, "POST", members, member)
	w.call(200, "GET", byName, nil)
	w.call(200, "GET", named("/user/group/nested", "username", user), nil)
	w.call(200, "GET", members, nil)
	w.call(200, "POST", "/search?entity-type=user", map[string]any{"restriction-type": "property-search-restriction",
		"property": map[string]any{"name": "name", "type": "STRING"}, "match-mode": "EXACTLY_MATCHES", "value": user})
	w.call(201, "POST", "/session", map[string]string{"username": user, "password": "difference"})
	w.write(event{"UPDATED", user, second, ""}, 204, "PUT", byName, map[string]any{"name": user, "email": second})
	w.call(204, "PUT", named("/user/password", "username", user), map[string]string{"value": "engine"})
	if i%2 == 0 {
		w.write(event{"DELETED", user, "", group}, 204, "DELETE", members+"&username="+url.QueryEscape(user), nil)
		w.write(event{"DELETED", user, "", ""}, 204, "DELETE", byName, nil)
	} else if w.err == nil {
		w.stay[user] = second
	}
}

// write calls, and notes what the feed has to tell.
func (w *worker) write(e event, status int, method, path string, body any) {
	w.call(status, method, path, body)
	if w.err == nil {
		w.written = append(w.written, e)
	}
}

func (w *worker) call(status int, method, path string, body any) {
	if w.err != nil {
		return
	}
	began := time.Now()
	got, err := w.probe.call(method, path, body)
	w.slowest = max(w.slowest, time.Since(began))
	w.requests++
	if err == nil && got.status != status {
		err = errors.New(got.body)
	}
	if err != nil {
		w.err = fmt.Errorf("%s %s: want %d, got %d: %w", method, path, status, got.status, err)
	}
}
