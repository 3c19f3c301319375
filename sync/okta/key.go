package okta

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/google/uuid"
)

// A signingKey signs what proves that we are the service app. Okta knows its public half.
type signingKey struct {
	id      string // empty: the app has one key only
	private crypto.Signer
}

var errKeyForm = errors.New("it has to be a private key in PEM or as a JSON web key, RSA or P-256, as Okta shows it once")

// readKey reads a private key in either of the forms in which Okta shows it.
func readKey(text, id string) (*signingKey, error) {
	text = strings.TrimSpace(text)
	var key *signingKey
	var err error
	if strings.HasPrefix(text, "{") {
		key, err = readWebKey(text)
	} else {
		key, err = readPEM(text)
	}
	if err != nil {
		return nil, err
	}
	if id != "" {
		key.id = id
	}
	return key, nil
}

func readPEM(text string) (*signingKey, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errKeyForm
	}
	switch block.Type {
	case "PRIVATE KEY":
		if key, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
			return newSigningKey(key)
		}
	case "RSA PRIVATE KEY":
		if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
			return newSigningKey(key)
		}
	case "EC PRIVATE KEY":
		if key, err := x509.ParseECPrivateKey(block.Bytes); err == nil {
			return newSigningKey(key)
		}
	case "ENCRYPTED PRIVATE KEY":
		return nil, errors.New("it has a password; take it off: openssl pkey -in FILE -out KEY.pem")
	}
	return nil, errKeyForm
}

// readWebKey reads a JSON web key: RFC 7517 and 7518.
func readWebKey(text string) (*signingKey, error) {
	var k struct {
		Type                string `json:"kty"`
		ID                  string `json:"kid"`
		Curve               string `json:"crv"`
		N, E, D, P, Q, X, Y octets
	}
	if err := json.Unmarshal([]byte(text), &k); err != nil {
		return nil, errKeyForm // the error would quote the key
	}
	var key *signingKey
	var err error
	switch {
	case len(k.D) == 0:
		return nil, errors.New("it is the public half; the private one has a \"d\"")
	case k.Type == "RSA" && len(k.P) > 0 && len(k.Q) > 0:
		private := &rsa.PrivateKey{
			PublicKey: rsa.PublicKey{N: k.N.number(), E: int(k.E.number().Int64())},
			D:         k.D.number(), Primes: []*big.Int{k.P.number(), k.Q.number()},
		}
		if private.Validate() != nil {
			return nil, errKeyForm
		}
		private.Precompute()
		key, err = newSigningKey(private)
	case k.Type == "EC" && k.Curve == "P-256":
		private, parseErr := ecdsa.ParseRawPrivateKey(elliptic.P256(), k.D)
		if parseErr != nil {
			return nil, errKeyForm
		}
		key, err = newSigningKey(private)
	default:
		return nil, errKeyForm
	}
	if err == nil {
		key.id = k.ID
	}
	return key, err
}

// octets are bytes as a web key writes them.
type octets []byte

// UnmarshalText reads base64url.
func (o *octets) UnmarshalText(text []byte) (err error) {
	*o, err = base64.RawURLEncoding.DecodeString(strings.TrimRight(string(text), "="))
	return err
}

func (o octets) number() *big.Int { return new(big.Int).SetBytes(o) }

const smallestRSA = 2048

func newSigningKey(key any) (*signingKey, error) {
	switch key := key.(type) {
	case *rsa.PrivateKey:
		if key.N.BitLen() < smallestRSA {
			return nil, fmt.Errorf("an RSA key of %d bits is too short; Okta wants %d at least", key.N.BitLen(), smallestRSA)
		}
		return &signingKey{private: key}, nil
	case *ecdsa.PrivateKey:
		if key.Curve == elliptic.P256() {
			return &signingKey{private: key}, nil
		}
	}
	return nil, errKeyForm
}

const (
	assertionLife = 10 * time.Minute // Okta takes an hour at most
	backdated     = time.Minute      // clocks differ
)

// assertion makes a signed statement that clientID asks endpoint for a token, good for once.
func (k *signingKey) assertion(clientID, endpoint string, now time.Time) (string, error) {
	head := map[string]string{"alg": "RS256", "typ": "JWT"}
	if _, ec := k.private.(*ecdsa.PrivateKey); ec {
		head["alg"] = "ES256"
	}
	if k.id != "" {
		head["kid"] = k.id
	}
	header, err := json.Marshal(head)
	if err != nil {
		return "", err
	}
	claims, err := json.Marshal(map[string]any{
		"aud": endpoint, "iss": clientID, "sub": clientID, "jti": uuid.NewString(),
		"iat": now.Add(-backdated).Unix(), "exp": now.Add(assertionLife - backdated).Unix(),
	})
	if err != nil {
		return "", err
	}
	signed := base64.RawURLEncoding.EncodeToString(header) + "." + base64.RawURLEncoding.EncodeToString(claims)
	signature, err := k.sign(sha256.Sum256([]byte(signed)))
	if err != nil {
		return "", fmt.Errorf("sign with the private key: %w", err)
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}

// sign signs as JSON web signatures have it: RFC 7518, 3.3 and 3.4.
func (k *signingKey) sign(digest [sha256.Size]byte) ([]byte, error) {
	private, ec := k.private.(*ecdsa.PrivateKey)
	if !ec {
		return k.private.Sign(rand.Reader, digest[:], crypto.SHA256)
	}
	r, s, err := ecdsa.Sign(rand.Reader, private, digest[:])
	if err != nil {
		return nil, err
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return signature, nil
}
