package sync_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	dirsync "github.com/rollcall-id/rollcall/sync"
)

// lines lists the contents but for the users.
func (h *house) lines() []string {
	return slices.DeleteFunc(h.contents(), func(line string) bool { return strings.HasPrefix(line, "user ") })
}

func (h *house) wantsLines(what string, want ...string) {
	h.t.Helper()
	testkit.Diff(h.t, what, slices.Sorted(slices.Values(want)), h.lines())
}

// Groups of one name are never one group: the lowest id has the name, the others have the
// beginning of their ids behind it, and keep that.
func TestGroupsOfOneName(t *testing.T) {
	each(t, fakecloud.EntraConfig{}, nil, func(h *house) {
		var twins []fakecloud.GroupNo
		h.cloud.Edit(func(e *fakecloud.Edit) {
			u := e.CreateUser(fakecloud.User{Login: "ada"})
			for range 3 {
				twins = append(twins, e.CreateGroup(fakecloud.Group{Name: "Devs"}))
			}
			for _, g := range twins[1:] {
				e.AddUser(g, u)
			}
		})
		h.apply(models.OutcomeApplied)
		sorted := slices.Clone(twins)
		slices.SortFunc(sorted, func(a, b fakecloud.GroupNo) int { return strings.Compare(h.cloud.GroupID(a), h.cloud.GroupID(b)) })
		var want []string
		name := map[fakecloud.GroupNo]string{sorted[0]: "Devs"}
		for _, g := range sorted[1:] {
			name[g] = "Devs (" + h.cloud.GroupID(g)[:8] + ")"
		}
		for _, g := range twins {
			want = append(want, "group "+name[g])
		}
		for _, g := range twins[1:] {
			want = append(want, "member "+name[g]+": ada@contoso.example")
		}
		h.wantsLines("three groups of one name", want...)
		h.apply(models.OutcomeNothing, dirsync.Options{Full: true})
		h.cloud.Edit(func(e *fakecloud.Edit) { e.DeleteGroup(sorted[0]) })
		if run := h.apply(models.OutcomeApplied); run.Groups != (models.GroupCounts{Emptied: 1}) {
			h.t.Errorf("the owner of the name goes: %+v", run)
		}
		h.still("the others keep their names")
	})
}

// A group keeps the name under which it came first; the plan lists the drift. Where groups
// follow their names, the old one goes and a new one comes with all its memberships.
func TestGroupRenames(t *testing.T) {
	t.Run("keep", func(t *testing.T) {
		each(t, fakecloud.EntraConfig{}, nil, func(h *house) {
			_, g := team(h.cloud)
			h.apply(models.OutcomeApplied)
			before := h.contents()
			h.cloud.Edit(func(e *fakecloud.Edit) {
				e.UpdateGroup(g["devs"], func(g *fakecloud.Group) { g.Name, g.Description = "developers", "who develops" })
			})
			run := h.apply(models.OutcomeApplied)
			testkit.Diff(h.t, "contents", before, h.contents())
			want := []models.Drift{{ID: h.cloud.GroupID(g["devs"]), Name: "devs", Now: "developers"}}
			testkit.Diff(h.t, "the drift in a delta", want, run.Renamed)
			testkit.Diff(h.t, "the drift in a full plan", want, h.plan(dirsync.Options{Full: true}).Renamed)
			if run.Groups != (models.GroupCounts{Changed: 1}) {
				h.t.Errorf("the description changes, and nothing else: %+v", run)
			}
		})
	})
	t.Run("follow", func(t *testing.T) {
		each(t, fakecloud.EntraConfig{}, []string{"group-names=follow"}, func(h *house) {
			_, g := team(h.cloud)
			h.apply(models.OutcomeApplied)
			h.cloud.Edit(func(e *fakecloud.Edit) { e.UpdateGroup(g["devs"], func(g *fakecloud.Group) { g.Name = "developers" }) })
			run := h.apply(models.OutcomeApplied)
			if run.Groups != (models.GroupCounts{Created: 1, Removed: 1}) {
				h.t.Errorf("the run: %+v", run)
			}
			h.wantsLines("the new name", "group developers", "group ops", "group all", "member developers: ada@contoso.example", "member developers: bob@contoso.example",
				"member ops: eve@contoso.example", "child all: developers", "child all: ops")
			h.still("at the end")
		})
	})
}

// A name that gives power in Atlassian products doesn't come from a cloud in which anybody may
// make groups, unless it is allowed.
func TestProtectedGroups(t *testing.T) {
	each(t, fakecloud.EntraConfig{}, nil, func(h *house) {
		_, g := team(h.cloud)
		var admins fakecloud.GroupNo
		h.cloud.Edit(func(e *fakecloud.Edit) {
			admins = e.CreateGroup(fakecloud.Group{Name: "Jira-Administrators"})
			e.Nest(g["all"], admins)
		})
		run := h.apply(models.OutcomeApplied)
		if why := skipped(run, h.cloud.GroupID(admins)); !strings.Contains(why, "allow-groups") {
			h.t.Errorf("skipped because %q, want the way out", why)
		}
		if slices.Contains(h.lines(), "group Jira-Administrators") {
			h.t.Error("the group came")
		}
		h.set("allow-groups=jira-administrators")
		if run := h.apply(models.OutcomeApplied); run.Groups.Created != 1 || run.Memberships.Added != 1 {
			h.t.Errorf("allowed: %+v", run)
		}
	})
}

