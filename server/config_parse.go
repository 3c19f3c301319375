package server

import (
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The parsers of single values. Each says in its error what would be right, and never repeats
// the value: the caller does, when it may be shown.

// Bytes is a size.
type Bytes int64

// The units in which sizes are written.
const (
	KiB Bytes = 1 << 10
	MiB Bytes = 1 << 20
	GiB Bytes = 1 << 30
)

// String gives the size in the largest unit that divides it.
func (b Bytes) String() string {
	for _, u := range byteUnits {
		if b != 0 && b%u.size == 0 {
			return strconv.FormatInt(int64(b/u.size), 10) + u.name
		}
	}
	return strconv.FormatInt(int64(b), 10)
}

var byteUnits = []struct {
	name string
	size Bytes
}{{"GiB", GiB}, {"MiB", MiB}, {"KiB", KiB}}

func anyText(s string) (string, error) { return s, nil }

func notEmpty(s string) (string, error) {
	if strings.TrimSpace(s) == "" {
		return "", errors.New("is empty; leave it out to use the default")
	}
	return s, nil
}

// orEmpty lets parse also take an empty text, which gives the zero value.
func orEmpty[T any](parse func(string) (T, error)) func(string) (T, error) {
	return func(s string) (v T, err error) {
		if s == "" {
			return v, nil
		}
		return parse(s)
	}
}

func oneOf(words ...string) func(string) (string, error) {
	return func(s string) (string, error) {
		if !slices.Contains(words, s) {
			return "", errors.New("write " + strings.Join(words, " or "))
		}
		return s, nil
	}
}

func parseBool(s string) (bool, error) {
	v, err := strconv.ParseBool(s)
	if err != nil {
		return false, errors.New("write true or false")
	}
	return v, nil
}

func numberIn(least, most int) func(string) (int, error) {
	return func(s string) (int, error) {
		n, err := strconv.Atoi(s)
		if err != nil || n < least || n > most {
			return 0, fmt.Errorf("write a number from %d to %d", least, most)
		}
		return n, nil
	}
}

func durationIn(least, most time.Duration) func(string) (time.Duration, error) {
	return func(s string) (time.Duration, error) {
		d, err := time.ParseDuration(s)
		if err != nil {
			return 0, errors.New("write a duration with its unit, as in 500ms, 30s, 10m or 8h")
		}
		if d < least || d > most {
			return 0, fmt.Errorf("write a duration from %v to %v", least, most)
		}
		return d, nil
	}
}

func bytesIn(least, most Bytes) func(string) (Bytes, error) {
	return func(s string) (Bytes, error) {
		digits, unit := s, Bytes(1)
		for _, u := range byteUnits {
			if rest, ok := strings.CutSuffix(s, u.name); ok {
				digits, unit = strings.TrimSpace(rest), u.size
			}
		}
		n, err := strconv.ParseInt(digits, 10, 32)
		if err != nil {
			return 0, errors.New("write a number of bytes, or one with KiB, MiB or GiB, as in 1MiB")
		}
		if b := Bytes(n) * unit; b >= least && b <= most {
			return b, nil
		}
		return 0, fmt.Errorf("write a size from %v to %v", least, most)
	}
}

func parseLevel(s string) (slog.Level, error) {
	levels := map[string]slog.Level{
		"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError,
	}
	level, ok := levels[s]
	if !ok {
		return 0, errors.New("write debug, info, warn or error")
	}
	return level, nil
}

// parseAddress checks host:port. The port has to be a number: a name like "http" means another
// port on another machine.
func parseAddress(s string) (string, error) {
	_, port, err := net.SplitHostPort(s)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil || strings.ContainsAny(s, " \t/@") {
		return "", errors.New("write host:port, as in :8095, 127.0.0.1:8095 or [::1]:8095")
	}
	return s, nil
}

func parseURL(s string) (string, error) {
	if s == "" {
		return "", nil
	}
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || !validHost(u.Host) || u.User != nil:
		return "", errors.New("write an absolute http or https address, as in https://id.example.com")
	case strings.ContainsAny(s, "?#"):
		return "", errors.New("leave the part from ? or # out")
	}
	return strings.TrimRight(s, "/"), nil
}

