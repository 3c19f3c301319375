package google_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
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

func open(t testing.TB, o google.Options) *google.Source {
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
		for _, kind := range []fakecloud.MemberKind{fakecloud.Everybody, fakecloud.GoogleStranger, fakecloud.ServicePrincipal, fakecloud.Device} {
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
		{ID: cloud.MemberID(fakecloud.Member{Kind: fakecloud.GoogleStranger}), Kind: dirsync.MemberUser}, // an account elsewhere: the engine finds no such user
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
		cloud.UserID(2):      "", "nobody@example.test": "", "eve@elsewhere.example": "", "ada": "", "": "", "a/b": "", "ada lovelace": "", "é": "", ".": "", "..": "", "a/../b@example.test": "",
	} {
		found, err := s.Find(t.Context(), word)
		if err != nil || len(found) > 1 || (len(found) == 1) != (want != "") || want != "" && found[0].ID != want {
			t.Errorf("%q: want %q, got %v %v", word, want, found, err)
		}
	}
	got := map[string]string{}
	ids := []string{cloud.UserID(0), cloud.UserID(1), cloud.UserID(2), cloud.MemberID(fakecloud.Member{Kind: fakecloud.GoogleStranger})}
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
