package application_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
)

func TestTheSameWebhookTwiceIsOne(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.app(t, "jira", firstMatch)
		h.app(t, "wiki", firstMatch)
		const endpoint = "https://198.51.100.7/plugins/servlet/crowd"
		first, created, err := h.view(t, "jira").RegisterWebhook(t.Context(), endpoint, "old")
		if err != nil || !created {
			t.Fatal(created, err)
		}
		again, created, err := h.view(t, "jira").RegisterWebhook(t.Context(), endpoint, "new")
		if err != nil || created || again.ID != first.ID || again.Token.Reveal() != "old" {
			t.Errorf("again: %+v, %t, %v", again, created, err)
		}
		other, created, err := h.view(t, "wiki").RegisterWebhook(t.Context(), endpoint, "new")
		if err != nil || !created || other.ID == first.ID || other.Token.Reveal() != "new" {
			t.Errorf("another application's: %+v, %t, %v", other, created, err)
		}
		got, err := h.view(t, "jira").Webhook(t.Context(), first.ID)
		if err != nil || got.EndpointURL != endpoint || got.Token.Reveal() != "old" {
			t.Errorf("read: %+v, %v", got, err)
		}
		list, err := h.Webhooks(t.Context(), "JIRA")
		if err != nil || len(list) != 1 || list[0].ID != first.ID {
			t.Errorf("listed: %v, %v", list, err)
		}
	})
}

func TestAnotherApplicationsWebhookIsForbidden(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.app(t, "jira", firstMatch)
		h.app(t, "wiki", firstMatch)
		hook, _, err := h.view(t, "jira").RegisterWebhook(t.Context(), "http://198.51.100.7/", "")
		if err != nil {
			t.Fatal(err)
		}
		wiki, jira := h.view(t, "wiki"), h.view(t, "jira")
		for what, do := range map[string]func(v *application.View, id models.ID) error{
			"read":   func(v *application.View, id models.ID) error { _, err := v.Webhook(t.Context(), id); return err },
			"remove": func(v *application.View, id models.ID) error { return v.RemoveWebhook(t.Context(), id) },
		} {
			wantCode(t, what+": another's", models.PermissionDenied, do(wiki, hook.ID))
			wantMessage(t, what+": unknown", models.WebhookNotFound, "Webhook <4711> does not exist", do(jira, 4711))
		}
		wantCode(t, "remove: its own", "", jira.RemoveWebhook(t.Context(), hook.ID))
		wantCode(t, "remove: twice", models.WebhookNotFound, jira.RemoveWebhook(t.Context(), hook.ID))
	})
}

