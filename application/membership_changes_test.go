package application_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// memberships lists every membership and nesting there is, as "directory: group < member" and
// "directory: group < @group", whatever any application sees.
func (h *house) memberships(t testing.TB) []string {
	t.Helper()
	var got []string
	dirs, err := h.store.Directories(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range dirs {
		v := store.Visible{Dirs: []models.ID{dir.ID}}
		for m, err := range h.store.DumpUsers(t.Context(), v, "", "\uffff") {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, dir.Name+": "+m.GroupKey+" < "+m.Name)
		}
		for m, err := range h.store.DumpChildren(t.Context(), v, "", "\uffff") {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, dir.Name+": "+m.GroupKey+" < @"+m.Name)
		}
	}
	slices.Sort(got)
	return got
}

// A memberStep is one change through a view, and what is written then.
type memberStep struct {
	name    string
	change  string // "add ada devs", "remove ada devs", "nest all devs", "unnest all devs": the group comes first
	want    models.Code
	written string // what the change adds to, or takes from, all memberships; with ";" between
}

// changed gives what is in one list and not in the other.
func changed(before, after []string) string {
	var diff []string
	for _, line := range after {
		if !slices.Contains(before, line) {
			diff = append(diff, "+"+line)
		}
	}
	for _, line := range before {
		if !slices.Contains(after, line) {
			diff = append(diff, "-"+line)
		}
	}
	return strings.Join(diff, "; ")
}

func (h *house) takeSteps(t *testing.T, app string, steps []memberStep) {
	t.Helper()
	for _, s := range steps {
		before := h.memberships(t)
		f := strings.Fields(s.change)
		v := h.view(t, app)
		var err error
		switch f[0] {
		case "add":
			err = v.AddMember(t.Context(), f[2], f[1])
		case "remove":
			err = v.RemoveMember(t.Context(), f[2], f[1])
		case "nest":
			err = v.AddChild(t.Context(), f[2], f[1])
		case "unnest":
			err = v.RemoveChild(t.Context(), f[2], f[1])
		default:
			t.Fatalf("%s: no such change", s.change)
		}
		wantCode(t, s.name, s.want, err)
		if got := changed(before, h.memberships(t)); got != s.written {
			t.Errorf("%s: want written %q, got %q", s.name, s.written, got)
		}
	}
}

// Without aggregation a user's memberships are those of the user's own directory; where that
// lacks the group, it gets a copy.
func TestAddMemberFirstMatch(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		staff := h.fill(t, "staff", "Ada", "Devs:")
		partners := h.fill(t, "partners", "ada", "carl", "devs: ada", "sales:")
		h.fill(t, "archive", "zoe", "old:")
		h.fill(t, "attic", "yves", "older:")
		h.app(t, "jira", firstMatch, "staff", "partners", "archive", "attic")
		for dir, without := range map[string]models.Permissions{"archive": models.CreateGroup, "attic": models.UpdateGroup} {
			m := application.NewMapping{Directory: dir, Permissions: models.AllPermissions &^ without}
			if _, err := h.Map(t.Context(), operator, "jira", m); err != nil {
				t.Fatal(err)
			}
		}
		h.takeSteps(t, "jira", []memberStep{
			{"in the user's directory", "add DEVS ADA", "", "+staff: devs < Ada"},
			{"again", "add devs ada", models.AlreadyMember, ""},
			{"in the second directory", "add devs carl", "", "+partners: devs < carl"},
			{"a copy of the group", "add sales ada", "", "+staff: sales < Ada"},
			{"no such user", "add devs nobody", models.UserNotFound, ""},
			{"no such group", "add none ada", models.GroupNotFound, ""},
			{"neither: the user is reported", "add none nobody", models.UserNotFound, ""},
			{"a copy that is not permitted", "add devs zoe", models.PermissionDenied, ""},
			{"without a copy", "add old zoe", "", "+archive: old < zoe"},
			{"a copy that could have no members", "add devs yves", models.PermissionDenied, ""},
			{"a group that may not change", "add older yves", models.PermissionDenied, ""},
		})
		g, err := h.store.GroupByName(t.Context(), staff.ID, "sales")
		if err != nil || g.Description != "sales of partners" || !g.Active {
			t.Errorf("want a copy of the group, got %+v, %v", g, err)
		}
		h.takeSteps(t, "jira", []memberStep{
			{"remove, no such user", "remove none nobody", models.UserNotFound, ""},
			{"remove, no such group", "remove none ada", models.GroupNotFound, ""},
			{"not a member", "remove old ada", models.NotMember, ""},
			{"only in the user's directory", "remove devs ada", "", "-staff: devs < Ada"},
			{"the shadowed user's doesn't count", "remove devs ada", models.NotMember, ""},
			{"of the second directory", "remove devs carl", "", "-partners: devs < carl"},
		})
		if got := h.descriptions(t, "devs", staff, partners); len(got) != 2 {
			t.Errorf("want the empty groups to stay, got %v", got)
		}
	})
}

// With aggregation a membership of any directory counts: it is refused twice, and removed
// everywhere.
func TestAddMemberAggregated(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.fill(t, "staff", "ada", "bob", "ops:")
		h.fill(t, "partners", "Ada", "carl", "devs:", "qa: Ada", "ops:")
		h.fill(t, "others", "ada", "devs: ada", "qa: ada")
		h.app(t, "union", aggregated, "staff", "partners", "others")
		h.takeSteps(t, "union", []memberStep{
			{"a member in a later directory", "add devs ada", models.AlreadyMember, ""},
			{"the first directory with both", "add ops ada", "", "+staff: ops < ada"},
			{"again", "add OPS ADA", models.AlreadyMember, ""},
			{"no directory has both: a copy", "add qa bob", "", "+staff: qa < bob"},
			{"a user of the second", "add devs carl", "", "+partners: devs < carl"},
			{"no such user", "add none nobody", models.UserNotFound, ""},
			{"no such group", "add none ada", models.GroupNotFound, ""},

			{"remove, no such user", "remove none nobody", models.UserNotFound, ""},
			{"remove, no such group", "remove none ada", models.GroupNotFound, ""},
			{"everywhere", "remove qa ADA", "", "-others: qa < ada; -partners: qa < Ada"},
			{"again", "remove qa ada", models.NotMember, ""},
			{"another's stays", "remove qa bob", "", "-staff: qa < bob"},
		})
	})
}

