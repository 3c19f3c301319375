package password

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
)

// Params are the cost of one argon2id hash.
type Params struct {
	Memory  uint32 // in KiB
	Time    uint32 // passes over the memory
	Threads uint8  // lanes, each on a core of its own
}

// Default is the least that OWASP's password storage cheat sheet asks for argon2id. One
// hash takes about 20 ms of a core.
var Default = Params{Memory: 19456, Time: 2, Threads: 1}

// Bounds of what we compute. A stored credential is somebody else's choice: without
// them one imported row could take all memory, or a core for minutes.
const (
	maxMemory  = 256 << 10 // KiB
	maxTime    = 10
	maxThreads = 16

	saltSize, minSaltSize, maxSaltSize = 16, 8, 64
	tagSize, minTagSize, maxTagSize    = 32, 16, 64
)

// Validate says which bound the parameters break. It knows what can be computed, not
// what is wise: tests use tiny ones.
func (p Params) Validate() error {
	switch {
	case p.Time < 1 || p.Time > maxTime:
		return fmt.Errorf("argon2id time must be 1 to %d", maxTime)
	case p.Threads < 1 || p.Threads > maxThreads:
		return fmt.Errorf("argon2id threads must be 1 to %d", maxThreads)
	case p.Memory < 8*uint32(p.Threads) || p.Memory > maxMemory:
		// RFC 9106, 3.1: at least 8 KiB per lane.
		return fmt.Errorf("argon2id memory must be 8 KiB for each thread to %d KiB", maxMemory)
	}
	return nil
}

func hashArgon2id(p Params, password string) string {
	salt := make([]byte, saltSize)
	rand.Read(salt) // never fails: it ends the process when the system has no randomness
	return encodeArgon2id(p, salt, deriveArgon2id(p, salt, tagSize, password))
}

// decoy is a credential with a random tag, which is no password's.
func decoy(p Params) string {
	random := make([]byte, saltSize+tagSize)
	rand.Read(random)
	return encodeArgon2id(p, random[:saltSize], random[saltSize:])
}

func deriveArgon2id(p Params, salt []byte, size int, password string) []byte {
	return argon2.IDKey([]byte(password), salt, p.Time, p.Memory, p.Threads, uint32(size))
}

const argon2idMarker = "$argon2id$"

// encodeArgon2id writes the PHC string format.
func encodeArgon2id(p Params, salt, tag []byte) string {
	return fmt.Sprintf(argon2idMarker+"v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version,
		p.Memory, p.Time, p.Threads, phc.EncodeToString(salt), phc.EncodeToString(tag))
}

// phc is the base64 of PHC strings: no padding, no loose bits.
var phc = base64.RawStdEncoding.Strict()

// parseArgon2id reads what encodeArgon2id writes, and nothing looser: no other version,
// order, key id or associated data.
func parseArgon2id(encoded string) (credential, error) {
	fields := strings.Split(strings.TrimPrefix(encoded, argon2idMarker), "$")
	if len(fields) != 4 || fields[0] != "v="+strconv.Itoa(argon2.Version) {
		return credential{}, refused("an argon2id hash must read $argon2id$v=19$m=…,t=…,p=…$salt$hash")
	}
	p, err := parseParams(fields[1])
	if err != nil {
		return credential{}, err
	}
	salt, errSalt := phc.DecodeString(fields[2])
	tag, errTag := phc.DecodeString(fields[3])
	switch {
	case errSalt != nil || len(salt) < minSaltSize || len(salt) > maxSaltSize:
		return credential{}, refused("the salt of the argon2id hash must be base64 of 8 to 64 bytes")
	case errTag != nil || len(tag) < minTagSize || len(tag) > maxTagSize:
		return credential{}, refused("the tag of the argon2id hash must be base64 of 16 to 64 bytes")
	}
	return credential{
		slow:     true,
		params:   p,
		standard: len(salt) == saltSize && len(tag) == tagSize,
		matches: func(password string) bool {
			return subtle.ConstantTimeCompare(tag, deriveArgon2id(p, salt, len(tag), password)) == 1
		},
	}, nil
}

func parseParams(s string) (Params, error) {
	fields := strings.Split(s, ",")
	if len(fields) != 3 {
		return Params{}, refused("an argon2id hash must have the parameters m, t and p")
	}
	memory, errM := parseParam(fields[0], "m=", 32)
	time, errT := parseParam(fields[1], "t=", 32)
	threads, errP := parseParam(fields[2], "p=", 8)
	if errM != nil || errT != nil || errP != nil {
		return Params{}, refused("an argon2id hash must have the parameters m, t and p, in this order")
	}
	p := Params{Memory: uint32(memory), Time: uint32(time), Threads: uint8(threads)}
	if err := p.Validate(); err != nil {
		return Params{}, refused(err.Error())
	}
	return p, nil
}

func parseParam(s, name string, bits int) (uint64, error) {
	digits, ok := strings.CutPrefix(s, name)
	if !ok {
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseUint(digits, 10, bits)
}
