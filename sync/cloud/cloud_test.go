package cloud_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/rollcall-id/rollcall/sync/cloud"
)

// A clock is moved by waiting.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	return ctx.Err()
}

// serve starts a server and a client of it, whose waiting takes no time.
func serve(t *testing.T, handle http.HandlerFunc, change func(*cloud.Options)) (*cloud.Client, *clock) {
	t.Helper()
	server := httptest.NewServer(handle)
	t.Cleanup(server.Close)
	root, err := cloud.Address("address", server.URL)
	if err != nil {
		t.Fatal(err)
	}
	clock := &clock{now: time.Unix(1_700_000_000, 0)}
	o := cloud.Options{Root: root, Concurrency: 8, Now: clock.Now, Sleep: clock.Sleep}
	if change != nil {
		change(&o)
	}
	c, err := cloud.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c, clock
}

func takeJSON(into any) func(cloud.Answer) error {
	return func(a cloud.Answer) error { return json.Unmarshal(a.Body, into) }
}

func TestAnAnswerIsUnpackedAndCountedAsItCame(t *testing.T) {
	t.Parallel()
	text := `"` + strings.Repeat("a", 100_000) + `"`
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write([]byte(text))
	_ = z.Close()
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "gzip" || r.Header.Get("X-Mine") != "yes" {
			t.Errorf("headers: %v", r.Header)
		}
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(packed.Bytes())
	}, func(o *cloud.Options) { o.Header = http.Header{"X-Mine": {"yes"}} })
	var got string
	if err := c.Do(t.Context(), cloud.Request{URL: "/", Take: takeJSON(&got)}); err != nil {
		t.Fatal(err)
	}
	if len(got) != 100_000 {
		t.Errorf("got %d bytes", len(got))
	}
	if s := c.Stats(); s.Requests != 1 || s.Bytes != int64(packed.Len()) {
		t.Errorf("want one request of %d bytes, got %+v", packed.Len(), s)
	}
}

func TestEverybodyWaitsAsLongAsOneWasTold(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var until time.Time
	var clk *clock
	early := 0
	var n atomic.Int64
	c, clk := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if n.Add(1)%20 == 5 {
			w.Header().Set("Retry-After", "40")
			w.WriteHeader(http.StatusTooManyRequests)
			until = clk.Now().Add(40 * time.Second)
			return
		}
		if clk.Now().Before(until) {
			early++
		}
	}, nil)
	var workers errgroup.Group
	workers.SetLimit(c.Workers())
	for range 100 {
		workers.Go(func() error { return c.Do(t.Context(), cloud.Request{URL: "/"}) })
	}
	if err := workers.Wait(); err != nil {
		t.Fatal(err)
	}
	s := c.Stats()
	if s.Throttled == 0 || s.Retried != s.Throttled {
		t.Errorf("got %+v", s)
	}
	// What was underway when the complaint came can't be called back.
	if most := int(s.Throttled) * (c.Workers() - 1); early > most {
		t.Errorf("%d requests came during %d silences", early, s.Throttled)
	}
}

func TestOneNewTokenServesAll(t *testing.T) {
	t.Parallel()
	var fetched atomic.Int64
	var clk *clock
	good := "Bearer 1"
	var mu sync.Mutex
	tokens := cloud.NewTokens(func(context.Context) (cloud.Token, error) {
		return cloud.Token{Header: fmt.Sprint("Bearer ", fetched.Add(1)), Expires: clk.Now().Add(time.Hour)}, nil
	}, func() time.Time { return clk.Now() })
	c, clk := serve(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if r.Header.Get("Authorization") != good {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}, func(o *cloud.Options) {
		o.Authorize = func(r *http.Request, refused string) error {
			token, err := tokens.Get(r.Context(), refused)
			r.Header.Set("Authorization", token.Header)
			return err
		}
	})
	all := func() error {
		var workers errgroup.Group
		for range 20 {
			workers.Go(func() error { return c.Do(t.Context(), cloud.Request{URL: "/"}) })
		}
		return workers.Wait()
	}
	if err := all(); err != nil || fetched.Load() != 1 {
		t.Fatalf("want one token, got %d, %v", fetched.Load(), err)
	}
	mu.Lock()
	good = "Bearer 2" // the first one is revoked
	mu.Unlock()
	if err := all(); err != nil || fetched.Load() != 2 {
		t.Fatalf("want two tokens, got %d, %v", fetched.Load(), err)
	}
	mu.Lock()
	good = "Bearer 3"
	mu.Unlock()
	_ = clk.Sleep(t.Context(), 56*time.Minute) // four minutes before the end
	if err := all(); err != nil || fetched.Load() != 3 {
		t.Fatalf("want three tokens, got %d, %v", fetched.Load(), err)
	}
	mu.Lock()
	good = "never"
	mu.Unlock()
	err := c.Do(t.Context(), cloud.Request{URL: "/"})
	var e *cloud.Error
	if !errors.As(err, &e) || e.Status != http.StatusUnauthorized || e.Tries != 2 {
		t.Errorf("want one renewal and then 401, got %v", err)
	}
	if fmt.Sprintf("%v %+v %#v", cloud.Token{Header: "x"}, cloud.Token{Header: "x"}, cloud.Token{Header: "x"}) != "[secret] [secret] [secret]" {
		t.Error("a token prints")
	}
}

