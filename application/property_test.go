package application_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
)

// Random changes of a small, crowded world, and what every application then sees, are the same
// as in the model.
func TestViewsFollowTheModel(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		newWorld(t, newHouse(t, db, testkit.NewClock()), 1).run(t, 120)
	})
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		h := newHouse(t, testkit.NewSQLite(t), testkit.NewClock())
		h.remember(t)
		newWorld(t, h, 2).run(t, 120)
	})
}

// A world is the real house and the model of it, side by side.
type world struct {
	*house
	*model
	seed uint64
	rand *rand.Rand
	dir  map[*modelDir]*models.Directory
}

// Few names in many spellings: they shadow each other, and aliases are other people's names.
var (
	someUsers  = []string{"ada", "Ada", "ADA", "bob", "Bob", "carl", "zoë", "ZOË", "zoe\u0308", "countess", "Countess", "dora", "erin"}
	someGroups = []string{"devs", "Devs", "DEVS", "ops", "Ops", "all", "All", "qa", "zoë", "Zoe\u0308"}
	somePerms  = []models.Permissions{
		models.AllPermissions &^ models.CreateGroup, models.AllPermissions &^ models.UpdateGroup, models.AllPermissions &^ models.CreateUser,
		models.AllPermissions &^ models.DeleteGroup, models.UpdateGroup, models.ReadOnly,
	}
)

func newWorld(t *testing.T, h *house, seed uint64) *world {
	t.Helper()
	w := &world{house: h, model: &model{}, seed: seed, rand: rand.New(rand.NewPCG(seed, 0)), dir: map[*modelDir]*models.Directory{}}
	for _, name := range []string{"staff", "partners", "robots"} {
		d := &modelDir{name: name, active: true, perms: models.AllPermissions, users: map[string]*modelUser{}, groups: map[string]*modelGroup{}}
		w.dirs = append(w.dirs, d)
		w.dir[d] = h.fill(t, name)
	}
	for _, a := range []*modelApp{
		{name: "first", nested: true},
		{name: "union", nested: true, aggregate: true},
		{name: "lower", nested: true, aggregate: true, lower: true},
		{name: "flat"},
	} {
		a.aliases = map[*modelUser]string{}
		n := application.NewApplication{Name: a.name, Options: application.Options{Aggregate: &a.aggregate, LowerCase: &a.lower, Nested: &a.nested}}
		for _, i := range w.rand.Perm(len(w.dirs)) {
			a.mappings = append(a.mappings, &modelMapping{dir: w.dirs[i]})
			n.Directories = append(n.Directories, w.dirs[i].name)
		}
		h.create(t, n)
		w.apps = append(w.apps, a)
		for _, m := range a.mappings {
			w.remap(t, a, m)
		}
	}
	for _, d := range w.dirs {
		w.populate(t, d)
	}
	return w
}

// populate puts half of all users and groups into a directory, and some of them together.
func (w *world) populate(t *testing.T, d *modelDir) {
	t.Helper()
	for _, name := range someGroups {
		if w.rand.IntN(2) == 0 && d.addGroup(name, name+" of "+d.name) == "" {
			w.fill(t, d.name, name+":")
		}
	}
	for _, name := range someUsers {
		if w.rand.IntN(2) > 0 || d.addUser(name) != "" {
			continue
		}
		w.ensureUser(t, w.dir[d], name)
		for range 2 {
			if group := pick(w, someGroups); d.addMember(group, name) == "" {
				w.edit(t, func(e *directory.Edit) error { return e.AddMember(w.dir[d], group, name) })
			}
		}
	}
	for range 3 {
		w.importNesting(t, d, pick(w, someGroups), pick(w, someGroups))
	}
}

// remap gives a mapping other permissions and groups.
func (w *world) remap(t *testing.T, a *modelApp, m *modelMapping) {
	t.Helper()
	m.perms, m.groups = w.perms(), nil
	for range w.rand.IntN(3) {
		m.groups = append(m.groups, pick(w, someGroups))
	}
	if _, err := w.Map(t.Context(), operator, a.name, application.NewMapping{Directory: m.dir.name, Permissions: m.perms, Groups: m.groups}); err != nil {
		t.Fatal(err)
	}
}

