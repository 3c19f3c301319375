package application_test

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// authenticate calls from loopback.
func (h *house) authenticate(t testing.TB, name, secret string) error {
	t.Helper()
	_, err := h.Authenticate(t.Context(), basic(name, secret), application.Caller{Address: loopback, Request: "req-1"})
	return err
}

// Crowd's order is name, address, password: each check is reported only once those before it
// passed.
func TestOrderOfAuthentication(t *testing.T) {
	elsewhere := netip.MustParseAddr("10.1.2.3")
	cases := []struct {
		name   string
		header string
		from   netip.Addr
		want   models.Code
	}{
		{"all is right", basic("jira", secret), loopback, ""},
		{"another spelling of the name", basic("JIRA", secret), loopback, ""},
		{"the password is wrong", basic("jira", "wrong"), loopback, models.AppUnauthorized},
		{"the password is another application's", basic("jira", "secret-2"), loopback, models.AppUnauthorized},
		{"the password is empty", basic("jira", ""), loopback, models.AppUnauthorized},
		{"the password is longer than any", basic("jira", strings.Repeat("x", 2000)), loopback, models.AppUnauthorized},
		{"the password is right but for its case", basic("jira", strings.ToUpper(secret)), loopback, models.AppUnauthorized},
		{"the address is wrong", basic("jira", secret), elsewhere, models.AddressForbidden},
		{"address and password are wrong", basic("jira", "wrong"), elsewhere, models.AddressForbidden},
		{"the address is unknown", basic("jira", secret), netip.Addr{}, models.AddressForbidden},
		{"the name is unknown", basic("wiki", secret), loopback, models.AppUnauthorized},
		{"everything is wrong", basic("wiki", "wrong"), elsewhere, models.AppUnauthorized},
		{"the application is inactive", basic("old", secret), loopback, models.AppUnauthorized},
		{"the application is inactive, from elsewhere", basic("old", secret), elsewhere, models.AppUnauthorized},
		{"no header", "", loopback, models.AppUnauthorized},
		{"no header, from elsewhere", "", elsewhere, models.AppUnauthorized},
		{"a header that can't be read", "Basic !", loopback, models.AppUnauthorized},
	}
	eachHouse(t, func(t *testing.T, h *house) {
		h.app(t, "jira", firstMatch)
		h.create(t, application.NewApplication{Name: "other", Password: "secret-2"})
		h.app(t, "old", application.Options{Active: new(false)})
		for range 2 { // the second time from memory
			for _, c := range cases {
				v, err := h.Authenticate(t.Context(), c.header, application.Caller{Address: c.from, Request: "req-9"})
				wantCode(t, c.name, c.want, err)
				if err == nil && v.Application().Name != "jira" {
					t.Errorf("%s: want jira's view, got that of %s", c.name, v.Application().Name)
				}
				if err != nil && v != nil {
					t.Errorf("%s: refused, and yet a view", c.name)
				}
			}
		}
	})
}

func TestInactiveApplicationIsRefusedAtOnce(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.app(t, "jira", firstMatch)
		wantCode(t, "active", "", h.authenticate(t, "jira", secret))
		for _, c := range []struct {
			active bool
			want   models.Code
		}{{false, models.AppUnauthorized}, {true, ""}} {
			if err := h.Set(t.Context(), operator, "jira", application.Options{Active: &c.active}, nil); err != nil {
				t.Fatal(err)
			}
			wantCode(t, "set", c.want, h.authenticate(t, "jira", secret))
		}
		if err := h.Delete(t.Context(), operator, "jira"); err != nil {
			t.Fatal(err)
		}
		wantCode(t, "deleted", models.AppUnauthorized, h.authenticate(t, "jira", secret))
		h.create(t, application.NewApplication{Name: "jira", Password: "secret-2"})
		wantCode(t, "another of its name, with the old password", models.AppUnauthorized, h.authenticate(t, "jira", secret))
	})
}

