package server

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// pair makes a certificate for localhost that ends at a given time.
func pair(t *testing.T, end time.Time) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: end,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}))
}

// tlsConfig gives settings with a certificate in files.
func tlsConfig(t *testing.T, c Config, end time.Time) Config {
	t.Helper()
	c.TLSCertFile, c.TLSKeyFile = filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	cert, key := pair(t, end)
	write(t, c.TLSCertFile, cert)
	write(t, c.TLSKeyFile, key)
	return c
}

func TestCertificateChanges(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	first, second := time.Now().Add(time.Hour).Truncate(time.Second), time.Now().Add(1000*time.Hour).Truncate(time.Second)
	c := tlsConfig(t, Config{}, first)
	certs, err := loadCertificates(c, slog.New(slog.NewTextHandler(&out, nil)))
	if err != nil {
		t.Fatal(err)
	}
	newCert, newKey := pair(t, second)
	for _, step := range []struct {
		name      string
		cert, key string // empty: as before
		want      time.Time
		wantLog   string // empty: no line
	}{
		{name: "nothing changed", want: first},
		{name: "half a pair", cert: newCert, want: first, wantLog: "can't be used"},
		{name: "still half a pair", want: first},
		{name: "the other half", key: newKey, want: second, wantLog: "TLS certificate changed"},
		{name: "garbage", cert: "garbage", want: second, wantLog: "can't be used"},
		{name: "an empty file", cert: "\n", want: second, wantLog: "can't be used"},
		{name: "back again", cert: newCert, want: second, wantLog: "TLS certificate changed"},
	} {
		if step.cert != "" {
			write(t, c.TLSCertFile, step.cert)
		}
		if step.key != "" {
			write(t, c.TLSKeyFile, step.key)
		}
		out.Reset()
		certs.look()
		if got := certs.Expiry(); !got.Equal(step.want) {
			t.Errorf("%s: want %v, got %v", step.name, step.want, got)
		}
		if log := out.String(); (log == "") != (step.wantLog == "") || !strings.Contains(log, step.wantLog) {
			t.Errorf("%s: want %q, got %q", step.name, step.wantLog, log)
		}
	}
}

func TestCertificateIsReloadedWhileServing(t *testing.T) {
	t.Parallel()
	c := tlsConfig(t, testLimits, time.Now().Add(time.Hour))
	f := serve(t, c, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	serial := func() string {
		conn, err := tls.Dial("tcp", f.address().String(), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		return string(conn.ConnectionState().PeerCertificates[0].Raw)
	}
	before := serial()
	cert, key := pair(t, time.Now().Add(2*time.Hour))
	write(t, c.TLSCertFile, cert)
	write(t, c.TLSKeyFile, key)
	f.certs.look()
	if serial() == before {
		t.Error("the old certificate is still served")
	}
}

func TestCertificateThatCannotBeRead(t *testing.T) {
	t.Parallel()
	c := tlsConfig(t, Config{}, time.Now().Add(time.Hour))
	c.TLSKeyFile = "/nowhere"
	if _, err := loadCertificates(c, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "tls-key-file") {
		t.Error(err)
	}
}

func TestCertificateNearItsEndShowsInReadyz(t *testing.T) {
	t.Parallel()
	end := time.Date(2026, 8, 1, 0, 0, 0, 0, time.UTC)
	certs, err := loadCertificates(tlsConfig(t, Config{}, end), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		left time.Duration
		want error
	}{
		{15 * 24 * time.Hour, nil}, {24 * time.Hour, Remark("expires on 2026-08-01")}, {-time.Second, Remark("expired on 2026-08-01")},
	} {
		certs.now = func() time.Time { return end.Add(-test.left) }
		if got := certs.check().Run(t.Context()); got != test.want {
			t.Errorf("%v left: want %v, got %v", test.left, test.want, got)
		}
	}
}

// mod_authnz_crowd reads the status line of HTTP/1 only, and libcurl asks for HTTP/2 over TLS by
// default.
func TestHTTP2IsOffUnlessSwitchedOn(t *testing.T) {
	t.Parallel()
	for _, on := range []bool{false, true} {
		c := tlsConfig(t, testLimits, time.Now().Add(time.Hour))
		c.HTTP2 = on
		f := serve(t, c, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Proto) }))
		want, offered := "HTTP/1.1", []string{"h2", "http/1.1"}
		if on {
			want = "HTTP/2.0"
		}
		transport := &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
		response, err := (&http.Client{Transport: transport}).Get("https://" + f.address().String())
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		response.Body.Close()
		transport.CloseIdleConnections()
		if string(body) != want || response.Proto != want {
			t.Errorf("HTTP/2 %v: want %s, got %s and %s", on, want, body, response.Proto)
		}
		conn, err := tls.Dial("tcp", f.address().String(), &tls.Config{InsecureSkipVerify: true, NextProtos: offered})
		if err != nil {
			t.Fatal(err)
		}
		if got := conn.ConnectionState().NegotiatedProtocol; (got == "h2") != on {
			t.Errorf("HTTP/2 %v: negotiated %s", on, got)
		}
		conn.Close()
		if conn, err = tls.Dial("tcp", f.address().String(), &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS11}); err == nil {
			conn.Close()
			t.Error("TLS 1.1 is spoken")
		}
	}
}

// CVE-2023-44487: a client opens streams and resets them at once. No more handlers than streams
// may run, and the server goes on answering others.
//
// Lesson 28 of what others learnt: HTTP/2 streams that are reset at once.
func TestResetsOfStreamsAreBounded(t *testing.T) {
	t.Parallel()
	c := tlsConfig(t, testLimits, time.Now().Add(time.Hour))
	c.HTTP2 = true
	release := make(chan struct{})
	running := make(chan struct{}, 10_000)
	f := serve(t, c, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			running <- struct{}{}
			<-release // as a handler would that doesn't look at its context
		}
	}))
	defer close(release)

	conn, err := tls.Dial("tcp", f.address().String(), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := resetStreams(ctx, conn, 5000); err != nil {
		t.Log("the server ends the connection:", err) // which is fine as well
	}
	transport := &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	defer transport.CloseIdleConnections()
	response, err := (&http.Client{Transport: transport, Timeout: 5 * time.Second}).Get("https://" + f.address().String() + "/")
	if err != nil {
		t.Fatal("others are not answered:", err)
	}
	response.Body.Close()
	if n := len(running); n == 0 || n > 100 {
		t.Errorf("%d handlers run for one client", n)
	}
}

func resetStreams(ctx context.Context, conn *tls.Conn, count int) error {
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline)
	}
	done := make(chan struct{})
	go func() { // what the server sends has to be taken, or it stops reading
		defer close(done)
		_, _ = io.Copy(io.Discard, conn)
	}()
	defer func() { conn.Close(); <-done }()
	if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
		return err
	}
	framer := http2.NewFramer(conn, nil)
	if err := framer.WriteSettings(); err != nil {
		return err
	}
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for i := range count {
		block.Reset()
		for _, field := range []hpack.HeaderField{
			{Name: ":method", Value: "GET"}, {Name: ":scheme", Value: "https"},
			{Name: ":authority", Value: "localhost"}, {Name: ":path", Value: "/slow"},
		} {
			if err := encoder.WriteField(field); err != nil {
				return err
			}
		}
		stream := uint32(2*i + 1)
		if err := framer.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: block.Bytes(), EndStream: true, EndHeaders: true}); err != nil {
			return err
		}
		if err := framer.WriteRSTStream(stream, http2.ErrCodeCancel); err != nil {
			return err
		}
	}
	return nil
}
