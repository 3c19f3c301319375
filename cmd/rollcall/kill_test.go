package main_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/testkit"
)

// Several writers work over connections of their own, the process is killed at some moment, and
// the next one has to know everything that was acknowledged.
func TestKillNineLosesNothing(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		const writers, rounds = 6, 4
		newStaff(t, db)
		ledgers := make([]*ledger, writers)
		for i := range ledgers {
			ledgers[i] = &ledger{writer: string(rune('a' + i)), facts: map[string][]string{}}
		}
		for range rounds {
			server := testkit.StartServer(t, db, nil)
			for _, l := range ledgers {
				l.check(t, newProbe(server.URL, "probe", probePassword))
			}
			workUntilKilled(t, server, ledgers)
			doctorAgrees(t, db)
		}
		server := testkit.StartServer(t, db, nil)
		acknowledged := 0
		for _, l := range ledgers {
			l.check(t, newProbe(server.URL, "probe", probePassword))
			acknowledged += l.acknowledged
		}
		doctorAgrees(t, db)
		t.Logf("%d acknowledged writes outlived %d kills on %s", acknowledged, rounds, db.Kind)
	})
}

// workUntilKilled lets every writer work until the server is killed, half a second after the
// first writes at most.
func workUntilKilled(t *testing.T, server *testkit.Server, ledgers []*ledger) {
	t.Helper()
	var acknowledged atomic.Int64
	var group sync.WaitGroup
	for _, l := range ledgers {
		group.Go(func() {
			if err := l.work(newProbe(server.URL, "probe", probePassword), &acknowledged); errors.Is(err, errRefused) {
				t.Error(err)
			}
		})
	}
	defer group.Wait()
	defer server.Kill()
	within(t, 30*time.Second, "the first 20 writes", func() bool { return acknowledged.Load() >= 20 })
	time.Sleep(rand.N(500 * time.Millisecond))
}

// A ledger is what one writer was told. A fact is something that can be read back: a user's
// mail, an attribute, a membership. Its value is empty while there is none. A write without an
// answer may have happened or not, so a fact may have several values.
type ledger struct {
	writer       string
	facts        map[string][]string
	users        []string
	acknowledged int
}

// errRefused is an answer, but not that of a write that was done.
var errRefused = errors.New("the server refused")

func (l *ledger) group() string { return "group-" + l.writer }

// work makes and changes users until no answer comes any more.
func (l *ledger) work(p *probe, acknowledged *atomic.Int64) error {
	if len(l.users) == 0 {
		if got, err := p.call("POST", "/group", map[string]any{"name": l.group()}); err != nil || got.status != 201 {
			return fmt.Errorf("%w: create %s: %d %s %w", errRefused, l.group(), got.status, got.body, err)
		}
	}
	for {
		name := fmt.Sprintf("%s-%d", l.writer, len(l.users))
		l.users = append(l.users, name)
		for _, w := range l.writes(name) {
			if err := l.write(p, w); err != nil {
				return err
			}
			acknowledged.Add(1)
		}
	}
}

// A write gives a fact a value.
type write struct {
	fact, value  string
	method, path string
	body         any
}

// writes are those of one user's life.
func (l *ledger) writes(name string) []write {
	colour := func(value string) any {
		return map[string]any{"attributes": []any{map[string]any{"name": "colour", "values": []string{value}}}}
	}
	user, colours, members := "user "+name, named("/user/attribute", "username", name), named("/group/user/direct", "groupname", l.group())
	life := []write{
		{user, "first@x.test", "POST", "/user", newUser(name, "first@x.test")},
		{"member " + name, "yes", "POST", members, map[string]any{"name": name}},
		{"colour of " + name, "red", "POST", colours, colour("red")},
		{user, "second@x.test", "PUT", named("/user", "username", name), map[string]any{"name": name, "email": "second@x.test"}},
		{"colour of " + name, "blue", "POST", colours, colour("blue")},
	}
	if len(l.users)%2 == 0 {
		life = append(life, write{"member " + name, "", "DELETE", members + "&username=" + name, nil})
	}
	return life
}

// write asks for one, and notes what the answer says, or that there was none.
func (l *ledger) write(p *probe, w write) error {
	before := l.facts[w.fact]
	if before == nil {
		before = []string{""}
	}
	l.facts[w.fact] = append(slices.Clone(before), w.value)
	got, err := p.call(w.method, w.path, w.body)
	if err != nil {
		return err
	}
	if got.status >= 300 {
		return fmt.Errorf("%w: %s %s: %d %s", errRefused, w.method, w.path, got.status, got.body)
	}
	l.facts[w.fact] = []string{w.value}
	l.acknowledged++
	return nil
}

// check reads every fact back. What the server says then is what has to be so from now on.
func (l *ledger) check(t *testing.T, p *probe) {
	t.Helper()
	now := l.read(t, p)
	for _, fact := range slices.Sorted(maps.Keys(l.facts)) {
		if !slices.Contains(l.facts[fact], now[fact]) {
			t.Errorf("%s: want one of %q, as the writer was told, got %q", fact, l.facts[fact], now[fact])
		}
		l.facts[fact] = []string{now[fact]}
	}
}

func (l *ledger) read(t *testing.T, p *probe) map[string]string {
	t.Helper()
	now := map[string]string{}
	if len(l.users) == 0 {
		return now
	}
	var members struct{ Users []struct{ Name string } }
	decode(t, p.must(t, 200, "GET", named("/group/user/direct", "groupname", l.group())+"&max-results=-1", nil), &members)
	for _, member := range members.Users {
		now["member "+member.Name] = "yes"
	}
	for _, name := range l.users {
		got, err := p.call("GET", named("/user", "username", name)+"&expand=attributes", nil)
		switch {
		case err != nil || got.status != 200 && got.status != 404:
			t.Fatalf("read %s: %d %s %v", name, got.status, got.body, err)
		case got.status == 404:
			continue
		}
		var user struct {
			Email      string
			Attributes struct {
				Attributes []struct {
					Name   string
					Values []string
				}
			}
		}
		decode(t, got.body, &user)
		now["user "+name] = user.Email
		for _, attribute := range user.Attributes.Attributes {
			if attribute.Name == "colour" {
				now["colour of "+name] = strings.Join(attribute.Values, ",")
			}
		}
	}
	return now
}