func pick[T any](w *world, list []T) T { return list[w.rand.IntN(len(list))] }

// often tells yes in four of five cases.
func (w *world) often() bool { return w.rand.IntN(5) > 0 }

func (w *world) perms() models.Permissions {
	if w.often() {
		return models.AllPermissions
	}
	return pick(w, somePerms)
}

// userOf and groupOf pick a name, often one that the application knows.
func (w *world) userOf(a *modelApp) string {
	for range 20 {
		if name := pick(w, someUsers); !w.often() || a.find(name) != nil {
			return name
		}
	}
	return someUsers[0]
}

func (w *world) groupOf(a *modelApp) string {
	for range 20 {
		if name := pick(w, someGroups); !w.often() || a.group(name) != nil {
			return name
		}
	}
	return someGroups[0]
}

// memberOf picks a pair, often a user and a group that the user is in.
func (w *world) memberOf(a *modelApp) (user, group string) {
	user, group = w.userOf(a), w.groupOf(a)
	if u := a.find(user); u != nil && w.often() {
		if in := slices.Sorted(maps.Keys(a.groupsOf(u, false))); len(in) > 0 {
			group = pick(w, in)
		}
	}
	return user, group
}

// childOf picks a pair, often a group and one that it is in.
func (w *world) childOf(a *modelApp) (inner, outer string) {
	inner, outer = w.groupOf(a), w.groupOf(a)
	if a.group(inner) != nil && w.often() {
		if in := slices.Sorted(maps.Keys(a.parentsOf(inner, false))); len(in) > 0 {
			outer = pick(w, in)
		}
	}
	return inner, outer
}

// run makes changes, and compares: after each one answer of each sort, now and then all.
func (w *world) run(t *testing.T, changes int) {
	t.Helper()
	for i := range changes {
		what, want, got := w.change(t)
		if models.CodeOf(got) != want {
			t.Fatalf("seed %d, change %d, %s: want %q, got %v", w.seed, i, what, want, got)
		}
		a := pick(w, w.apps)
		v := w.view(t, a.name)
		if w.rand.IntN(2) == 0 {
			w.compareUser(t, a, v, pick(w, someUsers))
		} else {
			w.compareGroup(t, a, v, pick(w, someGroups))
		}
		if i%60 == 59 {
			w.compareAll(t)
		}
		if t.Failed() {
			t.Fatalf("seed %d, change %d, %s", w.seed, i, what)
		}
	}
}

