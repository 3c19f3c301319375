package server

import (
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
)

// ClientAddress says from which address a request came: the socket's peer, and only when that is
// a trusted proxy the nearest address in X-Forwarded-For that isn't one. The header is read from
// the right, since each proxy adds the peer that it saw there and whatever stands to the left of
// an untrusted address is that address's own claim. A part that is no address ends the reading:
// what was proven until then stands. No other header counts.
//
// The address has no zone, and an IPv4 address is always in IPv4 form. It is invalid when the
// peer isn't an IP address.
func ClientAddress(r *http.Request, trusted []netip.Prefix) netip.Addr {
	proven := peerAddress(r)
	if !isTrusted(proven, trusted) {
		return proven
	}
	lines := r.Header.Values("X-Forwarded-For")
	for i := len(lines) - 1; i >= 0; i-- {
		for rest, more := lines[i], true; more; {
			var hop string
			rest, hop, more = cutLast(rest)
			addr := parseHop(hop)
			if !addr.IsValid() {
				return proven
			}
			if proven = addr; !isTrusted(proven, trusted) {
				return proven
			}
		}
	}
	return proven
}

// PublicURL says under which address the caller reached the server, without a slash at its end:
// the configured one, else scheme and host of the request. X-Forwarded-Proto and
// X-Forwarded-Host count only from a trusted proxy, and only with one well-formed value.
func PublicURL(r *http.Request, configured string, trusted []netip.Prefix) string {
	if configured != "" {
		return configured
	}
	scheme, host := "http", r.Host
	if r.TLS != nil {
		scheme = "https"
	}
	if len(trusted) > 0 && isTrusted(peerAddress(r), trusted) {
		if proto := strings.ToLower(single(r, "X-Forwarded-Proto")); proto == "http" || proto == "https" {
			scheme = proto
		}
		if forwarded := single(r, "X-Forwarded-Host"); validHost(forwarded) {
			host = forwarded
		}
	}
	if !validHost(host) {
		host = "localhost"
	}
	return scheme + "://" + host
}

// publicURLs gives the PublicURL of requests. Most name the same host as the one before.
func publicURLs(c Config) func(*http.Request) string {
	type known struct {
		host   string
		secure bool
		url    string
	}
	var last atomic.Pointer[known]
	return func(r *http.Request) string {
		if c.URL != "" || len(c.TrustedProxies) > 0 { // its headers count too
			return PublicURL(r, c.URL, c.TrustedProxies)
		}
		k := last.Load()
		if k == nil || k.host != r.Host || k.secure != (r.TLS != nil) {
			k = &known{r.Host, r.TLS != nil, PublicURL(r, "", nil)}
			last.Store(k)
		}
		return k.url
	}
}

// peerAddress gives the address at the other end of the connection.
func peerAddress(r *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return plain(peer.Addr())
}

// plain makes addresses comparable: ::ffff:192.0.2.7 and fe80::1%eth0 lose what surrounds them.
func plain(addr netip.Addr) netip.Addr { return addr.Unmap().WithZone("") }

func isTrusted(addr netip.Addr, trusted []netip.Prefix) bool {
	for _, p := range trusted {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// cutLast splits the last element off a comma-separated list.
func cutLast(s string) (rest, last string, more bool) {
	if i := strings.LastIndexByte(s, ','); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return "", s, false
}

// parseHop reads one element of X-Forwarded-For. Some proxies add the port: 192.0.2.7:4711,
// [2001:db8::1]:4711.
func parseHop(s string) netip.Addr {
	s = strings.TrimSpace(s)
	if addr, err := netip.ParseAddr(s); err == nil {
		return plain(addr)
	}
	if withPort, err := netip.ParseAddrPort(s); err == nil {
		return plain(withPort.Addr())
	}
	if inner, ok := strings.CutPrefix(s, "["); ok && strings.HasSuffix(inner, "]") {
		if addr, err := netip.ParseAddr(strings.TrimSuffix(inner, "]")); err == nil && addr.Is6() {
			return plain(addr)
		}
	}
	return netip.Addr{}
}

// single gives the value of a header that appears once and isn't a list; else nothing.
func single(r *http.Request, header string) string {
	values := r.Header.Values(header)
	if len(values) != 1 || strings.Contains(values[0], ",") {
		return ""
	}
	return strings.TrimSpace(values[0])
}

// validHost tells whether a text is a host name or an address, perhaps with a port, and nothing
// that could mean something else in a link.
func validHost(host string) bool {
	if len(host) > 255 {
		return false
	}
	if inner, ok := strings.CutPrefix(host, "["); ok {
		address, rest, closed := strings.Cut(inner, "]")
		return closed && address != "" && only(address, isAddress) && validPort(rest)
	}
	name := host
	if i := strings.LastIndexByte(host, ':'); i >= 0 {
		if name = host[:i]; !validPort(host[i:]) {
			return false
		}
	}
	return name != "" && only(name, isName) && isAlphanumeric(name[0]) && isAlphanumeric(name[len(name)-1])
}

// validPort reads what follows a host: nothing, or a colon and up to five digits.
func validPort(s string) bool {
	digits, colon := strings.CutPrefix(s, ":")
	return s == "" || colon && digits != "" && len(digits) <= 5 && only(digits, isDigit)
}

func only(s string, is func(byte) bool) bool {
	for i := range len(s) {
		if !is(s[i]) {
			return false
		}
	}
	return true
}

func isDigit(c byte) bool        { return '0' <= c && c <= '9' }
func isAlphanumeric(c byte) bool { return isDigit(c) || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }
func isName(c byte) bool         { return isAlphanumeric(c) || c == '.' || c == '_' || c == '-' }
func isAddress(c byte) bool {
	return isDigit(c) || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F' || c == ':' || c == '.'
}
