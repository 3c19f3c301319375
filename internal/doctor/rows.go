package doctor

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// owners looks for rows whose owner is gone. They are removed when asked to; users and groups
// of a directory that is gone never are.
func owners(ctx context.Context, c *Case, f *Finding) error {
	orphans, err := c.Store.Orphans(ctx)
	if err != nil {
		return err
	}
	for _, o := range orphans {
		switch {
		case o.Precious():
			f.problem("restore the database from a backup from before they were orphaned", "%d rows of %s belong to a %s that is gone", o.Count, o.Table, singular(o.Owner))
		case c.Fix:
			n, err := c.Store.RemoveOrphans(ctx, c.By, o)
			if err != nil {
				return err
			}
			f.fixed("removed %d rows of %s whose %s is gone", n, o.Table, singular(o.Owner))
		default:
			f.problem(fixable, "%d rows of %s belong to a %s that is gone", o.Count, o.Table, singular(o.Owner))
		}
	}
	strays, err := c.Store.StrayMemberships(ctx)
	if strays > 0 {
		f.problem("restore the database from a backup", "%d memberships lead from one directory into another", strays)
	}
	return err
}

func singular(table string) string {
	if stem, ok := strings.CutSuffix(table, "ies"); ok {
		return stem + "y"
	}
	return strings.TrimSuffix(table, "s")
}

// circles looks for groups that contain themselves. Which step of a circle is the wrong one
// only people know.
func circles(ctx context.Context, c *Case, f *Finding) error {
	names, err := c.Store.DirectoryNames(ctx)
	if err != nil {
		return err
	}
	for _, dir := range slices.Sorted(maps.Keys(names)) {
		inside := map[models.ID][]models.ID{}
		err := c.Store.Nestings(ctx, dir, func(parent, child models.ID) { inside[parent] = append(inside[parent], child) })
		if err != nil {
			return err
		}
		if circle := findCircle(inside); circle != nil {
			groups, err := c.Store.GroupNames(ctx, circle)
			if err != nil {
				return err
			}
			path := make([]string, len(circle))
			for i, id := range circle {
				path[i] = groups[id]
			}
			f.problem("rollcall group remove "+path[0]+" --group "+path[1]+" --directory "+names[dir]+", or another step of it",
				"groups of directory %s form a circle: %s", names[dir], strings.Join(path, " contains "))
		}
	}
	return nil
}

// findCircle gives a circle, its first group again at the end; nil where there is none. It walks
// down from each group and looks whether it meets one that it comes from.
func findCircle(inside map[models.ID][]models.ID) []models.ID {
	done := make(map[models.ID]bool, len(inside))
	for _, start := range slices.Sorted(maps.Keys(inside)) {
		path, at := []models.ID{start}, map[models.ID]int{start: 0}
		next := []int{0} // for each group of the path, which of its children comes next
		for len(path) > 0 && !done[start] {
			last := len(path) - 1
			group := path[last]
			if next[last] == len(inside[group]) {
				done[group] = true
				delete(at, group)
				path, next = path[:last], next[:last]
				continue
			}
			child := inside[group][next[last]]
			next[last]++
			if i, above := at[child]; above {
				return append(slices.Clone(path[i:]), child)
			}
			if !done[child] {
				at[child] = len(path)
				path, next = append(path, child), append(next, 0)
			}
		}
	}
	return nil
}

func sealedSecrets(ctx context.Context, c *Case, f *Finding) error {
	unreadable, err := c.Store.UnreadableSecrets(ctx, most+1)
	for _, name := range unreadable {
		f.problem("set it again", "the %s can't be opened with this server's key", name)
	}
	return err
}

// feed compares rows with what the feed says of them, at one moment: writers may be at work.
func feed(ctx context.Context, c *Case, f *Finding) error {
	var said []string
	err := c.Store.Snapshot(ctx, func(r *store.Reads) (err error) {
		said, err = r.FeedDisagreements(ctx, most+1)
		return err
	})
	for _, what := range said {
		f.problem("restart the servers, so that they read every row; clients that follow events need to read everything again", "%s", what)
	}
	return err
}

// sessions that ended are removed by the server; a stopped one leaves them.
func sessions(ctx context.Context, c *Case, f *Finding) error {
	now := models.TimeOf(c.Now)
	if c.Fix {
		for {
			n, err := c.Store.PruneSessions(ctx, now)
			if err != nil {
				return err
			}
			if n == 0 {
				break
			}
			f.fixed("removed %d sessions that had ended", n)
		}
	}
	n, err := c.Store.EndedSessions(ctx, now)
	if n > 0 {
		f.Note = "a running server removes those that ended"
	}
	return err
}