// A password is replaced without an outage: the new one is added, the client changed, the old
// one removed.
func TestPasswordsOverlap(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.app(t, "jira", firstMatch)
		h.app(t, "wiki", firstMatch)
		added, err := h.AddPassword(t.Context(), operator, "jira", "secret-2", "spring", 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, password := range []string{secret, "secret-2", secret, "secret-2"} {
			wantCode(t, "while both count, "+password, "", h.authenticate(t, "jira", password))
		}
		record, err := h.ByName(t.Context(), "jira")
		if err != nil {
			t.Fatal(err)
		}
		if len(record.Passwords) != 2 || record.Passwords[1].ID != added.ID || record.Passwords[1].Hint != "spring" {
			t.Fatalf("want two passwords, the second with its note; got %+v", record.Passwords)
		}
		old := record.Passwords[0].ID
		wantCode(t, "through another application", models.IllegalArgument, h.RemovePassword(t.Context(), operator, "wiki", old))
		wantCode(t, "remove", "", h.RemovePassword(t.Context(), operator, "jira", old))
		wantCode(t, "remove again", models.IllegalArgument, h.RemovePassword(t.Context(), operator, "jira", old))
		wantCode(t, "the old one", models.AppUnauthorized, h.authenticate(t, "jira", secret))
		wantCode(t, "the new one", "", h.authenticate(t, "jira", "secret-2"))
		wantCode(t, "remove the last one", "", h.RemovePassword(t.Context(), operator, "jira", added.ID))
		wantCode(t, "without any", models.AppUnauthorized, h.authenticate(t, "jira", "secret-2"))
		wantCode(t, "the other application", "", h.authenticate(t, "wiki", secret))
	})
}

func TestPasswordExpires(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.app(t, "jira", firstMatch)
		ends := h.store.Now().Add(time.Hour)
		if _, err := h.AddPassword(t.Context(), operator, "jira", "secret-2", "", ends); err != nil {
			t.Fatal(err)
		}
		wantCode(t, "before its end", "", h.authenticate(t, "jira", "secret-2"))
		h.clock.Advance(time.Hour - time.Millisecond)
		wantCode(t, "a moment before", "", h.authenticate(t, "jira", "secret-2"))
		h.clock.Advance(time.Millisecond)
		for range 2 {
			wantCode(t, "at its end", models.AppUnauthorized, h.authenticate(t, "jira", "secret-2"))
		}
		wantCode(t, "the one without an end", "", h.authenticate(t, "jira", secret))

		// An operator prolongs it by adding the same password once more.
		if _, err := h.AddPassword(t.Context(), operator, "jira", "secret-2", "", 0); err != nil {
			t.Fatal(err)
		}
		wantCode(t, "the same password again", "", h.authenticate(t, "jira", "secret-2"))
	})
}

// The slow hash is computed once per password and process: not with each request, and not for
// a client that sends a wrong password with each request either.
// After a start every connection of a client comes at once: one hash answers them all, where one
// each would have sent some away as busy.
func TestConnectionsThatComeTogetherWaitForOneHash(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.app(t, "jira", firstMatch)
		before := h.hasher.Stats().Done
		var group sync.WaitGroup
		for range 40 {
			group.Go(func() {
				if err := h.authenticate(t, "jira", secret); err != nil {
					t.Errorf("want in, got %v", err)
				}
			})
		}
		group.Wait()
		if got := h.hasher.Stats().Done - before; got != 1 {
			t.Errorf("want 1 slow hash, got %d", got)
		}
	})
}

func TestSlowHashRunsOncePerPassword(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.app(t, "jira", firstMatch)
		before := h.hasher.Stats().Done
		wantHashes := func(what string, want uint64) {
			t.Helper()
			if got := h.hasher.Stats().Done - before; got != want {
				t.Errorf("%s: want %d slow hashes, got %d", what, want, got)
			}
			before = h.hasher.Stats().Done
		}
		again := func(what string, want models.Code, password string) {
			t.Helper()
			for range 10 {
				wantCode(t, what, want, h.authenticate(t, "jira", password))
			}
		}
		again("right", "", secret)
		wantHashes("right", 1)
		again("wrong", models.AppUnauthorized, "secret-2")
		wantHashes("wrong", 1)
		again("wrong in another way", models.AppUnauthorized, "secret-3")
		wantHashes("wrong in another way", 1)

		h.app(t, "wiki", firstMatch) // the configuration is read anew, what was computed stays
		wantHashes("another application's password", 1)
		again("right after a change", "", secret)
		again("wrong after a change", models.AppUnauthorized, "secret-3")
		wantHashes("after a change", 0)

		if _, err := h.AddPassword(t.Context(), operator, "jira", "secret-2", "", 0); err != nil {
			t.Fatal(err)
		}
		wantHashes("a new password is stored", 1)
		again("refused before, and right now", "", "secret-2")
		wantHashes("refused before, and right now", 1) // only the new one is compared
		again("still wrong", models.AppUnauthorized, "secret-3")
		wantHashes("still wrong", 1)
		again("the first", "", secret)
		wantHashes("the first", 0)

		// An inactive application, a wrong address or an unknown name cost nothing.
		for range 10 {
			_, err := h.Authenticate(t.Context(), basic("jira", "secret-4"), application.Caller{Address: netip.MustParseAddr("10.1.2.3")})
			wantCode(t, "wrong address", models.AddressForbidden, err)
			wantCode(t, "unknown name", models.AppUnauthorized, h.authenticate(t, "unknown", secret))
		}
		wantHashes("before the password is looked at", 0)
	})
}

