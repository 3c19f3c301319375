package store

import (
	"context"

	"github.com/rollcall-id/rollcall/models"
)

// ChangesAfter reads the feed after a sequence number, in its order, at most limit lines.
// On PostgreSQL a transaction that commits late may still add lines before them: who must
// miss none uses OnCommit with Follow.
func (r *Reads) ChangesAfter(ctx context.Context, seq int64, limit int) ([]models.Change, error) {
	var changes []models.Change
	err := r.db.WithContext(ctx).Where("seq > ?", seq).Order("seq").Limit(limit).Find(&changes).Error
	return changes, doing("read the feed", err)
}

// LastChange gives the highest sequence number in the feed; zero when it is empty.
func (r *Reads) LastChange(ctx context.Context) (int64, error) {
	var seq int64
	err := r.db.WithContext(ctx).Raw("SELECT coalesce(max(seq), 0) FROM changes").Scan(&seq).Error
	return seq, doing("read the feed", err)
}
