package outbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// deliverAlarms posts alarms until ctx ends, one after the other: they are few.
func (b *Outbox) deliverAlarms(ctx context.Context) error {
	tick := time.NewTicker(b.o.Every)
	defer tick.Stop()
	database := complaint{log: b.o.Log, what: "the outbox can't be read"}
	for {
		database.heed(ctx, b.deliverDueAlarms(ctx))
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (b *Outbox) deliverDueAlarms(ctx context.Context) error {
	items, err := b.store.OutboxDue(ctx, b.store.Now(), letterBatch, store.OutboxAlarm)
	if err != nil {
		return err
	}
	for i := range items {
		if ctx.Err() != nil {
			return nil
		}
		if err := b.deliverAlarm(ctx, &items[i]); err != nil {
			return err
		}
	}
	return nil
}

// errAlarm is what posting an alarm again doesn't help against.
var errAlarm = errors.New("the alarm can't be posted as it is")

// deliverAlarm posts one alarm, unless another process does. What fails is tried again as a letter
// is. Its error is the database's.
func (b *Outbox) deliverAlarm(ctx context.Context, item *models.OutboxItem) error {
	claimed, err := b.store.ClaimOutbox(ctx, item, webhookHold)
	if err != nil || !claimed {
		return err
	}
	log := b.o.Log.With("item", item.ID, "to", item.Recipient)
	err = b.postAlarm(ctx, item)
	switch {
	case err == nil:
		log.Info("an alarm was posted")
		return settle(ctx, func(ctx context.Context) error { return b.store.Delivered(ctx, item) })
	case ctx.Err() != nil:
		return settle(ctx, func(ctx context.Context) error { return b.store.ReleaseOutbox(ctx, item) })
	case errors.Is(err, errAlarm) || b.store.Now().Sub(item.CreatedAt) >= letterAge:
		log.Warn("an alarm is not delivered", "error", err)
		return settle(ctx, func(ctx context.Context) error {
			return b.store.GiveUp(ctx, item, store.Act{Action: "alarm.give-up", Outcome: "failing", Subject: item.Recipient,
				After: map[string]any{"attempts": item.Attempts, "error": err.Error()}})
		})
	}
	if item.Attempts == 1 {
		log.Warn("an alarm can't be posted; trying again", "error", err)
	}
	again := b.store.Now().Add(letterRest(item.Attempts))
	return settle(ctx, func(ctx context.Context) error { return b.store.RetryOutbox(ctx, item, again, err.Error()) })
}

// postAlarm posts an alarm as JSON.
func (b *Outbox) postAlarm(ctx context.Context, item *models.OutboxItem) error {
	var alarm models.Alarm
	if item.Payload == nil {
		return fmt.Errorf("%w: it was sealed with another key", errAlarm)
	}
	if err := json.Unmarshal(item.Payload, &alarm); err != nil {
		return fmt.Errorf("%w: %w", errAlarm, err)
	}
	body, err := json.Marshal(alarm.Body)
	if err != nil {
		return fmt.Errorf("%w: %w", errAlarm, err)
	}
	request, err := http.NewRequest(http.MethodPost, alarm.URL, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("%w: %w", errAlarm, withoutURL(err))
	}
	request.Header.Set("Content-Type", "application/json")
	return b.request(ctx, request, b.alarmReach(request.URL.Hostname()))
}

// withoutURL keeps an address out of logs: what stands behind the host may be a token.
func withoutURL(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

// anywhere are all networks.
var anywhere = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}

// alarmReach says where an alarm may lead. An operator chose the address, so private networks are
// open to it. This machine, what only lies beside it, and our own listeners are reached by an
// address that says so itself, and not by a name that somebody else may point there.
func (b *Outbox) alarmReach(host string) models.WebhookReach {
	r := models.WebhookReach{Networks: anywhere, Own: b.o.Own}
	if addr, err := netip.ParseAddr(host); err == nil {
		r.Allowed = []netip.Prefix{netip.PrefixFrom(addr, addr.BitLen())}
	}
	if host == "localhost" {
		r.Allowed = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	}
	return r
}
