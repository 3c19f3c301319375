package store

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"gorm.io/gorm"

	"github.com/rollcall-id/rollcall/models"
)

// Visible asks what can be seen through an ordered list of directories. The first directory
// that has a name wins it: that row is canonical, the later ones are shadowed.
//
// Aggregate decides whose memberships count. Without it a member, user or group, belongs to
// the groups of the directory in which it is canonical. With it groups of one name are one
// group, and so are users: a membership in any directory counts.
type Visible struct {
	Dirs      []models.ID
	Aggregate bool
}

// with gives the directories as a table for queries: d.id, d.pos.
func (v Visible) with() string {
	var b strings.Builder
	b.WriteString("dirs(id, pos) AS (VALUES ")
	for i, id := range v.Dirs {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "(%d,%d)", id, i)
	}
	b.WriteString(")")
	return b.String()
}

// list gives the directories for IN.
func (v Visible) list() string {
	var b strings.Builder
	for i, id := range v.Dirs {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%d", id)
	}
	return b.String()
}

// canonical is a condition that keeps the rows of a table (users or groups, joined to dirs
// as d) that no earlier directory shadows.
func (v Visible) canonical(table, row string) string {
	if len(v.Dirs) == 1 {
		return "1 = 1"
	}
	return fmt.Sprintf("NOT EXISTS (SELECT 1 FROM %s e JOIN dirs de ON de.id = e.directory_id WHERE e.name_key = %s.name_key AND de.pos < d.pos)", table, row)
}

// VisibleUser finds the canonical user of a name, or answers UserNotFound.
func (r *Reads) VisibleUser(ctx context.Context, v Visible, name string) (*models.User, error) {
	users, err := r.UsersNamed(ctx, v, name)
	if err != nil {
		return nil, err
	}
	if len(users) == 0 {
		return nil, models.Fail(models.UserNotFound, name, "")
	}
	return users[0], nil
}

// UsersNamed lists the users of a name in the order of the directories: the canonical one
// first, then those that it shadows.
func (r *Reads) UsersNamed(ctx context.Context, v Visible, name string) ([]*models.User, error) {
	var users []*models.User
	if len(v.Dirs) == 0 {
		return nil, nil
	}
	err := r.db.WithContext(ctx).Raw("SELECT "+userColumns+" FROM users u WHERE name_key = ? AND directory_id IN ("+v.list()+")", models.Key(name)).Scan(&users).Error
	return ordered(v, users, func(u *models.User) models.ID { return u.DirectoryID }), doing("read a user", err)
}

// VisibleGroup finds the canonical group of a name, or answers GroupNotFound.
func (r *Reads) VisibleGroup(ctx context.Context, v Visible, name string) (*models.Group, error) {
	groups, err := r.GroupsNamed(ctx, v, name)
	if err != nil {
		return nil, err
	}
	if len(groups) == 0 {
		return nil, models.Fail(models.GroupNotFound, name, "")
	}
	return groups[0], nil
}

// GroupsNamed lists the groups of a name in the order of the directories.
func (r *Reads) GroupsNamed(ctx context.Context, v Visible, name string) ([]*models.Group, error) {
	var groups []*models.Group
	if len(v.Dirs) == 0 {
		return nil, nil
	}
	err := r.db.WithContext(ctx).Raw("SELECT "+groupColumns+" FROM groups g WHERE name_key = ? AND directory_id IN ("+v.list()+")", models.Key(name)).Scan(&groups).Error
	return ordered(v, groups, func(g *models.Group) models.ID { return g.DirectoryID }), doing("read a group", err)
}

// ordered puts at most one row per directory into the order of the directories.
func ordered[T any](v Visible, rows []*T, dirOf func(*T) models.ID) []*T {
	out := make([]*T, 0, len(rows))
	for _, dir := range v.Dirs {
		for _, row := range rows {
			if dirOf(row) == dir {
				out = append(out, row)
			}
		}
	}
	return out
}

// Start says where a walk through memberships begins: at the rows of a user or a group that
// count. Nested walks on through groups in groups.
type Start struct {
	IDs    []models.ID
	Key    string // the group's key, which the answer leaves out; empty for a user
	Nested bool
}

// GroupsAround lists the canonical groups that a user (of Start.IDs) is in, by name.
func (r *Reads) GroupsAround(ctx context.Context, v Visible, s Start, p models.Page) ([]*models.Group, error) {
	return r.groupsReached(ctx, v, s, p, "SELECT m.group_id FROM memberships m WHERE m.user_id IN ?", "parent_id", "child_id")
}

// ParentsOf lists the canonical groups that a group is in, by name.
func (r *Reads) ParentsOf(ctx context.Context, v Visible, s Start, p models.Page) ([]*models.Group, error) {
	return r.groupsReached(ctx, v, s, p, "SELECT n.parent_id FROM nestings n WHERE n.child_id IN ?", "parent_id", "child_id")
}

