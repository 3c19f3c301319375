package server

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// certificates serves the certificate of two files and takes a new pair when they change. A pair
// that can't be used leaves the one before in place.
type certificates struct {
	certFile, keyFile string
	every             time.Duration // between two looks at the files
	now               func() time.Time
	log               *slog.Logger

	current atomic.Pointer[tls.Certificate]

	mu   sync.Mutex        // guards seen: a signal may ask for a look while run takes one
	seen [sha256.Size]byte // the content at the last look, usable or not
}

// loadCertificates reads the pair for the first time; here a pair that can't be used is an error.
func loadCertificates(c Config, log *slog.Logger) (*certificates, error) {
	certs := &certificates{
		certFile: c.TLSCertFile, keyFile: c.TLSKeyFile,
		every: 5 * time.Second, now: time.Now, log: log,
	}
	if _, err := certs.reload(); err != nil {
		return nil, err
	}
	return certs, nil
}

// GetCertificate gives the current pair; it is for tls.Config.
func (c *certificates) GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return c.current.Load(), nil
}

// Expiry says when the current certificate ends.
func (c *certificates) Expiry() time.Time { return c.current.Load().Leaf.NotAfter }

// run looks at the files until ctx ends. It compares their content: renewal programs change
// links, and copies may keep the old time.
func (c *certificates) run(ctx context.Context) {
	tick := time.NewTicker(c.every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			c.look()
		}
	}
}

// look takes a changed pair and logs what came of it, once per change.
func (c *certificates) look() {
	switch changed, err := c.reload(); {
	case err != nil && changed:
		c.log.Error("new TLS certificate can't be used; the old one stays", KeyError, err, "expires", c.Expiry())
	case changed:
		c.log.Info("TLS certificate changed", "expires", c.Expiry())
	}
}

// reload reads the pair and says whether it is another than at the last look.
func (c *certificates) reload() (changed bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	cert, certErr := os.ReadFile(c.certFile)
	key, keyErr := os.ReadFile(c.keyFile)
	now := sha256.Sum256(fmt.Appendf(nil, "%v\n%v\n%d\n%s%s", certErr, keyErr, len(cert), cert, key))
	if now == c.seen {
		return false, nil
	}
	c.seen = now
	pair, err := usable(cert, key, certErr, keyErr)
	if err != nil {
		return true, err
	}
	c.current.Store(pair)
	return true, nil
}

func usable(cert, key []byte, certErr, keyErr error) (*tls.Certificate, error) {
	if certErr != nil {
		return nil, fmt.Errorf("tls-cert-file: %w", certErr)
	}
	if keyErr != nil {
		return nil, fmt.Errorf("tls-key-file: %w", keyErr)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("tls-cert-file and tls-key-file: %w", err)
	}
	return &pair, nil
}

// nearExpiry is when an ending certificate begins to show in /readyz?verbose.
const nearExpiry = 14 * 24 * time.Hour

// check shows a certificate near its end. It never fails: taking a server out of rotation gives
// no one a better certificate.
func (c *certificates) check() Check {
	return Check{Name: "certificate", Run: func(context.Context) error {
		end := c.Expiry()
		switch left := end.Sub(c.now()); {
		case left <= 0:
			return Remark("expired on " + end.UTC().Format(time.DateOnly))
		case left < nearExpiry:
			return Remark("expires on " + end.UTC().Format(time.DateOnly))
		}
		return nil
	}}
}

// secure makes srv speak TLS with the current certificate: HTTP/1.1 only, or HTTP/2 as well. Go's
// server would switch HTTP/2 on by itself, and Crowd's module for Apache takes its status line
// for an error.
func (c *certificates) secure(srv *http.Server, http2 bool, writeStall time.Duration) {
	srv.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.GetCertificate}
	srv.Protocols = new(http.Protocols)
	srv.Protocols.SetHTTP1(true)
	srv.Protocols.SetHTTP2(http2)
	srv.HTTP2 = &http.HTTP2Config{
		// The server also runs no more handlers than this for a client that opens streams and
		// resets them at once (CVE-2023-44487).
		MaxConcurrentStreams:          100,
		MaxReadFrameSize:              64 << 10,
		MaxDecoderHeaderTableSize:     4 << 10,
		MaxReceiveBufferPerConnection: 1 << 20,
		MaxReceiveBufferPerStream:     256 << 10,
		SendPingTimeout:               30 * time.Second,
		PingTimeout:                   15 * time.Second,
		WriteByteTimeout:              writeStall,
	}
}