// change makes one random change, in the model and really. What is made behind the
// applications' back also fills the world.
func (w *world) change(t *testing.T) (what string, want models.Code, got error) {
	t.Helper()
	var (
		ctx          = t.Context()
		a            = pick(w, w.apps)
		v            = w.view(t, a.name)
		d            = pick(w, w.dirs)
		dir          = w.dir[d]
		user, other  = w.userOf(a), pick(w, someUsers)
		group, outer = w.groupOf(a), w.groupOf(a)
		text         = fmt.Sprint("text ", w.rand.IntN(1000))
	)
	behind := func(do func(e *directory.Edit) error) error { return w.directories.Edit(ctx, operator, do) }
	say := func(format string, args ...any) string { return fmt.Sprintf(format, args...) }
	switch n := w.rand.IntN(100); {
	case n < 5:
		_, _, err := v.CreateUser(ctx, application.NewUser{Name: other})
		return say("%s creates user %s", a.name, other), a.createUser(other), err
	case n < 7:
		return say("%s deletes user %s", a.name, user), a.deleteUser(w.model, user), v.DeleteUser(ctx, user)
	case n < 12:
		_, err := v.RenameUser(ctx, user, other)
		return say("%s renames user %s to %s", a.name, user, other), a.renameUser(user, other), err
	case n < 17:
		group = pick(w, someGroups)
		_, err := v.CreateGroup(ctx, application.NewGroup{Name: group, Description: text})
		return say("%s creates group %s", a.name, group), a.createGroup(group, text), err
	case n < 19:
		return say("%s deletes group %s", a.name, group), a.deleteGroup(group), v.DeleteGroup(ctx, group)
	case n < 22:
		_, err := v.UpdateGroup(ctx, group, application.GroupPatch{Name: strings.ToUpper(group), Description: &text})
		return say("%s updates group %s", a.name, group), a.updateGroup(group, text), err
	case n < 34:
		return say("%s adds %s to %s", a.name, user, group), a.addMember(user, group), v.AddMember(ctx, user, group)
	case n < 43:
		user, group = w.memberOf(a)
		return say("%s removes %s from %s", a.name, user, group), a.removeMember(user, group), v.RemoveMember(ctx, user, group)
	case n < 55:
		return say("%s nests %s in %s", a.name, group, outer), a.addChild(group, outer), v.AddChild(ctx, group, outer)
	case n < 61:
		group, outer = w.childOf(a)
		return say("%s takes %s out of %s", a.name, group, outer), a.removeChild(group, outer), v.RemoveChild(ctx, group, outer)
	case n < 66:
		_, err := w.directories.CreateUser(ctx, operator, dir, directory.NewUser{Name: other, Active: w.often()})
		return say("%s gets user %s", d.name, other), d.addUser(other), err
	case n < 71:
		group = pick(w, someGroups)
		err := behind(func(e *directory.Edit) error {
			_, err := e.CreateGroup(dir, directory.NewGroup{Name: group, Description: text, Active: w.often()})
			return err
		})
		return say("%s gets group %s", d.name, group), d.addGroup(group, text), err
	case n < 80:
		err := behind(func(e *directory.Edit) error { return e.AddMember(dir, group, user) })
		return say("%s gets %s in %s", d.name, user, group), d.addMember(group, user), err
	case n < 82:
		w.importNesting(t, d, outer, group)
		return say("%s gets %s in %s, circle or not", d.name, group, outer), "", nil
	case n < 88:
		return say("%s calls %s %s", a.name, user, other), a.setAlias(user, other), w.SetAlias(ctx, operator, a.name, user, other)
	case n < 91:
		return say("%s calls %s nothing else", a.name, user), a.removeAlias(user), w.RemoveAlias(ctx, operator, a.name, user)
	case n < 94:
		w.remap(t, a, a.mapping(d))
		return say("%s is mapped to %s anew", a.name, d.name), "", nil
	case n < 97:
		d.perms = w.perms()
		return say("%s permits %s", d.name, d.perms), "", second(w.directories.Set(ctx, operator, d.name, directory.Patch{Permissions: &d.perms}))
	default:
		d.active = !d.active || !w.often()
		return say("%s is active: %t", d.name, d.active), "", second(w.directories.Set(ctx, operator, d.name, directory.Patch{Active: &d.active}))
	}
}

// importNesting puts a group into another as an import does, which looks for no circles.
func (w *world) importNesting(t *testing.T, d *modelDir, outer, inner string) {
	t.Helper()
	o, i := d.groups[models.Key(outer)], d.groups[models.Key(inner)]
	if o == nil || i == nil || o.children[models.Key(inner)] {
		return
	}
	o.children[models.Key(inner)] = true
	w.nest(t, w.dir[d], outer, inner)
}

func (w *world) compareAll(t *testing.T) {
	t.Helper()
	for _, a := range w.apps {
		v := w.view(t, a.name)
		for _, user := range distinct(someUsers) {
			w.compareUser(t, a, v, user)
		}
		for _, group := range distinct(someGroups) {
			w.compareGroup(t, a, v, group)
		}
		if diff := cmp.Diff(a.dump(), dump(t, v)); diff != "" {
			t.Errorf("%s: the dump (-want +got):\n%s", a.name, diff)
		}
	}
}

