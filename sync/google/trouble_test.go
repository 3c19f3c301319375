package google_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
	dirsync "github.com/rollcall-id/rollcall/sync"
)

// What is only Google's way to say "later": everything is read, once. What all clouds have in
// common is in the suite.
func TestOutlastsTrouble(t *testing.T) {
	t.Parallel()
	gen := fakecloud.Typical(1100, 40)
	for name, fault := range map[string]fakecloud.Fault{
		"quota":       {Do: fakecloud.Forbidden, Reason: "quotaExceeded", Times: 3},
		"user's rate": {Do: fakecloud.Forbidden, Reason: "userRateLimitExceeded", Times: 3},
		"rate":        {Do: fakecloud.Forbidden, Reason: "rateLimitExceeded", Times: 3},
		"empty pages": {Do: fakecloud.EmptyPages, Times: 5},
	} {
		for _, list := range []string{"/users", "/groups\\?", "/members"} {
			t.Run(name+" "+list, func(t *testing.T) {
				t.Parallel()
				cloud, clock := start(t, fakecloud.GoogleConfig{Gen: gen})
				fault := fault
				fault.Path, fault.Nth = list, 2
				if list == "/groups\\?" {
					fault.Nth = 1
				}
				cloud.Fail(fault)
				got, err := readAll(t.Context(), source(t, cloud, clock))
				if err != nil || len(got.unreadable) > 0 {
					t.Fatal(err, got.unreadable)
				}
				same(t, cloud, got)
			})
		}
	}
}

func TestTokensEndWhileReading(t *testing.T) {
	t.Parallel()
	cloud, clock := start(t, fakecloud.GoogleConfig{Gen: fakecloud.Typical(1100, 300)})
	cloud.After("/members", 100, cloud.RevokeTokens)
	got, err := readAll(t.Context(), source(t, cloud, clock))
	if err != nil {
		t.Fatal(err)
	}
	same(t, cloud, got)
	if n := cloud.Requests("POST /token"); n != 2 {
		t.Errorf("want two tokens for all workers, got %d", n)
	}
}

// What goes wrong and stays: the run ends, with a sentence, and soon.
func TestGivesUpWithAWayOut(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		fault fakecloud.Fault
		want  []string // in the sentence
		most  int      // requests
	}{
		{"not permitted", fakecloud.Fault{Path: "/users", Do: fakecloud.Forbidden}, []string{"403 forbidden", "Users > Read"}, 2},
		{"not permitted on page 2", fakecloud.Fault{Path: "/users", Nth: 2, Do: fakecloud.Forbidden}, []string{"read users: page 2", "Users > Read"}, 3},
		{"too much today", fakecloud.Fault{Path: "/users", Do: fakecloud.Forbidden, Reason: "dailyLimitExceeded"}, []string{"dailyLimitExceeded", "tomorrow"}, 2},
		{"an account that isn't paid for", fakecloud.Fault{Path: "/users", Do: fakecloud.Forbidden, Reason: "domainCannotUseApis"}, []string{"403 domainCannotUseApis", "not paid for"}, 2},
		{"API off", fakecloud.Fault{Path: "/groups", Do: fakecloud.Forbidden, Reason: "accessNotConfigured"}, []string{"read groups", "Admin SDK API"}, 8},
		{"too fast for ever", fakecloud.Fault{Path: "/users", Do: fakecloud.Forbidden, Reason: "quotaExceeded", Times: -1}, []string{"403 quotaExceeded", "tried 20 times"}, 25},
		{"empty pages for ever", fakecloud.Fault{Path: "/groups\\?", Do: fakecloud.EmptyPages, Times: -1}, []string{"read groups", "100 pages without anything"}, 105},
		{"the token's end", fakecloud.Fault{Path: "/users", Do: fakecloud.Expired, Times: -1}, []string{"401 authError", "clock"}, 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cloud, clock := start(t, fakecloud.GoogleConfig{Gen: fakecloud.Typical(1100, 3)})
			cloud.Fail(c.fault)
			s := source(t, cloud, clock)
			_, err := readAll(t.Context(), s)
			wantSentence(t, err, c.want)
			if n := cloud.Requests(""); n > c.most {
				t.Errorf("want at most %d requests, got %d", c.most, n)
			}
		})
	}
}

