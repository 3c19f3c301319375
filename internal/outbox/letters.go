package outbox

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/rollcall-id/rollcall/internal/mail"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

const (
	// letterHold is how long a claimed letter is out of others' reach: longer than any
	// conversation with a mail server.
	letterHold = 5 * time.Minute

	firstLetterRest = time.Minute
	lastLetterRest  = time.Hour
	letterAge       = 3 * 24 * time.Hour

	letterBatch = 20
)

// deliverLetters sends letters until ctx ends, one after the other: they are few, and a mail
// server that is down needn't hear of it often.
func (b *Outbox) deliverLetters(ctx context.Context) error {
	if b.o.Mail == nil {
		return nil
	}
	tick := time.NewTicker(b.o.Every)
	defer tick.Stop()
	database := complaint{log: b.o.Log, what: "the outbox can't be read"}
	server := complaint{log: b.o.Log, what: "letters wait: the mail server " + b.o.Mail.String() + " does not take them"}
	for {
		more, err := b.deliverBatch(ctx, &server)
		database.heed(ctx, err)
		if more && err == nil && ctx.Err() == nil {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// deliverBatch sends the letters that have waited longest, and tells whether there may be more.
func (b *Outbox) deliverBatch(ctx context.Context, server *complaint) (more bool, err error) {
	items, err := b.store.OutboxDue(ctx, b.store.Now(), letterBatch, store.OutboxLetter)
	if err != nil {
		return false, err
	}
	for i := range items {
		if ctx.Err() != nil {
			return false, nil
		}
		if err := b.deliverLetter(ctx, &items[i], server); err != nil {
			return false, err
		}
	}
	return len(items) == letterBatch, nil
}

// deliverLetter sends one letter, unless another process does. Its error is the database's.
func (b *Outbox) deliverLetter(ctx context.Context, item *models.OutboxItem, server *complaint) error {
	claimed, err := b.store.ClaimOutbox(ctx, item, letterHold)
	if err != nil || !claimed {
		return err
	}
	kind, err := b.send(ctx, item)
	switch {
	case err == nil:
		server.heed(ctx, nil)
		b.o.Log.Info("a letter was sent", "letter", kind, "item", item.ID)
		return settle(ctx, func(ctx context.Context) error { return b.store.Delivered(ctx, item) })
	case mail.Permanent(err):
		return b.giveUp(ctx, item, "refused", kind, err)
	case ctx.Err() != nil:
		return settle(ctx, func(ctx context.Context) error { return b.store.ReleaseOutbox(ctx, item) })
	}
	server.heed(ctx, err)
	if b.store.Now().Sub(item.CreatedAt) >= letterAge {
		return b.giveUp(ctx, item, "too-old", kind, err)
	}
	again := b.store.Now().Add(letterRest(item.Attempts))
	return settle(ctx, func(ctx context.Context) error { return b.store.RetryOutbox(ctx, item, again, err.Error()) })
}

// letterRest is how long a letter waits after so many attempts.
func letterRest(attempts int) time.Duration {
	if attempts > 7 { // shifts must not overflow
		return lastLetterRest
	}
	return min(firstLetterRest<<max(attempts-1, 0), lastLetterRest)
}

func (b *Outbox) giveUp(ctx context.Context, item *models.OutboxItem, outcome string, kind models.LetterKind, why error) error {
	b.o.Log.Warn("a letter is not delivered", "letter", kind, "item", item.ID, "outcome", outcome, "error", why)
	return settle(ctx, func(ctx context.Context) error {
		return b.store.GiveUp(ctx, item, store.Act{
			Action: "letter.give-up", Outcome: outcome, Subject: item.Recipient,
			After: map[string]any{"letter": kind, "attempts": item.Attempts, "error": why.Error()},
		})
	})
}

// send writes a letter and passes it to the mail server.
func (b *Outbox) send(ctx context.Context, item *models.OutboxItem) (models.LetterKind, error) {
	if item.Payload == nil {
		return "", fmt.Errorf("%w: it was sealed with another key", mail.ErrLetter)
	}
	var posted models.Letter
	if err := json.Unmarshal(item.Payload, &posted); err != nil {
		return "", fmt.Errorf("%w: %w", mail.ErrLetter, err)
	}
	l, err := mail.Write(string(posted.Kind), posted)
	if err != nil {
		return posted.Kind, err
	}
	l.To, l.ID = posted.To, fmt.Sprintf("rollcall.%d.%d", item.ID, item.CreatedAt)
	return posted.Kind, b.o.Mail.Send(ctx, l)
}
