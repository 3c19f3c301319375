package store

import (
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
