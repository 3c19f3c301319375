package outbox_test

import (
	"context"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/rollcall-id/rollcall/internal/outbox"
	"github.com/rollcall-id/rollcall/internal/testkit"
)

// Whatever was allowed when the webhook was registered, the call is judged by what is allowed
// now.
func TestACallIsRefusedWhereItMayNotGo(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		w := newWorld(t, db)
		r := newReceiver(t, ok)
		hook := w.register(r.URL)
		w.addresses("192.0.2.1")
		w.run(w.store, outbox.Options{})
		w.change(w.store)
		w.eventually("it fails", func() bool { return w.hook(hook.ID).Failures == 1 })
		if got := w.hook(hook.ID).LastError; !strings.Contains(got, "refused to connect to 127.0.0.1") || r.called() != 0 {
			t.Errorf("%q; called %d times", got, r.called())
		}
		w.addresses("127.0.0.0/8")
		w.clock.Advance(outbox.WebhookRest(1))
		w.eventually("it is called", func() bool { return r.called() == 1 })
	})
}

func TestACallToOurOwnListenerIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testkit.NewSQLite(t))
	r := newReceiver(t, ok)
	u, err := url.Parse(r.URL)
	if err != nil {
		t.Fatal(err)
	}
	w.addresses("0.0.0.0/0") // from anywhere: that says nothing of this machine
	hook := w.register(r.URL)
	w.run(w.store, outbox.Options{Own: outbox.OwnListeners(u.Host)})
	w.change(w.store)
	w.eventually("it fails", func() bool { return w.hook(hook.ID).Failures == 1 })
	if got := w.hook(hook.ID).LastError; !strings.Contains(got, "itself listens there") || r.called() != 0 {
		t.Errorf("%q; called %d times", got, r.called())
	}
}

// A name can mean another address each time it is asked for (DNS rebinding). What counts is the
// address that the connection goes to.
func TestANameThatChangesItsMind(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		w := newWorld(t, db)
		r := newReceiver(t, ok)
		u, err := url.Parse(r.URL)
		if err != nil {
			t.Fatal(err)
		}
		names := newNames(t)
		hook := w.register("http://jira.example.test:" + u.Port() + "/")
		w.addresses("192.0.2.1")
		names.say("jira.example.test", "127.0.0.1")
		w.run(w.store, outbox.Options{Resolver: names.resolver()})
		w.change(w.store)
		w.eventually("it fails", func() bool { return w.hook(hook.ID).Failures == 1 })
		if got := w.hook(hook.ID).LastError; !strings.Contains(got, "refused to connect to 127.0.0.1") || r.called() != 0 {
			t.Errorf("%q; called %d times", got, r.called())
		}

		// Allowed by its name: then it is asked what the name means now.
		w.addresses("jira.example.test")
		w.clock.Advance(outbox.WebhookRest(1))
		w.eventually("it is called", func() bool { return r.called() == 1 })

		// Of several addresses those are tried that are allowed.
		w.addresses("127.0.0.1")
		names.say("jira.example.test", "127.0.0.2", "127.0.0.1", "169.254.169.254")
		w.rested(hook)
		w.change(w.store)
		w.eventually("it is called again", func() bool { return r.called() == 2 })
	})
}

// names is a name server that says what a test wants.
type names struct {
	conn *net.UDPConn
	mu   sync.Mutex
	said map[string][]netip.Addr
}

func newNames(t *testing.T) *names {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	n := &names{conn: conn, said: map[string][]netip.Addr{}}
	t.Cleanup(func() { conn.Close() })
	go n.serve()
	return n
}

func (n *names) say(name string, addrs ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.said[name+"."] = nil
	for _, a := range addrs {
		n.said[name+"."] = append(n.said[name+"."], netip.MustParseAddr(a))
	}
}

func (n *names) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", n.conn.LocalAddr().String())
	}}
}

func (n *names) serve() {
	buf := make([]byte, 1500)
	for {
		size, from, err := n.conn.ReadFromUDP(buf)
		if err != nil {
			return
		}
		var m dnsmessage.Message
		if m.Unpack(buf[:size]) != nil || len(m.Questions) != 1 {
			continue
		}
		q := m.Questions[0]
		answer := dnsmessage.Message{Header: dnsmessage.Header{ID: m.ID, Response: true, RecursionAvailable: true}, Questions: m.Questions}
		n.mu.Lock()
		addrs, known := n.said[q.Name.String()]
		n.mu.Unlock()
		if !known {
			answer.RCode = dnsmessage.RCodeNameError
		}
		for _, a := range addrs {
			if q.Type == dnsmessage.TypeA && a.Is4() {
				answer.Answers = append(answer.Answers, dnsmessage.Resource{
					Header: dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET}, Body: &dnsmessage.AResource{A: a.As4()},
				})
			}
		}
		if packed, err := answer.Pack(); err == nil {
			_, _ = n.conn.WriteToUDP(packed, from)
		}
	}
}

func TestOwnListeners(t *testing.T) {
	t.Parallel()
	own := outbox.OwnListeners("192.0.2.7:8095", ":8096", "[::1]:8097", "localhost:8098", "", "127.0.0.1:0", "nonsense")
	mine := []string{"127.0.0.1", "::1"}
	if all, err := net.InterfaceAddrs(); err == nil {
		for _, one := range all {
			if network, ok := one.(*net.IPNet); ok {
				mine = append(mine, network.IP.String())
			}
		}
	}
	for _, text := range mine {
		if !own(netip.AddrPortFrom(netip.MustParseAddr(text), 8096)) {
			t.Errorf("%s:8096 is ours", text)
		}
	}
	for text, want := range map[string]bool{
		"192.0.2.7:8095": true, "192.0.2.7:80": false, "192.0.2.8:8095": false, "192.0.2.8:8096": false, "[::ffff:192.0.2.7]:8095": true,
		"[::1]:8097": true, "127.0.0.1:8097": false, "127.0.0.1:8098": true, "127.0.0.1:0": false,
	} {
		if got := own(netip.MustParseAddrPort(text)); got != want {
			t.Errorf("%s: ours %t, want %t", text, got, want)
		}
	}
}

func TestWaits(t *testing.T) {
	t.Parallel()
	for n := range 1000 {
		if l, h := outbox.LetterRest(n), outbox.WebhookRest(n); l <= 0 || h <= 0 || l < outbox.LetterRest(max(n-1, 0)) || h < outbox.WebhookRest(max(n-1, 0)) {
			t.Fatalf("after %d attempts: %s, %s", n, l, h)
		}
	}
	if outbox.LetterRest(1000).Hours() != 1 || outbox.WebhookRest(1000).Minutes() != 10 {
		t.Error("the longest waits")
	}
}
