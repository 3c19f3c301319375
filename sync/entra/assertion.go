package entra

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// A certificate signs what proves that we are the application.
type certificate struct {
	leaf *x509.Certificate
	key  *rsa.PrivateKey
}

// readCertificate reads a PEM text that holds a certificate and its private key, in any order.
func readCertificate(text []byte) (*certificate, error) {
	var c certificate
	var leaves []*x509.Certificate
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		switch block.Type {
		case "CERTIFICATE":
			leaf, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return nil, errors.New("a certificate in it can't be read")
			}
			leaves = append(leaves, leaf)
		case "PRIVATE KEY", "RSA PRIVATE KEY":
			key, err := readKey(block)
			if err != nil {
				return nil, err
			}
			c.key = key
		case "ENCRYPTED PRIVATE KEY":
			return nil, errors.New("its private key has a password; take it off: openssl pkey -in FILE -out KEY.pem")
		}
	}
	switch {
	case c.key == nil:
		return nil, errors.New("there is no private key in it; it has to be PEM with certificate and key (from a .pfx: openssl pkcs12 -in FILE -nodes)")
	case len(leaves) == 0:
		return nil, errors.New("there is no certificate in it; it has to be PEM with certificate and key")
	}
	for _, leaf := range leaves {
		if c.key.PublicKey.Equal(leaf.PublicKey) {
			c.leaf = leaf
			return &c, nil
		}
	}
	return nil, errors.New("its private key is not that of the certificate")
}

func readKey(block *pem.Block) (*rsa.PrivateKey, error) {
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("its private key can't be read")
	}
	private, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("its private key isn't an RSA key; Entra takes no other")
	}
	return private, nil
}

const (
	assertionLife = 10 * time.Minute
	backdated     = time.Minute // clocks differ
)

// assertion makes a signed statement that clientID asks endpoint for a token, good for once.
func (c *certificate) assertion(clientID, endpoint string, now time.Time) (string, error) {
	digest := sha256.Sum256(c.leaf.Raw)
	header, err := json.Marshal(map[string]string{
		"alg": "PS256", "typ": "JWT", "x5t#S256": base64.RawURLEncoding.EncodeToString(digest[:]),
	})
	if err != nil {
		return "", err
	}
	claims, err := json.Marshal(map[string]any{
		"aud": endpoint, "iss": clientID, "sub": clientID, "jti": uuid.NewString(),
		"nbf": now.Add(-backdated).Unix(), "iat": now.Add(-backdated).Unix(), "exp": now.Add(assertionLife - backdated).Unix(),
	})
	if err != nil {
		return "", err
	}
	signed := base64.RawURLEncoding.EncodeToString(header) + "." + base64.RawURLEncoding.EncodeToString(claims)
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPSS(rand.Reader, c.key, crypto.SHA256, sum[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
	if err != nil {
		return "", fmt.Errorf("sign with the certificate's key: %w", err)
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}
