package store

import (
	"context"

	"github.com/rollcall-id/rollcall/models"
)

// AuditSearch says which entries of the audit log are wanted; empty fields mean "any".
type AuditSearch struct {
	Actor, Action, Subject, Directory, Outcome, Address string
	From, To                                            models.Time
	Limit                                               int
}

// SearchAudit lists audit entries, newest first. Action matches from its start ("user"
// finds "user.create"), names in any case.
func (r *Reads) SearchAudit(ctx context.Context, q AuditSearch) ([]models.AuditEntry, error) {
	db := r.db.WithContext(ctx)
	for column, value := range map[string]string{"actor": q.Actor, "subject": q.Subject, "directory": q.Directory} {
		if value != "" {
			db = db.Where("lower("+column+") = ?", models.Key(value))
		}
	}
	for column, value := range map[string]string{"outcome": q.Outcome, "address": q.Address} {
		if value != "" {
			db = db.Where(column+" = ?", value)
		}
	}
	if q.Action != "" {
		db = db.Where("action = ? OR action LIKE ? ESCAPE '!'", q.Action, likePrefix(q.Action+"."))
	}
	if q.From != 0 {
		db = db.Where("at >= ?", q.From)
	}
	if q.To != 0 {
		db = db.Where("at < ?", q.To)
	}
	var entries []models.AuditEntry
	err := db.Order("id DESC").Limit(q.Limit).Find(&entries).Error
	return entries, doing("search the audit log", err)
}

// InsertAudit adds entries of failures and refusals, which change no row.
func (s *Store) InsertAudit(ctx context.Context, entries []models.AuditEntry) error {
	return s.Write(ctx, models.System, func(tx *Tx) error {
		tx.audits = append(tx.audits, entries...)
		return nil
	})
}
