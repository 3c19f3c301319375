package application_test

import (
	"maps"
	"slices"
	"strings"

	"github.com/rollcall-id/rollcall/models"
)

// A model is the rules of directories and views in plain Go, without SQL, ids or transactions:
// what the real ones are compared with. Its maps go by key; a question is answered by looking
// at everything.
type model struct {
	dirs []*modelDir
	apps []*modelApp
}

type modelDir struct {
	name   string
	active bool
	perms  models.Permissions
	users  map[string]*modelUser
	groups map[string]*modelGroup
}

type modelUser struct {
	name string
	dir  *modelDir
}

type modelGroup struct {
	name, description string
	users, children   map[string]bool // of the same directory
}

type modelApp struct {
	name                     string
	aggregate, lower, nested bool
	mappings                 []*modelMapping
	aliases                  map[*modelUser]string
}

type modelMapping struct {
	dir    *modelDir
	perms  models.Permissions
	groups []string // allowed to log in; none: everybody
}

func (m *modelMapping) allowed(need models.Permissions) bool {
	return m.perms.Has(need) && m.dir.perms.Has(need)
}

// What a directory does.

func (d *modelDir) addUser(name string) models.Code {
	if d.users[models.Key(name)] != nil {
		return models.InvalidUser
	}
	d.users[models.Key(name)] = &modelUser{name: name, dir: d}
	return ""
}

func (d *modelDir) addGroup(name, description string) models.Code {
	if d.groups[models.Key(name)] != nil {
		return models.InvalidGroup
	}
	d.groups[models.Key(name)] = &modelGroup{name: name, description: description, users: map[string]bool{}, children: map[string]bool{}}
	return ""
}

func (d *modelDir) removeUser(m *model, u *modelUser) {
	key := models.Key(u.name)
	delete(d.users, key)
	for _, g := range d.groups {
		delete(g.users, key)
	}
	for _, a := range m.apps {
		delete(a.aliases, u)
	}
}

func (d *modelDir) removeGroup(key string) {
	delete(d.groups, key)
	for _, g := range d.groups {
		delete(g.children, key)
	}
}

func (d *modelDir) rename(u *modelUser, to string) {
	from := models.Key(u.name)
	delete(d.users, from)
	u.name = to
	d.users[models.Key(to)] = u
	for _, g := range d.groups {
		if g.users[from] {
			delete(g.users, from)
			g.users[models.Key(to)] = true
		}
	}
}

func (d *modelDir) addMember(group, user string) models.Code {
	u, g := d.users[models.Key(user)], d.groups[models.Key(group)]
	switch {
	case u == nil:
		return models.UserNotFound
	case g == nil:
		return models.GroupNotFound
	case g.users[models.Key(user)]:
		return models.AlreadyMember
	}
	g.users[models.Key(user)] = true
	return ""
}

// reach walks from groups on, by next, and gives all that it comes to, the first included.
func reach(first []string, next func(key string) []string) map[string]bool {
	reached := map[string]bool{}
	for todo := first; len(todo) > 0; todo = todo[1:] {
		if !reached[todo[0]] {
			reached[todo[0]] = true
			todo = append(todo, next(todo[0])...)
		}
	}
	return reached
}

// groupsWith lists the groups of a directory that have a member, user or group, directly.
func (d *modelDir) groupsWith(has func(g *modelGroup) bool) (keys []string) {
	for key, g := range d.groups {
		if has(g) {
			keys = append(keys, key)
		}
	}
	return keys
}

// What an application sees.

// visible lists the mappings whose directories are active, in order.
func (a *modelApp) visible() (list []*modelMapping) {
	for _, m := range a.mappings {
		if m.dir.active {
			list = append(list, m)
		}
	}
	return list
}

func (a *modelApp) mapping(d *modelDir) *modelMapping {
	for _, m := range a.mappings {
		if m.dir == d {
			return m
		}
	}
	return nil
}

// having lists the visible directories that have a user of the name, and groupHaving those that
// have a group: the first is where it is canonical.
func (a *modelApp) having(user string) (list []*modelMapping) {
	for _, m := range a.visible() {
		if m.dir.users[models.Key(user)] != nil {
			list = append(list, m)
		}
	}
	return list
}

func (a *modelApp) groupHaving(group string) (list []*modelMapping) {
	for _, m := range a.visible() {
		if m.dir.groups[models.Key(group)] != nil {
			list = append(list, m)
		}
	}
	return list
}

