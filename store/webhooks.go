package store

import (
	"context"
	"net/netip"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/rollcall-id/rollcall/models"
)

const webhookLabel = "webhook token"

// WebhookByID finds a webhook, of whichever application, or answers WebhookNotFound.
func (r *Reads) WebhookByID(ctx context.Context, id models.ID) (*models.Webhook, error) {
	var hook models.Webhook
	if err := r.db.WithContext(ctx).Where("id = ?", id).Take(&hook).Error; err != nil {
		return nil, found(err, models.WebhookNotFound, "")
	}
	return &hook, r.openToken(&hook)
}

// WebhooksOf lists an application's webhooks in the order of their registration.
func (r *Reads) WebhooksOf(ctx context.Context, app models.ID) ([]*models.Webhook, error) {
	return r.webhooks(r.db.WithContext(ctx).Where("application_id = ?", app))
}

// WebhooksDue lists the webhooks of active applications that may be told something now.
// Whether there is something to tell, Untold says.
func (r *Reads) WebhooksDue(ctx context.Context, now models.Time) ([]*models.Webhook, error) {
	return r.webhooks(r.db.WithContext(ctx).
		Where("next_attempt_at <= ? AND application_id IN (SELECT id FROM applications WHERE active)", now))
}

func (r *Reads) webhooks(query *gorm.DB) ([]*models.Webhook, error) {
	var hooks []*models.Webhook
	if err := query.Order("id").Find(&hooks).Error; err != nil {
		return nil, doing("read webhooks", err)
	}
	for _, hook := range hooks {
		if err := r.openToken(hook); err != nil {
			return nil, err
		}
	}
	return hooks, nil
}

func (r *Reads) openToken(hook *models.Webhook) error {
	token, err := r.store.Unseal(webhookLabel, hook.Sealed)
	hook.Token = models.Secret(token)
	return doing("read a webhook's token", err)
}

// toldKinds are the changes that an application learns of through its mapped directories.
var toldKinds = []models.ChangeKind{
	models.UserCreated, models.UserUpdated, models.UserRenamed, models.UserDeleted, models.UserAttributes,
	models.GroupCreated, models.GroupUpdated, models.GroupDeleted, models.GroupAttributes,
	models.MemberAdded, models.MemberRemoved, models.NestingAdded, models.NestingRemoved, models.DirectoryChanged,
	models.DirectoryReplaced, models.MembershipsReplaced,
}

// Untold tells whether, from one place in the feed to another, there is something that the
// webhook's application wants to hear. The second place is to be Place: it is the end that events
// have, too, so who is told comes and finds them.
func (r *Reads) Untold(ctx context.Context, hook *models.Webhook, from, to Place) (bool, error) {
	between := "seq > ? AND seq <= ?"
	if r.store.dialect.postgres() {
		between = "tx >= ? AND tx < ?"
	}
	// A directory that was deleted is mapped to nobody any more: everybody is told.
	var found []int64
	err := r.db.WithContext(ctx).Raw("SELECT seq FROM changes WHERE "+between+` AND (
			kind IN ? AND directory_id IN (SELECT directory_id FROM mappings WHERE application_id = ?)
			OR kind = ?
			OR kind IN ? AND row_id = ?) LIMIT 1`,
		from, to, toldKinds, hook.ApplicationID, models.DirectoryDeleted,
		[]models.ChangeKind{models.ApplicationChanged, models.ApplicationSync, models.AliasChanged}, hook.ApplicationID).Scan(&found).Error
	return len(found) > 0, doing("look for what a webhook was not told", err)
}

