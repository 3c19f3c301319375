package okta_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
	"github.com/rollcall-id/rollcall/models"
	dirsync "github.com/rollcall-id/rollcall/sync"
	"github.com/rollcall-id/rollcall/sync/okta"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// A world is a fake org and its clock.
type world struct {
	*fakecloud.Okta
	t     *testing.T
	clock *fakecloud.Clock
	mu    sync.Mutex
	slept time.Duration
}

// start starts an org; the test fails when the source does there what it may not.
func start(t *testing.T, c fakecloud.OktaConfig) *world {
	t.Helper()
	clock := fakecloud.NewClock(noon)
	c.Now = clock.Now
	cloud := fakecloud.NewOkta(c)
	if err := cloud.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cloud.Close()
		for _, v := range cloud.Violations() {
			t.Error("the cloud saw what it may not see:", v)
		}
	})
	return &world{Okta: cloud, t: t, clock: clock}
}

// source makes a source by API token, unless change says otherwise.
func (w *world) source(change ...func(*okta.Options)) *okta.Source {
	w.t.Helper()
	o := okta.Options{OrgURL: w.URL, Token: models.Secret(w.Token), Now: w.clock.Now, Sleep: w.sleep}
	for _, do := range change {
		do(&o)
	}
	s, err := okta.New(o)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(s.Close)
	return s
}

func (w *world) sleep(ctx context.Context, d time.Duration) error {
	w.mu.Lock()
	w.slept += d
	w.mu.Unlock()
	w.clock.Advance(d)
	return ctx.Err()
}

// asApp makes a source a service app's.
func asApp(key string) func(*okta.Options) {
	return func(o *okta.Options) { o.Token, o.ClientID, o.Key = "", "0oaapp", models.Secret(key) }
}

func users(t *testing.T, s dirsync.Source) []dirsync.User {
	t.Helper()
	var all []dirsync.User
	err := s.Users(t.Context(), "", func(page []dirsync.User, _ dirsync.Checkpoint) error {
		all = append(all, page...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func groups(t *testing.T, s dirsync.Source) []dirsync.Group {
	t.Helper()
	var all []dirsync.Group
	err := s.Groups(t.Context(), "", func(page []dirsync.Group, _ dirsync.Checkpoint) error {
		all = append(all, page...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func members(t *testing.T, s dirsync.Source, groups ...string) map[string][]dirsync.Member {
	t.Helper()
	all := map[string][]dirsync.Member{}
	err := s.Members(t.Context(), groups, func(m dirsync.Members) error {
		if m.Gone || m.Unreadable != nil {
			t.Errorf("group %s: gone %v, unreadable %v", m.Group, m.Gone, m.Unreadable)
		}
		all[m.Group] = append(all[m.Group], m.Members...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// changes gives what changed, all pages together.
func changes(t *testing.T, s dirsync.Source, since dirsync.Cursor) (all dirsync.Changes, next dirsync.Cursor) {
	t.Helper()
	next, err := s.Changes(t.Context(), since, func(c dirsync.Changes) error {
		all.Users = append(all.Users, c.Users...)
		all.GoneUsers = append(all.GoneUsers, c.GoneUsers...)
		all.Groups = append(all.Groups, c.Groups...)
		all.GoneGroups = append(all.GoneGroups, c.GoneGroups...)
		all.Members = append(all.Members, c.Members...)
		if len(c.Added)+len(c.Removed) > 0 {
			t.Errorf("told single memberships: %+v", c)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all, next
}

func begin(t *testing.T, s dirsync.Source) dirsync.Cursor {
	t.Helper()
	c, err := s.Begin(t.Context())
	if err != nil || c == "" {
		t.Fatalf("want a cursor, got %q, %v", c, err)
	}
	return c
}

func userIDs(list []dirsync.User) []string {
	var ids []string
	for _, u := range list {
		ids = append(ids, u.ID)
	}
	return slices.Sorted(slices.Values(ids))
}

// Keys are made once: RSA keys take a while.
var (
	rsaKey = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })
	ecKey  = sync.OnceValue(func() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) })
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func pemOf(key crypto.Signer) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: must(x509.MarshalPKCS8PrivateKey(key))}))
}

func octets(n *big.Int) string { return base64.RawURLEncoding.EncodeToString(n.Bytes()) }

// webKeys are the keys as Okta shows them, named "rsa" and "ec".
func rsaWebKey() string {
	k := rsaKey()
	return string(must(json.Marshal(map[string]string{
		"kty": "RSA", "kid": "rsa", "n": octets(k.N), "e": octets(big.NewInt(int64(k.E))), "d": octets(k.D), "p": octets(k.Primes[0]), "q": octets(k.Primes[1]),
	})))
}

func ecWebKey() string {
	return string(must(json.Marshal(map[string]string{
		"kty": "EC", "crv": "P-256", "kid": "ec", "d": base64.RawURLEncoding.EncodeToString(must(ecKey().Bytes())),
	})))
}

// app is an org with a service app that has both keys.
func app(c fakecloud.OktaConfig) fakecloud.OktaConfig {
	c.ClientID = "0oaapp"
	c.Keys = map[string]crypto.PublicKey{"rsa": rsaKey().Public(), "ec": ecKey().Public()}
	return c
}
