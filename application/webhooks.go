package application

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"time"

	"github.com/rollcall-id/rollcall/models"
)

// MaxWebhooks is how many webhooks an application may have. Atlassian's products have one each.
const MaxWebhooks = 20

// RegisterWebhook makes a webhook of the application's and tells whether it is new: where there
// is one of this address already, that one is given, with the token that it has. IllegalArgument
// when the address is none, or leads to where the application's webhooks may not. token is sent
// along with each call; it may be empty.
func (v *View) RegisterWebhook(ctx context.Context, endpoint string, token models.Secret) (*models.Webhook, bool, error) {
	if problem := models.WebhookURLProblem(endpoint); problem != "" {
		return nil, false, refusedWebhook(endpoint, problem)
	}
	if !headerText(token.Reveal()) {
		return nil, false, models.Fail(models.IllegalArgument, v.app.Name, "The webhook's token has more than 1000 characters, or one that an HTTP header can't have.")
	}
	if err := v.webhookReaches(ctx, endpoint); err != nil {
		return nil, false, err
	}
	return v.store.RegisterWebhook(ctx, v.by, &v.app.Application, endpoint, token, MaxWebhooks)
}

func refusedWebhook(endpoint, problem string) error {
	const most = 200
	if models.TextProblem(endpoint, models.MaxWebhookURL) != "" {
		endpoint = "(unprintable)"
	} else if runes := []rune(endpoint); len(runes) > most {
		endpoint = string(runes[:most]) + "…"
	}
	return models.Fail(models.IllegalArgument, endpoint, "<"+endpoint+"> can't be the address of a webhook: "+problem+".")
}

// headerText tells whether text can stand in a header as it is.
func headerText(text string) bool {
	if len(text) > models.MaxText {
		return false
	}
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

// webhookReaches refuses an address all of whose hosts are out of the application's reach, so
// that a mistake is known at once. Each call is judged again, by where it really goes.
func (v *View) webhookReaches(ctx context.Context, endpoint string) error {
	u, err := url.Parse(endpoint)
	if err != nil {
		return refusedWebhook(endpoint, "it is no URL")
	}
	addrs, err := v.service.resolveHost(ctx, u.Hostname())
	if err != nil {
		return refusedWebhook(endpoint, "its host is unknown here")
	}
	if len(addrs) == 0 {
		return nil // the name server doesn't answer at the moment
	}
	reach, err := v.webhookReach(ctx)
	if err != nil {
		return err
	}
	problem := ""
	for _, addr := range addrs {
		if problem = reach.Problem(netip.AddrPortFrom(addr, portOf(u))); problem == "" {
			return nil
		}
	}
	return refusedWebhook(endpoint, problem)
}

// resolveHost gives the addresses of a host. It fails where it is certain that there are none;
// where that can't be told now, it gives none.
func (s *Service) resolveHost(ctx context.Context, host string) ([]netip.Addr, error) {
	if addr, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{addr}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	addrs, err := s.hosts.resolve(ctx, host)
	if failure, ok := errors.AsType[*net.DNSError](err); ok && failure.IsNotFound {
		return nil, err
	}
	return addrs, nil
}

func portOf(u *url.URL) uint16 {
	if n, err := strconv.ParseUint(u.Port(), 10, 16); err == nil {
		return uint16(n)
	}
	if u.Scheme == "https" {
		return 443
	}
	return 80
}

// webhookReach gives to where the application's webhooks may lead.
func (v *View) webhookReach(ctx context.Context) (models.WebhookReach, error) {
	reach := models.WebhookReach{Allowed: v.app.addresses.prefixes, Own: v.service.own}
	for _, host := range v.app.addresses.hosts {
		for _, addr := range v.service.hosts.lookup(ctx, host) {
			reach.Allowed = append(reach.Allowed[:len(reach.Allowed):len(reach.Allowed)], netip.PrefixFrom(addr, addr.BitLen()))
		}
	}
	networks, err := v.store.WebhookNetworks(ctx, v.app.ID)
	for _, text := range networks {
		if p, err := netip.ParsePrefix(text); err == nil {
			reach.Networks = append(reach.Networks, p)
		}
	}
	return reach, err
}

// Webhook finds one of the application's webhooks. WebhookNotFound, and PermissionDenied for
// another application's.
func (v *View) Webhook(ctx context.Context, id models.ID) (*models.Webhook, error) {
	hook, err := v.store.WebhookByID(ctx, id)
	name := strconv.FormatInt(int64(id), 10)
	if models.Is(err, models.WebhookNotFound) {
		return nil, models.Fail(models.WebhookNotFound, name, "Webhook <"+name+"> does not exist")
	}
	if err != nil {
		return nil, err
	}
	if hook.ApplicationID != v.app.ID {
		return nil, models.Fail(models.PermissionDenied, name, "Webhook <"+name+"> is another application's.")
	}
	return hook, nil
}

// RemoveWebhook removes one of the application's webhooks. The refusals are those of Webhook.
func (v *View) RemoveWebhook(ctx context.Context, id models.ID) error {
	hook, err := v.Webhook(ctx, id)
	if err != nil {
		return err
	}
	return v.store.RemoveWebhook(ctx, v.by, &v.app.Application, hook)
}

// GuardListeners tells which addresses the server itself listens on: no webhook leads there
// unless the application may call from there. Call it before the first request.
func (s *Service) GuardListeners(own func(netip.AddrPort) bool) { s.own = own }

// SetWebhookNetworks replaces the private networks, as CIDRs or addresses, to which an
// application's webhooks may lead beyond the addresses that it may call from. Empty texts are
// none.
func (s *Service) SetWebhookNetworks(ctx context.Context, by models.Actor, name string, networks []string) error {
	var clean []netip.Prefix
	for _, text := range networks {
		if text == "" {
			continue
		}
		p, err := parsePrefix(text)
		if err != nil {
			return models.Fail(models.IllegalArgument, text, "<"+text+"> is neither an IP address nor a CIDR like 10.1.0.0/16")
		}
		if problem := models.WebhookNetworkProblem(p); problem != "" {
			return models.Fail(models.IllegalArgument, text, "<"+text+"> can't be opened to webhooks: "+problem)
		}
		clean = append(clean, p)
	}
	record, err := s.ByName(ctx, name)
	if err != nil {
		return err
	}
	return s.store.SetWebhookNetworks(ctx, by, &record.Application, clean)
}

// WebhookNetworks lists the private networks that are open to an application's webhooks.
func (s *Service) WebhookNetworks(ctx context.Context, name string) ([]string, error) {
	record, err := s.ByName(ctx, name)
	if err != nil {
		return nil, err
	}
	return s.store.WebhookNetworks(ctx, record.ID)
}

// Webhooks lists an application's webhooks in the order of their registration.
func (s *Service) Webhooks(ctx context.Context, name string) ([]*models.Webhook, error) {
	record, err := s.ByName(ctx, name)
	if err != nil {
		return nil, err
	}
	return s.store.WebhooksOf(ctx, record.ID)
}
