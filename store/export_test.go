package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"gorm.io/gorm"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store/migrations"
)

// Finish writes a transaction's lines of the feed and audit entries, as Write does before it
// commits, and gives them.
func Finish(tx *Tx) ([]models.Change, []models.AuditEntry, error) {
	err := tx.finish()
	return tx.changes, tx.audits, err
}

// UseSteps makes Open know these migrations instead of the program's.
func (o *Options) UseSteps(steps []migrations.Step) { o.steps = steps }

// Prepared counts the statements that a SQLite store keeps prepared for reading.
func Prepared(s *Store) int { return len(s.db.ConnPool.(*gorm.PreparedStmtDB).Stmts.Keys()) }

// FillDisk lets a staging's file have no more room, until what it gives is called.
func FillDisk(t *testing.T, st *Staging) (makeRoom func()) {
	full, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { full.Close() })
	place := st.place.(*stagedFile)
	file := place.file
	place.file = full
	return func() { place.file = file }
}

// Settle waits for the commit that a staging has begun.
func Settle(st *Staging) error { return st.settle() }

// StagedFile gives a staging's file with these pages.
func StagedFile(label string, pages ...string) []byte {
	var file bytes.Buffer
	header, _ := json.Marshal(stagedHeader{Label: label})
	_, _ = writeFrame(&file, stagedPage{data: header}) // a buffer takes everything
	for _, page := range pages {
		_, _ = writeFrame(&file, stagedPage{at: 1, kind: 'u', rows: 1, data: []byte(page)})
	}
	return file.Bytes()
}

// ReadStaged reads the pages of such a file.
func ReadStaged(file []byte, label string) (pages []string, err error) {
	err = readFrames(bytes.NewReader(file), int64(len(file)), label, func(page stagedPage) error {
		pages = append(pages, string(page.data))
		return nil
	})
	return pages, err
}

// Planned makes a transaction note how SQLite goes about each statement that it prepares.
func Planned(tx *Tx, note func(query, plan string)) *Tx {
	planned := *tx
	planned.db = tx.db.WithContext(tx.db.Statement.Context)
	pool := tx.db.Statement.ConnPool
	if gorms, ok := pool.(*gorm.PreparedStmtTX); ok {
		pool = gorms.Tx
	}
	planned.db.Statement.ConnPool = &planner{pool, note}
	return &planned
}

type planner struct {
	gorm.ConnPool
	note func(query, plan string)
}

// PrepareContext notes the plan, and prepares.
func (p *planner) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	rows, err := p.ConnPool.QueryContext(ctx, "EXPLAIN QUERY PLAN "+query, make([]any, strings.Count(query, "?"))...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			return nil, err
		}
		p.note(query, detail)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	return p.ConnPool.PrepareContext(ctx, query)
}
