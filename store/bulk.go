package store

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"

	"gorm.io/gorm"

	"github.com/rollcall-id/rollcall/models"
)

// Bulk writes change many rows with few statements: a synchronisation applies a plan of any size
// in one transaction. They add nothing to the audit log, and nothing to the feed but the ends of
// sessions: their caller tells the feed (Append, DirectoryReplaced) and audits the whole. Order
// matters to names and external ids, which are unique in a directory: remove, free the names of
// those that get another, update, insert.
//
// Where a statement names both a directory and rows it writes +directory_id: SQLite would take an
// index that begins with the directory, and look at all that is in it.

// How many rows one statement takes. PostgreSQL gets them as one array for each column: COPY is no
// faster, since foreign keys and indexes cost most. SQLite gets one variable for each value.
const (
	bulkRowsPostgres = 10_000
	bulkRowsSQLite   = 200
)

// A batch is rows, column by column. Statements find them as the table v.
type batch struct {
	names  []string
	values []any // each []int64, []string or []bool
	rows   int
}

// column adds a column to a batch; every one has a value of each row.
func column[R any, V int64 | string | bool](b *batch, name string, rows []R, value func(R) V) {
	values := make([]V, len(rows))
	for i, row := range rows {
		values[i] = value(row)
	}
	b.names, b.values, b.rows = append(b.names, name), append(b.values, values), len(rows)
}

// idBatch is a batch of one column.
func idBatch(ids []models.ID) *batch {
	b := &batch{}
	column(b, "id", ids, func(id models.ID) int64 { return int64(id) })
	return b
}

// exec runs a statement over all rows of v and tells how many rows it changed. args are those of
// its question marks.
func (tx *Tx) exec(v *batch, statement string, args ...any) (changed int64, err error) {
	ctx := tx.db.Statement.Context
	err = tx.each(ctx, v, statement, args, func(prepared *sql.Stmt, args []any) error {
		result, err := prepared.ExecContext(ctx, args...)
		if err != nil {
			return err
		}
		n, err := result.RowsAffected()
		changed += n
		return err
	})
	return changed, err
}

// query runs a statement over all rows of v and calls scan with each row that it gives.
func (r *Reads) query(ctx context.Context, v *batch, statement string, args []any, scan func(rows *sql.Rows) error) error {
	return r.each(ctx, v, statement, args, func(prepared *sql.Stmt, args []any) error {
		rows, err := prepared.QueryContext(ctx, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			if err := scan(rows); err != nil {
				return err
			}
		}
		return rows.Err()
	})
}

// each calls run with the statement for so many rows of v at a time as one statement takes.
func (r *Reads) each(ctx context.Context, v *batch, statement string, args []any, run func(prepared *sql.Stmt, args []any) error) error {
	write, most := v.sqlite, bulkRowsSQLite
	if r.store.dialect.postgres() {
		write, most = v.postgres, bulkRowsPostgres
	}
	p := preparer{conn: r.db.Statement.ConnPool}
	if gorms, ok := p.conn.(*gorm.PreparedStmtTX); ok {
		p.conn = gorms.Tx // GORM's own cache prepares anew for each call within a transaction
	}
	defer p.close()
	for from := 0; from < v.rows; from += most {
		query, with := write(from, min(from+most, v.rows), statement)
		prepared, err := p.prepare(ctx, query)
		if err == nil {
			err = run(prepared, append(with, args...))
		}
		if err != nil {
			if known, ok := r.db.Dialector.(gorm.ErrorTranslator); ok {
				err = known.Translate(err)
			}
			return err
		}
	}
	return nil
}

// A preparer keeps the last statement prepared: all batches but the last one have the same.
type preparer struct {
	conn  gorm.ConnPool
	query string
	last  *sql.Stmt
}

func (p *preparer) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	if p.last != nil && p.query == query {
		return p.last, nil
	}
	p.close()
	prepared, err := p.conn.PrepareContext(ctx, query)
	if err == nil {
		p.last, p.query = prepared, query
	}
	return prepared, err
}

func (p *preparer) close() {
	if p.last != nil {
		_ = p.last.Close() // what it did is done
		p.last = nil
	}
}

// postgres writes v as arrays side by side, and numbers the statement's question marks.
func (v *batch) postgres(from, to int, statement string) (string, []any) {
	var arrays []string
	var args []any
	add := func(array any, of string) {
		args = append(args, array)
		arrays = append(arrays, fmt.Sprintf("$%d::%s[]", len(args), of))
	}
	for _, values := range v.values {
		switch values := values.(type) {
		case []int64:
			add(values[from:to], "bigint")
		case []string:
			add(values[from:to], "text")
		case []bool:
			add(values[from:to], "boolean")
		}
	}
	var query strings.Builder
	fmt.Fprintf(&query, "WITH v AS (SELECT %[1]s FROM unnest(%[2]s) AS rows (%[1]s)) ", strings.Join(v.names, ", "), strings.Join(arrays, ", "))
	parts := strings.Split(statement, "?")
	for i, part := range parts {
		query.WriteString(part)
		if i < len(parts)-1 {
			query.WriteString("$" + strconv.Itoa(len(args)+i+1))
		}
	}
	return query.String(), args
}

// sqlite writes v as rows of variables.
func (v *batch) sqlite(from, to int, statement string) (string, []any) {
	row := "(?" + strings.Repeat(", ?", len(v.names)-1) + ")"
	args := make([]any, 0, (to-from)*len(v.names)+4)
	for i := from; i < to; i++ {
		for _, values := range v.values {
			switch values := values.(type) {
			case []int64:
				args = append(args, values[i])
			case []string:
				args = append(args, values[i])
			case []bool:
				args = append(args, values[i])
			}
		}
	}
	return "WITH v(" + strings.Join(v.names, ", ") + ") AS (VALUES " + row + strings.Repeat(", "+row, to-from-1) + ") " + statement, args
}

// ReserveUserIDs gives the ids of n users to insert; no other user ever gets them.
func (tx *Tx) ReserveUserIDs(n int) ([]models.ID, error) { return tx.reserve("users", n) }

// ReserveGroupIDs gives the ids of n groups to insert; no other group ever gets them.
func (tx *Tx) ReserveGroupIDs(n int) ([]models.ID, error) { return tx.reserve("groups", n) }

func (tx *Tx) reserve(table string, n int) ([]models.ID, error) {
	ids := make([]models.ID, 0, n)
	if n == 0 {
		return ids, nil
	}
	if tx.store.dialect.postgres() {
		err := tx.db.Raw("SELECT nextval(pg_get_serial_sequence(?, 'id')) FROM generate_series(1, ?)", table, n).Scan(&ids).Error
		return ids, doing("reserve ids", err)
	}
	// SQLite counts the ids of a table in a row that appears with the first of them.
	err := tx.db.Exec("INSERT INTO sqlite_sequence (name, seq) SELECT ?, 0 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = ?)", table, table).Error
	if err != nil {
		return nil, doing("reserve ids", err)
	}
	var last models.ID
	if err := tx.db.Raw("UPDATE sqlite_sequence SET seq = seq + ? WHERE name = ? RETURNING seq", n, table).Scan(&last).Error; err != nil {
		return nil, doing("reserve ids", err)
	}
	for id := last - models.ID(n) + 1; id <= last; id++ {
		ids = append(ids, id)
	}
	return ids, nil
}

// Append adds lines of a synchronisation to the feed; moment and writer are set here.
func (tx *Tx) Append(changes ...models.Change) {
	for _, c := range changes {
		tx.changed(c)
	}
}
