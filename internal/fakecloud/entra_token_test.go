package fakecloud_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
)

var midday = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// credentials are a key and its certificate, made once for all tests.
var credentials = sync.OnceValues(func() (*rsa.PrivateKey, *x509.Certificate) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "rollcall"},
		NotBefore: midday.AddDate(0, -1, 0), NotAfter: midday.AddDate(0, 1, 0)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return key, certificate
})

// ask asks for a token.
func ask(t *testing.T, cloud *fakecloud.Entra, tenant string, form url.Values) response {
	t.Helper()
	answer, err := http.PostForm(cloud.AuthorityURL()+"/"+tenant+"/oauth2/v2.0/token", form)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response{answer.StatusCode, answer.Header, string(data)}
}

func TestTokenRefusals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		set    func(*fakecloud.EntraConfig)
		tenant string // empty: the right one
		change url.Values
		status int
		oauth  string
		code   string
	}{
		{"wrong secret", nil, "", url.Values{"client_secret": {"wrong"}}, 401, "invalid_client", "AADSTS7000215"},
		{"no secret", nil, "", url.Values{"client_secret": nil}, 401, "invalid_client", "AADSTS7000218"},
		{"secret that has ended", func(c *fakecloud.EntraConfig) { c.SecretEnds = midday.Add(-time.Second) }, "", nil, 401, "invalid_client", "AADSTS7000222"},
		{"wrong client", nil, "", url.Values{"client_id": {"nobody"}}, 400, "unauthorized_client", "AADSTS700016"},
		{"wrong tenant", nil, "elsewhere.example", nil, 400, "invalid_request", "AADSTS90002"},
		{"wrong grant", nil, "", url.Values{"grant_type": {"password"}}, 400, "unsupported_grant_type", "AADSTS70003"},
		{"no grant", nil, "", url.Values{"grant_type": nil}, 400, "invalid_request", "AADSTS900144"},
		{"wrong scope", nil, "", url.Values{"scope": {"User.Read.All"}}, 400, "invalid_scope", "AADSTS1002012"},
		{"two scopes", nil, "", url.Values{"scope": {"a/.default b/.default"}}, 400, "invalid_scope", "AADSTS1002012"},
		{"disabled application", func(c *fakecloud.EntraConfig) { c.RefuseTokens = 7000112 }, "", nil, 400, "unauthorized_client", "AADSTS7000112"},
		{"conditional access", func(c *fakecloud.EntraConfig) { c.RefuseTokens = 53003 }, "", nil, 400, "access_denied", "AADSTS53003"},
		{"a bad moment", func(c *fakecloud.EntraConfig) { c.RefuseTokens = 90033 }, "", nil, 503, "temporarily_unavailable", "AADSTS90033"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cloud := startEntra(t, fakecloud.EntraConfig{Now: func() time.Time { return midday }})
			if c.set != nil {
				cloud.Set(c.set)
			}
			form := secretForm(cloud)
			maps.Copy(form, c.change)
			tenant := cloud.Tenant
			if c.tenant != "" {
				tenant = c.tenant
			}
			r := ask(t, cloud, tenant, form)
			var body struct {
				Error         string `json:"error"`
				Description   string `json:"error_description"`
				CorrelationID string `json:"correlation_id"`
				Codes         []int  `json:"error_codes"`
			}
			if err := json.Unmarshal([]byte(r.body), &body); err != nil {
				t.Fatal(err, r.body)
			}
			if r.status != c.status || body.Error != c.oauth || !strings.HasPrefix(body.Description, c.code+": ") || body.CorrelationID == "" || len(body.Codes) != 1 {
				t.Errorf("want %d %s %s, got %d %s", c.status, c.oauth, c.code, r.status, r.body)
			}
		})
	}
}

