package store

import (
	"context"

	"github.com/rollcall-id/rollcall/models"
)

// CountUsers counts a directory's users, up to a number: it takes no longer than that asks for.
func (r *Reads) CountUsers(ctx context.Context, dir models.ID, most int) (int, error) {
	return r.countTo(ctx, most, "SELECT 1 FROM users WHERE directory_id = ?", dir)
}

// CountGroups counts a directory's groups as CountUsers does users.
func (r *Reads) CountGroups(ctx context.Context, dir models.ID, most int) (int, error) {
	return r.countTo(ctx, most, "SELECT 1 FROM groups WHERE directory_id = ?", dir)
}

// CountMemberships counts who is in a directory's groups, users and groups, as CountUsers does users.
func (r *Reads) CountMemberships(ctx context.Context, dir models.ID, most int) (int, error) {
	return r.countTo(ctx, most, "SELECT 1 FROM memberships WHERE directory_id = ? UNION ALL SELECT 1 FROM nestings WHERE directory_id = ?", dir, dir)
}

func (r *Reads) countTo(ctx context.Context, most int, rows string, args ...any) (n int, err error) {
	err = r.db.WithContext(ctx).Raw("SELECT count(*) FROM ("+rows+" LIMIT ?) AS counted", append(args, most)...).Scan(&n).Error
	return n, doing("count the directory's rows", err)
}

// Analyze lets PostgreSQL count the tables that a synchronisation fills. After a change of many rows it
// would think for a minute that they are few, and look at a whole directory for each thousand users.
// Tables that somebody holds are passed over.
func (s *Store) Analyze(ctx context.Context) error {
	if !s.dialect.postgres() {
		return nil
	}
	return doing("count the tables anew", s.db.WithContext(ctx).Exec("ANALYZE (SKIP_LOCKED) users, user_attributes, groups, memberships, nestings").Error)
}
