package store

import (
	"context"
	"fmt"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store/migrations"
)

// Orphans are the rows of a table whose owner is gone: nothing leads to them any more.
type Orphans struct {
	Table, Column string // what names the owner
	Owner         string // the owner's table
	Count         int64
}

// Precious tells whether the rows are people or groups themselves: those nobody removes unasked.
func (o Orphans) Precious() bool { return o.Table == "users" || o.Table == "groups" }

// Orphans counts, for every column that names another row, the rows for which there is none.
// The database itself sees to that; a dump restored in pieces, or a hand with its checks
// switched off, gets around it.
func (r *Reads) Orphans(ctx context.Context) ([]Orphans, error) {
	var found []Orphans
	for _, o := range owned() {
		err := r.db.WithContext(ctx).Raw("SELECT count(*) FROM " + o.Table + " t WHERE " + o.condition()).Scan(&o.Count).Error
		if err != nil {
			return nil, doing("look for orphans in "+o.Table, err)
		}
		if o.Count > 0 {
			found = append(found, o)
		}
	}
	return found, nil
}

// RemoveOrphans removes such rows and tells how many there were; users and groups it refuses.
func (s *Store) RemoveOrphans(ctx context.Context, by models.Actor, o Orphans) (n int64, err error) {
	if o.Precious() {
		return 0, fmt.Errorf("%s are not removed", o.Table)
	}
	err = s.Write(ctx, by, func(tx *Tx) error {
		r := tx.db.Exec("DELETE FROM " + o.Table + " AS t WHERE " + o.condition())
		if n = r.RowsAffected; r.Error != nil || n == 0 {
			return doing("remove orphans from "+o.Table, r.Error)
		}
		tx.Audit(Act{Action: "doctor.orphans", Subject: o.Table, Before: map[string]any{"column": o.Column, "rows": n}})
		return nil
	})
	return n, err
}

func (o Orphans) condition() string {
	return fmt.Sprintf("NOT EXISTS (SELECT 1 FROM %s o WHERE o.id = t.%s)", o.Owner, o.Column)
}

// owned lists every column that names a row of another table, as the migrations made them.
func owned() []Orphans {
	var all []Orphans
	for _, step := range migrations.Steps {
		for _, statement := range step.Statements(migrations.SQLite) {
			table := createTable.FindStringSubmatch(statement)
			if table == nil {
				table = altered.FindStringSubmatch(statement)
			}
			if table == nil {
				continue
			}
			for _, m := range reference.FindAllStringSubmatch(statement, -1) {
				all = append(all, Orphans{Table: table[1], Column: m[1], Owner: m[2]})
			}
		}
	}
	return all
}

// StrayMemberships counts memberships and nestings whose two ends are not in the directory that
// the row names.
func (r *Reads) StrayMemberships(ctx context.Context) (n int64, err error) {
	err = r.db.WithContext(ctx).Raw(`SELECT
		(SELECT count(*) FROM memberships m JOIN groups g ON g.id = m.group_id JOIN users u ON u.id = m.user_id
			WHERE g.directory_id <> m.directory_id OR u.directory_id <> m.directory_id) +
		(SELECT count(*) FROM nestings n JOIN groups p ON p.id = n.parent_id JOIN groups c ON c.id = n.child_id
			WHERE p.directory_id <> n.directory_id OR c.directory_id <> n.directory_id)`).Scan(&n).Error
	return n, doing("look for memberships across directories", err)
}
