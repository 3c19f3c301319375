package sync_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	dirsync "github.com/rollcall-id/rollcall/sync"
)

// unguarded lets every plan pass.
var unguarded = []string{"guard-users=100000,100%", "guard-groups=100000,100%", "guard-memberships=100000,100%"}

// histories are the settings under which a delta must come to what a full read does.
var histories = []struct {
	name     string
	settings []string
	deltas   float64 // how many of the runs stay deltas, at least
	restores bool    // groups come back, too
}{
	{"default", nil, 0.6, true},
	{"groups", []string{"groups=eng-*"}, 0.3, false},
	{"a group by id", []string{"groups=id:GROUP0,eng-*"}, 0.2, false},
	{"members", []string{"groups=eng-*", "users=members"}, 0.1, false},
	{"members of any group", []string{"users=members"}, 0.1, false},
	{"flatten", []string{"nested=flatten"}, 0.1, false},
	{"follow", []string{"group-names=follow"}, 0.1, true},
	{"local part", []string{"username=upn-local-part", "guests=exclude"}, 0.5, true},
	{"mail", []string{"username=mail", "groups=eng-*,ops"}, 0.2, false},
	{"mail of members", []string{"username=mail", "groups=eng-*", "users=members"}, 0.1, false},
	{"all", []string{"groups=eng-*", "users=members", "nested=flatten", "guests=exclude", "disabled=exclude", "purge-after=0", "attributes=department"}, 0.1, false},
}

// After each run by delta the directory is what a full read would make of it: a full run has
// nothing to do, and a directory that is read for the first time has the same in it.
func TestADeltaComesToWhatAFullReadDoes(t *testing.T) {
	t.Parallel()
	for i, c := range histories {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
				runs := 8
				if i == 0 {
					runs = 25
				}
				agree(t, db, i, uint64(i), runs, 6)
			})
		})
	}
}

// agree plays a random history of so many runs.
func agree(t *testing.T, db testkit.Database, of int, seed uint64, runs, edits int) {
	w := newWorld(t, db, histories[of].settings, seed)
	w.restores = histories[of].restores
	kept := 0
	for n := range runs {
		story := w.change(edits)
		run := w.h.run()
		if run.Mode == "delta" {
			kept++
		}
		plan := w.h.plan(dirsync.Options{Full: true})
		if len(plan.Steps) > 0 || plan.Users != (models.UserCounts{}) || plan.Groups != (models.GroupCounts{}) || plan.Memberships != (models.MemberCounts{}) {
			t.Fatalf("seed %d, run %d (%s: %s): a full run would still do %+v\nafter\n%s\nwhere the run did %+v",
				seed, n, run.Mode, run.Reason, plan.Steps, strings.Join(story, "\n"), run.Steps)
		}
		if n%8 == 7 || n == runs-1 {
			w.compareWithFresh()
		}
		if run.Mode == "full" {
			t.Logf("run %d was full: %s", n, run.Reason)
		}
	}
	if float64(kept) < histories[of].deltas*float64(runs) {
		t.Errorf("of %d runs only %d stayed deltas", runs, kept)
	}
}

// A world is a house whose cloud changes by chance.
type world struct {
	t        *testing.T
	h        *house
	rnd      *rand.Rand
	users    []fakecloud.UserNo
	groups   []fakecloud.GroupNo
	settings []string
	made     int
	restores bool
}

func newWorld(t *testing.T, db testkit.Database, settings []string, seed uint64) *world {
	t.Helper()
	w := &world{t: t, rnd: rand.New(rand.NewPCG(seed, 6))}
	w.h = newHouse(t, db, fakecloud.EntraConfig{Replays: seed%2 == 0, EmptyPages: seed%3 == 0, ShuffleDeltaParts: seed%2 == 1, DeltaPage: 3, DeltaMembers: 4, DeltaLife: 6 * 24 * time.Hour,
		SecretEnds: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)}, unguarded...)
	w.h.cloud.Edit(func(e *fakecloud.Edit) {
		for range 6 {
			w.createUser(e)
		}
		for range 5 {
			w.createGroup(e)
		}
		for range 12 {
			w.join(e)
		}
	})
	for _, s := range settings {
		w.settings = append(w.settings, strings.ReplaceAll(s, "GROUP0", w.h.cloud.GroupID(w.groups[0])))
	}
	w.h.set(append([]string{"interval=1h"}, w.settings...)...)
	w.h.apply(models.OutcomeApplied)
	return w
}

// logins are few, so that people want the same ones.
func (w *world) login() string {
	return []string{"ada", "bob", "cyd", "dan", "eve", "fay", "gus", "hal", "ida"}[w.rnd.IntN(9)] + []string{"@contoso.example", "@fabrikam.example"}[w.rnd.IntN(2)]
}