func TestTokensTellWhatTheyPermit(t *testing.T) {
	t.Parallel()
	cloud := startEntra(t, fakecloud.EntraConfig{Permissions: []string{fakecloud.UserReadAll}})
	v := visit(t, cloud)
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(v.token, ".")[1])
	if err != nil || !strings.Contains(string(payload), `"roles":["User.Read.All"]`) {
		t.Errorf("the token says %s (%v)", payload, err)
	}
	cloud.Set(func(c *fakecloud.EntraConfig) { c.OpaqueTokens = true })
	v.renew()
	if strings.Contains(v.token, ".") {
		t.Errorf("want a token that tells nothing, got %s", v.token)
	}
	if r := v.get("/users?$select=id"); r.status != http.StatusOK {
		t.Errorf("want 200 with an opaque token, got %d", r.status)
	}
	if r := v.get("/groups?$select=id"); r.status != http.StatusForbidden {
		t.Errorf("want 403 for groups, got %d", r.status)
	}
}

func TestOpenCloudTakesAnyTenantAndClient(t *testing.T) {
	t.Parallel()
	cloud := startEntra(t, fakecloud.EntraConfig{Open: true, Gen: fakecloud.Gen{Users: 3}, PageLimit: 2})
	form := secretForm(cloud)
	form.Set("client_id", "whoever")
	if r := ask(t, cloud, "wherever", form); r.status != http.StatusOK {
		t.Errorf("want a token, got %d %s", r.status, r.body)
	}
	form.Set("client_secret", "wrong")
	if r := ask(t, cloud, "wherever", form); r.status != http.StatusUnauthorized {
		t.Errorf("want 401 with another secret, got %d %s", r.status, r.body)
	}
	v := visit(t, cloud)
	other := strings.Replace(cloud.GraphURL(), "127.0.0.1", "localhost", 1)
	if next := v.page(other + "/users?$select=id").Next; !strings.HasPrefix(next, other) {
		t.Errorf("want links to the name that the client uses, got %s", next)
	}
}

// An assertion is what a client signs; its fields are what a test spoils.
type assertion struct {
	header, claims map[string]any
	key            *rsa.PrivateKey
}

func newAssertion(cloud *fakecloud.Entra, algorithm string) *assertion {
	key, certificate := credentials()
	a := &assertion{header: map[string]any{"alg": algorithm, "typ": "JWT"}, key: key, claims: map[string]any{
		"aud": cloud.AuthorityURL() + "/" + cloud.Tenant + "/oauth2/v2.0/token", "iss": cloud.ClientID, "sub": cloud.ClientID,
		"jti": rand.Text(), "nbf": midday.Add(-time.Minute).Unix(), "exp": midday.Add(5 * time.Minute).Unix(),
	}}
	sha2, old := sha256.Sum256(certificate.Raw), sha1.Sum(certificate.Raw)
	if algorithm == "PS256" {
		a.header["x5t#S256"] = base64.RawURLEncoding.EncodeToString(sha2[:])
	} else {
		a.header["x5t"] = base64.RawURLEncoding.EncodeToString(old[:])
	}
	return a
}