func wantSentence(t *testing.T, err error, want []string) {
	t.Helper()
	if err == nil {
		t.Fatalf("want %q, got no error", want)
	}
	for _, part := range want {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("want %q in: %v", part, err)
		}
	}
	for _, secret := range []string{"ya29.", "PRIVATE KEY", "assertion=", "Bearer", "pageToken=~"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("%q is in: %v", secret, err)
		}
	}
}

// One group that can't be read leaves the others alone; a group that is gone is told as gone.
func TestGroupsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	cloud, clock := start(t, fakecloud.GoogleConfig{Gen: fakecloud.Typical(100, 20)})
	for n, fault := range []fakecloud.Fault{
		{Do: fakecloud.Unavailable, Times: -1},
		{Do: fakecloud.Forbidden, Times: -1},
		{Do: fakecloud.Forbidden, Reason: "domainCannotUseApis", Times: -1}, // how Google calls another account's group
	} {
		fault.Path = "/groups/" + cloud.GroupID(fakecloud.GroupNo(n+3)) + "/members"
		cloud.Fail(fault)
	}
	cloud.After("/groups\\?", 1, func() { cloud.Edit(func(e *fakecloud.Edit) { e.DeleteGroup(9) }) })
	got, err := readAll(t.Context(), source(t, cloud, clock))
	if err != nil {
		t.Fatal(err)
	}
	if len(got.unreadable) != 3 || len(got.members) != 16 || !slices.Equal(got.gone, []string{cloud.GroupID(9)}) {
		t.Errorf("want 3 unreadable, 16 read and one gone, got %v, %d, %v", got.unreadable, len(got.members), got.gone)
	}
}

// A right that is lost while members are read isn't the trouble of each group: the run ends.
func TestRightsThatEndWhileReading(t *testing.T) {
	t.Parallel()
	for want, end := range map[string]func(*fakecloud.GoogleConfig){
		"403 forbidden": func(c *fakecloud.GoogleConfig) {
			c.Subjects = map[string]fakecloud.GoogleSubject{"admin@example.test": fakecloud.GoogleUsersOnly}
		},
		"403 domainCannotUseApis": func(c *fakecloud.GoogleConfig) { c.Suspended = true },
	} {
		cloud, clock := start(t, fakecloud.GoogleConfig{Gen: fakecloud.Typical(50, 190)})
		cloud.After("/members", 20, func() { cloud.Set(end) })
		got, err := readAll(t.Context(), source(t, cloud, clock))
		wantSentence(t, err, []string{"read the members of group", want})
		if n := cloud.Requests(""); n > 70 || len(got.unreadable) > 0 {
			t.Errorf("%s: it went on for %d requests, and calls %d groups unreadable", want, n, len(got.unreadable))
		}
	}
}

// What Google doesn't speak about may be there: an administrator of one unit, say, is refused the
// users of the others.
func TestUsersOfWhomGoogleDoesNotSpeak(t *testing.T) {
	t.Parallel()
	for _, reason := range []string{"forbidden", "domainCannotUseApis"} {
		cloud, clock := start(t, fakecloud.GoogleConfig{Gen: fakecloud.Gen{Users: 3}})
		cloud.Fail(fakecloud.Fault{Path: "/users/" + cloud.UserID(1), Do: fakecloud.Forbidden, Reason: reason, Times: -1})
		var got []string
		err := source(t, cloud, clock).UsersByID(t.Context(), []string{cloud.UserID(0), cloud.UserID(1), cloud.UserID(2), cloud.UserID(9)}, func(u dirsync.User) error {
			got = append(got, u.ID)
			return nil
		})
		wantSentence(t, err, []string{"doesn't speak", "read user " + cloud.UserID(1), "403 " + reason})
		if _, withheld := errors.AsType[*dirsync.Withheld](err); !withheld || len(got) != 2 {
			t.Errorf("want the two that are there, and one withheld, got %v, %v", got, err)
		}
	}
}