// groupsReached walks upwards from the first step's groups.
func (r *Reads) groupsReached(ctx context.Context, v Visible, s Start, p models.Page, first, to, from string) ([]*models.Group, error) {
	if len(s.IDs) == 0 || p.Max == 0 {
		return nil, nil
	}
	reached := v.walk(first, s.Nested, to, from)
	return r.groups(ctx, v, "WITH RECURSIVE "+v.with()+", "+reached, "g.name_key IN (SELECT key FROM reached) AND g.name_key <> ?", p, s.IDs, s.Key)
}

// walk gives the table reached(key) of the groups that first's groups lead to, themselves
// included; its one argument is Start.IDs. With Aggregate a step goes on from every group of the same name.
func (v Visible) walk(first string, nested bool, to, from string) string {
	switch {
	case !nested:
		return "reached(key) AS (SELECT DISTINCT f.name_key FROM groups f WHERE f.id IN (" + first + "))"
	case v.Aggregate:
		return fmt.Sprintf(`reached(key) AS (
			SELECT f.name_key FROM groups f WHERE f.id IN (%s)
			UNION SELECT t.name_key FROM reached r JOIN groups c ON c.name_key = r.key AND c.directory_id IN (%s)
				JOIN nestings n ON n.%s = c.id JOIN groups t ON t.id = n.%s)`, first, v.list(), from, to)
	}
	return fmt.Sprintf(`walked(id) AS (%s UNION SELECT n.%s FROM nestings n JOIN walked w ON n.%s = w.id),
		reached(key) AS (SELECT DISTINCT g.name_key FROM walked w JOIN groups g ON g.id = w.id)`, first, to, from)
}

func (r *Reads) groups(ctx context.Context, v Visible, with, where string, p models.Page, args ...any) ([]*models.Group, error) {
	var groups []*models.Group
	page, bounds := limit(p)
	query := with + " SELECT " + groupColumns + " FROM groups g JOIN dirs d ON d.id = g.directory_id WHERE " + where +
		" AND " + v.canonical("groups", "g") + " ORDER BY g.name_key" + page
	err := r.db.WithContext(ctx).Raw(query, append(args, bounds...)...).Scan(&groups).Error
	return groups, doing("read groups", err)
}

// limit cuts a page out of an ordered answer. Crowd's pages are numbers, so there is no key
// to go on from; the roster answers them by index.
//
// The numbers are arguments, as the rows' are: each text of a query is prepared once and its
// statement kept, so there must not be one for each user or page.
func limit(p models.Page) (text string, bounds []any) {
	most := int64(p.Max)
	if p.Max < 0 {
		if p.Start == 0 {
			return "", nil
		}
		most = 1 << 62
	}
	return " LIMIT ? OFFSET ?", []any{most, p.Start}
}

// down gives the table inside(id) of the groups in which members of the group count: the group
// itself and, nested, all groups below it. Its one argument is Start.IDs.
func (v Visible) down(s Start) string {
	first := "SELECT g.id FROM groups g WHERE g.id IN ?"
	switch {
	case !s.Nested:
		return "inside(id) AS (" + first + ")"
	case v.Aggregate:
		return fmt.Sprintf(`names(key) AS (
			SELECT g.name_key FROM groups g WHERE g.id IN ?
			UNION SELECT c.name_key FROM names k JOIN groups p ON p.name_key = k.key AND p.directory_id IN (%s)
				JOIN nestings n ON n.parent_id = p.id JOIN groups c ON c.id = n.child_id),
			inside(id) AS (SELECT g.id FROM groups g JOIN names k ON k.key = g.name_key WHERE g.directory_id IN (%s))`,
			v.list(), v.list())
	}
	return "inside(id) AS (" + first + " UNION SELECT n.child_id FROM nestings n JOIN inside i ON n.parent_id = i.id)"
}

// MembersOf lists the canonical users in a group, by name.
func (r *Reads) MembersOf(ctx context.Context, v Visible, s Start, p models.Page) ([]*models.User, error) {
	if len(s.IDs) == 0 || p.Max == 0 {
		return nil, nil
	}
	query := "WITH RECURSIVE " + v.with() + ", " + v.down(s)
	if v.Aggregate {
		query += `, members(key) AS (SELECT DISTINCT u.name_key FROM memberships m JOIN inside i ON i.id = m.group_id JOIN users u ON u.id = m.user_id)
			SELECT ` + userColumns + ` FROM users u JOIN dirs d ON d.id = u.directory_id JOIN members k ON k.key = u.name_key WHERE ` + v.canonical("users", "u")
	} else {
		query += `, members(id) AS (SELECT DISTINCT m.user_id FROM memberships m JOIN inside i ON i.id = m.group_id)
			SELECT ` + userColumns + ` FROM members k JOIN users u ON u.id = k.id JOIN dirs d ON d.id = u.directory_id WHERE ` + v.canonical("users", "u")
	}
	var users []*models.User
	page, bounds := limit(p)
	err := r.db.WithContext(ctx).Raw(query+" ORDER BY u.name_key"+page, append([]any{s.IDs}, bounds...)...).Scan(&users).Error
	return users, doing("read members", err)
}

