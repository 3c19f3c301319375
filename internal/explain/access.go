package explain

import (
	"context"
	"slices"
	"strings"

	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/models"
)

// present explains a user that a directory has.
func (q *question) present(ctx context.Context, u *models.User) error {
	dir := q.directory(u.DirectoryID)
	if err := q.fromSource(ctx, dir, u); err != nil {
		return err
	}
	seen, err := q.mapped(ctx, dir, u)
	if err != nil || !seen {
		return err
	}
	if seen, err = q.unshadowed(ctx, dir, u); err != nil || !seen {
		return err
	}
	if q.group != "" {
		if err := q.inGroup(ctx, dir, u); err != nil {
			return err
		}
	}
	if err := q.mayLogIn(ctx, dir, u); err != nil {
		return err
	}
	if u.Active {
		q.say(Active, true, "%s is active", u.Name)
	} else {
		q.say(Active, false, "%s is inactive%s", u.Name, inactiveBecause(dir))
	}
	return nil
}

func inactiveBecause(dir *models.Directory) string {
	if directory.Mirrored(dir.Kind) {
		return ": its source says so, or no longer has it"
	}
	return ": rollcall user enable lets them in again"
}

// mapped tells whether the application sees the user's directory.
func (q *question) mapped(ctx context.Context, dir *models.Directory, u *models.User) (bool, error) {
	if q.mapping(dir.ID) == nil {
		q.say(Directory, false, "%s is in directory %s, to which application %s isn't mapped: rollcall app map %s %s",
			u.Name, dir.Name, q.app.Name, q.app.Name, dir.Name)
		return false, nil
	}
	if place := slices.Index(q.visible.Dirs, dir.ID); place >= 0 {
		q.say(Directory, true, "%s is in directory %s, number %d of %d that application %s sees",
			u.Name, dir.Name, place+1, len(q.visible.Dirs), q.app.Name)
		return true, nil
	}
	hint := "rollcall directory set " + dir.Name + " --active=true"
	if directory.Mirrored(dir.Kind) {
		state, err := q.store.SyncState(ctx, dir.ID)
		if err != nil {
			return false, err
		}
		if state.CompletedAt == 0 {
			hint = "it was never synchronised"
		}
	}
	q.say(Directory, false, "%s is in directory %s, which isn't active: %s", u.Name, dir.Name, hint)
	return false, nil
}

// unshadowed tells whether the user is the one whom the application means by the name.
func (q *question) unshadowed(ctx context.Context, dir *models.Directory, u *models.User) (bool, error) {
	all, err := q.store.UsersNamed(ctx, q.visible, u.Name)
	if err != nil {
		return false, err
	}
	if len(all) == 0 || all[0].ID != u.ID { // nobody: it was renamed or removed a moment ago
		first := "another directory"
		if len(all) > 0 {
			first = "directory " + q.directory(all[0].DirectoryID).Name
		}
		q.say(Order, false, "%s comes before %s and has a user %s, too: that one is meant by the name", first, dir.Name, u.Name)
		return false, nil
	}
	var hidden []string
	for _, other := range all[1:] {
		hidden = append(hidden, q.directory(other.DirectoryID).Name)
	}
	if len(hidden) == 0 {
		q.say(Order, true, "no other directory of the application has the name %s", u.Name)
	} else {
		q.say(Order, true, "directory %s is the first with the name %s, and hides that of %s", dir.Name, u.Name, strings.Join(hidden, ", "))
	}
	return true, nil
}

// mayLogIn tells whether the mapping lets the user in.
func (q *question) mayLogIn(ctx context.Context, dir *models.Directory, u *models.User) error {
	m := q.mapping(dir.ID)
	switch {
	case !q.app.Active:
		q.say(AppGroups, false, "application %s is switched off: rollcall app set %s --active=true", q.app.Name, q.app.Name)
		return nil
	case m.AllowAll:
		q.say(AppGroups, true, "all users of directory %s may log in to %s", dir.Name, q.app.Name)
		return nil
	}
	keys, err := q.store.GroupNamesOf(ctx, u.ID, q.app.Nested)
	if err != nil {
		return err
	}
	for _, name := range m.Groups {
		if slices.Contains(keys, models.Key(name)) {
			q.say(AppGroups, true, "members of %s may log in to %s, and %s is one", name, q.app.Name, u.Name)
			return nil
		}
	}
	q.say(AppGroups, false, "only members of %s may log in to %s, and %s is in none of them%s",
		strings.Join(m.Groups, ", "), q.app.Name, u.Name, directly(q.app.Nested))
	return nil
}

// directly reminds of a switch that makes groups in groups count for nothing.
func directly(nested bool) string {
	if nested {
		return ""
	}
	return " directly, which is all that counts with --nested=false"
}