// Thousands of wrong passwords don't fill the memory; the right one is remembered all the same.
func TestManyWrongPasswords(t *testing.T) {
	t.Parallel()
	if kept, last := application.RememberProofs(10_000); kept > 4096 || !last {
		t.Errorf("want at most 4096 remembered, and the last among them; got %d, %t", kept, last)
	}
}

// Two operators add passwords at the same time, and PostgreSQL commits the one with the lower
// number last. A client that tried that password in between must not be refused for good.
func TestPasswordThatCommitsLate(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		if db.Kind != testkit.Postgres {
			return // SQLite has one writer
		}
		h, cli := newHouse(t, db, testkit.NewClock()), newHouse(t, db, testkit.NewClock())
		h.app(t, "jira", firstMatch)
		hash, err := h.hasher.Hash(t.Context(), "secret-late")
		if err != nil {
			t.Fatal(err)
		}
		record, err := h.ByName(t.Context(), "jira")
		if err != nil {
			t.Fatal(err)
		}
		err = cli.store.Write(t.Context(), operator, func(tx *store.Tx) error {
			late := &models.ApplicationPassword{Hash: models.Secret(hash)}
			if err := tx.AddApplicationPassword(&record.Application, late); err != nil {
				return err
			}
			early, err := h.AddPassword(t.Context(), operator, "jira", "secret-early", "", 0)
			if err != nil {
				return err
			}
			if early.ID < late.ID {
				t.Errorf("want the number of the late one to be lower")
			}
			wantCode(t, "before it is committed", models.AppUnauthorized, h.authenticate(t, "jira", "secret-late"))
			return nil
		})
		wantCode(t, "commit", "", err)
		wantCode(t, "once it is committed", "", h.authenticate(t, "jira", "secret-late"))
	})
}

// What the command line did in another process a moment ago counts before somebody is refused.
func TestOtherProcessesChangesCountBeforeARefusal(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		clock := testkit.NewClock()
		server, cli := newHouse(t, db, clock), newHouse(t, db, clock)
		wantCode(t, "not there yet", models.AppUnauthorized, server.authenticate(t, "jira", secret))

		cli.create(t, application.NewApplication{Name: "jira", Addresses: []string{"10.0.0.0/8"}})
		wantCode(t, "created, for other addresses", models.AddressForbidden, server.authenticate(t, "jira", secret))

		if err := cli.Set(t.Context(), operator, "jira", application.Options{}, []string{"127.0.0.1"}); err != nil {
			t.Fatal(err)
		}
		wantCode(t, "allowed from here", "", server.authenticate(t, "jira", secret))

		wantCode(t, "another password", models.AppUnauthorized, server.authenticate(t, "jira", "secret-2"))
		if _, err := cli.AddPassword(t.Context(), operator, "jira", "secret-2", "", 0); err != nil {
			t.Fatal(err)
		}
		wantCode(t, "added", "", server.authenticate(t, "jira", "secret-2"))
	})
}

// A change that arrives while an application is being refused counts too. Before, a call that
// came together with the change was answered by what had been configured before it.
func TestChangeThatArrivesDuringARefusal(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		clock := testkit.NewClock()
		server, cli := newHouse(t, db, clock), newHouse(t, db, clock)
		server.create(t, application.NewApplication{Name: "jira", Addresses: []string{"jira.example.test"}})
		server.ResolveWith(func(ctx context.Context, _ string) ([]netip.Addr, error) {
			if err := cli.Set(ctx, operator, "jira", application.Options{}, []string{"127.0.0.1"}); err != nil {
				return nil, err
			}
			return nil, server.store.CatchUp(ctx) // as Follow does
		}, clock.Now)
		wantCode(t, "set meanwhile", "", server.authenticate(t, "jira", secret))
	})
}

