package session

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// A Request says for whom a session is wanted, and how it is bound.
type Request struct {
	User     models.ID
	Factors  []Factor
	Lifetime time.Duration // zero, or longer than the server's: the server's
	Unbound  bool          // valid with any factors, and never given out again
}

// An Issued is a session together with its token.
type Issued struct {
	models.Session
	Token string
}

// Issue gives a user a session. Where a live one exists that was made with the same factors
// and lifetime, it is that one, renewed: a client that logs in with each request doesn't pile
// up sessions. UserNotFound or UserInactive when the user went away in the meantime.
func (s *Service) Issue(ctx context.Context, by models.Actor, r Request) (*Issued, error) {
	wanted := models.Session{
		UserID:   r.User,
		Factors:  s.bind(r.Factors),
		Unbound:  r.Unbound,
		Lifetime: s.lifetime(r.Lifetime).Milliseconds(),
	}
	if issued, err := s.existing(ctx, &s.store.Reads, wanted); issued != nil || err != nil {
		return issued, err
	}
	var issued *Issued
	err := s.store.Write(ctx, by, func(tx *store.Tx) (err error) {
		// The lock keeps a second login of the same user, and whoever switches the user off,
		// waiting: neither finds what is only half done.
		user, err := tx.LockUser(ctx, r.User)
		if err != nil {
			return err
		}
		if !user.Active {
			return models.Fail(models.UserInactive, user.Name, "")
		}
		if issued, err = s.existing(ctx, &tx.Reads, wanted); issued != nil || err != nil {
			return err
		}
		issued, err = s.create(tx, wanted)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("issue a session: %w", err)
	}
	return issued, nil
}

// lifetime cuts what is asked for to the server's.
func (s *Service) lifetime(asked time.Duration) time.Duration {
	if asked <= 0 || asked > s.o.Lifetime {
		return s.o.Lifetime
	}
	return asked
}

// existing finds the session that a new login with the same factors is given again; nil when
// there is none.
func (s *Service) existing(ctx context.Context, r *store.Reads, wanted models.Session) (*Issued, error) {
	if wanted.Unbound {
		return nil, nil
	}
	found, err := r.SessionWithFactors(ctx, wanted.UserID, wanted.Factors, wanted.Lifetime, s.store.Now())
	if models.Is(err, models.InvalidToken) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	token, err := s.store.Unseal(sealLabel(found), found.Sealed)
	if err != nil { // a damaged row is no reason to keep its user out
		s.o.Log.Warn("a session's token can't be opened; its user gets another session", "session", found.ID, "error", err)
		return nil, nil
	}
	s.Renew(found)
	return &Issued{Session: *found, Token: string(token)}, nil
}

func (s *Service) create(tx *store.Tx, wanted models.Session) (*Issued, error) {
	token, err := newToken(s.o.Random)
	if err != nil {
		return nil, err
	}
	wanted.TokenHash = hashToken(token)
	wanted.Sealed = s.store.Seal(sealLabel(&wanted), []byte(token))
	if err := tx.CreateSession(&wanted); err != nil {
		return nil, err
	}
	return &Issued{Session: wanted, Token: token}, nil
}

// sealLabel binds a sealed token to its row.
func sealLabel(row *models.Session) string {
	return fmt.Sprintf("session of user %d with token %x", row.UserID, row.TokenHash)
}
