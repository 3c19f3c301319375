package application_test

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/models"
)

func TestCleanAddress(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, want string }{
		{"10.1.2.3", "10.1.2.3"},
		{"10.1.2.3/32", "10.1.2.3"},
		{"10.1.2.3/16", "10.1.0.0/16"},
		{"0.0.0.0/0", "0.0.0.0/0"},
		{"::1", "::1"},
		{"0:0:0:0:0:0:0:1", "::1"},
		{"::1/128", "::1"},
		{"2001:DB8::1/32", "2001:db8::/32"},
		{"::ffff:10.1.2.3", "10.1.2.3"},
		{"::ffff:10.1.2.3/112", "10.1.0.0/16"},
		{"fe80::1%eth0", "fe80::1"},
		{"Jira.Example.test", "jira.example.test"},
		{"jira", "jira"},
		{"jira.example.test.", "jira.example.test."},
		{"1st.example.test", "1st.example.test"},
	} {
		if got, err := application.CleanAddress(c.text); err != nil || got != c.want {
			t.Errorf("%s: want %q, got %q, %v", c.text, c.want, got, err)
		}
	}
	for _, text := range []string{
		"", " ", "10.1.2", "10.1.2.256", "10.1.2.3.4", "10.1.2.3/33", "10.1.2.3/", "10.1.2.3 ", "10.1.2.3:80", "[::1]", "::1/129", "2001:db8::g",
		"jira example", "jira:8080", "http://jira", "*.example.test", "-jira", "jira-", "jira..test", "jira\n", "jürа", strings.Repeat("x", 64),
		strings.Repeat("abc.", 64),
	} {
		_, err := application.CleanAddress(text)
		wantMessage(t, text, models.IllegalArgument, "neither", err)
	}
}

func TestAllowedAddresses(t *testing.T) {
	cases := []struct {
		name, allowed string // with blanks between
		yes, no       string
	}{
		{"nothing allowed is nowhere", "", "", "127.0.0.1 ::1 10.1.2.3"},
		{"an address", "10.1.2.3", "10.1.2.3 ::ffff:10.1.2.3", "10.1.2.4 ::1 ::10.1.2.3"},
		{"an IPv6 address", "2001:db8::1", "2001:db8::1 2001:db8::1%eth0", "2001:db8::2 127.0.0.1"},
		{"a mapped address", "::ffff:10.1.2.3", "10.1.2.3 ::ffff:10.1.2.3", "10.1.2.4"},
		{"a network", "10.1.0.0/16", "10.1.0.0 10.1.255.255 ::ffff:10.1.2.3", "10.0.255.255 10.2.0.0 ::1"},
		{"an IPv6 network", "2001:db8::/32", "2001:db8:ffff::1", "2001:db9::1 10.1.2.3"},
		{"a mapped network", "::ffff:10.1.0.0/112", "10.1.2.3", "10.2.2.3 ::1"},
		{"every IPv4 address is no IPv6 address", "0.0.0.0/0", "8.8.8.8 ::ffff:8.8.8.8", "::1 2001:db8::1"},
		{"every IPv6 address is no IPv4 address", "::/0", "::1 2001:db8::1", "8.8.8.8 ::ffff:8.8.8.8"},
		{"a link-local address on any link", "fe80::1%eth0", "fe80::1 fe80::1%eth1", "fe80::2"},
		{"several", "10.1.2.3 ::1 192.168.0.0/24", "10.1.2.3 ::1 192.168.0.9", "192.168.1.9"},
		{"a host", "jira.example.test", "10.9.0.1 2001:db8::9", "10.9.0.2"},
		{"a host in other letters", "JIRA.example.test", "10.9.0.1", "10.9.0.2"},
		{"a host that answers a mapped address", "mapped.example.test", "10.9.0.7", "10.9.0.1"},
		{"a host there isn't", "nowhere.example.test", "", "10.9.0.1"},
		{"a host there isn't, and an address", "nowhere.example.test 10.1.2.3", "10.1.2.3", "10.9.0.1"},
	}
	hosts := map[string][]netip.Addr{
		"jira.example.test":   {netip.MustParseAddr("10.9.0.1"), netip.MustParseAddr("2001:db8::9%eth0")},
		"mapped.example.test": {netip.MustParseAddr("::ffff:10.9.0.7")},
	}
	eachHouse(t, func(t *testing.T, h *house) {
		h.ResolveWith(func(_ context.Context, host string) ([]netip.Addr, error) {
			if addrs := hosts[host]; addrs != nil {
				return addrs, nil
			}
			return nil, errors.New("no such host")
		}, h.clock.Now)
		h.app(t, "jira", firstMatch)
		for _, c := range cases {
			if err := h.Set(t.Context(), operator, "jira", application.Options{}, strings.Fields(c.allowed)); err != nil {
				t.Fatal(err)
			}
			for want, addresses := range map[models.Code]string{"": c.yes, models.AddressForbidden: c.no} {
				for _, address := range strings.Fields(addresses) {
					_, err := h.Authenticate(t.Context(), basic("jira", secret), application.Caller{Address: netip.MustParseAddr(address)})
					wantCode(t, c.name+": "+address, want, err)
				}
			}
		}
	})
}

// A host name is asked for once a minute, one that fails once in ten seconds; a name server
// that doesn't answer doesn't hold calls up for longer than two seconds.
func TestHostNamesAreRemembered(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		asked, fails := 0, false
		address := loopback
		h.ResolveWith(func(ctx context.Context, _ string) ([]netip.Addr, error) {
			asked++
			if by, ok := ctx.Deadline(); !ok || time.Until(by) > 2*time.Second {
				t.Errorf("want to wait for at most two seconds, got %s", time.Until(by))
			}
			if fails {
				return nil, errors.New("no answer")
			}
			return []netip.Addr{address}, nil
		}, h.clock.Now)
		h.create(t, application.NewApplication{Name: "jira", Addresses: []string{"jira.example.test"}})
		step := func(what string, after time.Duration, want models.Code, wantAsked int) {
			t.Helper()
			h.clock.Advance(after)
			wantCode(t, what, want, h.authenticate(t, "jira", secret))
			if asked != wantAsked {
				t.Errorf("%s: want %d questions so far, got %d", what, wantAsked, asked)
			}
		}
		step("first", 0, "", 1)
		step("within the minute", 59*time.Second, "", 1)
		address = netip.MustParseAddr("10.9.0.1") // the host has moved
		step("after the minute", time.Second, models.AddressForbidden, 2)
		fails = true
		step("a failure", time.Minute, models.AddressForbidden, 3)
		step("within ten seconds", 9*time.Second, models.AddressForbidden, 3)
		address, fails = loopback, false
		step("after ten seconds", time.Second, "", 4)
	})
}
