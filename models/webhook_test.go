package models_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/rollcall-id/rollcall/models"
)

func TestAddressesOfWebhooks(t *testing.T) {
	for url, problem := range map[string]string{
		"http://jira.example.test/plugins/servlet/crowd": "",
		"https://jira.example.test:8443/a?b=c%20d":       "",
		"http://127.0.0.1:8080/":                         "",
		"http://[2001:db8::1]:8080/":                     "",
		"HTTP://jira":                                    "",
		"":                                               "absolute",
		"jira.example.test/x":                            "absolute",
		"/x":                                             "absolute",
		"//jira.example.test/x":                          "absolute",
		"ftp://jira.example.test/x":                      "absolute",
		"file:///etc/passwd":                             "absolute",
		"http:jira.example.test":                         "absolute",
		"http:///x":                                      "absolute",
		"http://:8080/x":                                 "absolute",
		"http://ada@jira.example.test/":                  "user",
		"http://ada:x@jira.example.test/":                "user",
		"http://jira.example.test/#x":                    "fragment",
		"http://jira.example.test:0/":                    "port",
		"http://jira.example.test:65536/":                "port",
		"http://jira.example.test:/":                     "port",
		"http://[fe80::1%25eth0]/":                       "zone",
		"http://jira.example.test/a b":                   "blank",
		"http://jira.example.test/\r\nX: y":              "blank",
		"http://jirä.example.test/":                      "ASCII",
		"http://jira.example.test/%zz":                   "absolute",
		"http://jira.example.test/" + strings.Repeat("x", models.MaxWebhookURL): "longer",
	} {
		got := models.WebhookURLProblem(url)
		if (got == "") != (problem == "") || !strings.Contains(got, problem) {
			t.Errorf("WebhookURLProblem(%q) = %q, want %q", url, got, problem)
		}
	}
}

// Whoever registers a webhook must not reach what only this server reaches.
func TestWhereWebhooksMayLead(t *testing.T) {
	own := func(to netip.AddrPort) bool { return to == netip.MustParseAddrPort("203.0.113.9:8095") }
	nowhere := models.WebhookReach{Own: own}
	anywhere := models.WebhookReach{Allowed: prefixes("0.0.0.0/0", "::/0"), Own: own}
	here := models.WebhookReach{Allowed: prefixes("127.0.0.1/32", "::1/128", "10.1.0.0/16", "169.254.7.7/32", "203.0.113.9/32"), Own: own}
	opened := models.WebhookReach{Networks: prefixes("10.0.0.0/8", "fd00::/8"), Own: own}
	for _, c := range []struct {
		to                              string
		nowhere, anywhere, here, opened bool
	}{
		{"203.0.113.7:80", true, true, true, true},
		{"[2001:db8::1]:80", true, true, true, true},
		{"203.0.113.9:80", true, true, true, true},
		{"203.0.113.9:8095", false, false, true, false}, // our own listener
		{"127.0.0.1:8080", false, false, true, false},
		{"127.0.0.2:8080", false, false, false, false},
		{"[::1]:8080", false, false, true, false},
		{"[::ffff:127.0.0.1]:8080", false, false, true, false},
		{"[::127.0.0.2]:8080", false, false, false, false},
		{"[64:ff9b::7f00:2]:80", false, false, false, false}, // 127.0.0.2 behind NAT64
		{"[2002:7f00:2::1]:80", false, false, false, false},  // and behind 6to4
		{"0.0.0.0:80", false, false, false, false},
		{"0.0.0.1:80", false, false, false, false},
		{"[::]:80", false, false, false, false},
		{"169.254.169.254:80", false, false, false, false}, // a cloud's metadata
		{"169.254.7.7:80", false, false, true, false},
		{"[fe80::1]:80", false, false, false, false},
		{"[fe80::1%eth0]:80", false, false, false, false},
		{"224.0.0.1:80", false, false, false, false},
		{"[ff02::1]:80", false, false, false, false},
		{"255.255.255.255:80", false, false, false, false},
		{"10.1.2.3:80", false, true, true, true},
		{"10.2.2.3:80", false, true, false, true},
		{"[64:ff9b::a02:203]:80", false, true, false, true},
		{"172.16.0.1:80", false, true, false, false},
		{"192.168.0.1:80", false, true, false, false},
		{"100.100.100.200:80", false, true, false, false}, // another cloud's metadata
		{"[fd00:ec2::254]:80", false, true, false, true},  // and one more
	} {
		to := netip.MustParseAddrPort(c.to)
		for name, reach := range map[string]struct {
			models.WebhookReach
			want bool
		}{
			"an application that may call from nowhere":        {nowhere, c.nowhere},
			"one that may call from anywhere":                  {anywhere, c.anywhere},
			"one that may call from this machine and its net":  {here, c.here},
			"one for whom an operator opened private networks": {opened, c.opened},
		} {
			if problem := reach.Problem(to); (problem == "") != reach.want {
				t.Errorf("%s to %s: %q, want it allowed: %t", name, c.to, problem, reach.want)
			}
		}
	}
	if (models.WebhookReach{}).Problem(netip.AddrPort{}) == "" {
		t.Error("no address at all is allowed")
	}
}

func prefixes(texts ...string) (out []netip.Prefix) {
	for _, text := range texts {
		out = append(out, netip.MustParsePrefix(text))
	}
	return out
}

func TestNetworksThatCannotBeOpened(t *testing.T) {
	for text, ok := range map[string]bool{
		"10.0.0.0/8": true, "192.168.1.7/32": true, "0.0.0.0/0": true, "fd00::/8": true,
		"127.0.0.0/8": false, "127.0.0.1/32": false, "169.254.0.0/16": false, "224.0.0.0/8": false, "0.0.0.0/32": false, "::1/128": false, "fe80::/64": false,
	} {
		if problem := models.WebhookNetworkProblem(netip.MustParsePrefix(text)); (problem == "") != ok {
			t.Errorf("%s: %q", text, problem)
		}
	}
}
