package fakecloud_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
)

// oktaKeys are made once: RSA keys take a while.
var (
	oktaRSA, oktaRSAErr = rsa.GenerateKey(rand.Reader, 2048)
	oktaEC, oktaECErr   = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
)

// signJWT makes a JWT.
func signJWT(t *testing.T, key crypto.Signer, header, claims map[string]any) string {
	t.Helper()
	var signed []string
	for _, part := range []map[string]any{header, claims} {
		data, err := json.Marshal(part)
		if err != nil {
			t.Fatal(err)
		}
		signed = append(signed, base64.RawURLEncoding.EncodeToString(data))
	}
	text := strings.Join(signed, ".")
	digest := sha256.Sum256([]byte(text))
	var signature []byte
	var err error
	if ec, ok := key.(*ecdsa.PrivateKey); ok {
		r, s, signErr := ecdsa.Sign(rand.Reader, ec, digest[:])
		signature, err = append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...), signErr
	} else {
		signature, err = key.Sign(rand.Reader, digest[:], crypto.SHA256)
	}
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func (v *oktaVisitor) post(address string, form url.Values) (status int, body map[string]any) {
	v.t.Helper()
	answer, err := http.PostForm(v.cloud.URL+address, form)
	if err != nil {
		v.t.Fatal(err)
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err != nil || json.Unmarshal(data, &body) != nil {
		v.t.Fatalf("POST %s: %d %s (%v)", address, answer.StatusCode, data, err)
	}
	return answer.StatusCode, body
}

func TestOktaGivesTokensOnlyForGoodAssertions(t *testing.T) {
	t.Parallel()
	if oktaRSAErr != nil || oktaECErr != nil {
		t.Fatal(oktaRSAErr, oktaECErr)
	}
	v := visitOkta(t, fakecloud.OktaConfig{
		Gen: fakecloud.Gen{Users: 1}, ClientID: "0oaapp", Scopes: []string{fakecloud.OktaUsersRead, fakecloud.OktaGroupsRead},
		Keys: map[string]crypto.PublicKey{"rsa": oktaRSA.Public(), "ec": oktaEC.Public()},
	})
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		key    crypto.Signer
		header map[string]any
		claims map[string]any
		form   map[string]string
		want   string // the error; empty: a token
	}{
		{name: "RSA", key: oktaRSA},
		{name: "EC", key: oktaEC, header: map[string]any{"alg": "ES256", "kid": "ec"}},
		{name: "another key", key: other, want: "invalid_client"},
		{name: "an unknown kid", key: oktaRSA, header: map[string]any{"kid": "x"}, want: "invalid_client"},
		{name: "no kid, of two keys", key: oktaRSA, header: map[string]any{"kid": ""}, want: "invalid_client"},
		{name: "another audience", key: oktaRSA, claims: map[string]any{"aud": v.cloud.URL}, want: "invalid_client"},
		{name: "expired", key: oktaRSA, claims: map[string]any{"exp": noon.Add(-time.Second).Unix()}, want: "invalid_client"},
		{name: "good for too long", key: oktaRSA, claims: map[string]any{"exp": noon.Add(2 * time.Hour).Unix()}, want: "invalid_client"},
		{name: "from the future", key: oktaRSA, claims: map[string]any{"iat": noon.Add(10 * time.Minute).Unix()}, want: "invalid_client"},
		{name: "another client", key: oktaRSA, claims: map[string]any{"iss": "0oaother", "sub": "0oaother"}, want: "invalid_client"},
		{name: "a scope that wasn't granted", key: oktaRSA, form: map[string]string{"scope": "okta.users.read okta.logs.read"}, want: "invalid_scope"},
		{name: "no scope", key: oktaRSA, form: map[string]string{"scope": ""}, want: "invalid_scope"},
		{name: "a password", key: oktaRSA, form: map[string]string{"grant_type": "password"}, want: "unsupported_grant_type"},
		{name: "no assertion", key: oktaRSA, form: map[string]string{"client_assertion": ""}, want: "invalid_client"},
	} {
		header := map[string]any{"alg": "RS256", "kid": "rsa"}
		maps.Copy(header, c.header)
		claims := map[string]any{"iss": "0oaapp", "sub": "0oaapp", "aud": v.cloud.URL + "/oauth2/v1/token", "iat": noon.Unix(), "exp": noon.Add(time.Minute).Unix()}
		maps.Copy(claims, c.claims)
		form := url.Values{
			"grant_type": {"client_credentials"}, "scope": {"okta.users.read"}, "client_assertion": {signJWT(t, c.key, header, claims)},
			"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
		}
		for name, value := range c.form {
			form.Set(name, value)
		}
		status, body := v.post("/oauth2/v1/token", form)
		if c.want != "" {
			if status < 400 || body["error"] != c.want && body["errorCode"] != c.want {
				t.Errorf("%s: want %s, got %d %v", c.name, c.want, status, body)
			}
			continue
		}
		token, _ := body["access_token"].(string)
		client := *v
		client.authorization = "Bearer " + token
		if users := client.all("/api/v1/users"); len(users) != 1 {
			t.Errorf("%s: the token shows %d users", c.name, len(users))
		}
		if r := client.get("/api/v1/groups"); r.status != 403 || !strings.Contains(r.header.Get("Www-Authenticate"), "insufficient_scope") {
			t.Errorf("%s: without the scope groups are answered %d", c.name, r.status)
		}
		v.cloud.Set(func(c *fakecloud.OktaConfig) { c.NeedsDPoP = true })
		if _, body := v.post("/oauth2/v1/token", form); body["error"] != "invalid_dpop_proof" {
			t.Errorf("%s: want invalid_dpop_proof, got %v", c.name, body)
		}
		v.cloud.Set(func(c *fakecloud.OktaConfig) { c.NeedsDPoP = false })
	}
}

func TestOktaCountsTokenRequests(t *testing.T) {
	t.Parallel()
	v := visitOktaUnchecked(t, fakecloud.OktaConfig{RateLimit: 1})
	v.post("/oauth2/v1/token", nil)
	if status, body := v.post("/oauth2/v1/token", nil); status != 429 || body["errorCode"] != "E0000047" {
		t.Errorf("the second in a minute is answered %d %v", status, body)
	}
}

func TestOktaTokensEnd(t *testing.T) {
	t.Parallel()
	v := visitOkta(t, fakecloud.OktaConfig{Open: true, Gen: fakecloud.Gen{Users: 1}, TokenLife: time.Minute})
	assertion := signJWT(t, oktaEC, map[string]any{"alg": "ES256"}, map[string]any{
		"iss": "any", "sub": "any", "aud": v.cloud.URL + "/oauth2/v1/token", "exp": noon.Add(time.Minute).Unix()})
	_, body := v.post("/oauth2/v1/token", url.Values{
		"grant_type": {"client_credentials"}, "scope": {"okta.users.read"}, "client_assertion": {assertion},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
	})
	token, _ := body["access_token"].(string)
	v.authorization = "Bearer " + token
	if r := v.get("/api/v1/users"); r.status != 200 {
		t.Fatalf("got %d %s", r.status, r.body)
	}
	v.clock.Advance(time.Minute)
	if r := v.get("/api/v1/users"); r.status != 401 || !strings.Contains(r.body, "E0000011") || !strings.Contains(r.header.Get("Www-Authenticate"), "invalid_token") {
		t.Errorf("an old token is answered %d %s %v", r.status, r.body, r.header)
	}
}
