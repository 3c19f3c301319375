package store

import (
	"bytes"
	"encoding/json"
	"os"
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
