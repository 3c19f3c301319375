package okta_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/sync/cloud"
	"github.com/rollcall-id/rollcall/sync/okta"
)

func TestServiceApp(t *testing.T) {
	t.Parallel()
	w := start(t, app(fakecloud.OktaConfig{Gen: fakecloud.Gen{Users: 450}}))
	named := func(key, id string) func(*okta.Options) {
		return func(o *okta.Options) {
			asApp(key)(o)
			o.KeyID = id
		}
	}
	for name, as := range map[string]func(*okta.Options){
		"RSA in PEM": named(pemOf(rsaKey()), "rsa"), "RSA web key": asApp(rsaWebKey()),
		"EC in PEM": named(pemOf(ecKey()), "ec"), "EC web key": asApp(ecWebKey()),
	} {
		if n := len(users(t, w.source(as))); n != 450 {
			t.Errorf("%s: read %d users", name, n)
		}
	}
	if n := w.Requests("POST /oauth2/v1/token"); n != 4 {
		t.Errorf("four sources asked for %d tokens", n)
	}
}

func TestTokensAreRenewed(t *testing.T) {
	t.Parallel()
	w := start(t, app(fakecloud.OktaConfig{Gen: fakecloud.Gen{Users: 700}}))
	w.After("/api/v1/users", 2, w.RevokeTokens)
	w.After("/api/v1/users", 3, func() { w.clock.Advance(58 * time.Minute) })
	s := w.source(asApp(ecWebKey()))
	if n := len(users(t, s)); n != 700 {
		t.Errorf("read %d users", n)
	}
	if n := w.Requests("POST /oauth2/v1/token"); n < 2 || n > 3 {
		t.Errorf("asked for %d tokens", n)
	}
}

func TestRefusedApps(t *testing.T) {
	t.Parallel()
	other := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	for _, c := range []struct {
		name  string
		cloud func(*fakecloud.OktaConfig)
		as    func(*okta.Options)
		want  string
	}{
		{"another key", nil, func(o *okta.Options) { asApp(pemOf(other))(o); o.KeyID = "ec" }, "invalid_client"},
		{"a key id that isn't registered", nil, func(o *okta.Options) { asApp(ecWebKey())(o); o.KeyID = "x" }, "registered at the app"},
		{"another app", nil, func(o *okta.Options) { asApp(ecWebKey())(o); o.ClientID = "0oaother" }, "invalid_client (request id oae"},
		{"another app's way out", nil, func(o *okta.Options) { asApp(ecWebKey())(o); o.ClientID = "0oaother" }, "check client-id"},
		{"DPoP", func(c *fakecloud.OktaConfig) { c.NeedsDPoP = true }, asApp(ecWebKey()), "Require Demonstrating Proof of Possession"},
	} {
		config := app(fakecloud.OktaConfig{})
		if c.cloud != nil {
			c.cloud(&config)
		}
		w := start(t, config)
		_, err := w.source(c.as).Check(t.Context())
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: want an error with %q, got %v", c.name, c.want, err)
		}
		if n := w.Requests(""); n != 1 {
			t.Errorf("%s: asked %d times", c.name, n)
		}
	}
}

