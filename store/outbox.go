package store

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/rollcall-id/rollcall/models"
)

const (
	outboxLabel = "outbox payload"

	// OutboxLetter is the kind of the items that hold a models.Letter.
	OutboxLetter = "letter"

	// OutboxAlarm is the kind of the items that hold a models.Alarm.
	OutboxAlarm = "alarm"
)

// Post puts something into the outbox, in this transaction: it is delivered if and only if the
// transaction is kept. Its payload is sealed.
func (tx *Tx) Post(item *models.OutboxItem) error {
	item.CreatedAt, item.NextAttemptAt = tx.at, tx.at
	item.Payload = tx.store.Seal(outboxLabel, item.Payload)
	return doing("put into the outbox", tx.insert(item))
}

// PostLetter puts a letter into the outbox, as Post does.
func (tx *Tx) PostLetter(l models.Letter) error {
	payload, err := json.Marshal(l)
	if err != nil {
		return fmt.Errorf("put a letter into the outbox: %w", err)
	}
	return tx.Post(&models.OutboxItem{Kind: OutboxLetter, Recipient: l.To, Payload: payload})
}

// PostAlarm puts an alarm into the outbox, as Post does. Its recipient is the host alone: what
// stands behind it may be secret.
func (tx *Tx) PostAlarm(a models.Alarm) error {
	payload, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("put an alarm into the outbox: %w", err)
	}
	u, err := url.Parse(a.URL)
	if err != nil {
		return fmt.Errorf("put an alarm into the outbox: %w", err)
	}
	return tx.Post(&models.OutboxItem{Kind: OutboxAlarm, Recipient: u.Host, Payload: payload})
}

// OutboxDue lists what is due for delivery, the longest first, with opened payloads: of some
// kinds, or of all. A payload that can't be opened with the server's key is nil.
func (r *Reads) OutboxDue(ctx context.Context, now models.Time, limit int, kinds ...string) ([]models.OutboxItem, error) {
	var items []models.OutboxItem
	due := r.db.WithContext(ctx).Where("next_attempt_at <= ?", now).Order("next_attempt_at, id").Limit(limit)
	if len(kinds) > 0 {
		due = due.Where("kind IN ?", kinds)
	}
	err := due.Find(&items).Error
	if err != nil {
		return nil, doing("read the outbox", err)
	}
	for i := range items {
		if items[i].Payload, err = r.store.Unseal(outboxLabel, items[i].Payload); err != nil {
			items[i].Payload = nil // the others must not wait for it
		}
	}
	return items, nil
}

// OutboxWaiting counts what waits in the outbox, and tells since when the oldest of it does.
func (r *Reads) OutboxWaiting(ctx context.Context) (n int, since models.Time, err error) {
	row := r.db.WithContext(ctx).Raw("SELECT count(*), coalesce(min(created_at), 0) FROM outbox_items").Row()
	err = row.Scan(&n, &since)
	return n, since, doing("count the outbox", err)
}

// ClaimOutbox takes an item for one attempt and tells whether it could be had: nobody else gets
// it for as long as hold says. Who claimed it settles it in that time by Delivered, RetryOutbox
// or GiveUp; a claim that nobody settles ends by itself, so that a killed process loses
// nothing. The item carries the claim.
func (s *Store) ClaimOutbox(ctx context.Context, item *models.OutboxItem, hold time.Duration) (bool, error) {
	var claimed bool
	err := s.Write(ctx, models.System, func(tx *Tx) error {
		until := tx.at.Add(hold)
		r := tx.db.Exec("UPDATE outbox_items SET next_attempt_at = ?, attempts = attempts + 1 WHERE id = ? AND next_attempt_at = ? AND attempts = ?",
			until, item.ID, item.NextAttemptAt, item.Attempts)
		if claimed = r.Error == nil && r.RowsAffected == 1; claimed {
			tx.after = append(tx.after, func() { item.NextAttemptAt, item.Attempts = until, item.Attempts+1 })
		}
		return doing("claim an item of the outbox", r.Error)
	})
	return claimed && err == nil, err
}

// Delivered removes a claimed item.
func (s *Store) Delivered(ctx context.Context, item *models.OutboxItem) error {
	return s.Write(ctx, models.System, func(tx *Tx) error {
		return doing("remove an item from the outbox", tx.claimed(item).Delete(&models.OutboxItem{}).Error)
	})
}

// RetryOutbox leaves a claimed item for another attempt at the given moment.
func (s *Store) RetryOutbox(ctx context.Context, item *models.OutboxItem, at models.Time, problem string) error {
	return s.Write(ctx, models.System, func(tx *Tx) error {
		err := tx.claimed(item).Updates(map[string]any{"next_attempt_at": at, "last_error": shortened(problem)}).Error
		return doing("leave an item in the outbox", err)
	})
}

// ReleaseOutbox gives a claimed item back untried.
func (s *Store) ReleaseOutbox(ctx context.Context, item *models.OutboxItem) error {
	return s.Write(ctx, models.System, func(tx *Tx) error {
		err := tx.claimed(item).Updates(map[string]any{"next_attempt_at": tx.at, "attempts": item.Attempts - 1}).Error
		return doing("give an item back to the outbox", err)
	})
}

// GiveUp removes a claimed item that will not be delivered, and writes down why.
func (s *Store) GiveUp(ctx context.Context, item *models.OutboxItem, a Act) error {
	return s.Write(ctx, models.System, func(tx *Tx) error {
		r := tx.claimed(item).Delete(&models.OutboxItem{})
		if r.RowsAffected > 0 {
			tx.Audit(a)
		}
		return doing("give up an item of the outbox", r.Error)
	})
}

// claimed narrows a statement to the item, as long as its claim is ours.
func (tx *Tx) claimed(item *models.OutboxItem) *gorm.DB {
	return tx.db.Model(&models.OutboxItem{}).
		Where("id = ? AND next_attempt_at = ? AND attempts = ?", item.ID, item.NextAttemptAt, item.Attempts)
}

// shortened bounds what others said before it is kept.
func shortened(text string) string {
	const most = 500
	text = strings.ToValidUTF8(text, "?")
	text = strings.ReplaceAll(text, "\x00", "?") // PostgreSQL takes none
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most])
	}
	return text
}
