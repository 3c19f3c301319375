package outbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

const (
	// webhookHold is how long a claimed webhook is out of others' reach: longer than a call.
	webhookHold = time.Minute

	// webhookRest is how long a webhook that was called rests: bursts of changes are one call.
	webhookRest = time.Second

	firstWebhookRest = 5 * time.Second
	lastWebhookRest  = 10 * time.Minute

	// Crowd's rule: so many failures since the last success, the oldest of them so long ago.
	dropFailures = 50
	dropAge      = 6 * time.Hour

	callsAtOnce = 16

	// gathering is how long changes gather before anybody looks at them.
	gathering = 50 * time.Millisecond
)

// callWebhooks calls the webhooks that have something to be told until ctx ends. One that hangs
// keeps none of the others waiting.
func (b *Outbox) callWebhooks(ctx context.Context) error {
	tick := time.NewTicker(b.o.Every)
	defer tick.Stop()
	database := complaint{log: b.o.Log, what: "the webhooks can't be read"}
	var calls sync.WaitGroup
	defer calls.Wait()
	free := make(chan struct{}, callsAtOnce)
	for {
		database.heed(ctx, b.callDue(ctx, &calls, free))
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-b.wake:
			time.Sleep(gathering)
		}
	}
}

// callDue begins to call what is due. What finds no place among the calls stays due.
func (b *Outbox) callDue(ctx context.Context, calls *sync.WaitGroup, free chan struct{}) error {
	hooks, err := b.store.WebhooksDue(ctx, b.store.Now())
	if err != nil || len(hooks) == 0 {
		return err
	}
	floor, err := b.store.FeedFloor(ctx)
	if err != nil {
		return err
	}
	place, err := b.store.Place(ctx)
	if err != nil {
		return err
	}
	for _, hook := range hooks {
		claimed, err := b.claim(ctx, hook, floor, place, free)
		if err != nil {
			return err
		}
		if claimed {
			calls.Go(func() {
				defer func() { <-free }()
				if err := b.tell(ctx, hook, place); err != nil {
					b.o.Log.Warn("what came of a webhook's call could not be written down", "webhook", hook.ID, "error", err)
				}
			})
		}
	}
	return nil
}

// claim takes a webhook that has something to be told up to the feed's present end, with a place
// among the calls.
func (b *Outbox) claim(ctx context.Context, hook *models.Webhook, floor, end store.Place, free chan struct{}) (bool, error) {
	untold, err := b.untold(ctx, hook, floor, end)
	if err != nil || !untold {
		return false, err
	}
	select {
	case free <- struct{}{}:
	default:
		return false, nil
	}
	claimed, err := b.store.ClaimWebhook(ctx, hook, webhookHold)
	if !claimed {
		<-free
	}
	return claimed, err
}

func (b *Outbox) untold(ctx context.Context, hook *models.Webhook, floor, end store.Place) (bool, error) {
	from := b.read.of(hook)
	if from < floor || from > end { // the lines in between are gone, or were another database's
		return true, nil
	}
	if from == end {
		return false, nil
	}
	untold, err := b.store.Untold(ctx, hook, from, end)
	if err == nil && !untold {
		b.read.note(hook, end)
	}
	return untold, err
}

func (p *places) of(hook *models.Webhook) store.Place {
	p.mu.Lock()
	defer p.mu.Unlock()
	return max(store.Place(hook.Place), p.known[hook.ID])
}

func (p *places) note(hook *models.Webhook, place store.Place) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.known[hook.ID] = place
}

// tell calls a claimed webhook and writes down what came of it.
func (b *Outbox) tell(ctx context.Context, hook *models.Webhook, place store.Place) error {
	err := b.call(ctx, hook)
	switch {
	case err == nil:
		if hook.Failures > 0 {
			b.o.Log.Info("a webhook answers again", "webhook", hook.ID, "endpoint", shown(hook), "failures", hook.Failures)
		}
		return settle(ctx, func(ctx context.Context) error { return b.store.WebhookTold(ctx, hook, place, webhookRest) })
	case ctx.Err() != nil:
		return settle(ctx, func(ctx context.Context) error { return b.store.ReleaseWebhook(ctx, hook) })
	}
	return b.failed(ctx, hook, err)
}

func (b *Outbox) failed(ctx context.Context, hook *models.Webhook, why error) error {
	log := b.o.Log.With("webhook", hook.ID, "application", hook.ApplicationID, "endpoint", shown(hook), "error", why)
	failures := hook.Failures + 1
	if failures >= dropFailures && b.store.Now().Sub(hook.OldestFailureAt) > dropAge {
		log.Warn("a webhook is removed: it has failed for too long", "failures", failures, "since", hook.OldestFailureAt)
		act := store.Act{
			Action: "webhook.drop", Outcome: "failing", Subject: shown(hook),
			Before: map[string]any{"webhook": hook.ID, "endpoint": hook.EndpointURL, "failures": failures, "since": hook.OldestFailureAt},
			After:  map[string]any{"error": why.Error()},
		}
		return settle(ctx, func(ctx context.Context) error { return b.store.DropWebhook(ctx, hook, act) })
	}
	if failures == 1 {
		log.Warn("a webhook can't be told; trying again")
	}
	return settle(ctx, func(ctx context.Context) error {
		return b.store.WebhookFailed(ctx, hook, why.Error(), webhookRestAfter(failures))
	})
}

// webhookRestAfter is how long a webhook rests after so many failures in a row.
func webhookRestAfter(failures int) time.Duration {
	if failures > 8 { // shifts must not overflow
		return lastWebhookRest
	}
	return min(firstWebhookRest<<max(failures-1, 0), lastWebhookRest)
}

// shown is a webhook's address for logs: what stands behind the host may be secret.
func shown(hook *models.Webhook) string {
	u, err := url.Parse(hook.EndpointURL)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// call posts nothing to the webhook's address, as Crowd does: that it is called is all there is
// to say.
func (b *Outbox) call(ctx context.Context, hook *models.Webhook) error {
	reach, err := b.reach(ctx, hook)
	if err != nil {
		return err
	}
	request, err := http.NewRequest(http.MethodPost, hook.EndpointURL, http.NoBody)
	if err != nil {
		return err
	}
	if token := hook.Token.Reveal(); token != "" {
		// The token as it was registered, not encoded: Atlassian's servlet compares it so.
		request.Header.Set("Authorization", "Basic "+token)
	}
	return b.request(ctx, request, reach)
}

// request sends a request to where it may lead, and wants a 2xx.
func (b *Outbox) request(ctx context.Context, request *http.Request, reach models.WebhookReach) error {
	ctx, cancel := context.WithTimeout(ctx, b.o.Timeout)
	defer cancel()
	request.Header.Set("User-Agent", "Rollcall")
	transport := b.transport(reach)
	defer transport.CloseIdleConnections()
	answer, err := transport.RoundTrip(request.WithContext(ctx)) // a redirect isn't followed: it is no 2xx
	if err != nil {
		if cause := context.Cause(ctx); errors.Is(cause, context.DeadlineExceeded) {
			return fmt.Errorf("no answer within %s", b.o.Timeout)
		}
		return err
	}
	defer answer.Body.Close()
	_, _ = io.CopyN(io.Discard, answer.Body, 4<<10) // so that a small answer isn't cut off at the other end
	if answer.StatusCode < 200 || answer.StatusCode > 299 {
		return fmt.Errorf("it answered %d", answer.StatusCode)
	}
	return nil
}