// An assertion whose times Okta refuses is made again by Okta's clock.
func TestClocksMayDiffer(t *testing.T) {
	t.Parallel()
	for _, ahead := range []time.Duration{10 * time.Minute, -10 * time.Minute, 26 * time.Hour, -26 * time.Hour} {
		w := start(t, app(fakecloud.OktaConfig{Gen: fakecloud.Gen{Users: 3}, ClockAhead: ahead}))
		if n := len(users(t, w.source(asApp(ecWebKey())))); n != 3 {
			t.Errorf("read %d users", n)
		}
	}
	w := start(t, app(fakecloud.OktaConfig{ClockAhead: time.Hour}))
	_, err := w.source(asApp(ecWebKey()), func(o *okta.Options) { o.KeyID = "x" }).Check(t.Context())
	if err == nil || !strings.Contains(err.Error(), "clock is 1h0m0s behind Okta's") {
		t.Errorf("got %v", err)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	users, groups, logs := `/api/v1/users\?`, `/api/v1/groups\?`, `/api/v1/logs\?`
	for _, c := range []struct {
		name    string
		cloud   fakecloud.OktaConfig
		refused []string // paths
		as      func(*okta.Options)
		granted int
		missing []string
		notes   []string
	}{
		{name: "all there", granted: 3, notes: []string{"rollcall@contoso.example", "30 days after its last use", "takes: 600 for /api/v1/users, 600 for /api/v1/groups"},
			cloud: fakecloud.OktaConfig{RateLimit: 600}},
		{name: "no role", refused: []string{users, groups, logs}, granted: 0,
			missing: []string{"read users: Okta answers E0000006", "role Read-only Administrator", "read groups"}, notes: []string{"every run reads everything"}},
		{name: "groups only", refused: []string{users}, granted: 2, missing: []string{"the account that owns the API token"}},
		{name: "no log", refused: []string{logs}, granted: 2, notes: []string{"read the System Log: Okta answers E0000006", "every run reads everything"}},
		{name: "no word on the owner", refused: []string{"/users/me"}, granted: 3, notes: []string{"doesn't say whose"}},
		{name: "an app", as: asApp(rsaWebKey()), granted: 3},
		{name: "an app without a role", as: asApp(rsaWebKey()), cloud: fakecloud.OktaConfig{Blind: true}, granted: 1,
			missing: []string{"read users: Okta shows none: give the service app the role", "read groups and their members: Okta shows none"}},
		{name: "an app without the log", as: asApp(rsaWebKey()), granted: 2, notes: []string{"scopes okta.users.read, okta.groups.read and okta.logs.read", "every run reads everything"},
			cloud: fakecloud.OktaConfig{Scopes: []string{"okta.users.read", "okta.groups.read"}}},
		{name: "an app without groups", as: asApp(rsaWebKey()), granted: 1, missing: []string{"okta.groups.read: grant it"}, notes: []string{"okta.logs.read: grant it"},
			cloud: fakecloud.OktaConfig{Scopes: []string{"okta.users.read"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.cloud.Gen.Users, c.cloud.Gen.Groups, c.cloud.Gen.Everyone = 3, 1, true
			w := start(t, app(c.cloud))
			for _, path := range c.refused {
				w.Fail(fakecloud.Fault{Path: path, Do: fakecloud.Forbidden, Times: -1})
			}
			var how []func(*okta.Options)
			if c.as != nil {
				how = append(how, c.as)
			}
			r, err := w.source(how...).Check(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Granted) != c.granted || (len(r.Missing) == 0) != (len(c.missing) == 0) {
				t.Errorf("granted %q, missing %q", r.Granted, r.Missing)
			}
			if !r.SecretEnds.IsZero() {
				t.Errorf("an API token has no end, got %v", r.SecretEnds)
			}
			for text, all := range map[string][]string{strings.Join(r.Missing, "\n"): c.missing, strings.Join(r.Notes, "\n"): c.notes} {
				for _, want := range all {
					if !strings.Contains(text, want) {
						t.Errorf("want %q, got\n%s", want, text)
					}
				}
			}
		})
	}
}

func TestARefusedAPITokenIsAskedOnce(t *testing.T) {
	t.Parallel()
	w := start(t, fakecloud.OktaConfig{Gen: fakecloud.Gen{Users: 3}})
	_, err := w.source(func(o *okta.Options) { o.Token = "00wrong" }).Check(t.Context())
	var e *cloud.Error
	if !errors.As(err, &e) || e.Code != "E0000011" || !strings.Contains(err.Error(), "Security, API, Tokens") || !strings.Contains(err.Error(), "(request id oae") || strings.Contains(err.Error(), "00wrong") {
		t.Errorf("got %v", err)
	}
	if n := w.Requests(""); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

func TestSecretsAreNotPrinted(t *testing.T) {
	t.Parallel()
	o := okta.Options{OrgURL: "https://example.okta.com", Token: "00secret"}
	if text := fmt.Sprintf("%v %+v %#v", o, o, o); strings.Contains(text, "00secret") {
		t.Error(text)
	}
	for _, bad := range []string{"two words00secret", "-----BEGIN PRIVATE KEY-----\n00secret\n-----END PRIVATE KEY-----", `{"kty":"RSA","d":"00secret"`} {
		for _, o := range []okta.Options{{OrgURL: o.OrgURL, Token: models.Secret(bad + " ")}, {OrgURL: o.OrgURL, ClientID: "c", Key: models.Secret(bad)}} {
			if _, err := okta.New(o); err != nil && strings.Contains(err.Error(), "00secret") {
				t.Error(err)
			}
		}
	}
}
