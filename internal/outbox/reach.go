package outbox

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"syscall"
	"time"

	"github.com/rollcall-id/rollcall/models"
)

// reach gives to where a webhook may lead, as it is now.
func (b *Outbox) reach(ctx context.Context, hook *models.Webhook) (models.WebhookReach, error) {
	allowed, networks, err := b.store.WebhookAddresses(ctx, hook.ApplicationID)
	if err != nil {
		return models.WebhookReach{}, err
	}
	r := models.WebhookReach{Own: b.o.Own}
	for _, text := range allowed {
		r.Allowed = append(r.Allowed, b.resolve(ctx, text)...)
	}
	for _, text := range networks {
		if p, err := netip.ParsePrefix(text); err == nil {
			r.Networks = append(r.Networks, p)
		}
	}
	return r, nil
}

// resolve gives the addresses of an address, a network, or a host's name; none where the name
// can't be resolved within two seconds.
func (b *Outbox) resolve(ctx context.Context, text string) (found []netip.Prefix) {
	if p, err := netip.ParsePrefix(text); err == nil {
		return []netip.Prefix{p}
	}
	if addr, err := netip.ParseAddr(text); err == nil {
		return []netip.Prefix{netip.PrefixFrom(addr, addr.BitLen())}
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	addrs, err := b.o.Resolver.LookupNetIP(ctx, "ip", text)
	if err != nil {
		return nil
	}
	for _, addr := range addrs {
		addr = addr.Unmap().WithZone("")
		found = append(found, netip.PrefixFrom(addr, addr.BitLen()))
	}
	return found
}

// transport makes a connection for one call. The address is judged when the name is resolved
// and the socket made: whatever the name said before, or will say next, doesn't count. No proxy
// of the environment's is used, which would connect where we can't see it.
func (b *Outbox) transport(reach models.WebhookReach) *http.Transport {
	dialer := &net.Dialer{
		Resolver: b.o.Resolver,
		Control: func(_, address string, _ syscall.RawConn) error {
			to, err := netip.ParseAddrPort(address)
			if err != nil {
				return fmt.Errorf("refused to connect to %s: %w", address, err)
			}
			if problem := reach.Problem(to); problem != "" {
				return fmt.Errorf("refused to connect to %s: %s", address, problem)
			}
			return nil
		},
	}
	return &http.Transport{
		DialContext:            dialer.DialContext,
		DisableKeepAlives:      true,
		DisableCompression:     true,
		MaxResponseHeaderBytes: 16 << 10,
	}
}

// OwnListeners tells whether an address is one of those that the server listens on, given as
// host:port. A listener on all addresses is on each of the machine's.
func OwnListeners(listeners ...string) func(netip.AddrPort) bool {
	type listener struct {
		addr netip.Addr // not valid: all
		port uint16
	}
	var own []listener
	for _, text := range listeners {
		host, portText, err := net.SplitHostPort(text)
		port, portErr := strconv.ParseUint(portText, 10, 16)
		if err != nil || portErr != nil || port == 0 {
			continue
		}
		if host == "localhost" {
			host = "127.0.0.1"
		}
		addr, err := netip.ParseAddr(host)
		if err != nil || addr.IsUnspecified() { // a name is treated as all: better too many
			addr = netip.Addr{}
		}
		own = append(own, listener{addr.Unmap().WithZone(""), uint16(port)})
	}
	return func(to netip.AddrPort) bool {
		addr := to.Addr().Unmap().WithZone("")
		for _, l := range own {
			if l.port == to.Port() && (l.addr == addr || !l.addr.IsValid() && isMine(addr)) {
				return true
			}
		}
		return false
	}
}

// isMine tells whether the address is one of this machine's.
func isMine(addr netip.Addr) bool {
	if addr.IsLoopback() || addr.IsUnspecified() {
		return true
	}
	all, err := net.InterfaceAddrs()
	if err != nil {
		return true
	}
	for _, one := range all {
		if network, ok := one.(*net.IPNet); ok {
			if mine, ok := netip.AddrFromSlice(network.IP); ok && mine.Unmap() == addr {
				return true
			}
		}
	}
	return false
}
