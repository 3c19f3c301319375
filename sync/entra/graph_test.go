package entra_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
	"github.com/rollcall-id/rollcall/models"
	dirsync "github.com/rollcall-id/rollcall/sync"
)

func TestAttributesThatAreAskedForCome(t *testing.T) {
	t.Parallel()
	cloud := startEntra(t, fakecloud.EntraConfig{})
	var n fakecloud.UserNo
	cloud.Edit(func(e *fakecloud.Edit) {
		n = e.CreateUser(fakecloud.User{
			Login: "ada", Mail: "ada@contoso.example", Department: "Engines", OtherMails: []string{"a@b.example", "c@d.example"},
			Attributes: map[string]string{"extension_1234_badge": "42", "extensionAttribute3": "third"},
		})
	})
	o := optionsFor(cloud)
	o.Attributes = []string{"department", "mail", "otherMails", "companyName", "extension_1234_badge", "onPremisesExtensionAttributes.extensionAttribute3", "onPremisesExtensionAttributes.extensionAttribute4"}
	s := newSource(t, o)
	want := []models.Attribute{
		{Name: "department", Values: []string{"Engines"}},
		{Name: "mail", Values: []string{"ada@contoso.example"}},
		{Name: "otherMails", Values: []string{"a@b.example", "c@d.example"}},
		{Name: "extension_1234_badge", Values: []string{"42"}},
		{Name: "onPremisesExtensionAttributes.extensionAttribute3", Values: []string{"third"}},
	}
	var got []dirsync.User
	if err := s.Users(t.Context(), "", func(users []dirsync.User, _ dirsync.Checkpoint) error {
		got = append(got, users...)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.UsersByID(t.Context(), []string{cloud.UserID(n)}, func(u dirsync.User) error {
		got = append(got, u)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 {
		t.Fatalf("want the user twice, got %+v", got)
	}
	for _, u := range got {
		if diff := cmp.Diff(want, u.Attributes); diff != "" {
			t.Error(diff)
		}
	}
}

// Delta links have the fields in them: with other attributes everything must be read.
func TestOtherAttributesNeedAFullRead(t *testing.T) {
	t.Parallel()
	cloud := startEntra(t, fakecloud.EntraConfig{Gen: small})
	cursor, err := newSource(t, optionsFor(cloud)).Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	o := optionsFor(cloud)
	o.Attributes = []string{"department"}
	_, err = newSource(t, o).Changes(t.Context(), cursor, func(dirsync.Changes) error { return nil })
	if full, ok := err.(*dirsync.FullRead); !ok || !strings.Contains(full.Reason, "attributes") {
		t.Errorf("want a full read because of the attributes, got %v", err)
	}
}

func TestGuestsAreTold(t *testing.T) {
	t.Parallel()
	cloud := startEntra(t, fakecloud.EntraConfig{})
	guests := map[string]bool{}
	cloud.Edit(func(e *fakecloud.Edit) {
		for _, u := range []fakecloud.User{
			{Login: "guest@elsewhere.example", Guest: true, External: true},
			{Login: "inner@contoso.example", Guest: true},
			{Login: "member@elsewhere.example", External: true}, // "#EXT#" in the name, and a member
			{Login: "old@contoso.example", Untyped: true},
		} {
			guests[cloud.UserID(e.CreateUser(u))] = u.Guest
		}
	})
	err := newSource(t, optionsFor(cloud)).Users(t.Context(), "", func(users []dirsync.User, _ dirsync.Checkpoint) error {
		for _, u := range users {
			if u.Guest != guests[u.ID] {
				t.Errorf("%s: guest is %v", u.Login, u.Guest)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAGroupWithHiddenMembersIsUnreadable(t *testing.T) {
	t.Parallel()
	cloud := startEntra(t, fakecloud.EntraConfig{Gen: small})
	var hidden fakecloud.GroupNo
	cloud.Edit(func(e *fakecloud.Edit) {
		hidden = e.CreateGroup(fakecloud.Group{Name: "hidden", Kind: fakecloud.Unified, Hidden: true})
		e.AddUser(hidden, 1)
	})
	ids := []string{cloud.GroupID(0), cloud.GroupID(hidden)}
	read := func() (unreadable map[string]bool) {
		unreadable = map[string]bool{}
		err := newSource(t, optionsFor(cloud)).Members(t.Context(), ids, func(m dirsync.Members) error {
			unreadable[m.Group] = m.Unreadable != nil
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return unreadable
	}
	if diff := cmp.Diff(map[string]bool{ids[0]: false, ids[1]: true}, read()); diff != "" {
		t.Error(diff)
	}
	cloud.Set(func(c *fakecloud.EntraConfig) {
		c.Permissions = []string{fakecloud.UserReadAll, fakecloud.GroupMemberReadAll, fakecloud.MemberReadHidden}
	})
	if diff := cmp.Diff(map[string]bool{ids[0]: false, ids[1]: false}, read()); diff != "" {
		t.Error(diff)
	}
}

// A run that was interrupted for hours goes on with a link that Graph has forgotten.
func TestACheckpointThatGraphForgotBeginsAnew(t *testing.T) {
	t.Parallel()
	clock := fakecloud.NewClock(time.Now())
	cloud := startEntra(t, fakecloud.EntraConfig{Gen: fakecloud.Gen{Users: 20}, PageLimit: 7, Now: clock.Now})
	o := optionsFor(cloud)
	o.Now = clock.Now
	var from dirsync.Checkpoint
	if err := newSource(t, o).Users(t.Context(), "", func(_ []dirsync.User, next dirsync.Checkpoint) error {
		if next != "" {
			from = next
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	clock.Advance(5 * time.Hour)
	for _, from := range []dirsync.Checkpoint{from, "https://elsewhere.example/"} {
		seen := 0
		if err := newSource(t, o).Users(t.Context(), from, func(users []dirsync.User, _ dirsync.Checkpoint) error {
			seen += len(users)
			return nil
		}); err != nil || seen != 20 {
			t.Errorf("want all 20 users again, got %d, %v", seen, err)
		}
	}
}

func TestMembersComeTwentyGroupsInARequest(t *testing.T) {
	t.Parallel()
	cloud := startEntra(t, fakecloud.EntraConfig{Gen: fakecloud.Gen{Users: 100, Groups: 100, AvgMembers: 4}})
	var ids []string
	for g := range cloud.Directory.Groups() {
		ids = append(ids, cloud.GroupID(g))
	}
	s := newSource(t, optionsFor(cloud))
	if err := s.Members(t.Context(), ids, func(dirsync.Members) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if n := cloud.Requests(""); n != 1+5 { // the token and five batches
		t.Errorf("want 6 requests, got %d", n)
	}
}

func TestWhatGraphComplainsOfInABatchSlowsEverybodyDown(t *testing.T) {
	t.Parallel()
	clock := fakecloud.NewClock(time.Now())
	cloud := startEntra(t, fakecloud.EntraConfig{Gen: fakecloud.Gen{Users: 100, Groups: 200, AvgMembers: 4}, Now: clock.Now})
	cloud.Fail(fakecloud.Fault{Path: cloud.GroupID(5) + "/members", Times: 3, Do: fakecloud.Throttle, RetryAfter: time.Minute})
	var ids []string
	for g := range cloud.Directory.Groups() {
		ids = append(ids, cloud.GroupID(g))
	}
	o := optionsFor(cloud)
	o.Now = clock.Now
	o.Sleep = func(_ context.Context, d time.Duration) error {
		clock.Advance(d)
		return nil
	}
	s := newSource(t, o)
	complete := map[string]bool{}
	if err := s.Members(t.Context(), ids, func(m dirsync.Members) error {
		complete[m.Group] = m.Last
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if len(complete) != len(ids) {
		t.Errorf("want %d groups, got %d", len(ids), len(complete))
	}
	if stats := s.Stats(); stats.Throttled != 3 || stats.Retried != 3 {
		t.Errorf("want three complaints and three repetitions, got %+v", stats)
	}
	for _, v := range cloud.Violations() {
		t.Error(v)
	}
}

// Copies of Graph get their seconds to agree on a group also when another group of the batch is to
// come again sooner.
func TestAGroupThatIsNotThereYetGetsItsTime(t *testing.T) {
	t.Parallel()
	clock := fakecloud.NewClock(time.Now())
	cloud := startEntra(t, fakecloud.EntraConfig{Gen: small, Now: clock.Now})
	cloud.Fail(fakecloud.Fault{Path: cloud.GroupID(0) + "/members", Do: fakecloud.Throttle, RetryAfter: time.Second})
	cloud.Fail(fakecloud.Fault{Path: cloud.GroupID(1) + "/members", Do: fakecloud.NotFound})
	o := optionsFor(cloud)
	o.Now = clock.Now
	var waited time.Duration
	o.Sleep = func(_ context.Context, d time.Duration) error {
		waited += d
		clock.Advance(d)
		return nil
	}
	err := newSource(t, o).Members(t.Context(), []string{cloud.GroupID(0), cloud.GroupID(1)}, func(m dirsync.Members) error {
		if m.Gone {
			t.Errorf("group %s was told as gone", m.Group)
		}
		return nil
	})
	if err != nil || waited < 5*time.Second {
		t.Errorf("want to wait 5 s, waited %v, %v", waited, err)
	}
}