// distinct keeps one spelling of each name.
func distinct(names []string) []string {
	keys := map[string]bool{}
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		known := keys[models.Key(name)]
		keys[models.Key(name)] = true
		return known
	})
}

func (w *world) compareUser(t *testing.T, a *modelApp, v *application.View, name string) {
	t.Helper()
	ctx, want := t.Context(), a.find(name)
	got, err := v.User(ctx, name)
	if want == nil {
		wantCode(t, a.name+": user "+name, models.UserNotFound, err)
		_, err = v.GroupsOf(ctx, name, application.Nested, models.Everything)
		wantCode(t, a.name+": groups of "+name, models.UserNotFound, err)
		return
	}
	if err != nil || got.Name != a.shownUser(want) || got.DirectoryName != want.dir.name || got.Unaliased != a.shown(want.name) {
		t.Errorf("%s: user %s: want %s of %s, who is %s; got %+v, %v", a.name, name, a.shownUser(want), want.dir.name, want.name, got, err)
		return
	}
	if byKey, err := v.UserByKey(ctx, key(&got.User)); err != nil || byKey.ID != got.ID {
		t.Errorf("%s: user %s by key: want the same, got %+v, %v", a.name, name, byKey, err)
	}
	if may, err := v.MayLogin(ctx, &got.User); err != nil || may != a.mayLogin(want) {
		t.Errorf("%s: may %s log in? want %t, got %t, %v", a.name, name, a.mayLogin(want), may, err)
	}
	for depth, nested := range map[application.Depth]bool{application.Direct: false, application.Nested: true} {
		groups, err := v.GroupsOf(ctx, name, depth, models.Everything)
		wantList(t, fmt.Sprintf("%s: groups of %s, nested %t", a.name, name, nested), a.groupNames(a.groupsOf(want, nested)), namesOf(groups), err)
		group := pick(w, someGroups)
		code := models.NotMember
		if a.groupsOf(want, nested)[models.Key(group)] {
			code = ""
		}
		wantCode(t, fmt.Sprintf("%s: %s in %s, nested %t", a.name, name, group, nested), code, v.CheckMember(ctx, name, group, depth))
	}
}

func (w *world) compareGroup(t *testing.T, a *modelApp, v *application.View, name string) {
	t.Helper()
	ctx, want := t.Context(), a.group(name)
	got, err := v.Group(ctx, name)
	if want == nil {
		wantCode(t, a.name+": group "+name, models.GroupNotFound, err)
		_, err = v.Members(ctx, name, application.Nested, models.Everything)
		wantCode(t, a.name+": members of "+name, models.GroupNotFound, err)
		return
	}
	if err != nil || got.Name != a.shown(want.name) || got.Description != want.description {
		t.Errorf("%s: group %s: want %+v, got %+v, %v", a.name, name, want, got, err)
		return
	}
	for depth, nested := range map[application.Depth]bool{application.Direct: false, application.Nested: true} {
		what := fmt.Sprintf(" of %s, nested %t", name, nested)
		users, err := v.Members(ctx, name, depth, models.Everything)
		wantList(t, a.name+": members"+what, a.members(name, nested), namesOf(users), err)
		parents, err := v.Parents(ctx, name, depth, models.Everything)
		wantList(t, a.name+": parents"+what, a.groupNames(a.parentsOf(name, nested)), namesOf(parents), err)
		children, err := v.Children(ctx, name, depth, models.Everything)
		wantList(t, a.name+": children"+what, a.children(name, nested), namesOf(children), err)

		page := models.Page{Start: w.rand.IntN(4), Max: w.rand.IntN(4)}
		users, err = v.Members(ctx, name, depth, page)
		all := a.members(name, nested)
		start := min(page.Start, len(all))
		wantList(t, a.name+": a page of members"+what, all[start:min(start+page.Max, len(all))], namesOf(users), err)
	}
}

func wantList(t *testing.T, what string, want, got []string, err error) {
	t.Helper()
	if err != nil || !slices.Equal(want, got) {
		t.Errorf("%s: want %q, got %q, %v", what, want, got, err)
	}
}