func TestWhatFailsForEverEnds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		handle http.HandlerFunc
		tries  int
		want   string
		fatal  bool // all else that is asked would fare no better
	}{
		{"an error of the server", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, 6, "500 Internal Server Error", false},
		{"throttled", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(429) }, 20, "429", true},
		{"throttled for days", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "86400")
			w.WriteHeader(429)
		}, 1, "asks to wait 24h0m0s", true},
		{"unavailable for days", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "86400")
			w.WriteHeader(503)
		}, 1, "asks to wait 24h0m0s", true},
		{"unavailable again and again", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(503)
		}, 20, "503", true},
		{"refused", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) }, 1, "401", true},
		{"not there", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) }, 1, "404 Not Found", false},
		{"moved", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://elsewhere.example/", http.StatusFound)
		}, 1, "leads elsewhere", false},
		{"too long", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 2<<20)) }, 1, "longer than 1 MiB", false},
		{"a page for people", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, " <html>") }, 6, "a web page came", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var asked atomic.Int64
			client, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
				asked.Add(1)
				c.handle(w, r)
			}, nil)
			var v any
			err := client.Do(t.Context(), cloud.Request{URL: "/list?secret=1", Limit: 1 << 20, Take: takeJSON(&v)})
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "GET /list") || strings.Contains(err.Error(), "secret") {
				t.Errorf("want %q, got %v", c.want, err)
			}
			if n := int(asked.Load()); n != c.tries {
				t.Errorf("want %d tries, got %d", c.tries, n)
			}
			if got := cloud.Fatal(err); got != c.fatal {
				t.Errorf("want it to be fatal %v, got %v", c.fatal, got)
			}
		})
	}
}

func TestComplaintsLetFewerRunAtOnce(t *testing.T) {
	t.Parallel()
	var running, most atomic.Int64
	var slow atomic.Bool
	gate := make(chan struct{})
	c, _ := serve(t, func(http.ResponseWriter, *http.Request) {
		if n := running.Add(1); n > most.Load() {
			most.Store(n)
		}
		if !slow.Load() {
			<-gate
		}
		running.Add(-1)
	}, func(o *cloud.Options) {
		o.Judge = func(a cloud.Answer) cloud.Verdict {
			v := cloud.Judge(a)
			v.Slower = slow.Load()
			return v
		}
	})
	var workers errgroup.Group
	for range 12 {
		workers.Go(func() error { return c.Do(t.Context(), cloud.Request{URL: "/"}) })
	}
	for most.Load() < 4 {
		time.Sleep(time.Millisecond)
	}
	close(gate)
	if err := workers.Wait(); err != nil {
		t.Fatal(err)
	}
	slow.Store(true)
	for range 4 { // each is complained of
		if err := c.Do(t.Context(), cloud.Request{URL: "/"}); err != nil {
			t.Fatal(err)
		}
	}
	most.Store(0)
	for range 8 {
		workers.Go(func() error { return c.Do(t.Context(), cloud.Request{URL: "/"}) })
	}
	if err := workers.Wait(); err != nil || most.Load() != 1 {
		t.Errorf("want one at a time, got %d, %v", most.Load(), err)
	}
}

func TestRequestsAreSpreadOverASecond(t *testing.T) {
	t.Parallel()
	c, clk := serve(t, func(http.ResponseWriter, *http.Request) {}, func(o *cloud.Options) { o.PerSecond = 10 })
	begin := clk.Now()
	for range 31 {
		if err := c.Do(t.Context(), cloud.Request{URL: "/"}); err != nil {
			t.Fatal(err)
		}
	}
	if took := clk.Now().Sub(begin); took < 3*time.Second-time.Millisecond {
		t.Errorf("31 requests at 10 a second took %v", took)
	}
}