// Which groups come, and what their members are.
func TestGroupsInGroups(t *testing.T) {
	// eng-a ∋ ada, eng-b ∋ bob; eng-a ∋ eng-b; eng-a ∋ inner (not chosen by eng-*) ∋ cyd;
	// inner ∋ deep ∋ dan; deep ∋ inner (a circle); eng-b ∋ eng-a (another); eng-a ∋ eng-a.
	// eve is in no group; guest gus and disabled hal are in eng-a.
	for _, c := range []struct {
		name     string
		settings []string
		want     []string
		users    string
	}{
		{"everything", nil, []string{"group eng-a", "group eng-b", "group inner", "group deep", "member eng-a: ada", "member eng-a: gus", "member eng-a: hal",
			"member eng-b: bob", "member inner: cyd", "member deep: dan", "child eng-a: eng-b", "child eng-a: inner", "child inner: deep", "child deep: inner", "child eng-b: eng-a"},
			"ada bob cyd dan eve gus hal"},
		{"a wildcard: members of groups that don't come count", []string{"groups=ENG-*"}, []string{"group eng-a", "group eng-b",
			"member eng-a: ada", "member eng-a: gus", "member eng-a: hal", "member eng-a: cyd", "member eng-a: dan", "member eng-b: bob", "child eng-a: eng-b", "child eng-b: eng-a"},
			"ada bob cyd dan eve gus hal"},
		{"by name", []string{"groups=deep"}, []string{"group deep", "member deep: dan", "member deep: cyd"}, "ada bob cyd dan eve gus hal"},
		{"by pattern", []string{"groups=re:eng-[b-z]|deep"}, []string{"group eng-b", "group deep", "member eng-b: bob", "member eng-b: ada", "member eng-b: gus", "member eng-b: hal",
			"member eng-b: cyd", "member deep: dan", "member deep: cyd", "child eng-b: deep"}, "ada bob cyd dan eve gus hal"},
		{"by id", []string{"groups=id:DEEP"}, []string{"group deep", "member deep: dan", "member deep: cyd"}, "ada bob cyd dan eve gus hal"},
		{"only members", []string{"groups=deep", "users=members"}, []string{"group deep", "member deep: dan", "member deep: cyd"}, "cyd dan"},
		{"only members, nested", []string{"groups=eng-b,eng-a", "users=members"}, []string{"group eng-a", "group eng-b",
			"member eng-a: ada", "member eng-a: gus", "member eng-a: hal", "member eng-a: cyd", "member eng-a: dan", "member eng-b: bob", "child eng-a: eng-b", "child eng-b: eng-a"},
			"ada bob cyd dan gus hal"},
		{"flattened", []string{"groups=eng-b", "nested=flatten"}, []string{"group eng-b", "member eng-b: bob", "member eng-b: ada", "member eng-b: gus", "member eng-b: hal",
			"member eng-b: cyd", "member eng-b: dan"}, "ada bob cyd dan eve gus hal"},
		{"no guests, no disabled", []string{"groups=eng-a", "guests=exclude", "disabled=exclude"}, []string{"group eng-a", "member eng-a: ada", "member eng-a: bob",
			"member eng-a: cyd", "member eng-a: dan"}, "ada bob cyd dan eve"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
				h := newHouse(t, db, fakecloud.EntraConfig{Gen: fakecloud.Gen{Domain: "contoso.example"}}, "username=upn-local-part")
				var deep fakecloud.GroupNo
				h.cloud.Edit(func(e *fakecloud.Edit) {
					u := map[string]fakecloud.UserNo{}
					for _, name := range []string{"ada", "bob", "cyd", "dan", "eve", "gus", "hal"} {
						u[name] = e.CreateUser(fakecloud.User{Login: name, Guest: name == "gus", Disabled: name == "hal"})
					}
					a, b := e.CreateGroup(fakecloud.Group{Name: "eng-a"}), e.CreateGroup(fakecloud.Group{Name: "eng-b"})
					inner := e.CreateGroup(fakecloud.Group{Name: "inner"})
					deep = e.CreateGroup(fakecloud.Group{Name: "deep"})
					for g, members := range map[fakecloud.GroupNo][]string{a: {"ada", "gus", "hal"}, b: {"bob"}, inner: {"cyd"}, deep: {"dan"}} {
						for _, m := range members {
							e.AddUser(g, u[m])
						}
					}
					for _, pair := range [][2]fakecloud.GroupNo{{a, b}, {a, inner}, {inner, deep}, {deep, inner}, {b, a}, {a, a}} {
						e.Nest(pair[0], pair[1])
					}
					e.Add(a, fakecloud.Member{Kind: fakecloud.Device, N: 1})
				})
				for _, s := range c.settings {
					h.set(strings.ReplaceAll(s, "DEEP", h.cloud.GroupID(deep)))
				}
				h.apply(models.OutcomeApplied)
				h.wantsLines("groups and members", c.want...)
				var users []string
				for _, name := range h.names() {
					users = append(users, name)
				}
				slices.Sort(users)
				if got := strings.Join(users, " "); got != c.users {
					t.Errorf("the users are %s, want %s", got, c.users)
				}
				h.apply(models.OutcomeNothing)
			})
		})
	}
}

// Members that don't come are counted, group by group.
func TestMembersOutOfScopeAreCounted(t *testing.T) {
	each(t, fakecloud.EntraConfig{}, []string{"guests=exclude"}, func(h *house) {
		var g fakecloud.GroupNo
		h.cloud.Edit(func(e *fakecloud.Edit) {
			g = e.CreateGroup(fakecloud.Group{Name: "devs"})
			for _, name := range []string{"ada", "ann", "art"} {
				e.AddUser(g, e.CreateUser(fakecloud.User{Login: name, Guest: name != "ada"}))
			}
		})
		run := h.apply(models.OutcomeApplied)
		if why := skipped(run, h.cloud.GroupID(g)); !strings.HasPrefix(why, "2 members are") {
			h.t.Errorf("the group's line among the skipped is %q", why)
		}
	})
}
