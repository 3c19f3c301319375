package entra_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
	"github.com/rollcall-id/rollcall/models"
	dirsync "github.com/rollcall-id/rollcall/sync"
	"github.com/rollcall-id/rollcall/sync/entra"
)

var small = fakecloud.Gen{Users: 5, Groups: 3, AvgMembers: 2}

func TestCheckSaysWhichPermissionIsMissing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		granted []string
		missing string // the beginnings, joined
	}{
		{"the least set", []string{fakecloud.UserReadAll, fakecloud.GroupMemberReadAll}, ""},
		{"one that holds both", []string{fakecloud.DirectoryReadAll}, ""},
		{"a larger one for groups", []string{fakecloud.UserReadAll, fakecloud.GroupReadAll}, ""},
		{"users only", []string{fakecloud.UserReadAll}, "GroupMember.Read.All"},
		{"groups only", []string{fakecloud.GroupMemberReadAll}, "User.Read.All"},
		{"nothing", []string{}, "User.Read.All GroupMember.Read.All"},
	} {
		for _, opaque := range []bool{false, true} {
			cloud := startEntra(t, fakecloud.EntraConfig{Gen: small, Permissions: c.granted, OpaqueTokens: opaque})
			report, err := newSource(t, optionsFor(cloud)).Check(t.Context())
			if err != nil {
				t.Fatalf("%s, opaque %v: %v", c.name, opaque, err)
			}
			var missing []string
			for _, m := range report.Missing {
				name, hint, _ := strings.Cut(m, " ")
				missing = append(missing, name)
				if !strings.Contains(hint, "admin consent") {
					t.Errorf("want the way out, got %q", m)
				}
			}
			if got := strings.Join(missing, " "); got != c.missing {
				t.Errorf("%s, opaque %v: want %q missing, got %q", c.name, opaque, c.missing, got)
			}
		}
	}
}

func TestCheckKnowsWhenTheSecretEnds(t *testing.T) {
	t.Parallel()
	ends := time.Now().AddDate(0, 2, 0).UTC().Truncate(time.Second)
	for _, c := range []struct {
		name    string
		granted []string
		want    time.Time
	}{
		{"Graph tells", []string{fakecloud.DirectoryReadAll, fakecloud.ApplicationReadAll}, ends},
		{"Graph doesn't tell", nil, time.Time{}},
	} {
		cloud := startEntra(t, fakecloud.EntraConfig{Gen: small, SecretEnds: ends, Permissions: c.granted})
		report, err := newSource(t, optionsFor(cloud)).Check(t.Context())
		if err != nil || !report.SecretEnds.Equal(c.want) {
			t.Errorf("%s: want %v, got %v, %v", c.name, c.want, report.SecretEnds, err)
		}
	}
}

func TestACertificateProvesWhoWeAre(t *testing.T) {
	t.Parallel()
	leaf, both := selfSigned(t)
	for _, ahead := range []time.Duration{0, 4 * time.Minute, -4 * time.Minute} {
		clock := fakecloud.NewClock(time.Now())
		cloud := startEntra(t, fakecloud.EntraConfig{Gen: small, Now: clock.Now, Certificates: []*x509.Certificate{leaf}})
		o := optionsFor(cloud)
		o.Secret, o.Certificate = "", models.Secret(both)
		o.Now = func() time.Time { return clock.Now().Add(ahead) }
		s := newSource(t, o)
		report, err := s.Check(t.Context())
		if err != nil {
			t.Fatalf("with a clock %v ahead: %v", ahead, err)
		}
		if !report.SecretEnds.Equal(leaf.NotAfter) {
			t.Errorf("want the certificate's end %v, got %v", leaf.NotAfter, report.SecretEnds)
		}
	}
}

func TestAClockThatIsOffIsNamed(t *testing.T) {
	t.Parallel()
	leaf, both := selfSigned(t)
	cloud := startEntra(t, fakecloud.EntraConfig{Gen: small, Certificates: []*x509.Certificate{leaf}})
	o := optionsFor(cloud)
	o.Secret, o.Certificate = "", models.Secret(both)
	o.Now = func() time.Time { return time.Now().Add(-3 * time.Hour) }
	_, err := newSource(t, o).Check(t.Context())
	if err == nil || !strings.Contains(err.Error(), "AADSTS700024") || !strings.Contains(err.Error(), "behind Entra's: set it right") {
		t.Errorf("want the code and the difference of clocks, got %v", err)
	}
}

func TestAnUnknownCertificateIsNamed(t *testing.T) {
	t.Parallel()
	_, both := selfSigned(t)
	cloud := startEntra(t, fakecloud.EntraConfig{Gen: small})
	o := optionsFor(cloud)
	o.Secret, o.Certificate = "", models.Secret(both)
	_, err := newSource(t, o).Check(t.Context())
	if err == nil || !strings.Contains(err.Error(), "AADSTS700027") || !strings.Contains(err.Error(), "upload it") {
		t.Errorf("want the code and the way out, got %v", err)
	}
}

func TestACertificateThatHasEndedIsNamed(t *testing.T) {
	t.Parallel()
	leaf, both := selfSigned(t)
	now := func() time.Time { return leaf.NotAfter.Add(time.Hour) }
	cloud := startEntra(t, fakecloud.EntraConfig{Gen: small, Now: now, Certificates: []*x509.Certificate{leaf}})
	o := optionsFor(cloud)
	o.Secret, o.Certificate, o.Now = "", models.Secret(both), now
	_, err := newSource(t, o).Check(t.Context())
	if err == nil || !strings.Contains(err.Error(), "the certificate has ended") {
		t.Errorf("want an error that says so, got %v", err)
	}
}

