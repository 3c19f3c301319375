package audit

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// soon is how long the first refusal of its kind waits to be written, with others of its time.
const soon = 500 * time.Millisecond

// Options say how much is written.
type Options struct {
	Window time.Duration    // in which equal refusals are merged; zero: ten seconds
	Most   int              // different refusals in a window, beyond which they are merged; zero: 200
	Now    func() time.Time // measures windows; nil: time.Now
	Log    *slog.Logger     // nil: nothing is logged
}

// A Log takes refusals and writes them to the audit log. It is safe for concurrent use.
type Log struct {
	store   *store.Store
	o       Options
	writing sync.Mutex // one writer at a time

	mu     sync.Mutex
	counts map[kind]*count
}

// A kind is what equal refusals have in common.
type kind struct {
	actorKind                           models.ActorKind
	actor, address                      string
	action, outcome, subject, directory string
}

// A count is what is known of one kind of refusal in its window.
type count struct {
	row     models.AuditEntry // as the next row will be; its Count is what is not written yet
	writing int               // of Count, what is being written
	due     time.Time         // when the next row is to be written
	ends    time.Time         // when the window ends
}

// New returns a Log that writes to st. Run must run for it to write by itself.
func New(st *store.Store, o Options) *Log {
	if o.Window <= 0 {
		o.Window = 10 * time.Second
	}
	if o.Most <= 0 {
		o.Most = 200
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Log{store: st, o: o, counts: map[kind]*count{}}
}

// Refused notes that by was refused: "login.refused", with an outcome from a closed set,
// of which subject, in which directory where there is one. It never waits for the database.
// Subject may be any text that a caller sent.
func (l *Log) Refused(by models.Actor, action, outcome, subject, directory string) {
	k := kind{
		actorKind: by.Kind, actor: clean(by.Name), address: clean(by.Address),
		action: action, outcome: outcome, subject: clean(subject), directory: directory,
	}
	now := l.o.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.counts[k]
	if c == nil && len(l.counts) >= l.o.Most {
		k = kind{actorKind: models.ActorSystem, actor: models.System.Name, action: action, outcome: outcome}
		by, c = models.System, l.counts[k]
	}
	if c == nil {
		c = &count{due: now.Add(min(soon, l.o.Window)), ends: now.Add(l.o.Window)}
		l.counts[k] = c
	}
	if c.row.Count == 0 {
		c.row = k.row(l.store.Now(), clean(by.Request))
	}
	c.row.Count++
}

func (k kind) row(at models.Time, request string) models.AuditEntry {
	return models.AuditEntry{
		At: at, ActorKind: k.actorKind, Actor: k.actor, Address: k.address, Request: request,
		Action: k.action, Outcome: k.outcome, Subject: k.subject, Directory: k.directory,
	}
}

// Run writes what is due until ctx ends. What is left then, Flush writes.
func (l *Log) Run(ctx context.Context) error {
	tick := time.NewTicker(soon / 2)
	defer tick.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		now := l.o.Now()
		err := l.write(ctx, func(c *count) bool { return !now.Before(c.due) })
		if err != nil && !failing && ctx.Err() == nil {
			l.o.Log.Warn("refusals wait to be audited: the database doesn't take them", "error", err)
		}
		failing = err != nil
	}
}

// Flush writes everything that is not written yet.
func (l *Log) Flush(ctx context.Context) error {
	return l.write(ctx, func(*count) bool { return true })
}

// write writes the rows that are due, in one transaction; where that fails, they are kept.
func (l *Log) write(ctx context.Context, due func(*count) bool) error {
	l.writing.Lock()
	defer l.writing.Unlock()
	rows, taken := l.take(due)
	if len(rows) == 0 {
		return nil
	}
	err := l.store.InsertAudit(ctx, rows)
	l.settle(taken, err == nil)
	return err
}

// take gives the rows that are due, oldest first, and forgets the windows that have ended.
func (l *Log) take(due func(*count) bool) (rows []models.AuditEntry, taken []*count) {
	now := l.o.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	maps.DeleteFunc(l.counts, func(_ kind, c *count) bool { return c.row.Count == 0 && !now.Before(c.ends) })
	for _, c := range l.counts {
		if c.row.Count > 0 && due(c) {
			c.writing = c.row.Count
			rows, taken = append(rows, c.row), append(taken, c)
		}
	}
	slices.SortFunc(rows, func(a, b models.AuditEntry) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Subject, b.Subject))
	})
	return rows, taken
}

// settle takes what is written off the counts. What came meanwhile, or could not be written,
// is due at the window's end.
func (l *Log) settle(taken []*count, written bool) {
	now := l.o.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range taken {
		if written {
			c.row.Count -= c.writing
			c.row.At = l.store.Now()
			c.due = c.ends
			if !now.Before(c.ends) {
				c.due, c.ends = now.Add(l.o.Window), now.Add(l.o.Window)
			}
		}
		c.writing = 0
	}
}
