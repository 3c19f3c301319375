package store_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// A world is a few directories in plain maps, and the rules of Visible in plain loops: what
// SQL has to answer.
type world struct {
	dirs   []*models.Directory
	users  []*models.User
	groups []*models.Group
	in     map[models.ID][]*models.Group // the groups that a user is directly in, by the user's row
	above  map[models.ID][]*models.Group // the groups that a group is directly in, by its row
}

// randomWorld makes three directories that share many names, with groups in groups and in
// circles.
func randomWorld(t *testing.T, s *store.Store, r *rand.Rand, label string) *world {
	t.Helper()
	w := &world{in: map[models.ID][]*models.Group{}, above: map[models.ID][]*models.Group{}}
	for i := range 3 {
		w.dirs = append(w.dirs, addDirectory(t, s, fmt.Sprintf("%s %d", label, i)))
	}
	write(t, s, func(tx *store.Tx) error {
		tx.Quiet()
		for _, dir := range w.dirs {
			if err := w.fill(tx, r, dir); err != nil {
				return err
			}
		}
		return nil
	})
	return w
}

func (w *world) fill(tx *store.Tx, r *rand.Rand, dir *models.Directory) error {
	var users []*models.User
	var groups []*models.Group
	for _, name := range []string{"Ada", "bob", "cal", "dot", "éva", "f-f", "f f"} {
		if r.IntN(3) > 0 {
			u := &models.User{DirectoryID: dir.ID, Name: name, Active: r.IntN(4) > 0}
			if err := tx.CreateUser(u); err != nil {
				return err
			}
			users = append(users, u)
		}
	}
	for _, name := range []string{"All", "b b", "b-b", "core", "dev", "éditeurs"} {
		if r.IntN(3) > 0 {
			g := &models.Group{DirectoryID: dir.ID, Name: name, Active: true}
			if err := tx.CreateGroup(g); err != nil {
				return err
			}
			groups = append(groups, g)
		}
	}
	for _, g := range groups {
		for _, u := range users {
			if r.IntN(5) == 0 {
				if err := tx.AddMember(g, u); err != nil {
					return err
				}
				w.in[u.ID] = append(w.in[u.ID], g)
			}
		}
		for _, child := range groups {
			if child != g && r.IntN(5) == 0 {
				if err := tx.AddChild(g, child); err != nil {
					return err
				}
				w.above[child.ID] = append(w.above[child.ID], g)
			}
		}
	}
	w.users, w.groups = append(w.users, users...), append(w.groups, groups...)
	return nil
}

// A look is one application's way to look at a world.
type look struct {
	*world
	v store.Visible
}

// userRows lists the rows of a user's name in the order of the directories: the first is
// canonical.
func (l look) userRows(key string) (rows []*models.User) {
	for _, dir := range l.v.Dirs {
		for _, u := range l.users {
			if u.DirectoryID == dir && u.NameKey == key {
				rows = append(rows, u)
			}
		}
	}
	return rows
}

func (l look) groupRows(key string) (rows []*models.Group) {
	for _, dir := range l.v.Dirs {
		for _, g := range l.groups {
			if g.DirectoryID == dir && g.NameKey == key {
				rows = append(rows, g)
			}
		}
	}
	return rows
}

// userKeys and groupKeys list what can be seen at all.
func (l look) userKeys() []string {
	keys := map[string]bool{}
	for _, u := range l.users {
		if slices.Contains(l.v.Dirs, u.DirectoryID) {
			keys[u.NameKey] = true
		}
	}
	return slices.Sorted(maps.Keys(keys))
}

func (l look) groupKeys() []string {
	keys := map[string]bool{}
	for _, g := range l.groups {
		if slices.Contains(l.v.Dirs, g.DirectoryID) {
			keys[g.NameKey] = true
		}
	}
	return slices.Sorted(maps.Keys(keys))
}

// counting cuts rows to those whose memberships count.
func counting[T any](l look, rows []T) []T {
	if l.v.Aggregate {
		return rows
	}
	return rows[:1]
}

// up walks from the groups that something is directly in: one step, or nested to the end. With
// aggregation a step goes on from every group of the same name.
func (l look) up(direct []*models.Group, nested bool) []string {
	seen := map[models.ID]bool{}
	keys := map[string]bool{}
	for queue := direct; len(queue) > 0; {
		g := queue[0]
		queue = queue[1:]
		if seen[g.ID] {
			continue
		}
		seen[g.ID], keys[g.NameKey] = true, true
		if !nested {
			continue
		}
		queue = append(queue, l.above[g.ID]...)
		if l.v.Aggregate {
			queue = append(queue, l.groupRows(g.NameKey)...)
		}
	}
	return slices.Sorted(maps.Keys(keys))
}

func (l look) groupsOfUser(key string, nested bool) []string {
	var direct []*models.Group
	for _, u := range counting(l, l.userRows(key)) {
		direct = append(direct, l.in[u.ID]...)
	}
	return l.up(direct, nested)
}

func (l look) parentsOfGroup(key string, nested bool) []string {
	var direct []*models.Group
	for _, g := range counting(l, l.groupRows(key)) {
		direct = append(direct, l.above[g.ID]...)
	}
	return slices.DeleteFunc(l.up(direct, nested), func(k string) bool { return k == key })
}

// usersInGroup and childrenOfGroup turn the questions round: who names this group as theirs?
func (l look) usersInGroup(key string, nested bool) (keys []string) {
	for _, u := range l.userKeys() {
		if slices.Contains(l.groupsOfUser(u, nested), key) {
			keys = append(keys, u)
		}
	}
	return keys
}

func (l look) childrenOfGroup(key string, nested bool) (keys []string) {
	for _, g := range l.groupKeys() {
		if slices.Contains(l.parentsOfGroup(g, nested), key) {
			keys = append(keys, g)
		}
	}
	return keys
}

func page(keys []string, p models.Page) []string {
	keys = keys[min(p.Start, len(keys)):]
	if p.Max >= 0 {
		keys = keys[:min(p.Max, len(keys))]
	}
	return keys
}
