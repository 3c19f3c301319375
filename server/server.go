package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"golang.org/x/sync/errgroup"

	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/explain"
	"github.com/rollcall-id/rollcall/internal/outbox"
	"github.com/rollcall-id/rollcall/internal/password"
	"github.com/rollcall-id/rollcall/login"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/roster"
	"github.com/rollcall-id/rollcall/session"
	"github.com/rollcall-id/rollcall/store"
	dirsync "github.com/rollcall-id/rollcall/sync"
)

// Options say how to run the server.
type Options struct {
	Config  Config
	Log     *slog.Logger
	Version string

	// Ready is called once the server answers, with the addresses of its listeners; the
	// second is empty where there is no management listener. It may be nil.
	Ready func(listen, management string)
}

// Services are the rules, built once over one store. The command line uses them without a
// server.
type Services struct {
	Store       *store.Store
	Hasher      *password.Hasher
	Audit       *audit.Log
	Directories *directory.Service
	Application *application.Service
	Roster      *roster.Roster
	Sessions    *session.Service
	Login       *login.Service
	Sync        *dirsync.Service
	Explain     *explain.Service
}

// Opening says what differs between the server and a command that opens the services.
type Opening struct {
	Upgrade bool                // upgrade an older schema; without it, one is refused
	Count   func(login.Outcome) // called with the outcome of each login; nil: nobody counts
	Synced  func(*models.Run)   // called with each synchronisation that this process ran; may be nil
}

// OpenServices opens the store that the configuration names and builds the rules over it.
// Whoever opens them closes the store.
func OpenServices(ctx context.Context, c Config, log *slog.Logger, o Opening) (*Services, error) {
	key, from, err := ResolveSecretKey(c)
	if err != nil {
		return nil, err
	}
	log.Debug("secret key found", "from", from)
	st, err := store.Open(ctx, store.Options{URL: c.DatabaseURL.Reveal(), Key: key, Upgrade: o.Upgrade, Log: log})
	if err != nil {
		return nil, err
	}
	s := &Services{
		Store:  st,
		Hasher: password.NewHasher(password.Params{Memory: uint32(c.ArgonMemory / 1024), Time: uint32(c.ArgonTime), Threads: 1}, c.PasswordHashes),
		Audit:  audit.New(st, audit.Options{Log: log}),
	}
	s.Directories = directory.New(st, s.Hasher, log)
	s.Roster = roster.New(st, log)
	s.Application = application.New(st, s.Directories, s.Hasher, log, s.Audit, s.Roster)
	s.Sessions = session.New(st, session.Options{
		Lifetime: c.SessionTimeout, AnyAddress: !c.RequireSameAddress, TrustedProxy: trustedProxy(c.TrustedProxies), Log: log,
	})
	s.Login = login.New(st, s.Directories, s.Sessions, s.Audit, login.Options{TellDenied: c.TellAccessDenied, Count: o.Count, Letters: c.letters()})
	s.Sync = dirsync.New(st, dirsync.Config{Open: Sources(log), Log: log, Server: c.letters().URL, Done: o.Synced})
	s.Explain = explain.New(st, s.Sync)
	return s, nil
}

// trustedProxy tells of an address that a client names as the one it was called from.
func trustedProxy(trusted []netip.Prefix) func(string) bool {
	return func(text string) bool {
		addr, err := netip.ParseAddr(text)
		return err == nil && isTrusted(plain(addr), trusted)
	}
}

// Run opens the database, upgrading it where it must be, and answers requests until ctx ends.
// It returns when everything has stopped: no request that was accepted is lost.
func Run(ctx context.Context, o Options) error {
	m := newMetrics(o.Version)
	s, err := OpenServices(ctx, o.Config, o.Log, Opening{Upgrade: true, Count: m.countLogin, Synced: m.countRun})
	if err != nil {
		return err
	}
	err = answerUntil(ctx, o, s, m)
	// What is noted and counted in memory is written even when serving failed.
	flush, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return errors.Join(err, s.Audit.Flush(flush), s.Store.Close())
}

