package application_test

import (
	"slices"

	"github.com/rollcall-id/rollcall/models"
)

// What an application does. Each answers the code, and has done nothing where there is one.

func (a *modelApp) taken(name string, own *modelUser) bool {
	for u, alias := range a.aliases {
		if u != own && models.Key(alias) == models.Key(name) {
			return true
		}
	}
	return slices.ContainsFunc(a.having(name), func(m *modelMapping) bool { return m.dir.users[models.Key(name)] != own })
}

func (a *modelApp) first(need models.Permissions) *modelMapping {
	for _, m := range a.visible() {
		if m.allowed(need) {
			return m
		}
	}
	return nil
}

func (a *modelApp) createUser(name string) models.Code {
	m := a.first(models.CreateUser)
	switch {
	case m == nil:
		return models.PermissionDenied
	case a.taken(name, nil):
		return models.InvalidUser
	}
	return m.dir.addUser(name)
}

func (a *modelApp) deleteUser(world *model, name string) models.Code {
	u := a.find(name)
	switch {
	case u == nil:
		return models.UserNotFound
	case !a.mapping(u.dir).allowed(models.DeleteUser):
		return models.PermissionDenied
	}
	u.dir.removeUser(world, u)
	return ""
}

func (a *modelApp) renameUser(name, to string) models.Code {
	u := a.find(name)
	switch {
	case u == nil:
		return models.UserNotFound
	case !a.mapping(u.dir).allowed(models.UpdateUser):
		return models.PermissionDenied
	case a.taken(to, u):
		return models.InvalidUser
	}
	u.dir.rename(u, to)
	return ""
}

func (a *modelApp) createGroup(name, description string) models.Code {
	switch {
	case a.first(models.CreateGroup) == nil:
		return models.PermissionDenied
	case a.group(name) != nil:
		return models.InvalidGroup
	}
	for _, m := range a.visible() {
		if m.allowed(models.CreateGroup) {
			m.dir.addGroup(name, description)
		}
	}
	return ""
}

// eachGroup does something in every directory that has the group and permits it.
func (a *modelApp) eachGroup(name string, need models.Permissions, do func(d *modelDir)) models.Code {
	having := a.groupHaving(name)
	if len(having) == 0 {
		return models.GroupNotFound
	}
	code := models.PermissionDenied
	for _, m := range having {
		if m.allowed(need) {
			do(m.dir)
			code = ""
		}
	}
	return code
}

func (a *modelApp) updateGroup(name, description string) models.Code {
	return a.eachGroup(name, models.UpdateGroup, func(d *modelDir) { d.groups[models.Key(name)].description = description })
}

func (a *modelApp) deleteGroup(name string) models.Code {
	return a.eachGroup(name, models.DeleteGroup, func(d *modelDir) { d.removeGroup(models.Key(name)) })
}

// place is where a member of the directories joins a group; it may get a copy of the group.
func (a *modelApp) place(having []*modelMapping, group string) *modelDir {
	if !a.aggregate {
		having = having[:1]
	}
	key := models.Key(group)
	for _, m := range having {
		if m.dir.groups[key] != nil && m.allowed(models.UpdateGroup) {
			return m.dir
		}
	}
	for _, m := range having {
		if m.dir.groups[key] == nil && m.allowed(models.UpdateGroup|models.CreateGroup) {
			original := a.group(group)
			m.dir.addGroup(original.name, original.description)
			return m.dir
		}
	}
	return nil
}

func (a *modelApp) addMember(user, group string) models.Code {
	u := a.find(user)
	switch {
	case u == nil:
		return models.UserNotFound
	case a.group(group) == nil:
		return models.GroupNotFound
	case a.aggregate && a.groupsOf(u, false)[models.Key(group)]:
		return models.AlreadyMember
	}
	d := a.place(a.having(u.name), group)
	if d == nil {
		return models.PermissionDenied
	}
	return d.addMember(group, u.name)
}

func (a *modelApp) removeMember(user, group string) models.Code {
	u := a.find(user)
	switch {
	case u == nil:
		return models.UserNotFound
	case a.group(group) == nil:
		return models.GroupNotFound
	}
	key := models.Key(u.name)
	return a.remove(a.having(u.name), group, func(g *modelGroup) map[string]bool { return g.users }, key)
}

// remove takes a member out of a group, in the first or in all of the directories.
func (a *modelApp) remove(having []*modelMapping, group string, members func(g *modelGroup) map[string]bool, key string) models.Code {
	if !a.aggregate {
		having = having[:1]
	}
	var in []*modelGroup
	for _, m := range having {
		g := m.dir.groups[models.Key(group)]
		if g == nil || !members(g)[key] {
			continue
		}
		if !m.allowed(models.UpdateGroup) {
			return models.PermissionDenied
		}
		in = append(in, g)
	}
	if len(in) == 0 {
		return models.NotMember
	}
	for _, g := range in {
		delete(members(g), key)
	}
	return ""
}

func (a *modelApp) addChild(child, parent string) models.Code {
	childKey, parentKey := models.Key(child), models.Key(parent)
	switch {
	case !a.nested:
		return models.InvalidMembership
	case a.group(parent) == nil, a.group(child) == nil:
		return models.GroupNotFound
	case childKey == parentKey:
		return models.InvalidMembership
	case a.aggregate && a.parentsOf(parent, true)[childKey]:
		return models.InvalidMembership
	case a.aggregate && a.parentsOf(child, false)[parentKey]:
		return models.AlreadyMember
	}
	d := a.place(a.groupHaving(child), parent)
	if d == nil {
		return models.PermissionDenied
	}
	above := around([]*modelMapping{{dir: d}}, true, func(g *modelGroup) bool { return g.children[parentKey] })
	switch children := d.groups[parentKey].children; {
	case above[childKey]:
		return models.InvalidMembership
	case children[childKey]:
		return models.AlreadyMember
	default:
		children[childKey] = true
		return ""
	}
}

func (a *modelApp) removeChild(child, parent string) models.Code {
	if a.group(parent) == nil || a.group(child) == nil {
		return models.GroupNotFound
	}
	return a.remove(a.groupHaving(child), parent, func(g *modelGroup) map[string]bool { return g.children }, models.Key(child))
}

// What an operator does with aliases: a name means its first user in all mapped directories,
// active or not.

func (a *modelApp) aliased(name string) *modelUser {
	for _, m := range a.mappings {
		if u := m.dir.users[models.Key(name)]; u != nil {
			return u
		}
	}
	return nil
}

func (a *modelApp) setAlias(name, alias string) models.Code {
	u := a.aliased(name)
	if u == nil {
		return models.UserNotFound
	}
	for other, taken := range a.aliases {
		if other != u && models.Key(taken) == models.Key(alias) {
			return models.NameTaken
		}
	}
	a.aliases[u] = alias
	return ""
}

func (a *modelApp) removeAlias(name string) models.Code {
	u := a.aliased(name)
	if u == nil {
		return models.UserNotFound
	}
	if _, ok := a.aliases[u]; !ok {
		return models.AliasNotFound
	}
	delete(a.aliases, u)
	return ""
}