// A setting that Google doesn't understand is named.
func TestAnotherCustomer(t *testing.T) {
	t.Parallel()
	cloud, clock := start(t, fakecloud.GoogleConfig{})
	o := options(cloud, clock)
	o.Customer = "C0another"
	s := open(t, o)
	_, err := readAll(t.Context(), s)
	wantSentence(t, err, []string{"400 invalid: Invalid Input: customer", "check the settings customer"})
	_, err = s.Check(t.Context())
	wantSentence(t, err, []string{"check the settings customer"})
}

// A token endpoint that isn't found must not look like a group that isn't there.
func TestMissingTokenIsNoMissingGroup(t *testing.T) {
	t.Parallel()
	for _, do := range []fakecloud.Trouble{fakecloud.NotFound, fakecloud.Forbidden, fakecloud.ServerError} {
		cloud, clock := start(t, fakecloud.GoogleConfig{Gen: fakecloud.Typical(50, 20)})
		cloud.After("/groups\\?", 1, func() {
			cloud.RevokeTokens()
			cloud.Fail(fakecloud.Fault{Path: "^/token", Do: do, Times: -1})
		})
		got, err := readAll(t.Context(), source(t, cloud, clock))
		wantSentence(t, err, []string{"/token"})
		if len(got.gone) > 0 || len(got.unreadable) > 0 {
			t.Errorf("gone %v, unreadable %v", got.gone, got.unreadable)
		}
	}
}

// A foreign JSON must not look like an empty list.
func TestForeignAnswersAreNotEmptyLists(t *testing.T) {
	t.Parallel()
	cloud, clock := start(t, fakecloud.GoogleConfig{})
	o := options(cloud, clock)
	o.DirectoryURL = foreign(t)
	if _, err := readAll(t.Context(), open(t, o)); err == nil || !strings.Contains(err.Error(), "directory-url") {
		t.Errorf("want an error that names directory-url, got %v", err)
	}
}

func TestGoesOnFromACheckpoint(t *testing.T) {
	t.Parallel()
	cloud, clock := start(t, fakecloud.GoogleConfig{Gen: fakecloud.Typical(1600, 2)})
	var at dirsync.Checkpoint
	stop := errors.New("stop")
	seen := map[string]int{}
	count := func(users []dirsync.User) {
		for _, u := range users {
			seen[u.ID]++
		}
	}
	err := source(t, cloud, clock).Users(t.Context(), "", func(users []dirsync.User, next dirsync.Checkpoint) error {
		count(users)
		if len(seen) > 900 {
			at = next
			return stop
		}
		return nil
	})
	if !errors.Is(err, stop) || at == "" {
		t.Fatalf("want to stop at a checkpoint, got %v at %q", err, at)
	}
	rest := func(users []dirsync.User, _ dirsync.Checkpoint) error {
		count(users)
		return nil
	}
	if err := source(t, cloud, clock).Users(t.Context(), at, rest); err != nil {
		t.Fatal(err)
	}
	for id, times := range seen {
		if times != 1 {
			t.Errorf("user %s came %d times", id, times)
		}
	}
	if len(seen) != 1600 {
		t.Errorf("want 1600 users, got %d", len(seen))
	}
	clear(seen)
	clock.Advance(4 * 24 * time.Hour) // page tokens live three days: everything comes again
	if err := source(t, cloud, clock).Users(t.Context(), at, rest); err != nil || len(seen) != 1600 {
		t.Errorf("want all 1600 users, got %d, %v", len(seen), err)
	}
}

func TestStopsWithItsContext(t *testing.T) {
	t.Parallel()
	cloud, clock := start(t, fakecloud.GoogleConfig{Gen: fakecloud.Typical(1100, 100)})
	ctx, cancel := context.WithCancel(t.Context())
	cloud.After("/members", 10, cancel)
	if _, err := readAll(ctx, source(t, cloud, clock)); !errors.Is(err, context.Canceled) {
		t.Errorf("want the end of the context, got %v", err)
	}
}
