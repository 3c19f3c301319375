package google_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
	"github.com/rollcall-id/rollcall/models"
	dirsync "github.com/rollcall-id/rollcall/sync"
	"github.com/rollcall-id/rollcall/sync/google"
)

// start starts a fake Google with a clock that waits for nobody. The test fails when the source
// does there what it may not.
func start(t *testing.T, c fakecloud.GoogleConfig) (*fakecloud.Google, *fakecloud.Clock) {
	t.Helper()
	clock := fakecloud.NewClock(time.Now())
	c.Now = clock.Now
	cloud := fakecloud.NewGoogle(c)
	if err := cloud.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cloud.Close()
		for _, v := range cloud.Violations() {
			t.Error(v)
		}
	})
	return cloud, clock
}

// options are those of a source that reads the fake, whose waiting moves the clock.
func options(cloud *fakecloud.Google, clock *fakecloud.Clock) google.Options {
	return google.Options{
		Credentials: models.Secret(cloud.Credentials()), Subject: "admin@example.test", DirectoryURL: cloud.URL,
		Now: clock.Now,
		Sleep: func(ctx context.Context, d time.Duration) error {
			clock.Advance(d)
			return ctx.Err()
		},
	}
}

func open(t *testing.T, o google.Options) *google.Source {
	t.Helper()
	s, err := google.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func source(t *testing.T, cloud *fakecloud.Google, clock *fakecloud.Clock) *google.Source {
	t.Helper()
	return open(t, options(cloud, clock))
}

// Everything that a source tells.
type everything struct {
	users      map[string]dirsync.User
	groups     map[string]dirsync.Group
	members    map[string][]dirsync.Member
	gone       []string
	unreadable []string
}

func readAll(ctx context.Context, s *google.Source) (everything, error) {
	all := everything{users: map[string]dirsync.User{}, groups: map[string]dirsync.Group{}, members: map[string][]dirsync.Member{}}
	if err := s.Users(ctx, "", func(users []dirsync.User, _ dirsync.Checkpoint) error {
		for _, u := range users {
			all.users[u.ID] = u
		}
		return nil
	}); err != nil {
		return all, err
	}
	var ids []string
	if err := s.Groups(ctx, "", func(groups []dirsync.Group, _ dirsync.Checkpoint) error {
		for _, g := range groups {
			all.groups[g.ID] = g
			ids = append(ids, g.ID)
		}
		return nil
	}); err != nil {
		return all, err
	}
	err := s.Members(ctx, ids, func(m dirsync.Members) error {
		switch {
		case m.Gone:
			all.gone = append(all.gone, m.Group)
		case m.Unreadable != nil:
			all.unreadable = append(all.unreadable, m.Unreadable.Error())
		default:
			all.members[m.Group] = append(all.members[m.Group], m.Members...)
		}
		return nil
	})
	return all, err
}

// same compares what was read with what the cloud has.
func same(t *testing.T, cloud *fakecloud.Google, got everything) {
	t.Helper()
	users, groups := 0, 0
	for n, u := range cloud.Directory.Users() {
		users++
		if r := got.users[cloud.UserID(n)]; r.Login != u.Login || r.Mail != u.Login || r.Display != u.Display || r.Active == u.Disabled || r.Guest != u.Guest {
			t.Errorf("user %d: want %+v, got %+v", n, u, r)
		}
	}
	for n, g := range cloud.Directory.Groups() {
		groups++
		id := cloud.GroupID(n)
		if got.groups[id].Name != g.Name || got.groups[id].Description != g.Description || !strings.Contains(got.groups[id].Mail, "@") {
			t.Errorf("group %d: want %+v, got %+v", n, g, got.groups[id])
		}
		var want []dirsync.Member
		for m := range cloud.Directory.Members(n) {
			kind := dirsync.MemberUser
			if m.Kind == fakecloud.GroupMember {
				kind = dirsync.MemberGroup
			}
			want = append(want, dirsync.Member{ID: cloud.MemberID(m), Kind: kind})
		}
		if diff := gocmp.Diff(sorted(want), sorted(got.members[id])); diff != "" {
			t.Errorf("members of group %d: %s", n, diff)
		}
	}
	if users != len(got.users) || groups != len(got.groups) {
		t.Errorf("want %d users and %d groups, got %d and %d", users, groups, len(got.users), len(got.groups))
	}
}

func sorted(members []dirsync.Member) []dirsync.Member {
	return slices.SortedFunc(slices.Values(members), func(a, b dirsync.Member) int { return cmp.Compare(a.ID, b.ID) })
}

func TestReadsEverythingAtTheLeastCost(t *testing.T) {
	t.Parallel()
	for _, size := range []struct{ users, groups int }{{0, 0}, {1, 1}, {499, 199}, {500, 200}, {501, 201}, {1500, 30}} {
		t.Run(fmt.Sprint(size.users), func(t *testing.T) {
			t.Parallel()
			gen := fakecloud.Typical(size.users, size.groups)
			gen.Everyone = true
			cloud, clock := start(t, fakecloud.GoogleConfig{Gen: gen})
			s := source(t, cloud, clock)
			got, err := readAll(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			same(t, cloud, got)
			want := pages(size.users, 500) + pages(size.groups, 200)
			for n := range cloud.Directory.Groups() {
				count := 0
				for range cloud.Directory.Members(n) {
					count++
				}
				want += max(1, pages(count, 200))
			}
			if requests := cloud.Requests(""); requests > want+10 || int64(requests) != s.Stats().Requests {
				t.Errorf("want at most %d + 10 requests, got %d, of which %d are counted", want, requests, s.Stats().Requests)
			}
			if most := cloud.MostAtOnce(); most > 16 {
				t.Errorf("%d requests at once", most)
			}
		})
	}
}

func pages(n, size int) int { return (n + size - 1) / size }

func TestMembersOfAllKinds(t *testing.T) {
	t.Parallel()
	cloud, clock := start(t, fakecloud.GoogleConfig{Gen: fakecloud.Gen{Users: 1}})
	cloud.Edit(func(e *fakecloud.Edit) {
		all, sub := e.CreateGroup(fakecloud.Group{Name: "all"}), e.CreateGroup(fakecloud.Group{Name: "sub"})
		e.AddUser(all, 0)
		e.Nest(all, sub)
		for _, kind := range []fakecloud.MemberKind{fakecloud.Everybody, fakecloud.Contact, fakecloud.ServicePrincipal, fakecloud.Device} {
			e.Add(all, fakecloud.Member{Kind: kind})
		}
	})
	got, err := readAll(t.Context(), source(t, cloud, clock))
	if err != nil {
		t.Fatal(err)
	}
	want := sorted([]dirsync.Member{
		{ID: cloud.UserID(0), Kind: dirsync.MemberUser},
		{ID: cloud.GroupID(1), Kind: dirsync.MemberGroup},
		{ID: fakecloud.GoogleCustomer, Kind: dirsync.MemberEverybody},
		{ID: cloud.MemberID(fakecloud.Member{Kind: fakecloud.Contact}), Kind: dirsync.MemberUser}, // an account elsewhere: the engine finds no such user
		{ID: cloud.MemberID(fakecloud.Member{Kind: fakecloud.ServicePrincipal}), Kind: dirsync.MemberOther},
		{ID: cloud.MemberID(fakecloud.Member{Kind: fakecloud.Device}), Kind: dirsync.MemberOther},
	})
	if diff := gocmp.Diff(want, sorted(got.members[cloud.GroupID(0)])); diff != "" {
		t.Error(diff)
	}
	if len(got.members[cloud.GroupID(1)]) != 0 {
		t.Error("an empty group has members")
	}
}

func TestSuspendedAndArchivedAreInactive(t *testing.T) {
	t.Parallel()
	cloud, clock := start(t, fakecloud.GoogleConfig{})
	cloud.Edit(func(e *fakecloud.Edit) {
		e.CreateUser(fakecloud.User{Login: "ada", Given: "Ada", Surname: "Lovelace", Display: "The Countess"})
		e.CreateUser(fakecloud.User{Login: "bob", Disabled: true})
		e.CreateUser(fakecloud.User{Login: "eve", Attributes: map[string]string{"archived": "true"}})
		e.CreateUser(fakecloud.User{Login: "guest@partner.example", Guest: true})
	})
	got, err := readAll(t.Context(), source(t, cloud, clock))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]dirsync.User{}
	for n, u := range []dirsync.User{
		{Login: "ada@example.test", First: "Ada", Last: "Lovelace", Display: "The Countess", Active: true},
		{Login: "bob@example.test", Display: "bob"},
		{Login: "eve@example.test", Display: "eve"},
		{Login: "guest@partner.example", Display: "guest", Active: true, Guest: true},
	} {
		u.ID, u.Mail = cloud.UserID(fakecloud.UserNo(n)), u.Login
		want[u.ID] = u
	}
	if diff := gocmp.Diff(want, got.users); diff != "" {
		t.Error(diff)
	}
}

func TestAttributes(t *testing.T) {
	t.Parallel()
	cloud, clock := start(t, fakecloud.GoogleConfig{})
	cloud.Edit(func(e *fakecloud.Edit) {
		e.CreateUser(fakecloud.User{Login: "ada", EmployeeID: "17", Department: "Analysis", OtherMails: []string{"countess@example.test"},
			Attributes: map[string]string{"HR.badge": "B1", "orgUnitPath": "/eng"}})
		e.CreateUser(fakecloud.User{Login: "bob"})
	})
	o := options(cloud, clock)
	o.Attributes = []string{"orgUnitPath", "aliases", "organizations.department", "externalIds.value", "customSchemas.HR.badge", "emails.address"}
	s := open(t, o)
	got, err := readAll(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	want := []models.Attribute{
		{Name: "orgUnitPath", Values: []string{"/eng"}},
		{Name: "aliases", Values: []string{"countess@example.test"}},
		{Name: "organizations.department", Values: []string{"Analysis"}},
		{Name: "externalIds.value", Values: []string{"17"}},
		{Name: "customSchemas.HR.badge", Values: []string{"B1"}},
		{Name: "emails.address", Values: []string{"ada@example.test", "countess@example.test"}},
	}
	if diff := gocmp.Diff(want, got.users[cloud.UserID(0)].Attributes); diff != "" {
		t.Error(diff)
	}
	found, err := s.Find(t.Context(), "ada@example.test")
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	if diff := gocmp.Diff(want, found[0].Attributes); diff != "" {
		t.Error(diff)
	}
	if bob := got.users[cloud.UserID(1)].Attributes; len(bob) != 2 { // orgUnitPath is always there, and the address
		t.Errorf("want what bob has, got %v", bob)
	}
	for _, name := range []string{"department", "organizations", "customSchemas.HR", "customSchemas.HR.x)", "orgUnitPath.x", "organizations.a,b"} {
		o.Attributes = []string{name}
		if _, err := google.New(o); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: want a refusal that names it, got %v", name, err)
		}
	}
}

func TestFindsSingleUsers(t *testing.T) {
	t.Parallel()
	cloud, clock := start(t, fakecloud.GoogleConfig{Gen: fakecloud.Gen{Users: 3, Groups: 2, AvgMembers: 2}})
	cloud.Edit(func(e *fakecloud.Edit) {
		e.UpdateUser(1, func(u *fakecloud.User) { u.OtherMails = []string{"alias@example.test"} })
		e.DeleteUser(2)
	})
	s := source(t, cloud, clock)
	first, _ := cloud.Directory.User(0)
	for word, want := range map[string]string{
		cloud.UserID(0): cloud.UserID(0), first.Login: cloud.UserID(0), strings.ToUpper(first.Login): cloud.UserID(0), " " + first.Login: cloud.UserID(0),
		"alias@example.test": cloud.UserID(1),
		cloud.UserID(2):      "", "nobody@example.test": "", "eve@elsewhere.example": "", "ada": "", "": "", "a/b": "", "ada lovelace": "", "é": "",
	} {
		found, err := s.Find(t.Context(), word)
		if err != nil || len(found) > 1 || (len(found) == 1) != (want != "") || want != "" && found[0].ID != want {
			t.Errorf("%q: want %q, got %v %v", word, want, found, err)
		}
	}
	got := map[string]string{}
	ids := []string{cloud.UserID(0), cloud.UserID(1), cloud.UserID(2), cloud.MemberID(fakecloud.Member{Kind: fakecloud.Contact})}
	if err := s.UsersByID(t.Context(), ids, func(u dirsync.User) error {
		got[u.ID] = u.Login
		return nil
	}); err != nil || len(got) != 2 {
		t.Errorf("want the two that are there, got %v %v", got, err)
	}
	groups := map[string]int{}
	if err := s.GroupsOf(t.Context(), ids[:3], func(user string, in []string) error {
		groups[user] = len(in)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	want := map[string]int{ids[0]: 0, ids[1]: 0, ids[2]: 0}
	for n := range cloud.Directory.Groups() {
		for u := range 2 {
			if cloud.Directory.IsMember(n, fakecloud.Member{N: u}) {
				want[ids[u]]++
			}
		}
	}
	if diff := gocmp.Diff(want, groups); diff != "" {
		t.Error(diff)
	}
}

func TestTellsNoChanges(t *testing.T) {
	t.Parallel()
	cloud, clock := start(t, fakecloud.GoogleConfig{})
	s := source(t, cloud, clock)
	if cursor, err := s.Begin(t.Context()); cursor != "" || err != nil {
		t.Errorf("want no cursor, got %q %v", cursor, err)
	}
	var full *dirsync.FullRead
	if _, err := s.Changes(t.Context(), "x", nil); !errors.As(err, &full) {
		t.Errorf("want a full read, got %v", err)
	}
	if cloud.Requests("") != 0 {
		t.Error("it asked for that")
	}
}

// What goes wrong and passes: everything is read, once.
func TestOutlastsTrouble(t *testing.T) {
	t.Parallel()
	gen := fakecloud.Typical(1100, 40)
	for name, fault := range map[string]fakecloud.Fault{
		"quota":             {Do: fakecloud.Forbidden, Reason: "quotaExceeded", Times: 3},
		"user's rate":       {Do: fakecloud.Forbidden, Reason: "userRateLimitExceeded", Times: 3},
		"rate":              {Do: fakecloud.Forbidden, Reason: "rateLimitExceeded", Times: 3},
		"too many":          {Do: fakecloud.Throttle, RetryAfter: 7 * time.Second, Times: 3},
		"unavailable":       {Do: fakecloud.Unavailable, Times: 3},
		"server error":      {Do: fakecloud.ServerError, Times: 2},
		"token expired":     {Do: fakecloud.Expired},
		"cut body":          {Do: fakecloud.CutBody, Times: 2},
		"truncated":         {Do: fakecloud.Truncated, Times: 2},
		"connection reset":  {Do: fakecloud.Reset, Times: 2},
		"a page for people": {Do: fakecloud.HTMLPage, Times: 2},
		"empty body":        {Do: fakecloud.EmptyBody, Times: 2},
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
	var requests atomic.Int32
	cloud.After("/members", 100, cloud.RevokeTokens)
	got, err := readAll(t.Context(), source(t, cloud, clock))
	if err != nil {
		t.Fatal(err)
	}
	same(t, cloud, got)
	if n := cloud.Requests("POST /token"); n != 2 {
		t.Errorf("want two tokens for all workers, got %d", n)
	}
	_ = requests.Load()
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
		{"API off", fakecloud.Fault{Path: "/groups", Do: fakecloud.Forbidden, Reason: "accessNotConfigured"}, []string{"read groups", "Admin SDK API"}, 8},
		{"too fast for ever", fakecloud.Fault{Path: "/users", Do: fakecloud.Forbidden, Reason: "quotaExceeded", Times: -1}, []string{"403 quotaExceeded", "tried 20 times"}, 25},
		{"unavailable for ever", fakecloud.Fault{Path: "/users", Do: fakecloud.Unavailable, Times: -1}, []string{"503 backendError", "tried 6 times"}, 8},
		{"a page for people for ever", fakecloud.Fault{Path: "/users", Do: fakecloud.HTMLPage, Times: -1}, []string{"GET /admin/directory/v1/users", "web page", "proxy"}, 8},
		{"no way", fakecloud.Fault{Path: "/users", Do: fakecloud.Reset, Times: -1}, []string{"GET /admin/directory/v1/users", "network"}, 8},
		{"a list that goes in a circle", fakecloud.Fault{Path: "/users", Do: fakecloud.RepeatLink, Times: -1}, []string{"read users", "circle"}, 4},
		{"the token's end", fakecloud.Fault{Path: "/users", Do: fakecloud.Expired, Times: -1}, []string{"401 authError", "clock"}, 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cloud, clock := start(t, fakecloud.GoogleConfig{Gen: fakecloud.Typical(1100, 3)})
			cloud.Fail(c.fault)
			s := source(t, cloud, clock)
			_, err := readAll(t.Context(), s)
			wantSentence(t, cloud, err, c.want)
			if n := cloud.Requests(""); n > c.most {
				t.Errorf("want at most %d requests, got %d", c.most, n)
			}
		})
	}
}

func wantSentence(t *testing.T, cloud *fakecloud.Google, err error, want []string) {
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
		wantSentence(t, cloud, err, []string{"/token"})
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
