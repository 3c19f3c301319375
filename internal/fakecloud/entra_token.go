package fakecloud

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// maxTokenRequest bounds the form of a token request.
const maxTokenRequest = 64 << 10

// A tokenError is a refusal by the token endpoint.
type tokenError struct {
	status  int
	oauth   string // the error in OAuth's words
	code    int    // the number after AADSTS
	message string
}

func tokenErrorf(status int, oauth string, code int, format string, args ...any) *tokenError {
	return &tokenError{status, oauth, code, fmt.Sprintf(format, args...)}
}

// token answers POST /{tenant}/oauth2/v2.0/token: the client credentials flow.
func (e *Entra) token(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxTokenRequest)
	if err := r.ParseForm(); err != nil {
		e.refuseToken(w, http.StatusBadRequest, "invalid_request", 900144, err.Error())
		return
	}
	if r.URL.RawQuery != "" {
		e.requests.violation("the token endpoint was asked with a query; what it is asked belongs into the body")
	}
	c := e.settings()
	if refused := e.checkTokenRequest(c, r.PathValue("tenant"), r.PostForm, e.base(r)); refused != nil {
		e.refuseToken(w, refused.status, refused.oauth, refused.code, refused.message)
		return
	}
	token := e.issue(c, r.PathValue("tenant"), r.PostForm.Get("client_id"), e.base(r))
	seconds := int(c.TokenLife / time.Second)
	writeJSON(w, http.StatusOK, map[string]any{
		"token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": token,
	})
}

func (e *Entra) checkTokenRequest(c EntraConfig, tenant string, form url.Values, base string) *tokenError {
	client := form.Get("client_id")
	if refused, ok := refusals[c.RefuseTokens]; ok {
		return tokenErrorf(refused.status, refused.oauth, c.RefuseTokens, "%s", refused.message)
	}
	for _, name := range []string{"grant_type", "client_id", "scope"} {
		if form.Get(name) == "" {
			return tokenErrorf(http.StatusBadRequest, "invalid_request", 900144, "The request body must contain the following parameter: '%s'.", name)
		}
	}
	switch {
	case form.Get("grant_type") != "client_credentials":
		return tokenErrorf(http.StatusBadRequest, "unsupported_grant_type", 70003, "The app requested an unsupported grant type '%s'.", form.Get("grant_type"))
	case !c.Open && !strings.EqualFold(tenant, c.Tenant):
		return tokenErrorf(http.StatusBadRequest, "invalid_request", 90002, "Tenant '%s' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.", tenant)
	case !c.Open && !strings.EqualFold(client, c.ClientID):
		return tokenErrorf(http.StatusBadRequest, "unauthorized_client", 700016, "Application with identifier '%s' was not found in the directory '%s'.", client, tenant)
	case !strings.HasSuffix(form.Get("scope"), "/.default") || strings.Contains(form.Get("scope"), " "):
		return tokenErrorf(http.StatusBadRequest, "invalid_scope", 1002012, "The provided value for scope %s is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).", form.Get("scope"))
	}
	switch {
	case form.Has("client_assertion"):
		e.requests.secret(form.Get("client_assertion"))
		if form.Get("client_assertion_type") != assertionType {
			return tokenErrorf(http.StatusBadRequest, "invalid_request", 900144, "The request body must contain the following parameter: 'client_assertion_type'.")
		}
		return e.checkAssertion(c, client, base+"/"+tenant+"/oauth2/v2.0/token", form.Get("client_assertion"))
	case !form.Has("client_secret"):
		return tokenErrorf(http.StatusUnauthorized, "invalid_client", 7000218, "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.")
	case subtle.ConstantTimeCompare([]byte(form.Get("client_secret")), []byte(c.Secret)) != 1:
		return tokenErrorf(http.StatusUnauthorized, "invalid_client", 7000215, "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '%s'.", client)
	case e.now().After(c.SecretEnds):
		return tokenErrorf(http.StatusUnauthorized, "invalid_client", 7000222, "The provided client secret keys for app '%s' are expired.", client)
	}
	return nil
}

// refusals are those that a test asks for by number, as states of the tenant that the fake
// doesn't have.
var refusals = map[int]tokenError{
	7000215: {status: http.StatusUnauthorized, oauth: "invalid_client", message: "Invalid client secret provided."},
	7000222: {status: http.StatusUnauthorized, oauth: "invalid_client", message: "The provided client secret keys are expired."},
	700016:  {status: http.StatusBadRequest, oauth: "unauthorized_client", message: "Application was not found in the directory."},
	90002:   {status: http.StatusBadRequest, oauth: "invalid_request", message: "Tenant not found."},
	7000112: {status: http.StatusBadRequest, oauth: "unauthorized_client", message: "Application is disabled."},
	53003:   {status: http.StatusBadRequest, oauth: "access_denied", message: "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance."},
	90033:   {status: http.StatusServiceUnavailable, oauth: "temporarily_unavailable", message: "A transient error has occurred. Please try again."},
}

// refuseToken writes the token endpoint's form of an error.
func (e *Entra) refuseToken(w http.ResponseWriter, status int, oauth string, code int, message string) {
	now, trace := e.now().UTC().Format("2006-01-02 15:04:05Z"), e.requestID()
	writeJSON(w, status, map[string]any{
		"error":             oauth,
		"error_description": fmt.Sprintf("AADSTS%d: %s Trace ID: %s Correlation ID: %s Timestamp: %s", code, message, trace, trace, now),
		"error_codes":       []int{code},
		"timestamp":         now,
		"trace_id":          trace,
		"correlation_id":    trace,
		"error_uri":         fmt.Sprintf("https://login.microsoftonline.com/error?code=%d", code),
	})
}

// issue makes an access token: a JWT that tells what it permits, or one that tells nothing.
func (e *Entra) issue(c EntraConfig, tenant, client, base string) string {
	now := e.now()
	token := rand.Text()
	if !c.OpaqueTokens {
		// rand.Text as uti, so that two tokens of one second differ.
		token = signedJWT(map[string]any{
			"aud": base, "iss": base + "/" + tenant + "/v2.0", "tid": tenant, "appid": client, "uti": token,
			"iat": now.Unix(), "nbf": now.Add(-5 * time.Minute).Unix(), "exp": now.Add(c.TokenLife).Unix(),
			"roles": c.Permissions,
		})
	}
	e.requests.secret(token)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.tokens[token] = entraGrant{permissions: slices.Clone(c.Permissions), ends: now.Add(c.TokenLife)}
	return token
}

// signedJWT makes a JWT that looks like Entra's. Clients don't check its signature, and the
// fake knows its tokens by heart: any key will do.
func signedJWT(claims map[string]any) string {
	data, err := json.Marshal(claims)
	if err != nil {
		panic(err) // only our own plain values come here
	}
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode([]byte(`{"typ":"JWT","alg":"HS256"}`)) + "." + encode(data)
	mac := hmac.New(sha256.New, []byte("fakecloud"))
	mac.Write([]byte(signed))
	return signed + "." + encode(mac.Sum(nil))
}

// discovery answers where the token endpoint is, for clients that ask.
func (e *Entra) discovery(w http.ResponseWriter, r *http.Request) {
	base := e.base(r) + "/" + r.PathValue("tenant")
	writeJSON(w, http.StatusOK, map[string]any{
		"token_endpoint":                        base + "/oauth2/v2.0/token",
		"token_endpoint_auth_methods_supported": []string{"client_secret_post", "private_key_jwt"},
		"issuer":                                base + "/v2.0",
		"authorization_endpoint":                base + "/oauth2/v2.0/authorize",
	})
}
