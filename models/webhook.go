package models

import (
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// A Webhook is where an application wants to hear that something has changed, so that it comes
// and asks for events. What it must still be told is no row of its own: Place is how far in
// the feed it has been told.
type Webhook struct {
	ID              ID `gorm:"primaryKey"`
	ApplicationID   ID
	EndpointURL     string // as it was registered, unique in the application
	Sealed          []byte `gorm:"column:token"` // Token, sealed with the server's key
	Place           int64  // in the feed, as package store counts; everything before it was told
	NextAttemptAt   Time   // not before: somebody tells it now, or a failure was a moment ago
	Failures        int    // since the last success
	OldestFailureAt Time   // the first of these; zero: none
	LastError       string
	CreatedAt       Time `gorm:"autoCreateTime:false"`

	Token Secret `gorm:"-"` // sent as it is behind "Authorization: Basic"; empty: no such header
}

// A WebhookNetwork is a private network to which an operator lets an application's webhooks
// lead, beyond the addresses that the application may call from.
type WebhookNetwork struct {
	ApplicationID ID     `gorm:"primaryKey"`
	Network       string `gorm:"primaryKey"` // a CIDR
}

// MaxWebhookURL is the longest address of a webhook.
const MaxWebhookURL = 1000

// WebhookURLProblem says in words why text can't be a webhook's address; it is empty when it
// can. Where it leads is another question: WebhookReach.
func WebhookURLProblem(text string) string {
	if len(text) > MaxWebhookURL {
		return "it is longer than " + strconv.Itoa(MaxWebhookURL) + " characters"
	}
	if strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "it has a blank or a character outside ASCII"
	}
	u, err := url.Parse(text)
	switch {
	case err != nil, u.Scheme != "http" && u.Scheme != "https", u.Opaque != "", u.Hostname() == "":
		return "it is no absolute http or https URL"
	case u.User != nil:
		return "it has a user's name in it"
	case strings.Contains(text, "#"):
		return "it has a fragment"
	}
	if port := u.Port(); port != "" || strings.HasSuffix(u.Host, ":") {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return "its port is no number from 1 to 65535"
		}
	}
	if strings.Contains(u.Hostname(), "%") {
		return "its host has a zone"
	}
	return ""
}

// WebhookReach says to which addresses an application's webhooks may lead. Public addresses
// are always among them.
type WebhookReach struct {
	Allowed  []netip.Prefix            // from where the application may call; names of hosts resolved
	Networks []netip.Prefix            // private ones that an operator added
	Own      func(netip.AddrPort) bool // tells of the server's own listeners; nil: there are none
}

// Problem says in words why a webhook may not lead to an address; it is empty when it may.
//
// This machine, what only lies beside it, and our own listeners are reached by who may call
// from there. "From anywhere" says nothing of where an application is, so a network of all
// addresses doesn't count for these.
func (r WebhookReach) Problem(to netip.AddrPort) string {
	addr := plainAddr(to.Addr())
	switch {
	case !addr.IsValid():
		return "it is no IP address"
	case within(addr, r.Allowed, 1):
		return ""
	case r.Own != nil && r.Own(netip.AddrPortFrom(addr, to.Port())):
		return "this server itself listens there"
	case within(addr, neverTold, 0):
		return "it is a loopback, link-local, unspecified or multicast address that the application may not call from"
	case within(addr, privateNetworks, 0) && !within(addr, r.Allowed, 0) && !within(addr, r.Networks, 0):
		return "it is a private address that is neither among the application's allowed addresses nor in a network that an operator opened to its webhooks"
	}
	return ""
}

// within tells whether a network of at least so many bits has the address.
func within(addr netip.Addr, networks []netip.Prefix, bits int) bool {
	return slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Bits() >= bits && p.Contains(addr) })
}

func prefixes(texts ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		out[i] = netip.MustParsePrefix(text)
	}
	return out
}

var (
	neverTold = prefixes(
		"0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "255.255.255.255/32",
		"::/128", "::1/128", "fe80::/10", "ff00::/8",
	)
	// Beside RFC 1918 and 4193: carriers' NAT, IETF's own, benchmarks, reserved; site-local, and
	// a site's own NAT64 (RFC 8215).
	privateNetworks = prefixes(
		"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "192.0.0.0/24", "198.18.0.0/15", "240.0.0.0/4",
		"fc00::/7", "fec0::/10", "64:ff9b:1::/48",
	)
	// Addresses that have an IPv4 address inside, to which a gateway may pass them on: NAT64
	// (RFC 6052) at byte 12, 6to4 (RFC 3056) at byte 2, IPv4-compatible (RFC 4291) at byte 12.
	nat64, sixToFour, compatible = netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("::/96")
)

// plainAddr gives the address that counts: without zone, and IPv4 where one is inside.
func plainAddr(addr netip.Addr) netip.Addr {
	addr = addr.Unmap().WithZone("")
	if !addr.Is6() {
		return addr
	}
	b := addr.As16()
	switch {
	case sixToFour.Contains(addr):
		return netip.AddrFrom4([4]byte(b[2:6]))
	case nat64.Contains(addr), compatible.Contains(addr) && addr != netip.IPv6Unspecified() && addr != netip.IPv6Loopback():
		return netip.AddrFrom4([4]byte(b[12:16]))
	}
	return addr
}

// WebhookNetworkProblem says in words why an operator can't open a network to webhooks; it is
// empty when that is possible.
func WebhookNetworkProblem(p netip.Prefix) string {
	if slices.ContainsFunc(neverTold, func(never netip.Prefix) bool { return never.Bits() <= p.Bits() && never.Contains(p.Addr()) }) {
		return "loopback, link-local, unspecified and multicast addresses are opened by the application's allowed addresses only"
	}
	return ""
}
