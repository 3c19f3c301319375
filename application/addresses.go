package application

import (
	"context"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/rollcall-id/rollcall/models"
)

// addresses says from where an application may call. Without any it can be reached from
// nowhere.
type addresses struct {
	prefixes []netip.Prefix
	hosts    []string
}

func parseAddresses(list []string) (a addresses) {
	for _, text := range list {
		if p, err := parsePrefix(text); err == nil {
			a.prefixes = append(a.prefixes, p)
		} else {
			a.hosts = append(a.hosts, text)
		}
	}
	return a
}

// parsePrefix reads an address or a CIDR.
func parsePrefix(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil {
		addr = addr.Unmap().WithZone("")
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	if addr := p.Addr(); err == nil && addr.Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(addr.Unmap(), p.Bits()-96) // a caller's address is unmapped too
	}
	return p.Masked(), err
}

var hostName = regexp.MustCompile(`^([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.?$`)

// CleanAddress gives the one spelling under which an allowed address is stored: an IP address,
// a CIDR or a host name.
func CleanAddress(text string) (string, error) {
	p, err := parsePrefix(text)
	switch {
	case err == nil && p.IsSingleIP():
		return p.Addr().String(), nil
	case err == nil:
		return p.String(), nil
	case len(text) <= 253 && hostName.MatchString(text) && !onlyDigits.MatchString(text):
		return models.Key(text), nil
	}
	return "", models.Fail(models.IllegalArgument, text, "<"+text+"> is neither an IP address, nor a CIDR like 10.1.0.0/16, nor a host name")
}

// onlyDigits finds what was meant as an IPv4 address and isn't one.
var onlyDigits = regexp.MustCompile(`^[0-9./]+$`)

func (a addresses) allow(ctx context.Context, h *hosts, addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	if !addr.IsValid() {
		return false
	}
	if slices.ContainsFunc(a.prefixes, func(p netip.Prefix) bool { return p.Contains(addr) }) {
		return true
	}
	return slices.ContainsFunc(a.hosts, func(host string) bool { return slices.Contains(h.lookup(ctx, host), addr) })
}

// hosts resolves host names, and remembers the answers for a minute, failures for ten seconds.
type hosts struct {
	resolve func(ctx context.Context, host string) ([]netip.Addr, error)
	now     func() time.Time
	mu      sync.Mutex
	known   map[string]resolved
}

type resolved struct {
	addrs []netip.Addr
	until time.Time
}

func newHosts() *hosts {
	return &hosts{
		resolve: func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		},
		now:   time.Now,
		known: map[string]resolved{},
	}
}

// lookup gives a host's addresses; none when it can't be resolved within two seconds. The
// names are few: an operator typed each.
func (h *hosts) lookup(ctx context.Context, host string) []netip.Addr {
	h.mu.Lock()
	r, ok := h.known[host]
	h.mu.Unlock()
	if ok && h.now().Before(r.until) {
		return r.addrs
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	addrs, err := h.resolve(ctx, host)
	keep := time.Minute
	if err != nil {
		addrs, keep = nil, 10*time.Second
	}
	for i := range addrs {
		addrs[i] = addrs[i].Unmap().WithZone("")
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.known[host] = resolved{addrs: addrs, until: h.now().Add(keep)}
	return addrs
}
