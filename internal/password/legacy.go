package password

import (
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/crypto/bcrypt"
)

// ErrUnknownScheme says that a credential is of a scheme that we do not accept, or is
// broken, or asks for more work than we do. The error around it says which, in words
// for an operator.
var ErrUnknownScheme = errors.New("the stored password cannot be used")

// refused never quotes the credential: what does not parse may be a plain password.
func refused(reason string) error { return fmt.Errorf("%w: %s", ErrUnknownScheme, reason) }

// Accepts tells whether encoded may be stored as a credential: nil for the schemes of
// the package comment and for None, else an error that wraps ErrUnknownScheme.
func Accepts(encoded string) error {
	if encoded == None {
		return nil
	}
	_, err := parse(encoded)
	return err
}

// A credential is a stored password after parsing: all its parameters are in bounds.
type credential struct {
	slow     bool                       // costs enough to need a slot
	params   Params                     // of argon2id, else zero
	standard bool                       // argon2id with salt and tag of our sizes
	matches  func(password string) bool // compares in constant time
}

// writtenWith tells whether Hash with these parameters would write the same form.
func (c credential) writtenWith(p Params) bool { return c.standard && c.params == p }

// maxCredential is far above the longest accepted form, {SSHA512} with a long salt.
const maxCredential = 512

// readers parse what follows a marker in braces. RFC 2307 and Crowd write them in
// either case.
var readers = map[string]func(body string) (credential, error){
	"{PKCS5S2}": parsePKCS5S2,
	"{SHA}":     parseDigest(sha1.New, sha1.Size, 0),
	"{SSHA}":    parseDigest(sha1.New, sha1.Size, maxSaltSize),
	"{SSHA256}": parseDigest(sha256.New, sha256.Size, maxSaltSize),
	"{SSHA512}": parseDigest(sha512.New, sha512.Size, maxSaltSize),
	"{BCRYPT}":  parseBcrypt,
	"{ARGON2}": func(body string) (credential, error) { // OpenLDAP's and Spring's marker
		if !strings.HasPrefix(body, argon2idMarker) {
			return credential{}, errArgon2
		}
		return parseArgon2id(body)
	},
	"{MD5}":  func(string) (credential, error) { return credential{}, errMD5 },
	"{SMD5}": func(string) (credential, error) { return credential{}, errMD5 },
}

var (
	errMD5    = refused("MD5 protects nothing; the user needs a new password")
	errDES    = refused("it looks like DES, which can be decrypted; the user needs a new password")
	errPlain  = refused("it is no hash of a scheme that we know, perhaps plain text; the user needs a new password")
	errArgon2 = refused("of the argon2 family only argon2id is accepted")
	errDamage = refused("it has the marker of a known scheme but is damaged")
)

// parse finds the scheme of a credential and reads it.
func parse(encoded string) (credential, error) {
	if len(encoded) > maxCredential {
		return credential{}, refused("it is longer than any hash")
	}
	// Also keeps line breaks from the base64 decoder, which would skip them.
	if strings.ContainsFunc(encoded, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return credential{}, errPlain
	}
	if i := strings.IndexByte(encoded, '}'); i > 0 && encoded[0] == '{' {
		if read := readers[strings.ToUpper(encoded[:i+1])]; read != nil {
			return read(encoded[i+1:])
		}
		return credential{}, errPlain
	}
	switch {
	case strings.HasPrefix(encoded, argon2idMarker):
		return parseArgon2id(encoded)
	case strings.HasPrefix(encoded, "$argon2"):
		return credential{}, errArgon2
	case strings.HasPrefix(encoded, "$2"):
		return parseBcrypt(encoded)
	case strings.HasPrefix(encoded, "$1$"):
		return credential{}, errMD5
	}
	return parseBare(encoded)
}

// parseBare reads base64 without a marker: Crowd's atlassian-sha1, which despite its
// name is SHA-512 without salt. Shorter values are told apart only to help the operator.
func parseBare(encoded string) (credential, error) {
	raw, err := base64.StdEncoding.DecodeString(encoded)
	switch {
	case err != nil || len(raw) == 0:
		return credential{}, errPlain
	case len(raw) == sha512.Size:
		return digest(sha512.New, raw, nil), nil
	case len(raw) == 16:
		return credential{}, errMD5
	case len(raw)%8 == 0: // Crowd's DES is the encrypted password, whole blocks of 8 bytes
		return credential{}, errDES
	}
	return credential{}, errPlain
}

// parseDigest reads base64(H(password ‖ salt) ‖ salt), with a salt of up to maxSalt bytes.
func parseDigest(newHash func() hash.Hash, size, maxSalt int) func(string) (credential, error) {
	return func(body string) (credential, error) {
		raw, err := base64.StdEncoding.DecodeString(body)
		if err != nil || len(raw) < size || len(raw) > size+maxSalt {
			return credential{}, errDamage
		}
		return digest(newHash, raw[:size], raw[size:]), nil
	}
}

func digest(newHash func() hash.Hash, want, salt []byte) credential {
	return credential{matches: func(password string) bool {
		h := newHash()
		h.Write([]byte(password))
		h.Write(salt)
		return subtle.ConstantTimeCompare(want, h.Sum(nil)) == 1
	}}
}

// atlassian-security: base64 of a salt and a key of PBKDF2 with HMAC-SHA-1.
const (
	pkcs5Salt   = 16
	pkcs5Key    = 32
	pkcs5Rounds = 10_000
)

func parsePKCS5S2(body string) (credential, error) {
	raw, err := base64.StdEncoding.DecodeString(body)
	if err != nil || len(raw) != pkcs5Salt+pkcs5Key {
		return credential{}, errDamage
	}
	salt, want := raw[:pkcs5Salt], raw[pkcs5Salt:]
	return credential{slow: true, matches: func(password string) bool {
		got, err := pbkdf2.Key(sha1.New, password, salt, pkcs5Rounds, pkcs5Key)
		// The only error left is Go's FIPS-only mode, which knows no SHA-1: then
		// nobody has this password.
		return err == nil && subtle.ConstantTimeCompare(want, got) == 1
	}}, nil
}

// A cost of 14 takes about a second of a core; each step doubles it.
const maxBcryptCost = 14

// bcryptForm leaves bcrypt.CompareHashAndPassword no error but a wrong password.
var bcryptForm = regexp.MustCompile(`^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$`)

// parseBcrypt reads bcrypt. As everywhere, it sees the first 72 bytes of a password.
func parseBcrypt(encoded string) (credential, error) {
	form := bcryptForm.FindStringSubmatch(encoded)
	if form == nil {
		return credential{}, errDamage
	}
	if cost, _ := strconv.Atoi(form[1]); cost < bcrypt.MinCost || cost > maxBcryptCost {
		return credential{}, refused(fmt.Sprintf("the cost of bcrypt must be %d to %d", bcrypt.MinCost, maxBcryptCost))
	}
	return credential{slow: true, matches: func(password string) bool {
		return bcrypt.CompareHashAndPassword([]byte(encoded), []byte(password)) == nil
	}}, nil
}