// RegisterWebhook adds a webhook and tells whether it is new: where the application has one of
// this address already, that one is given and stays as it is. IllegalArgument when the
// application has as many as it may.
func (s *Store) RegisterWebhook(ctx context.Context, by models.Actor, app *models.Application, endpoint string, token models.Secret, most int) (*models.Webhook, bool, error) {
	var hook *models.Webhook
	var created bool
	err := s.Write(ctx, by, func(tx *Tx) error {
		hooks, err := tx.WebhooksOf(ctx, app.ID)
		if err != nil {
			return err
		}
		if hook, created = webhookAt(hooks, endpoint), false; hook != nil {
			return nil
		}
		if len(hooks) >= most {
			return models.Fail(models.IllegalArgument, app.Name, "The application has as many webhooks as it may; it must remove one first.")
		}
		place, err := tx.Place(ctx)
		if err != nil {
			return err
		}
		hook = &models.Webhook{ApplicationID: app.ID, EndpointURL: endpoint, Sealed: s.Seal(webhookLabel, []byte(token.Reveal())),
			Token: token, Place: int64(place), CreatedAt: tx.at}
		r := tx.db.Clauses(clause.OnConflict{DoNothing: true}).Create(hook)
		if created = r.Error == nil && r.RowsAffected == 1; created {
			tx.changed(models.Change{Kind: models.WebhooksChanged, RowID: app.ID, Name: app.Name})
			tx.audit("webhook.register", app.Name, 0, nil, map[string]any{"webhook": hook.ID, "endpoint": endpoint})
			return nil
		}
		if r.Error != nil {
			return doing("store a webhook", r.Error)
		}
		// Another request registered it while we looked.
		if hooks, err = tx.WebhooksOf(ctx, app.ID); err == nil {
			if hook = webhookAt(hooks, endpoint); hook == nil {
				err = models.Fail(models.WebhookNotFound, endpoint, "")
			}
		}
		return err
	})
	return hook, created, err
}

func webhookAt(hooks []*models.Webhook, endpoint string) *models.Webhook {
	for _, hook := range hooks {
		if hook.EndpointURL == endpoint {
			return hook
		}
	}
	return nil
}

// RemoveWebhook removes a webhook of an application, or answers WebhookNotFound.
func (s *Store) RemoveWebhook(ctx context.Context, by models.Actor, app *models.Application, hook *models.Webhook) error {
	return s.Write(ctx, by, func(tx *Tx) error {
		r := tx.db.Where("id = ? AND application_id = ?", hook.ID, app.ID).Delete(&models.Webhook{})
		if r.Error == nil && r.RowsAffected == 0 {
			return models.Fail(models.WebhookNotFound, "", "")
		}
		tx.changed(models.Change{Kind: models.WebhooksChanged, RowID: app.ID, Name: app.Name})
		tx.audit("webhook.remove", app.Name, 0, map[string]any{"webhook": hook.ID, "endpoint": hook.EndpointURL}, nil)
		return doing("remove a webhook", r.Error)
	})
}

// WebhookNetworks lists the networks that an operator opened to an application's webhooks.
func (r *Reads) WebhookNetworks(ctx context.Context, app models.ID) ([]string, error) {
	var networks []string
	err := r.db.WithContext(ctx).Model(&models.WebhookNetwork{}).Where("application_id = ?", app).Order("network").Pluck("network", &networks).Error
	return networks, doing("read the webhooks' networks", err)
}

// SetWebhookNetworks replaces the networks that are open to an application's webhooks.
func (s *Store) SetWebhookNetworks(ctx context.Context, by models.Actor, app *models.Application, networks []netip.Prefix) error {
	return s.Write(ctx, by, func(tx *Tx) error {
		before, err := tx.WebhookNetworks(ctx, app.ID)
		if err != nil {
			return err
		}
		if err := tx.db.Where("application_id = ?", app.ID).Delete(&models.WebhookNetwork{}).Error; err != nil {
			return doing("replace the webhooks' networks", err)
		}
		var after []string
		for _, network := range networks {
			after = append(after, network.String())
		}
		after = distinct(after)
		for _, network := range after {
			if err := tx.insert(&models.WebhookNetwork{ApplicationID: app.ID, Network: network}); err != nil {
				return doing("store a network of webhooks", err)
			}
		}
		tx.changed(models.Change{Kind: models.WebhooksChanged, RowID: app.ID, Name: app.Name})
		tx.audit("app.webhook-to", app.Name, 0, map[string]any{"networks": before}, map[string]any{"networks": after})
		return nil
	})
}

