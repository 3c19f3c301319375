package outbox

import (
	"cmp"
	"context"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/rollcall-id/rollcall/internal/mail"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// Options say with whose help things are delivered.
type Options struct {
	Mail     *mail.Sender              // nil: letters wait until there is one
	Own      func(netip.AddrPort) bool // tells of the server's own listeners; nil: there are none
	Resolver *net.Resolver             // of the hosts of webhooks; nil: net.DefaultResolver
	Every    time.Duration             // how often to look for what is due; zero: two seconds
	Timeout  time.Duration             // of a webhook's call; zero: ten seconds
	Log      *slog.Logger              // nil: nothing is logged
}

// An Outbox delivers. Any number of processes may run one on the same database.
type Outbox struct {
	store *store.Store
	o     Options
	wake  chan struct{} // something changed that webhooks may want to tell
	read  places
}

// places remembers up to where the feed has nothing to tell a webhook: its row isn't written
// for that.
type places struct {
	mu    sync.Mutex
	known map[models.ID]store.Place
}

// New makes the outbox, which follows the store's feed by itself. Run must run for it to
// deliver.
func New(st *store.Store, o Options) *Outbox {
	o.Every = cmp.Or(o.Every, 2*time.Second)
	o.Timeout = cmp.Or(o.Timeout, 10*time.Second)
	if o.Resolver == nil {
		o.Resolver = net.DefaultResolver
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	b := &Outbox{store: st, o: o, wake: make(chan struct{}, 1), read: places{known: map[models.ID]store.Place{}}}
	st.OnCommit(b.heed)
	return b
}

// heed wakes the webhooks where a change may be one to tell of.
func (b *Outbox) heed(changes []models.Change) {
	for _, c := range changes {
		switch c.Kind {
		case models.CredentialSet, models.CredentialUpgraded, models.SessionStarted, models.SessionsEnded, models.ApplicationDoor, models.WebhooksChanged:
			continue
		}
		select {
		case b.wake <- struct{}{}:
		default:
		}
		return
	}
}

// Run delivers what is due until ctx ends; it returns when every delivery that it began has
// ended.
func (b *Outbox) Run(ctx context.Context) error {
	var loops errgroup.Group
	loops.Go(func() error { return b.deliverLetters(ctx) })
	loops.Go(func() error { return b.deliverAlarms(ctx) })
	loops.Go(func() error { return b.callWebhooks(ctx) })
	return loops.Wait()
}

// A complaint says once that something doesn't work, and once that it does again.
type complaint struct {
	log  *slog.Logger
	what string
	made bool
}

func (c *complaint) heed(ctx context.Context, err error) {
	if err != nil && !c.made && ctx.Err() == nil {
		c.log.Warn(c.what+"; trying again", "error", err)
	}
	if err == nil && c.made {
		c.log.Info("over: " + c.what)
	}
	c.made = err != nil
}

// settling is how long a delivery that is over may take to be written down, also while the
// server stops.
const settling = 5 * time.Second

// settle writes down what came of a delivery, trying for a while: what isn't written down is
// delivered again.
func settle(ctx context.Context, do func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settling)
	defer cancel()
	for {
		err := do(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(200 * time.Millisecond):
		}
	}
}
