package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/rollcall-id/rollcall/models"
)

// A Load reads whole directories at one moment, row by row and without GORM: what the roster
// is built from. Texts that it hands out are valid only until the callback returns.
type Load struct {
	ctx context.Context
	pg  pgx.Tx
	lit *sql.Tx
}

// Load calls do with a reader of one moment.
func (s *Store) Load(ctx context.Context, do func(l *Load) error) error {
	if s.dialect.postgres() {
		err := pgx.BeginTxFunc(ctx, s.dialect.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly},
			func(tx pgx.Tx) error { return do(&Load{ctx: ctx, pg: tx}) })
		return outward(err)
	}
	tx, err := s.dialect.reader.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return outward(err)
	}
	defer tx.Rollback()
	return outward(do(&Load{ctx: ctx, lit: tx}))
}

// LastChange gives the highest sequence number that this moment has.
func (l *Load) LastChange() (seq int64, err error) {
	err = l.numbers("SELECT coalesce(max(seq), 0) FROM changes", 1, func(n []int64) error { seq = n[0]; return nil })
	return seq, err
}

// Directories lists the directories' rows.
func (l *Load) Directories() (ids []models.ID, err error) {
	err = l.numbers("SELECT id FROM directories ORDER BY id", 1, func(n []int64) error { ids = append(ids, models.ID(n[0])); return nil })
	return ids, err
}

// A Row is a user or group as the roster holds it: numbers first, then texts.
type Row struct {
	ID        models.ID
	Active    bool
	CreatedAt models.Time
	UpdatedAt models.Time
	Texts     [][]byte // users: name, key, first, last, display, email, external id; groups: name, key, description, external id
}

// The texts of a Row in their order.
var (
	userTexts  = []string{"name", "name_key", "first_name", "last_name", "display_name", "email", "external_id"}
	groupTexts = []string{"name", "name_key", "description", "external_id"}
)

// Users reads a directory's users in the order of their keys.
func (l *Load) Users(dir models.ID, each func(*Row) error) error {
	return l.rows("users", userTexts, "directory_id", dir, "name_key", each)
}

// Groups reads a directory's groups in the order of their keys.
func (l *Load) Groups(dir models.ID, each func(*Row) error) error {
	return l.rows("groups", groupTexts, "directory_id", dir, "name_key", each)
}

// Memberships reads which users are in which groups of a directory, in no order.
func (l *Load) Memberships(dir models.ID, each func(group, user models.ID) error) error {
	if l.lit != nil {
		return l.membersByGroup(fmt.Sprintf("WHERE g.directory_id = %d", dir), "", each)
	}
	return l.numbers(fmt.Sprintf("SELECT group_id, user_id FROM memberships WHERE directory_id = %d", dir), 2,
		func(n []int64) error { return each(models.ID(n[0]), models.ID(n[1])) })
}

// Nestings reads which groups are in which groups of a directory, in no order.
func (l *Load) Nestings(dir models.ID, each func(parent, child models.ID) error) error {
	return l.numbers(fmt.Sprintf("SELECT parent_id, child_id FROM nestings WHERE directory_id = %d", dir), 2,
		func(n []int64) error { return each(models.ID(n[0]), models.ID(n[1])) })
}

func (l *Load) rows(table string, texts []string, column string, dir models.ID, order string, each func(*Row) error) error {
	columns := "id, active, created_at, updated_at, " + strings.Join(texts, ", ")
	query := fmt.Sprintf(" FROM %s WHERE %s = %d ORDER BY %s", table, column, dir, order)
	row := Row{Texts: make([][]byte, len(texts))}
	if l.pg != nil {
		return l.binary("SELECT "+columns+query, func(raw [][]byte) error {
			row.ID, row.Active = models.ID(number(raw[0])), raw[1][0] != 0
			row.CreatedAt, row.UpdatedAt = models.Time(number(raw[2])), models.Time(number(raw[3]))
			copy(row.Texts, raw[4:])
			return each(&row)
		})
	}
	// To hand a value out takes SQLite as long as to find it: a row comes as one text.
	rows, err := l.lit.QueryContext(l.ctx, fmt.Sprintf("SELECT concat_ws(char(%d), %s)", separator, columns)+query)
	if err != nil {
		return err
	}
	defer rows.Close()
	var together sql.RawBytes
	for rows.Next() {
		if err := rows.Scan(&together); err != nil {
			return err
		}
		if !row.read(together) {
			return fmt.Errorf("a row of %s can't be read: %q", table, together)
		}
		if err := each(&row); err != nil {
			return err
		}
	}
	return rows.Err()
}

// separator stands between the values of a row that comes as one text. It is a control character,
// which no text has.
const separator = 31

// read takes a row that came as one text apart again; false when it has more values, or fewer.
func (r *Row) read(together []byte) bool {
	var active int64
	for _, into := range []*int64{(*int64)(&r.ID), &active, (*int64)(&r.CreatedAt), (*int64)(&r.UpdatedAt)} {
		digits, rest, more := bytes.Cut(together, []byte{separator})
		n, err := strconv.ParseInt(string(digits), 10, 64)
		if err != nil || !more {
			return false
		}
		*into, together = n, rest
	}
	r.Active = active != 0
	for i := range r.Texts {
		var more bool
		if r.Texts[i], together, more = bytes.Cut(together, []byte{separator}); more != (i < len(r.Texts)-1) {
			return false
		}
	}
	return true
}

// membersByGroup reads memberships of groups on SQLite, group by group and ordered by user within
// each. A group's members come as one text.
func (l *Load) membersByGroup(groups, and string, each func(group, user models.ID) error) error {
	rows, err := l.lit.QueryContext(l.ctx, "SELECT g.id, (SELECT group_concat(m.user_id) FROM memberships m WHERE m.group_id = g.id"+and+") FROM groups g "+groups)
	if err != nil {
		return err
	}
	defer rows.Close()
	var group models.ID
	var members sql.RawBytes
	var users []models.ID
	for rows.Next() {
		if err := rows.Scan(&group, &members); err != nil {
			return err
		}
		users = users[:0]
		for len(members) > 0 {
			var digits []byte
			digits, members, _ = bytes.Cut(members, []byte{','})
			user, err := strconv.ParseInt(string(digits), 10, 64)
			if err != nil {
				return err
			}
			users = append(users, models.ID(user))
		}
		slices.Sort(users) // they came as an index has them, which SQL doesn't promise
		for _, user := range users {
			if err := each(group, user); err != nil {
				return err
			}
		}
	}
	return rows.Err()
}

// numbers reads rows of 64-bit numbers; the slice is used again for the next row.
func (l *Load) numbers(query string, columns int, each func([]int64) error) error {
	n := make([]int64, columns)
	if l.pg != nil {
		return l.binary(query, func(raw [][]byte) error {
			for i := range n {
				n[i] = number(raw[i])
			}
			return each(n)
		})
	}
	rows, err := l.lit.QueryContext(l.ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	into := make([]any, columns)
	for i := range n {
		into[i] = &n[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		if err := each(n); err != nil {
			return err
		}
	}
	return rows.Err()
}

// binary reads rows in PostgreSQL's binary format, in which texts are their bytes and numbers
// are big-endian.
func (l *Load) binary(query string, each func(raw [][]byte) error) error {
	rows, err := l.pg.Query(l.ctx, query, pgx.QueryExecModeCacheDescribe)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows.RawValues()); err != nil {
			return err
		}
	}
	return rows.Err()
}

func number(raw []byte) int64 { return int64(binary.BigEndian.Uint64(raw)) }
