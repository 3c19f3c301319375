package server

import (
	"crypto/tls"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

var proxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}

func TestClientAddress(t *testing.T) {
	for _, test := range []struct {
		name      string
		peer      string
		forwarded []string
		want      string
	}{
		{name: "no proxy", peer: "192.0.2.7:1", want: "192.0.2.7"},
		{name: "a stranger's claim", peer: "192.0.2.7:1", forwarded: []string{"127.0.0.1"}, want: "192.0.2.7"},
		{name: "a proxy that says nothing", peer: "10.0.0.1:1", want: "10.0.0.1"},
		{name: "one proxy", peer: "10.0.0.1:1", forwarded: []string{"192.0.2.7"}, want: "192.0.2.7"},
		{name: "two proxies", peer: "10.0.0.1:1", forwarded: []string{"192.0.2.7, 10.0.0.2"}, want: "192.0.2.7"},
		{name: "in two lines", peer: "10.0.0.1:1", forwarded: []string{"192.0.2.7", "10.0.0.2"}, want: "192.0.2.7"},
		{name: "a claim behind the proxy", peer: "10.0.0.1:1", forwarded: []string{"127.0.0.1, 10.9.9.9, 192.0.2.7"}, want: "192.0.2.7"},
		{name: "a claim in another line", peer: "10.0.0.1:1", forwarded: []string{"127.0.0.1", "192.0.2.7"}, want: "192.0.2.7"},
		{name: "only proxies", peer: "10.0.0.1:1", forwarded: []string{"10.0.0.3, 10.0.0.2"}, want: "10.0.0.3"},
		{name: "garbage", peer: "10.0.0.1:1", forwarded: []string{"<script>"}, want: "10.0.0.1"},
		{name: "garbage on the left", peer: "10.0.0.1:1", forwarded: []string{"\x00\xff,192.0.2.7"}, want: "192.0.2.7"},
		{name: "garbage in the middle", peer: "10.0.0.1:1", forwarded: []string{"192.0.2.7, unknown, 10.0.0.2"}, want: "10.0.0.2"},
		{name: "an empty part", peer: "10.0.0.1:1", forwarded: []string{"192.0.2.7, , 10.0.0.2"}, want: "10.0.0.2"},
		{name: "an empty header", peer: "10.0.0.1:1", forwarded: []string{""}, want: "10.0.0.1"},
		{name: "a host name", peer: "10.0.0.1:1", forwarded: []string{"localhost"}, want: "10.0.0.1"},
		{name: "with a port", peer: "10.0.0.1:1", forwarded: []string{"192.0.2.7:4711"}, want: "192.0.2.7"},
		{name: "IPv6", peer: "[fd00::1]:1", forwarded: []string{"2001:db8::7"}, want: "2001:db8::7"},
		{name: "IPv6 in brackets", peer: "[fd00::1]:1", forwarded: []string{"[2001:db8::7]"}, want: "2001:db8::7"},
		{name: "IPv6 with a port", peer: "[fd00::1]:1", forwarded: []string{"[2001:db8::7]:4711"}, want: "2001:db8::7"},
		{name: "IPv4 in brackets is none", peer: "[fd00::1]:1", forwarded: []string{"[192.0.2.7]"}, want: "fd00::1"},
		{name: "IPv4 in an IPv6 socket", peer: "[::ffff:10.0.0.1]:1", forwarded: []string{"::ffff:192.0.2.7"}, want: "192.0.2.7"},
		{name: "a zone", peer: "[fe80::1%eth0]:1", want: "fe80::1"},
		{name: "a zone in the header", peer: "10.0.0.1:1", forwarded: []string{"fe80::1%eth0"}, want: "fe80::1"},
		{name: "no address at all", peer: "@", forwarded: []string{"127.0.0.1"}, want: "invalid IP"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := &http.Request{RemoteAddr: test.peer, Header: http.Header{
				"X-Real-Ip": {"127.0.0.1"}, "Forwarded": {"for=127.0.0.1"}, "X-Forwarded": {"127.0.0.1"}, "Client-Ip": {"127.0.0.1"},
			}}
			r.Header["X-Forwarded-For"] = test.forwarded
			if got := ClientAddress(r, proxies).String(); got != test.want {
				t.Errorf("want %s, got %s", test.want, got)
			}
		})
	}
}

