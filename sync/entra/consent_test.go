package entra_test

import (
	"strings"
	"testing"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
	dirsync "github.com/rollcall-id/rollcall/sync"
)

// A smaller permission shows users without accountEnabled: whoever is disabled would be active.
func TestUsersOfWhomNobodyKnowsWhoIsDisabledAreAnError(t *testing.T) {
	t.Parallel()
	granted := []string{fakecloud.UserReadBasicAll, fakecloud.GroupMemberReadAll}
	for _, opaque := range []bool{false, true} {
		cloud := startEntra(t, fakecloud.EntraConfig{Gen: small, Permissions: granted, OpaqueTokens: opaque})
		s := newSource(t, optionsFor(cloud))
		err := s.Users(t.Context(), "", func(users []dirsync.User, _ dirsync.Checkpoint) error {
			t.Errorf("told %d users", len(users))
			return nil
		})
		if err == nil || !strings.Contains(err.Error(), "grant the application permission User.Read.All") {
			t.Errorf("want an error that names the permission, got %v", err)
		}
		report, err := s.Check(t.Context())
		if err != nil || len(report.Missing) != 1 || !strings.HasPrefix(report.Missing[0], "User.Read.All ") {
			t.Errorf("opaque %v: want User.Read.All missing, got %q, %v", opaque, report.Missing, err)
		}
	}
}

// An administrator takes a permission away while a run reads: what is then asked for by id isn't
// taken for users without a name.
func TestUsersByIDWithoutNamesAreAnError(t *testing.T) {
	t.Parallel()
	cloud := startEntra(t, fakecloud.EntraConfig{Gen: small, Permissions: []string{fakecloud.GroupMemberReadAll}})
	err := newSource(t, optionsFor(cloud)).UsersByID(t.Context(), []string{cloud.UserID(1)}, func(u dirsync.User) error {
		t.Errorf("told %+v", u)
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), "User.Read.All") {
		t.Errorf("want an error that names the permission, got %v", err)
	}
}

// The same with the members of groups: Graph then refuses each group as if it hid its members, and
// a run that calls them all unreadable looks nearly well.
func TestGroupsThatAreAllRefusedAreAnError(t *testing.T) {
	t.Parallel()
	cloud := startEntra(t, fakecloud.EntraConfig{Gen: fakecloud.Gen{Users: 30, Groups: 60, AvgMembers: 3}})
	var ids []string
	for g := range cloud.Directory.Groups() {
		ids = append(ids, cloud.GroupID(g))
	}
	cloud.After(`^/v1\.0/groups/[^/]+/members`, 25, func() {
		cloud.Set(func(c *fakecloud.EntraConfig) { c.Permissions = []string{fakecloud.UserReadAll} })
		cloud.RevokeTokens()
	})
	err := newSource(t, optionsFor(cloud)).Members(t.Context(), ids, func(m dirsync.Members) error {
		if m.Unreadable != nil {
			t.Errorf("group %s was told as unreadable: %v", m.Group, m.Unreadable)
		}
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), "GroupMember.Read.All") {
		t.Errorf("want an error that names the permission, got %v", err)
	}
}

// One group that is refused is no lack of permission.
func TestCheckLooksAtMoreThanOneGroup(t *testing.T) {
	t.Parallel()
	cloud := startEntra(t, fakecloud.EntraConfig{Gen: small})
	cloud.Fail(fakecloud.Fault{Path: cloud.GroupID(0) + "/members", Do: fakecloud.Forbidden})
	report, err := newSource(t, optionsFor(cloud)).Check(t.Context())
	if err != nil || len(report.Missing) > 0 {
		t.Errorf("want nothing missing, got %q, %v", report.Missing, err)
	}
}
