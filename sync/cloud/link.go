package cloud

import (
	"fmt"
	"hash/maphash"
	"net"
	"net/url"
	"strings"
)

// Address parses a configured base address: https, or plain http on this machine only, since
// tokens go there. What names the setting in an error. A slash at the end is dropped.
func Address(what, raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Opaque != "" {
		return nil, fmt.Errorf("%s: not an address; write it as https://host/path", what)
	}
	switch {
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("%s: an address here has a host and a path, and nothing else", what)
	case u.Scheme == "https", u.Scheme == "http" && loopback(u.Hostname()):
	default:
		return nil, fmt.Errorf("%s: %s://%s: use https; plain http is for this machine only (127.0.0.1)", what, u.Scheme, u.Host)
	}
	u.Path = strings.TrimRight(u.Path, "/")
	u.RawPath = ""
	return u, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// sameHost tells whether a token for root may be sent to u.
func sameHost(root, u *url.URL) bool {
	return u.Scheme == root.Scheme && u.User == nil && strings.EqualFold(hostPort(u), hostPort(root))
}

func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// A Chain follows the next links of one list. It ends a list that leads elsewhere, goes in a
// circle, or has no end. The zero value is not usable; see Client.Chain.
type Chain struct {
	client *Client
	what   string
	most   int
	seen   map[uint64]struct{}
	seed   maphash.Seed
}

// Chain begins a list, which what names in errors, of at most so many pages.
func (c *Client) Chain(what string, most int) *Chain {
	return &Chain{client: c, what: what, most: most, seen: map[uint64]struct{}{}, seed: maphash.MakeSeed()}
}

// Follow says whether a link may be asked next.
func (ch *Chain) Follow(link string) error {
	if err := ch.client.CheckLink(link); err != nil {
		return fmt.Errorf("%s: %w", ch.what, err)
	}
	key := maphash.String(ch.seed, link)
	if _, again := ch.seen[key]; again {
		return fmt.Errorf("%s: the cloud sent the same next link twice, after %d pages: the list goes in a circle; run again, and report it to the provider if it stays", ch.what, len(ch.seen))
	}
	ch.seen[key] = struct{}{}
	if len(ch.seen) > ch.most {
		return fmt.Errorf("%s: no end after %d pages; the list is too long, or the provider repeats itself", ch.what, ch.most)
	}
	return nil
}

// CheckLink says whether a link that the cloud gave us leads to the configured address: the
// token goes nowhere else.
func (c *Client) CheckLink(link string) error {
	u, err := url.Parse(link)
	if err != nil {
		return fmt.Errorf("the cloud sent a next link that is no address")
	}
	if !sameHost(c.root, u) {
		return fmt.Errorf("the cloud sent a next link to %s://%s, and the directory's address is %s://%s: it was not followed; correct the address if the provider moved", u.Scheme, u.Host, c.root.Scheme, c.root.Host)
	}
	return nil
}
