package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/rollcall-id/rollcall/models"
)

// readIn reads the rows that a condition finds for any of these keys, its last question mark.
func readIn[R, K any](ctx context.Context, r *Reads, what string, keys []K, where string, args ...any) ([]*R, error) {
	var all []*R
	for batch := range slices.Chunk(keys, 1000) {
		var rows []*R
		if err := r.db.WithContext(ctx).Where(where, append(slices.Clone(args), batch)...).Find(&rows).Error; err != nil {
			return nil, doing(what, err)
		}
		all = append(all, rows...)
	}
	return all, nil
}

// by makes a map of rows.
func by[K comparable, R any](key func(*R) K, rows []*R, err error) (map[K]*R, error) {
	out := make(map[K]*R, len(rows))
	for _, row := range rows {
		out[key(row)] = row
	}
	return out, err
}

// UsersWithIDs reads the users that have these ids.
func (r *Reads) UsersWithIDs(ctx context.Context, ids []models.ID) (map[models.ID]*models.User, error) {
	rows, err := readIn[models.User](ctx, r, "read users", ids, "id IN ?")
	return by(func(u *models.User) models.ID { return u.ID }, rows, err)
}

// GroupsWithIDs reads the groups that have these ids.
func (r *Reads) GroupsWithIDs(ctx context.Context, ids []models.ID) (map[models.ID]*models.Group, error) {
	rows, err := readIn[models.Group](ctx, r, "read groups", ids, "id IN ?")
	return by(func(g *models.Group) models.ID { return g.ID }, rows, err)
}

// UsersWithExternalIDs reads those users of a directory that the source calls so.
func (r *Reads) UsersWithExternalIDs(ctx context.Context, dir models.ID, ids []string) (map[string]*models.User, error) {
	rows, err := readIn[models.User](ctx, r, "read users", ids, "directory_id = ? AND external_id IN ?", dir)
	return by(func(u *models.User) string { return u.ExternalID }, rows, err)
}

// GroupsWithExternalIDs reads those groups of a directory that the source calls so.
func (r *Reads) GroupsWithExternalIDs(ctx context.Context, dir models.ID, ids []string) (map[string]*models.Group, error) {
	rows, err := readIn[models.Group](ctx, r, "read groups", ids, "directory_id = ? AND external_id IN ?", dir)
	return by(func(g *models.Group) string { return g.ExternalID }, rows, err)
}

// UsersWithKeys reads those users of a directory that have these names, folded.
func (r *Reads) UsersWithKeys(ctx context.Context, dir models.ID, keys []string) ([]*models.User, error) {
	return readIn[models.User](ctx, r, "read users", keys, "directory_id = ? AND name_key IN ?", dir)
}

// GroupsWithKeys reads those groups of a directory that have these names, folded.
func (r *Reads) GroupsWithKeys(ctx context.Context, dir models.ID, keys []string) ([]*models.Group, error) {
	return readIn[models.Group](ctx, r, "read groups", keys, "directory_id = ? AND name_key IN ?", dir)
}

// SyncedGroupsOf gives for each of these users the groups that a synchronisation put it in.
func (r *Reads) SyncedGroupsOf(ctx context.Context, users []models.ID) (map[models.ID][]models.ID, error) {
	out := make(map[models.ID][]models.ID, len(users))
	for batch := range slices.Chunk(users, 1000) {
		var rows []models.Membership
		if err := r.db.WithContext(ctx).Where("user_id IN ? AND writer = ?", batch, models.BySync).Order("user_id, group_id").Find(&rows).Error; err != nil {
			return nil, doing("read memberships", err)
		}
		for _, m := range rows {
			out[m.UserID] = append(out[m.UserID], m.GroupID)
		}
	}
	return out, nil
}