// With aggregation the place is the first directory that has both and permits; only then one
// that lacks the group. Removal asks the permission of every directory that has the membership.
func TestPermissionsOfAggregatedMemberships(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.fill(t, "locked", "ada", "devs: ada", "ops:", "closed:")
		h.fill(t, "small", "ada")
		h.fill(t, "open", "ada", "devs: ada", "ops:")
		h.app(t, "union", aggregated, "locked", "small", "open")
		for dir, perms := range map[string]models.Permissions{
			"locked": models.AllPermissions &^ models.UpdateGroup,
			"small":  models.UpdateGroup,
		} {
			if _, err := h.Map(t.Context(), operator, "union", application.NewMapping{Directory: dir, Permissions: perms}); err != nil {
				t.Fatal(err)
			}
		}
		h.takeSteps(t, "union", []memberStep{
			{"passes over what isn't permitted", "add ops ada", "", "+open: ops < ada"},
			{"a copy in the only one that permits it", "add closed ada", "", "+open: closed < ada"},
			{"one of two doesn't permit: nothing is removed", "remove devs ada", models.PermissionDenied, ""},
			{"where all permit", "remove ops ada", "", "-open: ops < ada"},
		})
		if _, err := h.Map(t.Context(), operator, "union", application.NewMapping{Directory: "open", Permissions: models.UpdateGroup}); err != nil {
			t.Fatal(err)
		}
		if err := h.view(t, "union").RemoveMember(t.Context(), "ada", "closed"); err != nil {
			t.Fatal(err)
		}
		h.takeSteps(t, "union", []memberStep{{"has both now", "add closed ada", "", "+open: closed < ada"}})
		if _, err := h.Map(t.Context(), operator, "union", application.NewMapping{Directory: "open", Permissions: models.CreateGroup}); err != nil {
			t.Fatal(err)
		}
		h.takeSteps(t, "union", []memberStep{{"nobody permits", "add ops ada", models.PermissionDenied, ""}})
	})
}

func TestNestGroupsFirstMatch(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.fill(t, "staff", "devs:", "Eng:", "all:")
		h.fill(t, "partners", "devs:", "sales:", "world: @devs @sales", "eng: @sales")
		h.app(t, "jira", firstMatch, "staff", "partners")
		h.takeSteps(t, "jira", []memberStep{
			{"in the child's directory", "nest eng devs", "", "+staff: eng < @devs"},
			{"again", "nest ENG DEVS", models.AlreadyMember, ""},
			{"one more level", "nest all eng", "", "+staff: all < @Eng"},
			{"itself", "nest devs Devs", models.InvalidMembership, ""},
			{"a circle of two", "nest devs eng", models.InvalidMembership, ""},
			{"a circle of three", "nest devs all", models.InvalidMembership, ""},
			{"a copy of the parent", "nest world devs", "", "+staff: world < @devs"},
			{"a way through another directory is no circle", "nest sales eng", "", "+staff: sales < @Eng"},
			{"the child of the second directory", "nest sales none", models.GroupNotFound, ""},
			{"no such parent", "nest none devs", models.GroupNotFound, ""},

			{"take out, no such parent", "unnest none devs", models.GroupNotFound, ""},
			{"take out, no such child", "unnest eng none", models.GroupNotFound, ""},
			{"take out what isn't in", "unnest all devs", models.NotMember, ""},
			{"take out, only of the child's directory", "unnest world devs", "", "-staff: world < @devs"},
			{"the other directory's doesn't count", "unnest world devs", models.NotMember, ""},
		})
	})
}

func TestNestGroupsAggregated(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.fill(t, "staff", "devs:", "eng:", "all: @eng", "world:")
		h.fill(t, "partners", "Devs:", "Eng: @Devs", "sales:", "world: @Devs")
		h.fill(t, "others", "devs:", "world: @devs")
		h.app(t, "union", aggregated, "staff", "partners", "others")
		h.takeSteps(t, "union", []memberStep{
			{"a nesting in a later directory", "nest eng devs", models.AlreadyMember, ""},
			{"a circle of two through another directory", "nest devs eng", models.InvalidMembership, ""},
			{"a circle of three through both", "nest devs all", models.InvalidMembership, ""},
			{"itself, in another spelling", "nest eng Eng", models.InvalidMembership, ""},
			{"the first directory with both", "nest all devs", "", "+staff: all < @devs"},
			{"again", "nest all devs", models.AlreadyMember, ""},
			{"no directory has both: a copy", "nest sales all", "", "+staff: sales < @all"},
			{"which closes this one", "nest devs sales", models.InvalidMembership, ""},

			{"take out everywhere", "unnest world devs", "", "-others: world < @devs; -partners: world < @Devs"},
			{"again", "unnest world devs", models.NotMember, ""},
		})
		if _, err := h.Map(t.Context(), operator, "union", application.NewMapping{Directory: "partners", Permissions: models.ReadOnly}); err != nil {
			t.Fatal(err)
		}
		h.takeSteps(t, "union", []memberStep{{"not permitted where it is", "unnest eng devs", models.PermissionDenied, ""}})
	})
}
