package store

import (
	"context"

	"github.com/rollcall-id/rollcall/models"
)

const outboxLabel = "outbox payload"

// Post puts a letter or webhook into the outbox, in this transaction: it is delivered if and
// only if the transaction is kept. Its payload is sealed.
func (tx *Tx) Post(item *models.OutboxItem) error {
	item.CreatedAt, item.NextAttemptAt = tx.at, tx.at
	item.Payload = tx.store.Seal(outboxLabel, item.Payload)
	return doing("put into the outbox", tx.insert(item))
}

// OutboxDue lists what is due for delivery, with opened payloads.
func (r *Reads) OutboxDue(ctx context.Context, now models.Time, limit int) ([]models.OutboxItem, error) {
	var items []models.OutboxItem
	err := r.db.WithContext(ctx).Where("next_attempt_at <= ?", now).Order("next_attempt_at").Limit(limit).Find(&items).Error
	if err != nil {
		return nil, doing("read the outbox", err)
	}
	for i := range items {
		if items[i].Payload, err = r.store.Unseal(outboxLabel, items[i].Payload); err != nil {
			return nil, doing("read the outbox", err)
		}
	}
	return items, nil
}
