package session

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"io"
	"log/slog"
	"time"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// DefaultLifetime is how long a session lives without being used, where nothing else is said.
const DefaultLifetime = 30 * time.Minute

// Options say how sessions behave.
type Options struct {
	// Lifetime is how long a session lives without being used, and the longest that one may
	// be given; zero: DefaultLifetime.
	Lifetime time.Duration

	// AnyAddress lets a session be used from anywhere: no factor counts. Sessions that were
	// bound to factors are then open to all, and those made meanwhile have none.
	AnyAddress bool

	// TrustedProxy tells whether an address is a proxy that is believed about the address
	// of its client; nil: none is.
	TrustedProxy func(address string) bool

	PruneEvery time.Duration // how often Prune looks for ended sessions; zero: ten minutes
	Random     io.Reader     // where tokens come from; nil: crypto/rand
	Log        *slog.Logger  // nil: nothing is logged
}

// A Service keeps the sessions of one store. It is safe for concurrent use.
type Service struct {
	store *store.Store
	o     Options
	known known
}

// New returns a Service that keeps its sessions in st. It follows the store's feed by itself.
func New(st *store.Store, o Options) *Service {
	if o.Lifetime <= 0 {
		o.Lifetime = DefaultLifetime
	}
	if o.TrustedProxy == nil {
		o.TrustedProxy = func(string) bool { return false }
	}
	if o.PruneEvery <= 0 {
		o.PruneEvery = 10 * time.Minute
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Service{store: st, o: o, known: known{byToken: map[string]models.Session{}}}
	st.OnCommit(s.known.heed)
	return s
}

// Find gives the live session of a token, whatever its factors, and leaves its time as it is.
// InvalidToken when there is none.
func (s *Service) Find(ctx context.Context, token string) (*models.Session, error) {
	if !wellFormed(token) {
		return nil, invalid()
	}
	return s.read(ctx, hashToken(token))
}

func (s *Service) read(ctx context.Context, hash []byte) (*models.Session, error) {
	found, err := s.store.SessionByToken(ctx, hash)
	if err != nil {
		return nil, err
	}
	if found.ExpiresAt <= s.store.Now() {
		return nil, invalid()
	}
	return found, nil
}

// Check gives the live session of a token that is used with these factors. InvalidToken when
// there is none, or when it was made with others. Once the caller has decided that the
// session counts, it calls Renew.
func (s *Service) Check(ctx context.Context, token string, factors []Factor) (*models.Session, error) {
	if !wellFormed(token) {
		return nil, invalid()
	}
	found, err := s.recent(ctx, hashToken(token))
	if err != nil {
		return nil, err
	}
	if !found.Unbound && !s.o.AnyAddress && subtle.ConstantTimeCompare(found.Factors, s.bind(factors)) != 1 {
		return nil, invalid()
	}
	return found, nil
}

// recent finds a session that will be renewed, so that when it was last used doesn't matter.
func (s *Service) recent(ctx context.Context, hash []byte) (*models.Session, error) {
	copied, ok, seen := s.known.get(hash)
	if ok && copied.ExpiresAt > s.store.Now() && s.store.FeedAge() < staleFeed {
		return &copied, nil
	}
	found, err := s.read(ctx, hash)
	if err == nil {
		s.known.put(*found, seen)
	}
	return found, err
}

// Renew notes that a session is used now, and moves its end. It doesn't wait for the database.
func (s *Service) Renew(used *models.Session) {
	now := s.store.Now()
	s.store.NoteSessionUsed(used.ID, now)
	used.LastUsedAt, used.ExpiresAt = now, now+models.Time(used.Lifetime)
}

// End ends the session of a token. That there is none is fine.
func (s *Service) End(ctx context.Context, by models.Actor, token string) error {
	_, err := s.Find(ctx, token) // so that made up tokens don't keep writers waiting
	if models.Is(err, models.InvalidToken) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.store.Write(ctx, by, func(tx *store.Tx) error {
		_, err := tx.EndSession(hashToken(token))
		return err
	})
}

// EndAll ends all sessions of a user but the one with the token except, which may be empty.
func (s *Service) EndAll(ctx context.Context, by models.Actor, user models.ID, except string) error {
	var keep []byte
	if wellFormed(except) {
		keep = hashToken(except)
	}
	return s.store.Write(ctx, by, func(tx *store.Tx) error { return tx.EndSessionsOf(user, keep) })
}

func invalid() error { return models.Fail(models.InvalidToken, "", "") }