// What another process takes away is gone within a second, where the store follows the feed.
func TestRemovalInAnotherProcess(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		clock := testkit.NewClock()
		server, cli := newHouse(t, db, clock), newHouse(t, db, clock)
		testkit.Go(t, server.store.Follow)
		server.fill(t, "staff", "ada")
		server.fill(t, "partners", "bob")
		server.app(t, "jira", firstMatch, "staff")
		if _, err := server.AddPassword(t.Context(), operator, "jira", "secret-2", "", 0); err != nil {
			t.Fatal(err)
		}
		wantCode(t, "before", "", server.authenticate(t, "jira", secret))
		record, err := cli.ByName(t.Context(), "jira")
		if err != nil {
			t.Fatal(err)
		}

		wantCode(t, "remove", "", cli.RemovePassword(t.Context(), operator, "jira", record.Passwords[0].ID))
		soon(t, "the password is refused", func() bool {
			return models.Is(server.authenticate(t, "jira", secret), models.AppUnauthorized)
		})
		_, err = cli.Map(t.Context(), operator, "jira", application.NewMapping{Directory: "partners"})
		wantCode(t, "map", "", err)
		soon(t, "the mapping counts", func() bool {
			v, err := server.Authenticate(t.Context(), basic("jira", "secret-2"), application.Caller{Address: loopback})
			if err == nil {
				_, err = v.User(t.Context(), "bob")
			}
			return err == nil
		})
	})
}

// soon waits until something that takes less than a second is so. A busy machine gets ten.
func soon(t *testing.T, what string, is func() bool) {
	t.Helper()
	start := time.Now()
	for !is() {
		if time.Since(start) > 10*time.Second {
			t.Fatalf("want within a second: %s", what)
		}
		time.Sleep(10 * time.Millisecond)
	}
	if took := time.Since(start); took > time.Second {
		t.Logf("%s: took %s", what, took)
	}
}

// Refusals are written down with who called, from where; the name may be anything.
func TestRefusalsAreWrittenDown(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.app(t, "jira", firstMatch)
		elsewhere := application.Caller{Address: netip.MustParseAddr("10.1.2.3"), Request: "req-7"}
		for _, header := range []string{basic("jira", secret), basic("no\x00body", "x"), basic(strings.Repeat("x", 300), "x"), "garbage"} {
			if _, err := h.Authenticate(t.Context(), header, elsewhere); err == nil {
				t.Errorf("%q was accepted", header)
			}
		}
		wantCode(t, "from here", models.AppUnauthorized, h.authenticate(t, "Jira", "hidden-words"))
		wantCode(t, "right", "", h.authenticate(t, "jira", secret))
		if err := h.refusals.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		entries, err := h.store.SearchAudit(t.Context(), store.AuditSearch{Action: "app.refused", Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range entries {
			got = append(got, strings.Join([]string{e.Actor, e.Outcome, e.Address, e.Request}, " "))
			if strings.Contains(e.Subject+e.Before+e.After, "hidden-words") {
				t.Errorf("the audit log shows a password: %+v", e)
			}
		}
		slices.Sort(got)
		want := []string{
			"(unprintable) app-unauthorized 10.1.2.3 req-7",
			"Jira app-unauthorized 127.0.0.1 req-1",
			"jira address-forbidden 10.1.2.3 req-7",
		}
		if !slices.Equal(want, got) {
			t.Errorf("want the refusals\n%s\ngot\n%s", strings.Join(want, "\n"), strings.Join(got, "\n"))
		}

		if err := h.store.FlushNotes(t.Context()); err != nil {
			t.Fatal(err)
		}
		record, err := h.ByName(t.Context(), "jira")
		if err != nil {
			t.Fatal(err)
		}
		calls, err := h.store.Calls(t.Context(), record.ID, 10)
		if err != nil {
			t.Fatal(err)
		}
		got = nil
		for _, c := range calls { // newest first
			got = append(got, c.Address+" "+c.Reason)
		}
		if want := []string{"127.0.0.1 app-unauthorized", "10.1.2.3 address-forbidden"}; !slices.Equal(want, got) {
			t.Errorf("want the calls %v, got %v", want, got)
		}
	})
}

// While the database is away, whoever is known goes on; whether somebody else must be refused
// isn't known, so nobody is: a client would take a refusal for a wrong password.
func TestAuthenticationWhileTheDatabaseIsAway(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		if db.Kind != testkit.Postgres {
			return // a file doesn't go away
		}
		h := newHouse(t, db, testkit.NewClock())
		h.app(t, "jira", firstMatch)
		wantCode(t, "before", "", h.authenticate(t, "jira", secret))
		db.GoAway(t)
		wantCode(t, "away, known", "", h.authenticate(t, "jira", secret))
		wantCode(t, "away, a wrong password", models.Unavailable, h.authenticate(t, "jira", "wrong"))
		wantCode(t, "away, an unknown name", models.Unavailable, h.authenticate(t, "wiki", secret))
		db.ComeBack(t)
		wantCode(t, "back, known", "", h.authenticate(t, "jira", secret))
		wantCode(t, "back, a wrong password", models.AppUnauthorized, h.authenticate(t, "jira", "wrong"))
	})
}
