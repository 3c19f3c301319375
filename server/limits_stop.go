package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// front is one listener and its http.Server: the public one, or the management listener.
type front struct {
	srv      *http.Server
	listener net.Listener
	health   *health       // told when the stop begins
	certs    *certificates // nil: plain HTTP
	stall    time.Duration // how long a client may read nothing
	drain    time.Duration
	timeout  time.Duration // of the whole stop
	log      *slog.Logger
}

// openFront opens the public listener for h.
func openFront(ctx context.Context, c Config, h http.Handler, health *health, log *slog.Logger) (*front, error) {
	f := &front{
		srv:    limitsOf(c).server(h, &health.draining, log),
		health: health, stall: c.WriteStall, drain: c.DrainTime, timeout: c.ShutdownTimeout, log: log,
	}
	if c.TLSCertFile != "" {
		certs, err := loadCertificates(c, log)
		if err != nil {
			return nil, err
		}
		f.certs = certs
		f.certs.secure(f.srv, c.HTTP2, c.WriteStall)
	}
	if err := f.open(ctx, "listen", c.Listen); err != nil {
		return nil, err
	}
	return f, nil
}

// openManagement opens the listener for probes and metrics. It is stopped last, so that /readyz
// can say no while the public one drains.
func openManagement(ctx context.Context, c Config, health *health, m *metrics, log *slog.Logger) (*front, error) {
	mux := http.NewServeMux()
	health.register(mux)
	mux.Handle("GET /metrics", m.handler())
	f := &front{
		srv:    limitsOf(c).server(mux, &health.draining, log),
		health: health, stall: c.WriteStall, timeout: time.Second, log: log,
	}
	if err := f.open(ctx, "management-listen", c.ManagementListen); err != nil {
		return nil, err
	}
	return f, nil
}

func (f *front) open(ctx context.Context, setting, address string) (err error) {
	var config net.ListenConfig
	config.SetMultipathTCP(false) // Go's default for listeners, and such a socket takes no filter: see refuseNew
	f.listener, err = config.Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("%s: %w", setting, err)
	}
	return nil
}

// address is where the listener listens, with the port that it got.
func (f *front) address() net.Addr { return f.listener.Addr() }

// run answers requests until ctx ends, then stops and returns when everything has ended.
func (f *front) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var group sync.WaitGroup
	defer group.Wait()
	if f.certs != nil {
		group.Go(func() { f.certs.run(ctx) })
	}
	served := make(chan error, 1)
	group.Go(func() { served <- f.serve() })
	select {
	case err := <-served:
		cancel()
		return err
	case <-ctx.Done():
		return f.stop()
	}
}

func (f *front) serve() (err error) {
	l := stallListener{f.listener, f.stall}
	if f.certs != nil {
		err = f.srv.ServeTLS(l, "", "")
	} else {
		err = f.srv.Serve(l)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// settle is enough for connections that are being opened to reach the server, also a busy one.
const settle = 200 * time.Millisecond

// stop ends the listener without losing a request. http.Server.Shutdown alone would reset
// connections in three places, so it comes last:
//
//	a kept connection that is idle at that moment may have a request on its way. So for the
//	drain time every answer says "Connection: close", and clients leave by themselves; what is
//	idle at the end hasn't been used for all that time.
//	a connection that waits to be accepted is reset with the listener. So new ones are kept from
//	being opened first, and the waiting ones are still accepted.
//	a load balancer sends requests until its next probe. So /readyz fails from the beginning.
func (f *front) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), f.timeout)
	defer cancel()
	f.health.drain()
	if f.drain > 0 {
		sleep(ctx, f.drain)
		if refuseNew(f.listener) == nil {
			sleep(ctx, settle)
		}
	}
	if err := f.srv.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("requests were still running after %v and are cut off: %w", f.timeout, err), f.srv.Close())
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
