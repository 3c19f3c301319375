package fakecloud

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// An oktaTokenError is a refusal by the token endpoint.
type oktaTokenError struct {
	status int
	code   string
	said   string
}

// token answers POST /oauth2/v1/token: client credentials with an assertion, which is the only
// way of a service app to Okta's own API.
func (o *Okta) token(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxTokenRequest)
	if err := r.ParseForm(); err != nil {
		o.refuseToken(w, &oktaTokenError{http.StatusBadRequest, "invalid_request", err.Error()})
		return
	}
	if r.URL.RawQuery != "" {
		o.requests.violation("the token endpoint was asked with a query; what it is asked belongs into the body")
	}
	c := o.settings()
	if refused := o.checkTokenRequest(c, r.PostForm, o.base(r)+"/oauth2/v1/token", r.Header.Get("DPoP") != ""); refused != nil {
		if refused.code == "use_dpop_nonce" {
			w.Header().Set("dpop-nonce", rand.Text())
		}
		o.refuseToken(w, refused)
		return
	}
	scopes := strings.Fields(r.PostForm.Get("scope"))
	token := rand.Text()
	o.mu.Lock()
	o.grants[token] = oktaGrant{scopes, o.now().Add(c.TokenLife)}
	o.mu.Unlock()
	o.requests.secret(token)
	o.write(w, http.StatusOK, appendAny(nil, map[string]any{
		"token_type": "Bearer", "expires_in": int(c.TokenLife / time.Second), "access_token": token, "scope": strings.Join(scopes, " "),
	}))
}

func (o *Okta) checkTokenRequest(c OktaConfig, form url.Values, endpoint string, proof bool) *oktaTokenError {
	bad := func(code, said string) *oktaTokenError { return &oktaTokenError{http.StatusBadRequest, code, said} }
	switch {
	case form.Get("grant_type") != "client_credentials":
		return bad("unsupported_grant_type", "The authorization grant type is not supported by the authorization server.")
	case form.Get("client_assertion_type") != assertionType || form.Get("client_assertion") == "":
		return &oktaTokenError{http.StatusUnauthorized, "invalid_client", "Client Credentials requests to the Org Authorization Server must use the private_key_jwt token_endpoint_auth_method."}
	}
	o.requests.secret(form.Get("client_assertion"))
	if said := o.checkOktaAssertion(c, form.Get("client_assertion"), endpoint); said != "" {
		return &oktaTokenError{http.StatusUnauthorized, "invalid_client", said}
	}
	scopes := strings.Fields(form.Get("scope"))
	if len(scopes) == 0 {
		return bad("invalid_scope", "The authorization server resource does not have any configured default scopes, 'scope' must be provided.")
	}
	for _, scope := range scopes {
		if !slices.Contains(c.Scopes, scope) {
			return bad("invalid_scope", "One or more scopes are not configured for the authorization server resource.")
		}
	}
	switch {
	case c.NeedsDPoP && !proof:
		return bad("invalid_dpop_proof", "The DPoP proof JWT header is missing.")
	case c.NeedsDPoP:
		return bad("use_dpop_nonce", "Authorization server requires nonce in DPoP proof.")
	}
	return nil
}

// checkOktaAssertion says what is wrong with a client assertion; empty: nothing.
func (o *Okta) checkOktaAssertion(c OktaConfig, assertion, endpoint string) string {
	var header struct {
		Algorithm string `json:"alg"`
		Key       string `json:"kid"`
	}
	var claims assertionClaims
	var issued struct {
		At int64 `json:"iat"`
	}
	parts := strings.Split(assertion, ".")
	if len(parts) != 3 || !decodePart(parts[0], &header) || !decodePart(parts[1], &claims) || !decodePart(parts[1], &issued) {
		return "The client_assertion token is malformed."
	}
	expires, now := time.Unix(claims.Expires, 0), o.clock()
	key, known := c.Keys[header.Key]
	if header.Key == "" && len(c.Keys) == 1 {
		for _, key = range c.Keys { // the only one needs no name
			known = true
		}
	}
	switch {
	case claims.Issuer != claims.Subject:
		return "The client_assertion's iss and sub claims must be the client_id of the application."
	case claims.Subject != c.ClientID && !c.Open:
		return unknownClient
	case c.Open && !known: // the demo takes any key: it knows none
	case !known:
		return "The client_assertion JWT kid is invalid."
	case !signedWith(key, header.Algorithm, parts):
		return "The client_assertion signature is invalid."
	}
	switch {
	case claims.Audience != endpoint:
		return "The audience claim for client_assertion must be the endpoint invoked for the request."
	case !expires.After(now):
		return "The client_assertion token is expired."
	case expires.After(now.Add(time.Hour)):
		return "The client_assertion token has an expiration too far into the future."
	case time.Unix(issued.At, 0).After(now.Add(skew)):
		return "The client_assertion token was issued in the future."
	}
	return ""
}

// signedWith says whether a JWT was signed with the private half of a key.
func signedWith(public crypto.PublicKey, algorithm string, parts []string) bool {
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return false
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	switch key := public.(type) {
	case *rsa.PublicKey:
		return algorithm == "RS256" && rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signature) == nil
	case *ecdsa.PublicKey:
		if algorithm != "ES256" || len(signature) != 64 {
			return false
		}
		r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
		return ecdsa.Verify(key, digest[:], r, s)
	}
	return false
}

// unknownClient is what Okta says of an app that it doesn't have: not in the form of the token
// endpoint's errors, but in that of all others.
const unknownClient = "Invalid value for 'client_id' parameter."

func (o *Okta) refuseToken(w http.ResponseWriter, e *oktaTokenError) {
	if e.said == unknownClient {
		o.refuse(w, e.status, e.code, e.said)
		return
	}
	o.write(w, e.status, appendAny(nil, map[string]string{"error": e.code, "error_description": e.said}))
}
