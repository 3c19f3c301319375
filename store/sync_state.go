package store

import (
	"context"
	"encoding/base64"
	"fmt"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/rollcall-id/rollcall/models"
)

// SyncState reads what is known of a directory's synchronisation; a directory that nobody ever
// synchronised or scheduled has the zero state.
func (r *Reads) SyncState(ctx context.Context, dir models.ID) (models.SyncState, error) {
	return r.syncState(r.db.WithContext(ctx), dir)
}

// SyncStates lists the states of all directories that have one.
func (r *Reads) SyncStates(ctx context.Context) ([]models.SyncState, error) {
	var states []models.SyncState
	if err := r.db.WithContext(ctx).Order("directory_id").Find(&states).Error; err != nil {
		return nil, doing("read the states of synchronisation", err)
	}
	for i := range states {
		if err := r.openCursor(&states[i]); err != nil {
			return nil, err
		}
	}
	return states, nil
}

// SyncStateToChange reads a directory's state and makes other writers of it wait until this
// transaction ends: an operator's new schedule and the end of a run then don't undo each other.
func (tx *Tx) SyncStateToChange(ctx context.Context, dir models.ID) (models.SyncState, error) {
	return tx.syncState(tx.locking().WithContext(ctx), dir)
}

// SaveSyncState stores a state that SyncStateToChange read, but for what belongs to the lease:
// owner, epoch, held until, cancel. It moves neither feed nor audit log: who waits for a
// schedule looks at the states again and again, and who changes one audits that.
func (tx *Tx) SaveSyncState(st *models.SyncState) error {
	row := *st
	row.Owner, row.Epoch, row.HeldUntil, row.Cancel = "", 0, 0, false
	if row.Cursor != "" {
		sealed := tx.store.Seal(cursorLabel(row.DirectoryID), []byte(st.Cursor.Reveal()))
		row.Cursor = models.Secret(base64.StdEncoding.EncodeToString(sealed))
	}
	err := tx.db.Clauses(clause.OnConflict{
		Columns: []clause.Column{{Name: "directory_id"}},
		DoUpdates: clause.AssignmentColumns([]string{"scheduled", "next_run_at", "cursor", "cursor_at", "full_at", "completed_at",
			"settings", "failures", "alarmed_at", "held_run", "held_hash"}),
	}).Create(&row).Error
	return doing("store the state of a synchronisation", err)
}

func (r *Reads) syncState(db *gorm.DB, dir models.ID) (models.SyncState, error) {
	var rows []models.SyncState
	if err := db.Where("directory_id = ?", dir).Limit(1).Find(&rows).Error; err != nil {
		return models.SyncState{}, doing("read the state of a synchronisation", err)
	}
	if len(rows) == 0 {
		return models.SyncState{DirectoryID: dir}, nil
	}
	return rows[0], r.openCursor(&rows[0])
}

// openCursor unseals the cursor: it may hold a link that lets its owner in.
func (r *Reads) openCursor(st *models.SyncState) error {
	if st.Cursor == "" {
		return nil
	}
	sealed, err := base64.StdEncoding.DecodeString(st.Cursor.Reveal())
	if err != nil {
		return fmt.Errorf("a sealed cursor is not base64: %w", err)
	}
	cursor, err := r.store.Unseal(cursorLabel(st.DirectoryID), sealed)
	st.Cursor = models.Secret(cursor)
	return doing("read the cursor of a synchronisation", err)
}

func cursorLabel(dir models.ID) string { return fmt.Sprintf("sync cursor %d", dir) }
