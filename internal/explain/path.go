package explain

import (
	"context"
	"slices"
	"strings"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// inGroup explains how a user is in the group that was asked for, or that it isn't.
func (q *question) inGroup(ctx context.Context, dir *models.Directory, u *models.User) error {
	named, err := q.store.GroupsNamed(ctx, q.visible, q.group)
	switch {
	case err != nil:
		return err
	case len(named) == 0:
		return q.noGroup(ctx)
	}
	if first := named[0]; !q.app.Aggregate && first.DirectoryID != dir.ID {
		q.say(NestedPath, false, "group %s is that of directory %s, and %s is in directory %s; memberships of other directories count with --aggregate only",
			first.Name, q.directory(first.DirectoryID).Name, u.Name, dir.Name)
		return nil
	}
	w := &walk{question: q, visible: q.visible}
	if !q.app.Aggregate {
		w.visible.Dirs = []models.ID{dir.ID}
	}
	path, direct, err := w.from(ctx, u, models.Key(q.group))
	if err != nil {
		return err
	}
	chain := strings.Join(append([]string{u.Name}, path...), " → ")
	switch {
	case len(path) == 0 && len(direct) == 0:
		q.say(NestedPath, false, "%s is in no group", u.Name)
	case len(path) == 0:
		q.say(NestedPath, false, "no way leads from %s to %s; %s is directly in %s", u.Name, q.group, u.Name, some(direct))
	case len(path) > 1 && !q.app.Nested:
		q.say(NestedPath, false, "%s, but application %s counts direct members only (--nested=false)", chain, q.app.Name)
	default:
		q.say(NestedPath, true, "%s", chain)
	}
	return nil
}

// noGroup explains a group that the application doesn't see: a run may have left it out.
func (q *question) noGroup(ctx context.Context) error {
	key := models.Key(q.group)
	for _, dir := range q.dirs {
		skipped, err := q.skipped(ctx, dir, func(s *models.Skipped) bool {
			return s.Kind == "group" && (s.ID == q.group || models.Key(s.Name) == key)
		})
		if err != nil {
			return err
		}
		if skipped != nil {
			q.say(NestedPath, false, "group %s is not published: the run of %s of directory %s skipped it: %s", q.group, skipped.at, dir.Name, skipped.Reason)
			return nil
		}
	}
	q.say(NestedPath, false, "application %s sees no group %s", q.app.Name, q.group)
	return nil
}

// A walk goes up from a user through groups in groups, and remembers how it came to each.
type walk struct {
	*question
	visible store.Visible // whose memberships count
}

// from gives the shortest way to a group, as the names of the groups on it, the wanted one last;
// none when there is no way. direct are the groups in which the user is directly.
func (w *walk) from(ctx context.Context, u *models.User, wanted string) (path, direct []string, err error) {
	users := []models.ID{u.ID}
	if w.visible.Aggregate {
		all, err := w.store.UsersNamed(ctx, w.visible, u.Name)
		if err != nil {
			return nil, nil, err
		}
		users = users[:0]
		for _, u := range all {
			users = append(users, u.ID)
		}
	}
	groups, err := w.store.GroupsAround(ctx, w.visible, store.Start{IDs: users}, models.Everything)
	if err != nil {
		return nil, nil, err
	}
	type place struct {
		group *models.Group
		from  int // the place before; -1: the user
	}
	var places []place
	seen := map[string]bool{}
	reach := func(groups []*models.Group, from int) {
		for _, g := range groups {
			if !seen[g.NameKey] {
				seen[g.NameKey] = true
				places = append(places, place{g, from})
			}
		}
	}
	reach(groups, -1)
	for _, g := range groups {
		direct = append(direct, g.Name)
	}
	for i := 0; i < len(places); i++ {
		if places[i].group.NameKey == wanted {
			for at := i; at >= 0; at = places[at].from {
				path = append(path, places[at].group.Name)
			}
			slices.Reverse(path)
			return path, direct, nil
		}
		parents, err := w.parents(ctx, places[i].group)
		if err != nil {
			return nil, nil, err
		}
		reach(parents, i)
	}
	return nil, direct, nil
}

// parents lists the groups in which a group is directly.
func (w *walk) parents(ctx context.Context, g *models.Group) ([]*models.Group, error) {
	rows, err := w.store.GroupsNamed(ctx, w.visible, g.Name)
	if err != nil {
		return nil, err
	}
	start := store.Start{Key: g.NameKey}
	for _, row := range rows {
		start.IDs = append(start.IDs, row.ID)
	}
	return w.store.ParentsOf(ctx, w.visible, start, models.Everything)
}

// some lists names, ten at most.
func some(names []string) string {
	const most = 10
	text := strings.Join(names[:min(len(names), most)], ", ")
	if len(names) > most {
		text += " …"
	}
	return text
}
