package session

import (
	"crypto/sha256"
	"fmt"
	"io"
)

// A token travels in cookies and in paths of URLs, so it has only letters and digits. 24 of
// them hold 142 random bits, and are as long as Crowd's own.
const (
	alphabet    = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	tokenLength = 24
)

// fair is the largest multiple of the alphabet's size that a byte can reach. Bytes from there
// on are passed over: they would make its first letters likelier than the others.
const fair = 256 - 256%len(alphabet)

// newToken makes a token of bytes from random.
func newToken(random io.Reader) (string, error) {
	token := make([]byte, 0, tokenLength)
	bytes := make([]byte, tokenLength)
	for len(token) < tokenLength {
		if _, err := io.ReadFull(random, bytes); err != nil {
			return "", fmt.Errorf("make a token: %w", err)
		}
		for _, b := range bytes {
			if int(b) < fair && len(token) < tokenLength {
				token = append(token, alphabet[int(b)%len(alphabet)])
			}
		}
	}
	return string(token), nil
}

// wellFormed tells whether we may have made the token: others are not looked up.
func wellFormed(token string) bool {
	if len(token) != tokenLength {
		return false
	}
	for i := range len(token) {
		switch c := token[i]; {
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9':
		default:
			return false
		}
	}
	return true
}

// hashToken gives what a token is found by. A fast hash is right: nobody can guess 142 bits.
func hashToken(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}
