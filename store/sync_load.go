package store

import (
	"database/sql"
	"fmt"

	"github.com/rollcall-id/rollcall/models"
)

// UsersByID reads a directory's users in the order of their ids.
func (l *Load) UsersByID(dir models.ID, each func(*Row) error) error {
	column := "directory_id"
	if l.lit != nil {
		column = "+directory_id" // SQLite would take an index that begins with it, and sort: the table has this order
	}
	return l.rows("users", userTexts, column, dir, "id", each)
}

// SyncedMemberships reads the memberships that a synchronisation brought into a directory, by
// group and user.
func (l *Load) SyncedMemberships(dir models.ID, each func(group, user models.ID) error) error {
	if l.lit != nil { // of all groups in the table's order, so that nothing has to be sorted
		return l.membersByGroup(fmt.Sprintf("WHERE +g.directory_id = %d ORDER BY g.id", dir), fmt.Sprintf(" AND m.writer = %d", models.BySync), each)
	}
	return l.numbers(fmt.Sprintf("SELECT group_id, user_id FROM memberships WHERE directory_id = %d AND writer = %d ORDER BY group_id, user_id",
		dir, models.BySync), 2, func(n []int64) error { return each(models.ID(n[0]), models.ID(n[1])) })
}

// SyncedNestings reads the nestings that a synchronisation brought into a directory, by parent and
// child.
func (l *Load) SyncedNestings(dir models.ID, each func(parent, child models.ID) error) error {
	return l.numbers(fmt.Sprintf("SELECT parent_id, child_id FROM nestings WHERE directory_id = %d AND writer = %d ORDER BY parent_id, child_id",
		dir, models.BySync), 2, func(n []int64) error { return each(models.ID(n[0]), models.ID(n[1])) })
}

// SyncedUserAttributes reads the values of attributes that a synchronisation brought to users of a
// directory, by user and name.
func (l *Load) SyncedUserAttributes(dir models.ID, each func(user models.ID, name, value []byte) error) error {
	join := "JOIN"
	if l.lit != nil {
		join = "CROSS JOIN" // else SQLite looks for the attributes of each user
	}
	query := fmt.Sprintf(`SELECT a.user_id, a.name, a.value FROM user_attributes a %s users u ON u.id = a.user_id
		WHERE u.directory_id = %d AND a.writer = %d ORDER BY a.user_id, a.name, a.position`, join, dir, models.BySync)
	if l.pg != nil {
		return l.binary(query, func(raw [][]byte) error { return each(models.ID(number(raw[0])), raw[1], raw[2]) })
	}
	rows, err := l.lit.QueryContext(l.ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	var user models.ID
	var name, value sql.RawBytes
	for rows.Next() {
		if err := rows.Scan(&user, &name, &value); err != nil {
			return err
		}
		if err := each(user, name, value); err != nil {
			return err
		}
	}
	return rows.Err()
}