func TestPublicURL(t *testing.T) {
	for _, test := range []struct {
		name       string
		peer       string
		configured string
		tls        bool
		header     http.Header
		want       string
	}{
		{name: "plain", want: "http://id.local:8095"},
		{name: "TLS", tls: true, want: "https://id.local:8095"},
		{name: "configured", configured: "https://id.example.com/x", header: http.Header{"X-Forwarded-Host": {"evil.test"}}, peer: "10.0.0.1:1", want: "https://id.example.com/x"},
		{name: "a stranger's claim", header: http.Header{"X-Forwarded-Host": {"evil.test"}, "X-Forwarded-Proto": {"https"}}, want: "http://id.local:8095"},
		{name: "a proxy", peer: "10.0.0.1:1", header: http.Header{"X-Forwarded-Host": {"id.example.com"}, "X-Forwarded-Proto": {"HTTPS"}}, want: "https://id.example.com"},
		{name: "two values", peer: "10.0.0.1:1", header: http.Header{"X-Forwarded-Host": {"a.test, b.test"}, "X-Forwarded-Proto": {"https", "https"}}, want: "http://id.local:8095"},
		{name: "garbage", peer: "10.0.0.1:1", header: http.Header{"X-Forwarded-Host": {`"><script>`}, "X-Forwarded-Proto": {"javascript"}}, want: "http://id.local:8095"},
		{name: "user and path in the host", peer: "10.0.0.1:1", header: http.Header{"X-Forwarded-Host": {"a@evil.test/x"}}, want: "http://id.local:8095"},
		{name: "IPv6", peer: "10.0.0.1:1", header: http.Header{"X-Forwarded-Host": {"[::1]:80"}}, want: "http://[::1]:80"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := &http.Request{Host: "id.local:8095", RemoteAddr: "192.0.2.7:1", Header: test.header}
			if test.peer != "" {
				r.RemoteAddr = test.peer
			}
			if test.tls {
				r.TLS = &tls.ConnectionState{}
			}
			if got := PublicURL(r, test.configured, proxies); got != test.want {
				t.Errorf("want %s, got %s", test.want, got)
			}
		})
	}
	if got := PublicURL(&http.Request{Host: "a b"}, "", nil); got != "http://localhost" {
		t.Error(got)
	}
}

// Whatever stands in the header: without a trusted peer it changes nothing, and nothing to the
// left of an address that a trusted proxy has seen changes that address.
func FuzzClientAddress(f *testing.F) {
	for _, header := range []string{
		"", "192.0.2.7", "192.0.2.7, 10.0.0.2", ",,", "[::1]:80", "::ffff:10.0.0.1", "fe80::1%eth0", "\x00\xff", "unknown, _hidden",
		strings.Repeat("10.0.0.1,", 1000),
	} {
		f.Add(header, header)
	}
	f.Fuzz(func(t *testing.T, one, two string) {
		const client = "203.0.113.9"
		address := func(peer string, lines ...string) netip.Addr {
			return ClientAddress(&http.Request{RemoteAddr: peer, Header: http.Header{"X-Forwarded-For": lines}}, proxies)
		}
		if got := address("192.0.2.7:1", one, two).String(); got != "192.0.2.7" {
			t.Errorf("%q, %q: a stranger is believed: %s", one, two, got)
		}
		if got := address("10.0.0.1:1", one, two+","+client).String(); got != client {
			t.Errorf("%q, %q: want %s, got %s", one, two, client, got)
		}
		if got := address("10.0.0.1:1", one, two, client+" , 10.3.3.3").String(); got != client {
			t.Errorf("%q, %q: want %s, got %s", one, two, client, got)
		}
		got := address("10.0.0.1:1", one, two)
		if !got.IsValid() || got.Zone() != "" || got.Is4In6() {
			t.Errorf("%q, %q: %v can't be compared", one, two, got)
		}
		parts := strings.Split(one+","+two, ",")
		if got.String() != "10.0.0.1" && !slices.ContainsFunc(parts, func(p string) bool { return parseHop(p) == got }) {
			t.Errorf("%q, %q: %v was invented", one, two, got)
		}
	})
}

func TestPublicURLsOfOneHostAfterAnother(t *testing.T) {
	t.Parallel()
	of := publicURLs(Config{})
	for _, r := range []*http.Request{
		{Host: "id.example.com"}, {Host: "id.example.com"}, {Host: "10.0.0.1:8095"}, {Host: "id.example.com", TLS: new(tls.ConnectionState)},
		{Host: "id.example.com"}, {Host: "a b"}, {Host: ""}, {Host: "id.example.com"},
	} {
		if got, want := of(r), PublicURL(r, "", nil); got != want {
			t.Errorf("%q, TLS %v: %s, want %s", r.Host, r.TLS != nil, got, want)
		}
	}
	if got := publicURLs(Config{URL: "https://crowd.example.com"})(&http.Request{Host: "x"}); got != "https://crowd.example.com" {
		t.Error(got)
	}
}