func (a *assertion) sign(t *testing.T) string {
	t.Helper()
	header, err := json.Marshal(a.header)
	claims, err2 := json.Marshal(a.claims)
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	signed := base64.RawURLEncoding.EncodeToString(header) + "." + base64.RawURLEncoding.EncodeToString(claims)
	digest := sha256.Sum256([]byte(signed))
	var signature []byte
	if a.header["alg"] == "PS256" {
		signature, err = rsa.SignPSS(rand.Reader, a.key, crypto.SHA256, digest[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
	} else {
		signature, err = rsa.SignPKCS1v15(rand.Reader, a.key, crypto.SHA256, digest[:])
	}
	if err != nil {
		t.Fatal(err)
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func TestAssertions(t *testing.T) {
	t.Parallel()
	_, certificate := credentials()
	for _, c := range []struct {
		name  string
		spoil func(t *testing.T, a *assertion)
		code  string // empty: it is taken
	}{
		{"right", nil, ""},
		{"for another address", func(_ *testing.T, a *assertion) { a.claims["aud"] = "https://login.microsoftonline.com" }, "AADSTS700023"},
		{"of another client", func(_ *testing.T, a *assertion) { a.claims["iss"] = "somebody" }, "AADSTS700021"},
		{"by a clock that is late", func(_ *testing.T, a *assertion) {
			a.claims["nbf"], a.claims["exp"] = midday.Add(-20*time.Minute).Unix(), midday.Add(-10*time.Minute).Unix()
		}, "AADSTS700024"},
		{"by a clock that is early", func(_ *testing.T, a *assertion) {
			a.claims["nbf"], a.claims["exp"] = midday.Add(10*time.Minute).Unix(), midday.Add(20*time.Minute).Unix()
		}, "AADSTS700024"},
		{"without an end", func(_ *testing.T, a *assertion) { delete(a.claims, "exp") }, "AADSTS700024"},
		{"without jti", func(_ *testing.T, a *assertion) { delete(a.claims, "jti") }, "AADSTS50027"},
		{"with another certificate", func(_ *testing.T, a *assertion) { a.header["x5t#S256"], a.header["x5t"] = "AAAA", "AAAA" }, "AADSTS700027"},
		{"with another key", func(t *testing.T, a *assertion) {
			var err error
			if a.key, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
				t.Fatal(err)
			}
		}, "AADSTS700027"},
		{"unsigned", func(_ *testing.T, a *assertion) { a.header["alg"] = "none" }, "AADSTS700027"},
	} {
		for _, algorithm := range []string{"PS256", "RS256"} {
			t.Run(c.name+" "+algorithm, func(t *testing.T) {
				t.Parallel()
				cloud := startEntra(t, fakecloud.EntraConfig{Now: func() time.Time { return midday }, Certificates: []*x509.Certificate{certificate}})
				a := newAssertion(cloud, algorithm)
				if c.spoil != nil {
					c.spoil(t, a)
				}
				r := ask(t, cloud, cloud.Tenant, assertionForm(cloud, a.sign(t)))
				if c.code == "" && r.status != http.StatusOK || c.code != "" && (r.status != http.StatusUnauthorized || !strings.Contains(r.body, c.code)) {
					t.Errorf("want %q, got %d %s", c.code, r.status, r.body)
				}
			})
		}
	}
}

func assertionForm(cloud *fakecloud.Entra, assertion string) url.Values {
	form := secretForm(cloud)
	form.Del("client_secret")
	form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
	form.Set("client_assertion", assertion)
	return form
}

func TestAssertionIsTakenOnce(t *testing.T) {
	t.Parallel()
	_, certificate := credentials()
	cloud := startUnchecked(t, fakecloud.EntraConfig{Now: func() time.Time { return midday }, Certificates: []*x509.Certificate{certificate}})
	form := assertionForm(cloud, newAssertion(cloud, "PS256").sign(t))
	if r := ask(t, cloud, cloud.Tenant, form); r.status != http.StatusOK {
		t.Fatalf("want a token, got %d %s", r.status, r.body)
	}
	if r := ask(t, cloud, cloud.Tenant, form); r.status != http.StatusUnauthorized {
		t.Errorf("want 401 the second time, got %d %s", r.status, r.body)
	}
	if v := cloud.Violations(); len(v) != 1 || !strings.Contains(v[0], "twice") {
		t.Errorf("want one violation, got %v", v)
	}
}

func TestFederatedToken(t *testing.T) {
	t.Parallel()
	cloud := startEntra(t, fakecloud.EntraConfig{FederatedToken: "kubernetes.service.account"})
	if r := ask(t, cloud, cloud.Tenant, assertionForm(cloud, "kubernetes.service.account")); r.status != http.StatusOK {
		t.Errorf("want a token, got %d %s", r.status, r.body)
	}
	cloud.Set(func(c *fakecloud.EntraConfig) { c.FederatedToken = "the.next.one" })
	if r := ask(t, cloud, cloud.Tenant, assertionForm(cloud, "kubernetes.service.account")); r.status != http.StatusUnauthorized {
		t.Errorf("want 401 with the old one, got %d %s", r.status, r.body)
	}
}

func TestSecretInAnAddressIsFound(t *testing.T) {
	t.Parallel()
	cloud := startUnchecked(t, fakecloud.EntraConfig{})
	answer, err := http.PostForm(cloud.AuthorityURL()+"/"+cloud.Tenant+"/oauth2/v2.0/token?client_secret="+cloud.Secret, secretForm(cloud))
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	found := strings.Join(cloud.Violations(), "\n")
	if !strings.Contains(found, "[secret]") || strings.Contains(found, cloud.Secret) {
		t.Errorf("want a violation that doesn't tell the secret, got %s", found)
	}
}
