package fakecloud

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// skew is how far off a client's clock may be.
const skew = 5 * time.Minute

type assertionHeader struct {
	Algorithm string `json:"alg"`
	SHA256    string `json:"x5t#S256"`
	SHA1      string `json:"x5t"`
}

type assertionClaims struct {
	Audience  string `json:"aud"`
	Issuer    string `json:"iss"`
	Subject   string `json:"sub"`
	ID        string `json:"jti"`
	NotBefore int64  `json:"nbf"`
	Expires   int64  `json:"exp"`
}

// checkAssertion checks a JWT by which a client proves who it is: one that it signed with the
// key of a registered certificate, or a foreign one that workload identity federation takes.
func (e *Entra) checkAssertion(c EntraConfig, client, endpoint, assertion string) *tokenError {
	if c.FederatedToken != "" && subtle.ConstantTimeCompare([]byte(assertion), []byte(c.FederatedToken)) == 1 {
		return nil
	}
	refuse := func(code int, format string, args ...any) *tokenError {
		return tokenErrorf(http.StatusUnauthorized, "invalid_client", code, format, args...)
	}
	var header assertionHeader
	var claims assertionClaims
	parts := strings.Split(assertion, ".")
	if len(parts) != 3 || !decodePart(parts[0], &header) || !decodePart(parts[1], &claims) {
		return refuse(50027, "JWT token is invalid or malformed.")
	}
	certificate := registered(c.Certificates, header)
	if certificate == nil {
		return refuse(700027, "The certificate with identifier used to sign the client assertion is not registered on application.")
	}
	if !signedBy(certificate, header.Algorithm, parts) {
		return refuse(700027, "Client assertion failed signature validation.")
	}
	now := e.now()
	switch {
	case now.After(certificate.NotAfter):
		return refuse(700027, "Client assertion contains an invalid signature. [Reason - The key used is expired.]")
	case claims.Audience != endpoint:
		return refuse(700023, "Client assertion audience claim does not match Realm issuer.")
	case claims.Issuer != client || claims.Subject != client:
		return refuse(700021, "Client assertion application identifier doesn't match 'client_id' parameter.")
	case claims.Expires == 0 || time.Unix(claims.Expires, 0).Before(now.Add(-skew)) || time.Unix(claims.NotBefore, 0).After(now.Add(skew)):
		return refuse(700024, "Client assertion is not within its valid time range. Current time: %s, assertion valid from %s, expiry time of assertion %s.",
			now.UTC().Format(time.RFC3339), time.Unix(claims.NotBefore, 0).UTC().Format(time.RFC3339), time.Unix(claims.Expires, 0).UTC().Format(time.RFC3339))
	case claims.ID == "":
		return refuse(50027, "JWT token is invalid or malformed: it has no jti.")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.assertions[claims.ID] {
		e.requests.violation("a client assertion was used twice")
		return refuse(700027, "The client assertion has been used before.")
	}
	e.assertions[claims.ID] = true
	return nil
}

func decodePart(part string, into any) bool {
	data, err := base64.RawURLEncoding.DecodeString(part)
	return err == nil && json.Unmarshal(data, into) == nil
}

// registered finds the certificate that an assertion names.
func registered(certificates []*x509.Certificate, h assertionHeader) *x509.Certificate {
	for _, certificate := range certificates {
		sha2, old := sha256.Sum256(certificate.Raw), sha1.Sum(certificate.Raw) // SHA-1 is what x5t is
		if h.SHA256 == base64.RawURLEncoding.EncodeToString(sha2[:]) || h.SHA256 == "" && h.SHA1 == base64.RawURLEncoding.EncodeToString(old[:]) {
			return certificate
		}
	}
	return nil
}

func signedBy(certificate *x509.Certificate, algorithm string, parts []string) bool {
	key, ok := certificate.PublicKey.(*rsa.PublicKey)
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if !ok || err != nil {
		return false
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	switch algorithm {
	case "PS256":
		return rsa.VerifyPSS(key, crypto.SHA256, digest[:], signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}) == nil
	case "RS256":
		return rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signature) == nil
	}
	return false
}