// What bad input gets.
func TestWebhooksThatAreRefused(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		names := map[string][]netip.Addr{
			"public.test":  {netip.MustParseAddr("198.51.100.7")},
			"private.test": {netip.MustParseAddr("10.1.2.3")},
			"both.test":    {netip.MustParseAddr("169.254.169.254"), netip.MustParseAddr("198.51.100.7")},
			"evil.test":    {netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("::1")},
			"jira.test":    {netip.MustParseAddr("10.9.9.9")},
		}
		h.ResolveWith(func(_ context.Context, host string) ([]netip.Addr, error) {
			if host == "slow.test" {
				return nil, context.DeadlineExceeded
			}
			if addrs, ok := names[host]; ok {
				return addrs, nil
			}
			return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
		}, h.clock.Now)
		h.GuardListeners(func(to netip.AddrPort) bool { return to == netip.MustParseAddrPort("198.51.100.7:8095") })
		h.create(t, application.NewApplication{Name: "jira", Addresses: []string{"10.1.0.0/16", "jira.test", "127.0.0.1/32"}})
		h.create(t, application.NewApplication{Name: "wiki", Addresses: []string{"127.0.0.2", "127.0.0.1"}})
		for _, c := range []struct {
			app, endpoint, says string
		}{
			{"jira", "", "absolute"},
			{"jira", "jira.test/x", "absolute"},
			{"jira", "ftp://public.test/x", "absolute"},
			{"jira", "http://ada:x@public.test/x", "user"},
			{"jira", "http://public.test/" + strings.Repeat("x", 1000), "longer"},
			{"jira", "http://public.test/\x00", "(unprintable)"},
			{"jira", "http://public.test/x", ""},
			{"jira", "http://public.test:8095/x", "itself listens"},
			{"jira", "http://198.51.100.7:8095/x", "itself listens"},
			{"jira", "http://unknown.test/x", "unknown here"},
			{"jira", "http://slow.test/x", ""}, // asked again at each call
			{"jira", "http://both.test/x", ""},
			{"jira", "http://127.0.0.1/x", ""},
			{"jira", "http://127.0.0.2/x", "loopback"},
			{"wiki", "http://127.0.0.2/x", ""},
			{"wiki", "http://evil.test:8080/x", ""},
			{"jira", "http://[::1]/x", "loopback"},
			{"jira", "http://169.254.169.254/latest/meta-data", "link-local"},
			{"jira", "http://0.0.0.0/x", "unspecified"},
			{"jira", "http://private.test/x", ""},
			{"wiki", "http://private.test/x", "private"},
			{"jira", "http://jira.test/x", ""}, // it may call from there, by name
			{"wiki", "http://jira.test/x", "private"},
			{"jira", "http://192.168.7.7/x", "private"},
		} {
			_, _, err := h.view(t, c.app).RegisterWebhook(t.Context(), c.endpoint, "")
			if c.says == "" {
				wantCode(t, c.app+" "+c.endpoint, "", err)
				continue
			}
			wantMessage(t, c.app+" "+c.endpoint, models.IllegalArgument, c.says, err)
		}
		for _, token := range []models.Secret{"a\r\nX: y", "a\x00", "größe", models.Secret(strings.Repeat("x", 2000))} {
			_, _, err := h.view(t, "jira").RegisterWebhook(t.Context(), "http://public.test/token", token)
			wantCode(t, "a token that's no header", models.IllegalArgument, err)
		}
		// An operator opens a network to one application, and closes it again.
		wantCode(t, "open", "", h.SetWebhookNetworks(t.Context(), operator, "wiki", []string{"10.0.0.0/8", "192.168.7.7"}))
		for endpoint, says := range map[string]string{
			"http://private.test/y": "", "http://192.168.7.7/y": "", "http://192.168.7.8/y": "private", "http://172.16.0.1/y": "private",
			"http://169.254.169.254/y": "link-local", "http://127.0.0.3/y": "loopback",
		} {
			_, _, err := h.view(t, "wiki").RegisterWebhook(t.Context(), endpoint, "")
			wantMessage(t, "opened: "+endpoint, map[bool]models.Code{true: "", false: models.IllegalArgument}[says == ""], says, err)
		}
		list, err := h.WebhookNetworks(t.Context(), "wiki")
		testkit.Diff(t, "networks", []string{"10.0.0.0/8", "192.168.7.7/32"}, list)
		wantCode(t, "list", "", err)
		wantCode(t, "close", "", h.SetWebhookNetworks(t.Context(), operator, "wiki", []string{""}))
		_, _, err = h.view(t, "wiki").RegisterWebhook(t.Context(), "http://private.test/z", "")
		wantCode(t, "closed", models.IllegalArgument, err)
		for _, bad := range []string{"nonsense", "10.0.0.0/33", "jira.test", "127.0.0.0/8", "169.254.0.0/16", "::1"} {
			wantCode(t, bad, models.IllegalArgument, h.SetWebhookNetworks(t.Context(), operator, "wiki", []string{bad}))
		}
		wantCode(t, "no such application", models.AppNotFound, h.SetWebhookNetworks(t.Context(), operator, "nobody", nil))
	})
}

func TestAnApplicationHasOnlySoManyWebhooks(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.app(t, "jira", firstMatch)
		v := h.view(t, "jira")
		var errs []error
		for i := range application.MaxWebhooks {
			_, _, err := v.RegisterWebhook(t.Context(), fmt.Sprintf("http://198.51.100.7/%d", i), "")
			errs = append(errs, err)
		}
		wantCode(t, "as many as it may", "", errors.Join(errs...))
		_, _, err := v.RegisterWebhook(t.Context(), "http://198.51.100.7/more", "")
		wantMessage(t, "one more", models.IllegalArgument, "remove one first", err)
		_, created, err := v.RegisterWebhook(t.Context(), "http://198.51.100.7/3", "")
		if created || err != nil {
			t.Errorf("one that is there: %t, %v", created, err)
		}
	})
}
