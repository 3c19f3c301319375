package fakecloud

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// The service account that the fake knows.
const (
	googleProject   = "rollcall-demo"
	googleClientID  = "112233445566778899001"
	googleKeyID     = "0123456789abcdef0123456789abcdef01234567"
	jwtBearer       = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	longestJWT      = time.Hour
	googleKeyLength = 2048
)

// GoogleAccount is the service account's name.
const GoogleAccount = "rollcall@rollcall-demo.iam.gserviceaccount.com"

// googleKey is the service account's key: one for the whole process, since making one takes a
// while.
var googleKey = sync.OnceValue(NewGoogleKey)

// NewGoogleKey makes a key for a service account.
func NewGoogleKey() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, googleKeyLength)
	if err != nil {
		panic(err) // the system has no randomness
	}
	return key
}

// Credentials is the file that an administrator downloads for the service account. Its token
// endpoint is the fake's.
func (g *Google) Credentials() []byte {
	der, err := x509.MarshalPKCS8PrivateKey(g.key)
	if err != nil {
		panic(err) // an RSA key can be written
	}
	file, err := json.MarshalIndent(map[string]string{
		"type":            "service_account",
		"project_id":      googleProject,
		"private_key_id":  googleKeyID,
		"private_key":     string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		"client_email":    GoogleAccount,
		"client_id":       googleClientID,
		"auth_uri":        g.URL + "/auth",
		"token_uri":       g.URL + "/token",
		"universe_domain": "googleapis.com",
	}, "", "  ")
	if err != nil {
		panic(err) // plain strings
	}
	return append(file, '\n')
}

type googleClaims struct {
	Issuer   string `json:"iss"`
	Subject  string `json:"sub"`
	Scope    string `json:"scope"`
	Audience string `json:"aud"`
	Issued   int64  `json:"iat"`
	Expires  int64  `json:"exp"`
}

// token answers POST /token: an access token for an assertion that the service account signed.
func (g *Google) token(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxTokenRequest)
	if err := r.ParseForm(); err != nil {
		oauthRefusal{http.StatusBadRequest, "invalid_request", err.Error()}.send(w)
		return
	}
	if r.URL.RawQuery != "" {
		g.requests.violation("the token endpoint was asked with a query; what it is asked belongs into the body")
	}
	assertion := r.PostForm.Get("assertion")
	g.requests.secret(assertion)
	c := g.settings()
	claims, refused := g.checkJWT(r.PostForm.Get("grant_type"), assertion, g.base(r)+"/token")
	if refused == nil {
		refused = g.checkDelegation(c, claims)
	}
	if refused != nil {
		refused.send(w)
		return
	}
	token := "ya29." + rand.Text()
	g.requests.secret(token)
	g.mu.Lock()
	g.grants[token] = googleGrant{claims.Subject, strings.Fields(claims.Scope), g.now().Add(c.TokenLife)}
	g.mu.Unlock()
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = w.Write(appendAny(nil, map[string]any{ // a client that went away is its own business
		"access_token": token, "expires_in": int(c.TokenLife/time.Second) - 1, "token_type": "Bearer",
	}))
}

// checkJWT says whether the service account signed this, for us, just now.
func (g *Google) checkJWT(grant, assertion, audience string) (claims googleClaims, refused *oauthRefusal) {
	refuse := func(code, why string) (googleClaims, *oauthRefusal) {
		return googleClaims{}, &oauthRefusal{http.StatusBadRequest, code, why}
	}
	if grant != jwtBearer {
		return refuse("unsupported_grant_type", "Invalid grant_type: "+grant)
	}
	var header struct {
		Algorithm string `json:"alg"`
		KeyID     string `json:"kid"`
	}
	parts := strings.Split(assertion, ".")
	if len(parts) != 3 || !decodePart(parts[0], &header) || !decodePart(parts[1], &claims) {
		return refuse("invalid_grant", "Bad Request")
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	issued, expires, now := time.Unix(claims.Issued, 0), time.Unix(claims.Expires, 0), g.now()
	switch {
	case claims.Issuer != GoogleAccount:
		return refuse("invalid_grant", "Invalid grant: account not found")
	case header.KeyID != "" && header.KeyID != googleKeyID, err != nil, header.Algorithm != "RS256",
		rsa.VerifyPKCS1v15(&g.key.PublicKey, crypto.SHA256, digest[:], signature) != nil:
		return refuse("invalid_grant", "Invalid JWT Signature.")
	case issued.After(now.Add(skew)), expires.Before(now.Add(-skew)), expires.Sub(issued) > longestJWT, claims.Issued == 0, !expires.After(issued):
		return refuse("invalid_grant", "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.")
	case claims.Audience != audience:
		return refuse("invalid_grant", "Invalid JWT: Failed audience check. The right audience is "+audience)
	case claims.Scope == "":
		return refuse("invalid_scope", "Invalid OAuth scope or ID token audience provided.")
	}
	return claims, nil
}

// checkDelegation says whether the service account may act as the subject, for these scopes: all
// of them, or it gets nothing.
func (g *Google) checkDelegation(c GoogleConfig, claims googleClaims) *oauthRefusal {
	for _, scope := range strings.Fields(claims.Scope) {
		if !c.Open && claims.Subject != "" && !slices.Contains(c.Scopes, scope) {
			return &oauthRefusal{http.StatusUnauthorized, "unauthorized_client",
				"Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested."}
		}
	}
	_, refused := g.mayDo(c, claims.Subject)
	return refused
}