func TestATransportForALibrary(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch asked.Add(1) {
		case 1:
			w.Header().Set("Retry-After", "3")
			w.WriteHeader(429)
		case 2:
			_, _ = io.WriteString(w, `{"half`)
		default:
			_, _ = io.WriteString(w, `{"path":"`+r.URL.RequestURI()+`"}`)
		}
	}, nil)
	library := &http.Client{Transport: c.Transport(func(a cloud.Answer) error {
		if !json.Valid(a.Body) {
			return errors.New("no JSON")
		}
		return nil
	})}
	get := func(method, address string) (*http.Response, error) {
		r, err := http.NewRequestWithContext(t.Context(), method, address, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		return library.Do(r)
	}
	response, err := get(http.MethodGet, c.Root().String()+"/a%2Fb?q=1")
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(response.Body)
	response.Body.Close()
	if response.StatusCode != 200 || string(body) != `{"path":"/a%2Fb?q=1"}` || asked.Load() != 3 {
		t.Errorf("got %d %s after %d requests", response.StatusCode, body, asked.Load())
	}
	for _, bad := range [][2]string{{http.MethodPost, c.Root().String()}, {http.MethodGet, "https://elsewhere.example/"}} {
		if response, err := get(bad[0], bad[1]); err == nil {
			response.Body.Close()
			t.Errorf("%v was sent", bad)
		}
	}
}

func TestAnOwnCAIsTrusted(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(server.Close)
	root, err := cloud.Address("address", server.URL)
	if err != nil {
		t.Fatal(err)
	}
	sleep := func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	c, err := cloud.New(cloud.Options{Root: root, Sleep: sleep})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Do(t.Context(), cloud.Request{URL: "/"}); err == nil || !strings.Contains(err.Error(), "own CA") {
		t.Errorf("want a hint at the directory's own CA, got %v", err)
	}
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if c, err = cloud.New(cloud.Options{Root: root, CA: ca, Sleep: sleep}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	if err := c.Do(t.Context(), cloud.Request{URL: "/"}); err != nil {
		t.Error(err)
	}
}

func TestAProxyIsAsked(t *testing.T) {
	t.Parallel()
	var host atomic.Value
	proxy := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { host.Store(r.Host) }))
	t.Cleanup(proxy.Close)
	root, err := cloud.Address("address", "http://127.0.0.1:9")
	if err != nil {
		t.Fatal(err)
	}
	c, err := cloud.New(cloud.Options{Root: root, Proxy: proxy.URL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	if err := c.Do(t.Context(), cloud.Request{URL: "/"}); err != nil || host.Load() != "127.0.0.1:9" {
		t.Errorf("the proxy saw %v, %v", host.Load(), err)
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"https://graph.microsoft.com/v1.0/": "https://graph.microsoft.com/v1.0", "http://127.0.0.1:9701": "http://127.0.0.1:9701",
		"http://[::1]:1/x": "http://[::1]:1/x", "http://localhost:1": "http://localhost:1",
		"http://graph.example": "", "http://127.0.0.1.evil.example": "", "ftp://x": "", "graph.example": "", "https://a@b": "",
		"https://a?b": "", "https://a#b": "", "": "", "https://": "", "://": "",
	} {
		u, err := cloud.Address("graph-url", address)
		switch {
		case want == "" && (err == nil || !strings.HasPrefix(err.Error(), "graph-url: ")):
			t.Errorf("%q: want an error that names the setting, got %v, %v", address, u, err)
		case want != "" && (err != nil || u.String() != want):
			t.Errorf("%q: want %q, got %v, %v", address, want, u, err)
		}
	}
}

func TestLinksLeadToTheRootOnly(t *testing.T) {
	t.Parallel()
	root, err := cloud.Address("address", "https://graph.example/v1.0")
	if err != nil {
		t.Fatal(err)
	}
	c, err := cloud.New(cloud.Options{Root: root})
	if err != nil {
		t.Fatal(err)
	}
	for link, good := range map[string]bool{
		"https://graph.example/v1.0/users?p=2": true, "https://GRAPH.example:443/x": true,
		"http://graph.example/v1.0/users": false, "https://graph.example:8443/": false, "https://graph.example.evil.example/": false,
		"https://graph.example@evil.example/": false, "https://evil@graph.example/": false, "//evil.example/": false, "javascript:x": false, "": false,
	} {
		if got := c.CheckLink(link) == nil; got != good {
			t.Errorf("%q: want good %v, got %v", link, good, got)
		}
	}
	chain := c.Chain("users", 2)
	for _, step := range []struct {
		link string
		good bool
	}{{"https://graph.example/1", true}, {"https://graph.example/1", false}, {"https://graph.example/2", true}, {"https://graph.example/3", false}} {
		if err := chain.Follow(step.link); (err == nil) != step.good {
			t.Errorf("%s: want good %v, got %v", step.link, step.good, err)
		}
	}
}
