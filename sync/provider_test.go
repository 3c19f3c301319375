package sync_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/internal/fakecloud"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
	dirsync "github.com/rollcall-id/rollcall/sync"
	"github.com/rollcall-id/rollcall/sync/entra"
	"github.com/rollcall-id/rollcall/sync/google"
	"github.com/rollcall-id/rollcall/sync/okta"
)

// A provider is one kind of cloud that the engine's tests are played against. The next one joins
// with a line in providers.
type provider struct {
	name  string
	start func(t *testing.T, clock *testkit.Clock, log *slog.Logger) running
	tells bool                // what changed since the last run; else each run reads everything
	never []fakecloud.Trouble // what can't go wrong there
}

var providers = []provider{
	{name: "entra", start: startEntra, tells: true},
	{name: "google", start: startGoogle, never: []fakecloud.Trouble{fakecloud.ForeignLink}}, // its lists go on by tokens, not by links
	{name: "okta", start: startOkta(fakecloud.Gen{}), tells: true},
}

// A running cloud, and how a directory of it is made and read.
type running struct {
	cloud      *fakecloud.Cloud
	google     *fakecloud.Google // the same, where it is one
	kind       models.Kind
	settings   map[string]string
	open       dirsync.Open
	paths      map[string]string // of requests, as fakecloud.Fault has them: token, users, groups, members
	secrets    []string
	department string // the attribute that has it
	expire     func() // makes cursors count no longer; nil: there are none
	expired    string // what is then the reason for a full read
}

// pageLimit has a list of a few come in pages.
const pageLimit = 3

func startEntra(t *testing.T, clock *testkit.Clock, log *slog.Logger) running {
	c := fakecloud.NewEntra(fakecloud.EntraConfig{Now: clock.Now, PageLimit: pageLimit, SecretEnds: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)})
	listen(t, c.Cloud, c.Start)
	return running{
		cloud: c.Cloud, kind: models.KindEntra,
		settings: map[string]string{"tenant": c.Tenant, "client-id": c.ClientID, "client-secret": c.Secret, "graph-url": c.GraphURL(), "authority-url": c.AuthorityURL()},
		open: func(dir *models.Directory, attributes []string) (dirsync.Source, error) {
			get := func(name string) string { return directory.SettingOf(dir, name) }
			return entra.New(entra.Options{Tenant: get("tenant"), ClientID: get("client-id"), Secret: models.Secret(get("client-secret")),
				GraphURL: get("graph-url"), AuthorityURL: get("authority-url"), Attributes: attributes, Now: clock.Now, Sleep: asleep(clock), Log: log})
		},
		paths:      map[string]string{"token": "/oauth2/v2.0/token", "users": `/v1.0/users\?`, "groups": `/v1.0/groups\?`, "members": `/groups/[^/]+/members`},
		secrets:    []string{c.Secret, "Bearer ey", "eyJ"},
		department: "department",
		expire:     c.ResetDelta, expired: "no longer knows",
	}
}

func startGoogle(t *testing.T, clock *testkit.Clock, log *slog.Logger) running {
	c := fakecloud.NewGoogle(fakecloud.GoogleConfig{Now: clock.Now, PageLimit: pageLimit})
	listen(t, c.Cloud, c.Start)
	return running{
		cloud: c.Cloud, google: c, kind: models.KindGoogle,
		settings: map[string]string{"credentials": string(c.Credentials()), "subject": c.Subject(), "directory-url": c.URL},
		open: func(dir *models.Directory, attributes []string) (dirsync.Source, error) {
			get := func(name string) string { return directory.SettingOf(dir, name) }
			return google.New(google.Options{Credentials: models.Secret(get("credentials")), Subject: get("subject"), DirectoryURL: get("directory-url"),
				Attributes: attributes, Now: clock.Now, Sleep: asleep(clock), Log: log})
		},
		paths:      map[string]string{"token": "^/token$", "users": `/v1/users\?`, "groups": `/v1/groups\?`, "members": `/groups/[^/]+/members\?`},
		secrets:    []string{"PRIVATE KEY", "ya29.", "eyJ"},
		department: "organizations.department",
	}
}

func startOkta(gen fakecloud.Gen) func(*testing.T, *testkit.Clock, *slog.Logger) running {
	return func(t *testing.T, clock *testkit.Clock, log *slog.Logger) running {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		secret := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
		c := fakecloud.NewOkta(fakecloud.OktaConfig{Gen: gen, Now: clock.Now, PageLimit: pageLimit, Keys: map[string]crypto.PublicKey{"own": key.Public()}})
		listen(t, c.Cloud, c.Start)
		return running{
			cloud: c.Cloud, kind: models.KindOkta,
			settings: map[string]string{"org-url": c.URL, "client-id": c.ClientID, "key-id": "own",
				"private-key": secret},
			open: func(dir *models.Directory, attributes []string) (dirsync.Source, error) {
				get := func(name string) string { return directory.SettingOf(dir, name) }
				return okta.New(okta.Options{OrgURL: get("org-url"), ClientID: get("client-id"), Key: models.Secret(get("private-key")), KeyID: get("key-id"),
					Attributes: attributes, Now: clock.Now, Sleep: asleep(clock), Log: log})
			},
			paths:      map[string]string{"token": "/oauth2/v1/token", "users": `/v1/users\?`, "groups": `/v1/groups\?`, "members": `/groups/[^/]+/users\?`},
			secrets:    []string{"PRIVATE KEY", strings.Split(secret, "\n")[1], "Bearer ", "eyJ"},
			department: "department",
			expire:     func() { c.Fail(fakecloud.Fault{Path: "/api/v1/logs", Do: fakecloud.Gone}) }, expired: "from where the last run ended",
		}
	}
}

// listen serves a cloud until the test ends: then it must not have seen what it may not see.
func listen(t *testing.T, c *fakecloud.Cloud, start func(address string) error) {
	t.Helper()
	if err := start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close()
		for _, v := range c.Violations() {
			t.Errorf("the cloud complains: %s", v)
		}
	})
}

// asleep is a sleep that moves the clock.
func asleep(clock *testkit.Clock) func(context.Context, time.Duration) error {
	return func(ctx context.Context, d time.Duration) error {
		clock.Advance(d)
		return ctx.Err()
	}
}

// newMirror makes a house whose directory "cloud" is kept equal to a provider's cloud.
func newMirror(t *testing.T, db testkit.Database, p provider, log *slog.Logger, settings ...string) (*house, running) {
	t.Helper()
	h := &house{t: t, db: db, clock: testkit.NewClock(), log: log}
	h.store = db.Open(t, func(o *store.Options) { o.Now = h.clock.Now; o.Log = log })
	c := p.start(t, h.clock, log)
	h.directories = directory.New(h.store, testkit.NewHasher(), log)
	h.sync = dirsync.New(h.store, dirsync.Config{Open: c.open, Log: log})
	all := maps.Clone(c.settings)
	for _, s := range settings {
		name, value, _ := strings.Cut(s, "=")
		all[name] = value
	}
	_, err := h.directories.Create(t.Context(), models.System, directory.NewDirectory{Name: "cloud", Kind: c.kind, Settings: all})
	h.must(err)
	return h, c
}