// ChildrenOf lists the canonical groups inside a group, by name.
func (r *Reads) ChildrenOf(ctx context.Context, v Visible, s Start, p models.Page) ([]*models.Group, error) {
	if len(s.IDs) == 0 || p.Max == 0 {
		return nil, nil
	}
	with := "WITH RECURSIVE " + v.with() + ", " + v.down(s)
	if v.Aggregate {
		with += `, children(key) AS (SELECT DISTINCT c.name_key FROM nestings n JOIN inside i ON i.id = n.parent_id JOIN groups c ON c.id = n.child_id)`
		return r.groups(ctx, v, with, "g.name_key IN (SELECT key FROM children) AND g.name_key <> ?", p, s.IDs, s.Key)
	}
	with += `, children(id) AS (SELECT DISTINCT n.child_id FROM nestings n JOIN inside i ON i.id = n.parent_id)`
	return r.groups(ctx, v, with, "g.id IN (SELECT id FROM children) AND g.name_key <> ?", p, s.IDs, s.Key)
}

// A Member is one line of a dump: a user's or group's name, in a group.
type Member struct {
	GroupKey string
	ID       models.ID
	Name     string
}

// VisibleGroups lists canonical groups by name after a key, at most limit: a dump's batch.
func (r *Reads) VisibleGroups(ctx context.Context, v Visible, after string, most int) ([]*models.Group, error) {
	if len(v.Dirs) == 0 {
		return nil, nil
	}
	return r.groups(ctx, v, "WITH "+v.with(), "g.name_key > ?", models.Page{Max: most}, after)
}

// DumpUsers streams who is directly in the groups whose keys lie after one and up to another,
// ordered by the group's and the user's key.
func (r *Reads) DumpUsers(ctx context.Context, v Visible, after, last string) iter.Seq2[Member, error] {
	query := "WITH " + v.with()
	if v.Aggregate {
		query += `, pairs(group_key, key) AS (SELECT DISTINCT g.name_key, m.name_key FROM groups g JOIN memberships x ON x.group_id = g.id JOIN users m ON m.id = x.user_id
				WHERE g.directory_id IN (` + v.list() + `) AND g.name_key > ? AND g.name_key <= ?)
			SELECT p.group_key, u.id, u.name FROM pairs p JOIN users u ON u.name_key = p.key JOIN dirs d ON d.id = u.directory_id
			WHERE ` + v.canonical("users", "u") + " ORDER BY p.group_key, u.name_key"
	} else {
		query += ` SELECT g.name_key AS group_key, u.id, u.name FROM groups g JOIN memberships x ON x.group_id = g.id JOIN users u ON u.id = x.user_id JOIN dirs d ON d.id = u.directory_id
			WHERE g.directory_id IN (` + v.list() + ") AND g.name_key > ? AND g.name_key <= ? AND " + v.canonical("users", "u") + " ORDER BY g.name_key, u.name_key"
	}
	return stream(r.db.WithContext(ctx), "read memberships", query, after, last)
}

// DumpChildren streams which groups are directly in the groups whose keys lie after one and
// up to another, ordered by both keys.
func (r *Reads) DumpChildren(ctx context.Context, v Visible, after, last string) iter.Seq2[Member, error] {
	query := "WITH " + v.with()
	if v.Aggregate {
		query += `, pairs(group_key, key) AS (SELECT DISTINCT p.name_key, c.name_key FROM groups p JOIN nestings n ON n.parent_id = p.id JOIN groups c ON c.id = n.child_id
				WHERE p.directory_id IN (` + v.list() + `) AND p.name_key > ? AND p.name_key <= ?)
			SELECT p.group_key, g.id, g.name FROM pairs p JOIN groups g ON g.name_key = p.key JOIN dirs d ON d.id = g.directory_id
			WHERE ` + v.canonical("groups", "g") + " ORDER BY p.group_key, g.name_key"
	} else {
		query += ` SELECT p.name_key AS group_key, g.id, g.name FROM groups p JOIN nestings n ON n.parent_id = p.id JOIN groups g ON g.id = n.child_id JOIN dirs d ON d.id = g.directory_id
			WHERE p.directory_id IN (` + v.list() + ") AND p.name_key > ? AND p.name_key <= ? AND " + v.canonical("groups", "g") + " ORDER BY p.name_key, g.name_key"
	}
	return stream(r.db.WithContext(ctx), "read nested groups", query, after, last)
}

// stream reads members row by row; it ends with the first error.
func stream(db *gorm.DB, what, query string, args ...any) iter.Seq2[Member, error] {
	return func(yield func(Member, error) bool) {
		rows, err := db.Raw(query, args...).Rows()
		if err != nil {
			yield(Member{}, doing(what, err))
			return
		}
		defer rows.Close()
		for rows.Next() {
			var m Member
			if err := rows.Scan(&m.GroupKey, &m.ID, &m.Name); err != nil {
				yield(m, doing(what, err))
				return
			}
			if !yield(m, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(Member{}, doing(what, err))
		}
	}
}
