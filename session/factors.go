package session

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"net/netip"
	"slices"
	"strings"
)

// A Factor is something that an application knows about the browser that it serves, and that
// has to be the same whenever a session is used: its address, as a rule.
type Factor struct{ Name, Value string }

// The factors with a meaning, as names compare: without case.
const (
	remoteAddress = "remote_address"
	forwardedFor  = "x-forwarded-for"
	forwardedFor2 = "x_forwarded_for" // python-crowd's spelling
)

// bind gives the hash of factors that a session is bound to: empty where there are none, or
// none counts. Their order means nothing, and neither do repetitions; values are compared as
// they are.
func (s *Service) bind(factors []Factor) []byte {
	if s.o.AnyAddress {
		return []byte{}
	}
	factors = effective(factors, s.o.TrustedProxy)
	if len(factors) == 0 {
		return []byte{}
	}
	var room [256]byte // enough for nearly all, and no allocation
	text := room[:0]
	for _, f := range factors {
		for _, part := range []string{f.Name, f.Value} {
			text = binary.AppendUvarint(text, uint64(len(part)))
			text = append(text, part...)
		}
	}
	sum := sha256.Sum256(text)
	return sum[:]
}

// effective gives the factors that count, in one form: names in lower case, in order, each
// once. The client's address is the remote address; where that is a trusted proxy it is what
// the proxy says in X-Forwarded-For, and else that factor is the client's own claim and dropped.
func effective(factors []Factor, trusted func(string) bool) []Factor {
	var out []Factor
	var forwarded string
	for _, f := range factors {
		switch name := strings.ToLower(f.Name); name {
		case forwardedFor, forwardedFor2:
			forwarded = f.Value
		default:
			out = append(out, Factor{name, f.Value})
		}
	}
	for i, f := range out {
		if f.Name == remoteAddress {
			out[i].Value = clientAddress(f.Value, forwarded, trusted)
		}
	}
	slices.SortFunc(out, func(a, b Factor) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Value, b.Value))
	})
	return slices.Compact(out)
}

// clientAddress reads X-Forwarded-For from the right, as long as who added to it is trusted:
// each proxy adds the address that it saw. A part that is no address ends the reading.
func clientAddress(remote, forwarded string, trusted func(string) bool) string {
	client := remote
	for hops := strings.Split(forwarded, ","); len(hops) > 0 && trusted(client); hops = hops[:len(hops)-1] {
		hop := strings.TrimSpace(hops[len(hops)-1])
		if _, err := netip.ParseAddr(hop); err != nil {
			break
		}
		client = hop
	}
	return client
}