func answerUntil(ctx context.Context, o Options, s *Services, m *metrics) error {
	health := newHealth(checks(s)...)
	e := newEcho(o, s, m)
	public, err := openFront(ctx, o.Config, e, health, o.Log)
	if err != nil {
		return err
	}
	if public.certs != nil {
		health.checks = append(health.checks, public.certs.check())
		m.watchCertificate(public.certs.Expiry)
	}
	m.watchPasswords(func() PasswordStats { return passwordStats(s.Hasher.Stats()) })
	watchPools(m, s.Store)
	m.watchSync(s)

	sender, err := o.Config.mailSender()
	if err != nil {
		return errors.Join(err, public.listener.Close())
	}
	own := outbox.OwnListeners(public.address().String(), o.Config.ManagementListen)
	s.Application.GuardListeners(own)
	letters := outbox.New(s.Store, outbox.Options{Mail: sender, Own: own, Log: o.Log})

	// Loops and the management listener end after the public one has drained.
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	loops, background := errgroup.WithContext(background)
	for _, run := range []func(context.Context) error{s.Store.Follow, s.Store.KeepNotes, s.Roster.Run, s.Audit.Run, s.Sessions.Prune,
		s.Store.TrimFeed, letters.Run, s.Sync.Schedule} {
		loops.Go(func() error { return run(background) })
	}
	management := ""
	if o.Config.ManagementListen != "" {
		f, err := openManagement(ctx, o.Config, health, m, o.Log)
		if err != nil {
			stop()
			return errors.Join(err, public.listener.Close(), loops.Wait())
		}
		management = f.address().String()
		loops.Go(func() error { return f.run(background) })
	}
	o.Log.Info("rollcall serves", "listen", public.address().String(), "management", management, "database", s.Store.Database(), "version", o.Version)
	if o.Ready != nil {
		o.Ready(public.address().String(), management)
	}
	// A loop that fails ends the server: it must not answer on without it.
	answering, end := context.WithCancel(ctx)
	defer end()
	defer context.AfterFunc(background, end)()
	err = public.run(answering)
	stop()
	err = errors.Join(err, loops.Wait())
	o.Log.Info("rollcall stopped")
	return err
}

func passwordStats(p password.Stats) PasswordStats {
	return PasswordStats{Running: p.Running, Waiting: p.Waiting, Hashed: int64(p.Done), Refused: int64(p.Refused)}
}

// staleFeed is how long the feed may not be read before the server calls itself not ready.
const staleFeed = 5 * time.Second

func checks(s *Services) []Check {
	return []Check{
		{Name: "database", Run: s.Store.Ping},
		{Name: "feed", Run: func(context.Context) error {
			if age := s.Store.FeedAge(); age > staleFeed {
				return fmt.Errorf("not read for %s: changes of other replicas are missing", age.Round(time.Second))
			}
			return nil
		}},
		{Name: "events", Run: func(ctx context.Context) error { return heldEvents(ctx, s.Store) }},
		{Name: "synchronisation", Run: func(ctx context.Context) error { return staleDirectories(ctx, s.Sync) }},
	}
}

// staleDirectories remarks on directories that are no longer kept equal to their sources; requests
// are answered all the same.
func staleDirectories(ctx context.Context, sync *dirsync.Service) error {
	all, err := sync.Conditions(ctx)
	if err != nil {
		return Remark("not known: " + err.Error())
	}
	var stale []string
	for _, one := range all {
		if one.Stale != "" {
			stale = append(stale, one.Directory+": "+one.Stale)
		}
	}
	if len(stale) == 0 {
		return nil
	}
	return Remark(strings.Join(stale, "; "))
}

// heldLong is how long a transaction may keep events waiting before the operator is told.
const heldLong = time.Minute

// heldEvents remarks on a transaction for which events wait; requests are answered all the same.
func heldEvents(ctx context.Context, st *store.Store) error {
	held, by, err := st.HeldPlace(ctx)
	switch {
	case err != nil:
		return Remark("not known: " + err.Error())
	case held > heldLong:
		return Remark(fmt.Sprintf("wait for a transaction that has been open for %s: %s", held.Round(time.Second), by))
	}
	return nil
}

// watchPools shows the database's connection pools.
func watchPools(m *metrics, st *store.Store) {
	for name, stats := range st.Pools() {
		m.watchPool(name, stats)
	}
}

// newEcho builds the router of the public listener.
func newEcho(o Options, s *Services, m *metrics) *echo.Echo {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	routes(e, o, s, m)
	m.closeRoutes(e.Routes())
	return e
}
