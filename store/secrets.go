package store

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/google/uuid"
)

// KeySize is the length of the server's key in bytes.
const KeySize = 32

func newSeal(key []byte) (cipher.AEAD, error) {
	if len(key) != KeySize {
		return nil, fmt.Errorf("the secret key must have %d bytes, not %d", KeySize, len(key))
	}
	sub, err := hkdf.Key(sha256.New, key, nil, "rollcall seal v1", KeySize)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(sub)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// Seal encrypts a secret for its row; label binds it to its place, so that a sealed value
// can't be moved to another.
func (s *Store) Seal(label string, secret []byte) []byte {
	return s.seal.Seal(nil, nil, secret, []byte(label))
}

// Unseal opens what Seal made with the same label.
func (s *Store) Unseal(label string, sealed []byte) ([]byte, error) {
	secret, err := s.seal.Open(nil, nil, sealed, []byte(label))
	if err != nil {
		return nil, errors.New("a sealed secret can't be opened with this server's key")
	}
	return secret, nil
}

// fingerprint tells keys apart without giving anything of them away.
func fingerprint(key []byte) string {
	sub, err := hkdf.Key(sha256.New, key, nil, "rollcall fingerprint v1", 16)
	if err != nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(sub)
}

// An Installation is the one row that names this database and the key it is sealed with.
type Installation struct {
	ID             string `gorm:"primaryKey"`
	KeyFingerprint string
	CreatedAt      int64 `gorm:"autoCreateTime:false"`
}

// checkKey compares the server's key with the one that the database is sealed with; the first
// server on a new database settles it.
func (s *Store) checkKey(ctx context.Context, key []byte) error {
	var rows []Installation
	if err := s.writer.WithContext(ctx).Find(&rows).Error; err != nil {
		return doing("read the installation", err)
	}
	if len(rows) == 0 {
		return errors.New("the database has no installation row: its first migration did not end; restore it from a backup")
	}
	if subtle.ConstantTimeCompare([]byte(rows[0].KeyFingerprint), []byte(fingerprint(key))) != 1 {
		return errors.New("the database is sealed with another secret key: give the right one in ROLLCALL_SECRET_KEY " +
			"or ROLLCALL_SECRET_KEY_FILE, or put the old key file back; without it the sealed secrets can't be read")
	}
	s.installation = rows[0].ID
	return nil
}

func newInstallation(key []byte, now int64) *Installation {
	return &Installation{ID: uuid.NewString(), KeyFingerprint: fingerprint(key), CreatedAt: now}
}

// randomUUID names a row whose directory has no source of its own.
func randomUUID() string { return uuid.Must(uuid.NewRandomFromReader(rand.Reader)).String() }

// InstallationID names this database for good: tokens of another are told apart by it.
func (s *Store) InstallationID() string { return s.installation }