func (w *world) groupName() string {
	return []string{"eng-a", "eng-b", "eng-c", "ops", "sales", "eng-a", "jira-administrators"}[w.rnd.IntN(7)]
}

func (w *world) createUser(e *fakecloud.Edit) string {
	u := fakecloud.User{Login: w.login(), Given: "N", Surname: fmt.Sprint(w.made),
		Guest: w.rnd.IntN(5) == 0, Disabled: w.rnd.IntN(6) == 0, Department: fmt.Sprint("d", w.rnd.IntN(3))}
	if n := w.rnd.IntN(12); n > 0 {
		u.Mail = fmt.Sprintf("m%d@mail.example", n)
	}
	w.made++
	n := e.CreateUser(u)
	w.users = append(w.users, n)
	return fmt.Sprintf("create user %d %s", n, u.Login)
}

func (w *world) createGroup(e *fakecloud.Edit) string {
	g := fakecloud.Group{Name: w.groupName()}
	n := e.CreateGroup(g)
	w.groups = append(w.groups, n)
	return fmt.Sprintf("create group %d %s", n, g.Name)
}

func pickOne[T any](w *world, list []T, if_ func(T) bool) (T, bool) {
	var some []T
	for _, item := range list {
		if if_(item) {
			some = append(some, item)
		}
	}
	if len(some) == 0 {
		var none T
		return none, false
	}
	return some[w.rnd.IntN(len(some))], true
}

func (w *world) someUser(e *fakecloud.Edit) (fakecloud.UserNo, bool) {
	return pickOne(w, w.users, e.HasUser)
}
func (w *world) someGroup(e *fakecloud.Edit) (fakecloud.GroupNo, bool) {
	return pickOne(w, w.groups, e.HasGroup)
}

// join puts somebody into a group, or out of it.
func (w *world) join(e *fakecloud.Edit) string {
	g, there := w.someGroup(e)
	u, some := w.someUser(e)
	if !there || !some {
		return ""
	}
	m := fakecloud.Member{Kind: fakecloud.UserMember, N: int(u)}
	if w.rnd.IntN(4) == 0 {
		child, _ := w.someGroup(e)
		m = fakecloud.Member{Kind: fakecloud.GroupMember, N: int(child)}
	}
	if e.IsMember(g, m) {
		e.Remove(g, m)
		return fmt.Sprintf("take %v out of group %d", m, g)
	}
	e.Add(g, m)
	return fmt.Sprintf("put %v into group %d", m, g)
}

// change makes some changes and says which.
func (w *world) change(edits int) (story []string) {
	switch w.rnd.IntN(12) {
	case 0:
		w.h.clock.Advance(31 * 24 * time.Hour)
		story = append(story, "a month passes")
	case 1:
		w.h.clock.Advance(5 * 24 * time.Hour)
		story = append(story, "five days pass")
	default:
		w.h.clock.Advance(time.Hour)
	}
	rows := w.rows()
	returns := func(g fakecloud.GroupNo) bool { return rows[w.h.cloud.GroupID(g)] }
	w.h.cloud.Edit(func(e *fakecloud.Edit) {
		for range 1 + w.rnd.IntN(edits) {
			if line := w.edit(e, returns); line != "" {
				story = append(story, line)
			}
		}
	})
	return story
}

// rows are the groups that have a row here, by id: only those come back. What others are in when
// they come back, no source tells, and the next full read finds out.
func (w *world) rows() map[string]bool {
	w.t.Helper()
	out := map[string]bool{}
	dir, err := w.h.store.DirectoryByName(w.t.Context(), "cloud")
	w.h.must(err)
	groups, err := w.h.store.GroupsOf(w.t.Context(), dir.ID, "", 1<<20)
	w.h.must(err)
	for _, g := range groups {
		out[g.ExternalID] = w.restores
	}
	return out
}

