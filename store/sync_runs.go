package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/rollcall-id/rollcall/models"
)

// A syncRun is a run as it is stored: what is asked for in columns, and the whole as JSON.
type syncRun struct {
	ID          models.ID
	DirectoryID models.ID
	StartedAt   models.Time
	EndedAt     models.Time
	HeartbeatAt models.Time
	Outcome     models.Outcome
	Hash        string
	Report      string
}

// TableName names the table of runs.
func (syncRun) TableName() string { return "sync_runs" }

// StartRun stores a run that begins now; it gets its ID, its start and the outcome "running".
func (s *Store) StartRun(ctx context.Context, run *models.Run) error {
	return s.Write(ctx, models.System, func(tx *Tx) error {
		run.ID, run.Started, run.Ended, run.Outcome = 0, tx.at, 0, models.OutcomeRunning
		row, err := runRow(run)
		if err != nil {
			return err
		}
		row.HeartbeatAt = tx.at
		if err := tx.insert(&row); err != nil {
			return doing("store the run", err)
		}
		run.ID = row.ID
		return nil
	})
}

// Heartbeat says that a run goes on, and how far it has come.
func (s *Store) Heartbeat(ctx context.Context, run *models.Run) error {
	return s.Write(ctx, models.System, func(tx *Tx) error {
		row, err := runRow(run)
		if err != nil {
			return err
		}
		row.HeartbeatAt = tx.at
		return doing("note that the run goes on", tx.update(&row, "heartbeat_at", "report"))
	})
}

// SaveRun stores a run as it is now; one that hasn't ended ends. Neither feed nor audit log hear
// of it: it is itself the record, and who applies a plan audits that.
func (tx *Tx) SaveRun(run *models.Run) error {
	if run.Ended == 0 {
		run.Ended = tx.at
	}
	row, err := runRow(run)
	if err != nil {
		return err
	}
	return doing("store the run", tx.update(&row, "ended_at", "outcome", "hash", "report"))
}

// EndRun stores a run as SaveRun does, in a transaction of its own.
func (s *Store) EndRun(ctx context.Context, run *models.Run) error {
	return s.Write(ctx, models.System, func(tx *Tx) error { return tx.SaveRun(run) })
}

// Runs lists a directory's runs, the newest first, at most limit.
func (r *Reads) Runs(ctx context.Context, dir models.ID, limit int) ([]*models.Run, error) {
	var rows []syncRun
	err := r.db.WithContext(ctx).Where("directory_id = ?", dir).Order("id DESC").Limit(limit).Find(&rows).Error
	if err != nil {
		return nil, doing("read runs", err)
	}
	runs := make([]*models.Run, len(rows))
	for i := range rows {
		if runs[i], err = rows[i].run(); err != nil {
			return nil, err
		}
	}
	return runs, nil
}

// LastRuns lists the newest run of each directory, without its report.
func (r *Reads) LastRuns(ctx context.Context) ([]*models.Run, error) {
	var rows []syncRun
	err := r.db.WithContext(ctx).Select("id", "directory_id", "started_at", "ended_at", "outcome").
		Where("id IN (SELECT max(id) FROM sync_runs GROUP BY directory_id)").Find(&rows).Error
	if err != nil {
		return nil, doing("read the last runs", err)
	}
	runs := make([]*models.Run, len(rows))
	for i, row := range rows {
		runs[i] = &models.Run{ID: row.ID, DirectoryID: row.DirectoryID, Started: row.StartedAt, Ended: row.EndedAt, Outcome: row.Outcome}
	}
	return runs, nil
}

// RunByID reads a run, or answers NoSuchResource when it is no longer kept.
func (r *Reads) RunByID(ctx context.Context, id models.ID) (*models.Run, error) {
	var row syncRun
	if err := r.db.WithContext(ctx).Where("id = ?", id).Take(&row).Error; err != nil {
		return nil, found(err, models.NoSuchResource, fmt.Sprint("run ", id))
	}
	return row.run()
}

// PruneRuns removes a directory's runs that were over before a moment, but for the one that is
// held, and tells how many went.
func (s *Store) PruneRuns(ctx context.Context, dir models.ID, before models.Time) (n int64, err error) {
	err = s.Write(ctx, models.System, func(tx *Tx) error {
		r := tx.db.Exec("DELETE FROM sync_runs WHERE directory_id = ? AND started_at < ? AND heartbeat_at < ? AND ended_at < ?"+
			" AND id NOT IN (SELECT held_run FROM sync_states WHERE directory_id = ?)", dir, before, before, before, dir)
		n = r.RowsAffected
		return doing("remove old runs", r.Error)
	})
	return n, err
}

// RemoveRun removes a run's record: another one says the same.
func (tx *Tx) RemoveRun(id models.ID) error {
	return doing("remove the record of a run", tx.db.Delete(&syncRun{}, "id = ?", id).Error)
}

func runRow(run *models.Run) (syncRun, error) {
	report, err := json.Marshal(run)
	if err != nil {
		return syncRun{}, fmt.Errorf("write the run as JSON: %w", err)
	}
	return syncRun{
		ID: run.ID, DirectoryID: run.DirectoryID, StartedAt: run.Started, EndedAt: run.Ended,
		Outcome: run.Outcome, Hash: run.Hash, Report: string(report),
	}, nil
}

func (row *syncRun) run() (*models.Run, error) {
	var run models.Run
	if err := json.Unmarshal([]byte(row.Report), &run); err != nil {
		return nil, fmt.Errorf("read the report of run %d: %w", row.ID, err)
	}
	run.ID, run.DirectoryID, run.Started, run.Ended = row.ID, row.DirectoryID, row.StartedAt, row.EndedAt
	run.Outcome, run.Hash = row.Outcome, row.Hash
	return &run, nil
}