// WebhookAddresses gives what decides where an application's webhooks may lead, as it is now:
// the addresses from which it may call, and the networks that an operator added.
func (r *Reads) WebhookAddresses(ctx context.Context, app models.ID) (allowed, networks []string, err error) {
	err = r.db.WithContext(ctx).Model(&models.ApplicationAddress{}).Where("application_id = ?", app).Order("address").Pluck("address", &allowed).Error
	if err != nil {
		return nil, nil, doing("read the application's addresses", err)
	}
	networks, err = r.WebhookNetworks(ctx, app)
	return allowed, networks, err
}

// ClaimWebhook takes a webhook for one attempt and tells whether it could be had: nobody else
// gets it for as long as hold says. A claim that nobody settles ends by itself. The webhook
// carries the claim.
func (s *Store) ClaimWebhook(ctx context.Context, hook *models.Webhook, hold time.Duration) (bool, error) {
	var claimed bool
	err := s.Write(ctx, models.System, func(tx *Tx) error {
		until := tx.at.Add(hold)
		r := tx.claimedWebhook(hook).Update("next_attempt_at", until)
		if claimed = r.Error == nil && r.RowsAffected == 1; claimed {
			tx.after = append(tx.after, func() { hook.NextAttemptAt = until })
		}
		return doing("claim a webhook", r.Error)
	})
	return claimed && err == nil, err
}

// WebhookTold notes that a claimed webhook was told of everything before a place; it is told
// nothing more before rest is over.
func (s *Store) WebhookTold(ctx context.Context, hook *models.Webhook, place Place, rest time.Duration) error {
	return s.Write(ctx, models.System, func(tx *Tx) error {
		err := tx.claimedWebhook(hook).Updates(map[string]any{
			"place": int64(place), "failures": 0, "oldest_failure_at": 0, "last_error": "", "next_attempt_at": tx.at.Add(rest),
		}).Error
		return doing("note that a webhook was told", err)
	})
}

// WebhookFailed notes that a claimed webhook couldn't be told, and that it is tried again after
// rest.
func (s *Store) WebhookFailed(ctx context.Context, hook *models.Webhook, problem string, rest time.Duration) error {
	return s.Write(ctx, models.System, func(tx *Tx) error {
		oldest := hook.OldestFailureAt
		if oldest.IsZero() {
			oldest = tx.at
		}
		err := tx.claimedWebhook(hook).Updates(map[string]any{
			"failures": hook.Failures + 1, "oldest_failure_at": oldest, "last_error": shortened(problem), "next_attempt_at": tx.at.Add(rest),
		}).Error
		return doing("note that a webhook failed", err)
	})
}

// DropWebhook removes a claimed webhook that has failed for too long, and writes down why.
func (s *Store) DropWebhook(ctx context.Context, hook *models.Webhook, a Act) error {
	return s.Write(ctx, models.System, func(tx *Tx) error {
		r := tx.claimedWebhook(hook).Delete(&models.Webhook{})
		if r.RowsAffected > 0 {
			tx.Audit(a)
		}
		return doing("drop a webhook", r.Error)
	})
}

// ReleaseWebhook gives a claimed webhook back untried.
func (s *Store) ReleaseWebhook(ctx context.Context, hook *models.Webhook) error {
	return s.Write(ctx, models.System, func(tx *Tx) error {
		return doing("give a webhook back", tx.claimedWebhook(hook).Update("next_attempt_at", tx.at).Error)
	})
}

// claimedWebhook narrows a statement to the webhook, as long as nobody else claimed it.
func (tx *Tx) claimedWebhook(hook *models.Webhook) *gorm.DB {
	return tx.db.Model(&models.Webhook{}).Where("id = ? AND next_attempt_at = ?", hook.ID, hook.NextAttemptAt)
}