// edit makes one change. Of deleted groups those come back that may.
func (w *world) edit(e *fakecloud.Edit, returns func(fakecloud.GroupNo) bool) string {
	u, hasUser := w.someUser(e)
	g, hasGroup := w.someGroup(e)
	some := 0 // an empty list is an error, not a change
	for _, u := range w.users {
		if e.HasUser(u) {
			some++
		}
	}
	hasUser = hasUser && some > 3
	some = 0
	for _, g := range w.groups {
		if e.HasGroup(g) {
			some++
		}
	}
	hasGroup = hasGroup && some > 2
	switch at := w.rnd.IntN(100); {
	case at < 50:
		return w.join(e)
	case at < 56:
		return w.createUser(e)
	case at < 60 && hasUser:
		login := w.login()
		e.UpdateUser(u, func(u *fakecloud.User) { u.Login = login })
		return fmt.Sprintf("rename user %d to %s", u, login)
	case at < 64 && hasUser:
		e.UpdateUser(u, func(u *fakecloud.User) { u.Disabled = !u.Disabled })
		return fmt.Sprintf("turn user %d off or on", u)
	case at < 66 && hasUser:
		e.UpdateUser(u, func(u *fakecloud.User) { u.Guest = !u.Guest })
		return fmt.Sprintf("make user %d a guest or a member", u)
	case at < 68 && hasUser:
		department := fmt.Sprint("d", w.rnd.IntN(3))
		e.UpdateUser(u, func(u *fakecloud.User) { u.Department = department })
		return fmt.Sprintf("move user %d to %s", u, department)
	case at < 74 && hasUser:
		e.DeleteUser(u)
		return fmt.Sprintf("delete user %d", u)
	case at < 79:
		if back, ok := pickOne(w, w.users, e.CanRestoreUser); ok {
			e.RestoreUser(back)
			return fmt.Sprintf("restore user %d", back)
		}
	case at < 82 && hasUser:
		e.PurgeUser(u)
		return fmt.Sprintf("purge user %d", u)
	case at < 86:
		return w.createGroup(e)
	case at < 90 && hasGroup:
		name := w.groupName()
		e.UpdateGroup(g, func(g *fakecloud.Group) { g.Name = name })
		return fmt.Sprintf("rename group %d to %s", g, name)
	case at < 92 && hasGroup:
		text := fmt.Sprint("text ", w.rnd.IntN(9))
		e.UpdateGroup(g, func(g *fakecloud.Group) { g.Description = text })
		return fmt.Sprintf("describe group %d", g)
	case at < 95 && hasGroup:
		e.DeleteGroup(g)
		return fmt.Sprintf("delete group %d", g)
	case at < 98:
		if back, ok := pickOne(w, w.groups, func(g fakecloud.GroupNo) bool { return returns(g) && e.CanRestoreGroup(g) }); ok {
			e.RestoreGroup(back)
			return fmt.Sprintf("restore group %d", back)
		}
	case hasGroup:
		e.PurgeGroup(g)
		return fmt.Sprintf("purge group %d", g)
	}
	return w.join(e)
}

// compareWithFresh compares the directory with one that is read for the first time.
func (w *world) compareWithFresh() {
	w.t.Helper()
	w.h.create("fresh", append(slices.Clone(unguarded), w.settings...)...)
	defer w.h.remove("fresh")
	if _, err := w.h.sync.Apply(w.t.Context(), "fresh", dirsync.Options{By: models.System}); err != nil {
		w.t.Fatalf("read everything for the first time: %v", err)
	}
	ours, fresh := w.h.facts("cloud"), w.h.facts("fresh")
	// Who of several has a name that they want is for history to decide: those are left out.
	tangled := map[string]bool{}
	for id := range ours.names {
		tangled[id] = tangled[id] || ours.names[id] != fresh.names[id]
	}
	for id := range fresh.names {
		tangled[id] = tangled[id] || ours.names[id] != fresh.names[id]
	}
	wanted, mailless := map[string]int{}, w.h.mailless()
	wanting := w.h.wanting()
	for _, names := range wanting {
		for _, n := range names {
			wanted[n]++
		}
	}
	for id := range tangled {
		if tangled[id] && !mailless[id] && !rivals(id, wanting[id], wanted, ours, fresh) {
			w.t.Errorf("user %s is %q here and %q in a directory that is read for the first time, and nobody else wants the name", id, ours.names[id], fresh.names[id])
		}
	}
	// A group that gets a protected name stays; one that is new under it doesn't come.
	var frozen []string
	for n, g := range w.h.cloud.Directory.Groups() {
		if g.Name == "jira-administrators" {
			frozen = append(frozen, w.h.cloud.GroupID(n))
		}
	}
	keep := func(lines []fact) (out []string) {
		for _, f := range lines {
			if !tangled[f.user] && !slices.ContainsFunc(frozen, func(id string) bool { return strings.Contains(f.text, id) }) {
				out = append(out, f.text)
			}
		}
		slices.Sort(out)
		return out
	}
	testkit.Diff(w.t, "what a first read brings, and what is here", keep(fresh.facts), keep(ours.facts))
}

// rivals tells whether somebody else wants, or has, a name of this user.
func rivals(id string, names []string, wanted map[string]int, ours, fresh facts) bool {
	for _, name := range append(names, ours.names[id], fresh.names[id]) {
		if wanted[name] > 1 {
			return true
		}
		for _, names := range []map[string]string{ours.names, fresh.names} {
			for other, has := range names {
				if other != id && has == name {
					return true
				}
			}
		}
	}
	return false
}