func (a *modelApp) canonical(u *modelUser) bool {
	list := a.having(u.name)
	return len(list) > 0 && list[0].dir.users[models.Key(u.name)] == u
}

func (a *modelApp) find(name string) *modelUser {
	for u, alias := range a.aliases {
		if models.Key(alias) == models.Key(name) && a.canonical(u) {
			return u
		}
	}
	if list := a.having(name); len(list) > 0 {
		return list[0].dir.users[models.Key(name)]
	}
	return nil
}

func (a *modelApp) group(name string) *modelGroup {
	if list := a.groupHaving(name); len(list) > 0 {
		return list[0].dir.groups[models.Key(name)]
	}
	return nil
}

func (a *modelApp) shown(name string) string {
	if a.lower {
		return strings.ToLower(name)
	}
	return name
}

func (a *modelApp) shownUser(u *modelUser) string {
	if alias, ok := a.aliases[u]; ok {
		return a.shown(alias)
	}
	return a.shown(u.name)
}

// canonicalUsers and canonicalGroups list everybody whom the application sees, by key.
func (a *modelApp) canonicalUsers() map[string]*modelUser {
	all := map[string]*modelUser{}
	for _, m := range slices.Backward(a.visible()) {
		maps.Copy(all, m.dir.users)
	}
	return all
}

func (a *modelApp) canonicalGroups() map[string]*modelGroup {
	all := map[string]*modelGroup{}
	for _, m := range slices.Backward(a.visible()) {
		maps.Copy(all, m.dir.groups)
	}
	return all
}

// from lists the directories whose memberships count for a member of the given ones: all, or
// the first.
func (a *modelApp) from(having []*modelMapping) []*modelMapping {
	if a.aggregate {
		return a.visible()
	}
	return having[:1]
}

// around gives the keys of the groups that have a member, and with nested of those around them.
func around(dirs []*modelMapping, nested bool, has func(g *modelGroup) bool) map[string]bool {
	with := func(has func(g *modelGroup) bool) (keys []string) {
		for _, m := range dirs {
			keys = append(keys, m.dir.groupsWith(has)...)
		}
		return keys
	}
	return reach(with(has), func(key string) []string {
		if !nested {
			return nil
		}
		return with(func(g *modelGroup) bool { return g.children[key] })
	})
}

func (a *modelApp) groupsOf(u *modelUser, nested bool) map[string]bool {
	key := models.Key(u.name)
	return around(a.from(a.having(u.name)), nested && a.nested, func(g *modelGroup) bool { return g.users[key] })
}

func (a *modelApp) parentsOf(group string, nested bool) map[string]bool {
	key := models.Key(group)
	parents := around(a.from(a.groupHaving(group)), nested && a.nested, func(g *modelGroup) bool { return g.children[key] })
	delete(parents, key)
	return parents
}

// members and children turn the question round: they ask everybody whether they are in it.
func (a *modelApp) members(group string, nested bool) (names []string) {
	all := a.canonicalUsers()
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if a.groupsOf(all[key], nested)[models.Key(group)] {
			names = append(names, a.shownUser(all[key]))
		}
	}
	return names
}

func (a *modelApp) children(group string, nested bool) (names []string) {
	all := a.canonicalGroups()
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if a.parentsOf(key, nested)[models.Key(group)] {
			names = append(names, a.shown(all[key].name))
		}
	}
	return names
}

// groupNames gives the names of groups, by key.
func (a *modelApp) groupNames(keys map[string]bool) (names []string) {
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		names = append(names, a.shown(a.group(key).name))
	}
	return names
}

func (a *modelApp) mayLogin(u *modelUser) bool {
	m := a.mapping(u.dir)
	if len(m.groups) == 0 {
		return true
	}
	key := models.Key(u.name)
	in := around([]*modelMapping{m}, a.nested, func(g *modelGroup) bool { return g.users[key] })
	return slices.ContainsFunc(m.groups, func(group string) bool { return in[models.Key(group)] })
}

func (a *modelApp) dump() (lines []string) {
	all := a.canonicalGroups()
	for _, key := range slices.Sorted(maps.Keys(all)) {
		line := a.shown(all[key].name) + ":"
		for _, name := range a.members(key, false) {
			line += " " + name
		}
		for _, name := range a.children(key, false) {
			line += " @" + name
		}
		lines = append(lines, line)
	}
	return lines
}
