package google

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

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/sync/cloud"
)

// credentials are what a service account's key file says.
type credentials struct {
	email    string
	clientID string // what an administrator delegates to
	project  string
	keyID    string
	key      *rsa.PrivateKey
	tokenURL string
}

// readCredentials reads a key file. Its errors hold nothing of the file: it is a secret.
func readCredentials(file models.Secret) (*credentials, error) {
	var f struct {
		Type     string `json:"type"`
		Project  string `json:"project_id"`
		KeyID    string `json:"private_key_id"`
		Key      string `json:"private_key"`
		Email    string `json:"client_email"`
		ClientID string `json:"client_id"`
		TokenURL string `json:"token_uri"`
	}
	const download = "give the JSON file that Google made when a key was added to the service account"
	if json.Unmarshal([]byte(file.Reveal()), &f) != nil {
		return nil, errors.New("it is no JSON; " + download)
	}
	switch {
	case f.Type != "service_account":
		return nil, errors.New("it isn't the key of a service account; " + download)
	case f.Email == "" || f.TokenURL == "" || f.Key == "":
		return nil, errors.New("client_email, private_key or token_uri is missing; " + download)
	}
	block, _ := pem.Decode([]byte(f.Key))
	if block == nil {
		return nil, errors.New("its private_key is no PEM; " + download)
	}
	key, err := rsaKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	tokenURL, err := cloud.Address("token_uri", f.TokenURL)
	if err != nil {
		return nil, err
	}
	return &credentials{email: f.Email, clientID: f.ClientID, project: f.Project, keyID: f.KeyID, key: key, tokenURL: tokenURL.String()}, nil
}

func rsaKey(der []byte) (*rsa.PrivateKey, error) {
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key, nil
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, errors.New("its private_key can't be read")
	}
	private, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("its private_key isn't an RSA key; Google takes no other here")
	}
	return private, nil
}

const (
	assertionLife = time.Hour   // the longest that Google takes
	backdated     = time.Minute // clocks differ
)

// assertion makes a signed statement that the service account wants to act as subject.
func (c *credentials) assertion(subject, scopes string, now time.Time) (string, error) {
	issued := now.Add(-backdated)
	header, err := json.Marshal(map[string]string{"alg": "RS256", "typ": "JWT", "kid": c.keyID})
	if err != nil {
		return "", err
	}
	claims, err := json.Marshal(map[string]any{
		"iss": c.email, "sub": subject, "scope": scopes, "aud": c.tokenURL,
		"iat": issued.Unix(), "exp": issued.Add(assertionLife).Unix(),
	})
	if err != nil {
		return "", err
	}
	signed := base64.RawURLEncoding.EncodeToString(header) + "." + base64.RawURLEncoding.EncodeToString(claims)
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, c.key, crypto.SHA256, sum[:])
	if err != nil {
		return "", fmt.Errorf("sign with the service account's key: %w", err)
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}