func parseDatabaseURL(s string) (DatabaseURL, error) {
	file, isSQLite := DatabaseURL(s).SQLitePath()
	switch {
	case isSQLite && strings.HasPrefix(file, "//"):
		return "", errors.New("write the path directly behind sqlite:, as in sqlite:data/rollcall.db or sqlite:/var/lib/rollcall/rollcall.db")
	case isSQLite && (file == "" || strings.HasSuffix(file, "/") || strings.HasPrefix(file, ":memory:")):
		return "", errors.New("name a file, as in sqlite:data/rollcall.db")
	case isSQLite:
		return DatabaseURL(s), nil
	}
	scheme, rest, _ := strings.Cut(s, "://")
	if scheme != "postgres" && scheme != "postgresql" || rest == "" || strings.ContainsAny(s, " \t\r\n") {
		return "", errors.New("write sqlite:path or postgres://user:password@host/database")
	}
	return DatabaseURL(s), nil
}

// secretKeyBytes is the length of the key that seals secrets.
const secretKeyBytes = 32

// parseSecret takes any text.
func parseSecret(s string) (Secret, error) { return Secret(s), nil }

func parseSecretKey(s string) (Secret, error) {
	if s == "" {
		return "", nil
	}
	if _, err := decodeKey(s); err != nil {
		return "", err
	}
	return Secret(s), nil
}

// decodeKey reads a key as base64, with or without padding, in either alphabet.
func decodeKey(s string) ([]byte, error) {
	s = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(s, "="))
	key, err := base64.RawStdEncoding.DecodeString(s)
	if err != nil || len(key) != secretKeyBytes {
		return nil, errors.New("has to be 32 bytes in base64; `openssl rand -base64 32` makes one")
	}
	return key, nil
}

// parsePrefixes reads networks and single addresses, separated by commas or spaces.
func parsePrefixes(s string) ([]netip.Prefix, error) {
	var prefixes []netip.Prefix
	for _, word := range strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\n' }) {
		p, err := parsePrefix(word)
		if err != nil {
			return nil, fmt.Errorf("%q %w", word, err)
		}
		prefixes = append(prefixes, p)
	}
	return prefixes, nil
}

func parsePrefix(s string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(s)
	if addr, addrErr := netip.ParseAddr(s); addrErr == nil && addr.Zone() == "" {
		p, err = netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	if err != nil {
		return p, errors.New("is no network; write networks and addresses separated by commas, as in 10.0.0.0/8,fd00::/8,192.0.2.7")
	}
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	switch {
	case p.Bits() == 0:
		return p, errors.New("would believe the headers of everybody; name the proxies' own networks")
	case p != p.Masked():
		return p, fmt.Errorf("has bits outside its mask; write %v or %v", p.Masked(), p.Addr())
	}
	return p, nil
}

var (
	cookieName  = regexp.MustCompile(`^[A-Za-z0-9!#$%&'*+.^_|~-]{1,100}$`) // RFC 6265: a token
	domainName  = regexp.MustCompile(`^\.?[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$`)
	headerValue = regexp.MustCompile(`^[!-~]([ -~]{0,98}[!-~])?$`)
)

func parseCookieName(s string) (string, error) {
	if !cookieName.MatchString(s) {
		return "", errors.New("write letters, digits, dots, hyphens and underscores, as in crowd.token_key")
	}
	return s, nil
}

func parseDomain(s string) (string, error) {
	if !domainName.MatchString(s) || len(s) > 253 {
		return "", errors.New("write a domain name, as in .example.com")
	}
	return s, nil
}

func parseHeaderValue(s string) (string, error) {
	if !headerValue.MatchString(s) {
		return "", errors.New("write up to 100 characters of plain ASCII, as in Crowd/5.1.0")
	}
	return s, nil
}