func TestATokenFileIsReadForEachToken(t *testing.T) {
	t.Parallel()
	cloud := startEntra(t, fakecloud.EntraConfig{Gen: small, FederatedToken: "first"})
	file := filepath.Join(t.TempDir(), "token")
	o := optionsFor(cloud)
	o.Secret, o.TokenFile = "", file
	s := newSource(t, o)
	if _, err := s.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "token-file") {
		t.Errorf("want an error that names the setting, got %v", err)
	}
	for _, token := range []string{"first", "second"} {
		cloud.Set(func(c *fakecloud.EntraConfig) { c.FederatedToken = token })
		cloud.RevokeTokens()
		if err := os.WriteFile(file, []byte(token+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if report, err := s.Check(t.Context()); err != nil || len(report.Missing) > 0 {
			t.Fatalf("with token %s: %+v, %v", token, report, err)
		}
	}
}

func TestEntrasRefusalsAreExplained(t *testing.T) {
	t.Parallel()
	for code, hint := range map[int]string{
		7000215: "not its id", 7000222: "make a new one", 700016: "client-id", 90002: "check tenant",
		7000112: "Enterprise applications", 53003: "conditional access",
	} {
		cloud := startEntra(t, fakecloud.EntraConfig{Gen: small, RefuseTokens: code})
		_, err := newSource(t, optionsFor(cloud)).Check(t.Context())
		if err == nil || !strings.Contains(err.Error(), hint) || !strings.Contains(err.Error(), "request id") {
			t.Errorf("%d: want %q and a request id, got %v", code, hint, err)
		}
		if n := cloud.Requests(""); n != 1 {
			t.Errorf("%d: asked %d times", code, n)
		}
	}
}

func TestAPassingRefusalIsWaitedFor(t *testing.T) {
	t.Parallel()
	cloud := startEntra(t, fakecloud.EntraConfig{Gen: small, RefuseTokens: 90033})
	o := optionsFor(cloud)
	o.Sleep = func(context.Context, time.Duration) error {
		cloud.Set(func(c *fakecloud.EntraConfig) { c.RefuseTokens = 0 })
		return nil
	}
	if _, err := newSource(t, o).Check(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestSettingsThatCantWork(t *testing.T) {
	t.Parallel()
	good := entra.Options{Tenant: "t", ClientID: "c", Secret: "s"}
	for _, c := range []struct {
		name   string
		change func(*entra.Options)
		want   string
	}{
		{"nothing is wrong", func(*entra.Options) {}, ""},
		{"a national cloud", func(o *entra.Options) {
			o.GraphURL, o.AuthorityURL = "https://microsoftgraph.chinacloudapi.cn/v1.0", "https://login.partner.microsoftonline.cn"
		}, ""},
		{"no tenant", func(o *entra.Options) { o.Tenant = "" }, "set tenant and client-id"},
		{"every tenant", func(o *entra.Options) { o.Tenant = "common" }, "one tenant"},
		{"no proof", func(o *entra.Options) { o.Secret = "" }, "exactly one of"},
		{"two proofs", func(o *entra.Options) { o.TokenFile = "f" }, "exactly one of"},
		{"plain http", func(o *entra.Options) { o.GraphURL = "http://graph.example/v1.0" }, "graph-url: http://graph.example: use https"},
		{"a password in an address", func(o *entra.Options) { o.AuthorityURL = "https://a:hidden@b" }, "authority-url"},
		{"an attribute that is none", func(o *entra.Options) { o.Attributes = []string{"a&b"} }, `attribute "a&b"`},
		{"a certificate that is none", func(o *entra.Options) { o.Secret, o.Certificate = "", "hidden" }, "certificate: there is no private key"},
		{"a proxy that is none", func(o *entra.Options) { o.Proxy = "user:hidden" }, "proxy:"},
		{"a CA that is none", func(o *entra.Options) { o.CA = []byte("hidden") }, "own CA:"},
	} {
		o := good
		c.change(&o)
		_, err := entra.New(o)
		text := ""
		if err != nil {
			text = err.Error()
		}
		if (c.want == "") != (err == nil) || !strings.Contains(text, c.want) || strings.Contains(text, "hidden") {
			t.Errorf("%s: want %q, got %q", c.name, c.want, text)
		}
	}
}

// Graph doesn't refuse a client that may not read users: it answers with nulls, and a directory
// of users without names would be the end of everybody's access.
func TestUsersWithoutNamesAreAnError(t *testing.T) {
	t.Parallel()
	cloud := startEntra(t, fakecloud.EntraConfig{Gen: small, Permissions: []string{fakecloud.GroupMemberReadAll}})
	err := newSource(t, optionsFor(cloud)).Users(t.Context(), "", func([]dirsync.User, dirsync.Checkpoint) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "User.Read.All") {
		t.Errorf("want an error that names the permission, got %v", err)
	}
}

func selfSigned(t *testing.T) (*x509.Certificate, []byte) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "rollcall"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(1, 0, 0).UTC().Truncate(time.Second),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return leaf, append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
}