// SyncedOf tells which of these memberships are there and came by a synchronisation.
func (r *Reads) SyncedOf(ctx context.Context, pairs []Pair) (map[Pair]bool, error) {
	out := make(map[Pair]bool, len(pairs))
	err := r.query(ctx, pairBatch(pairs), "SELECT group_id, user_id FROM v CROSS JOIN memberships WHERE group_id = top AND user_id = bottom AND writer = ?",
		[]any{models.BySync}, func(rows *sql.Rows) error {
			var p Pair
			if err := rows.Scan(&p.Top, &p.Bottom); err != nil {
				return err
			}
			out[p] = true
			return nil
		})
	return out, doing("read memberships", err)
}

// DirectGroupNames gives for each of these users the names of all its direct groups, in order.
func (r *Reads) DirectGroupNames(ctx context.Context, users []models.ID) (map[models.ID][]string, error) {
	out := make(map[models.ID][]string, len(users))
	for batch := range slices.Chunk(users, 1000) {
		var rows []struct {
			UserID models.ID
			Name   string
		}
		err := r.db.WithContext(ctx).Raw(`SELECT m.user_id, g.name FROM memberships m JOIN groups g ON g.id = m.group_id
			WHERE m.user_id IN ? ORDER BY m.user_id, g.name_key`, batch).Scan(&rows).Error
		if err != nil {
			return nil, doing("read memberships", err)
		}
		for _, m := range rows {
			out[m.UserID] = append(out[m.UserID], m.Name)
		}
	}
	return out, nil
}

// SyncedMembersOf gives the users, and the groups, that a synchronisation put into a group.
func (r *Reads) SyncedMembersOf(ctx context.Context, group models.ID) (users, children []models.ID, err error) {
	err = r.db.WithContext(ctx).Raw("SELECT user_id FROM memberships WHERE group_id = ? AND writer = ? ORDER BY user_id", group, models.BySync).Scan(&users).Error
	if err == nil {
		err = r.db.WithContext(ctx).Raw("SELECT child_id FROM nestings WHERE parent_id = ? AND writer = ? ORDER BY child_id", group, models.BySync).Scan(&children).Error
	}
	return users, children, doing("read a group's members", err)
}

// ChangedSince tells whether a directory's rows changed after a line of the feed.
func (r *Reads) ChangedSince(ctx context.Context, dir models.ID, seq int64) (bool, error) {
	var found []int64
	err := r.db.WithContext(ctx).Raw("SELECT seq FROM changes WHERE seq > ? AND directory_id = ? AND kind NOT IN ? LIMIT 1",
		seq, dir, []models.ChangeKind{models.CredentialSet, models.CredentialUpgraded, models.AliasChanged}).Scan(&found).Error
	return len(found) > 0, doing("read the feed", err)
}

// SyncedParentsOf gives the groups that a synchronisation put a group into.
func (r *Reads) SyncedParentsOf(ctx context.Context, group models.ID) (parents []models.ID, err error) {
	err = r.db.WithContext(ctx).Raw("SELECT parent_id FROM nestings WHERE child_id = ? AND writer = ? ORDER BY parent_id", group, models.BySync).Scan(&parents).Error
	return parents, doing("read a group's groups", err)
}

// HasParents tells whether a group is in other groups.
func (r *Reads) HasParents(ctx context.Context, group models.ID) (bool, error) {
	var found []models.ID
	err := r.db.WithContext(ctx).Raw("SELECT parent_id FROM nestings WHERE child_id = ? LIMIT 1", group).Scan(&found).Error
	return len(found) > 0, doing("read a group's groups", err)
}

// SyncedAttributesOf reads the attributes that a synchronisation brought to these users.
func (r *Reads) SyncedAttributesOf(ctx context.Context, users []models.ID) (map[models.ID][]models.Attribute, error) {
	return r.attributes(ctx, fmt.Sprintf(`SELECT user_id AS owner, name, value FROM user_attributes
		WHERE user_id IN ? AND writer = %d ORDER BY user_id, name, position`, models.BySync), users)
}
