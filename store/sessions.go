package store

import (
	"context"

	"github.com/rollcall-id/rollcall/models"
)

// SessionByToken finds a session by its token's hash, or answers InvalidToken. Uses that are
// only noted so far count.
func (r *Reads) SessionByToken(ctx context.Context, hash []byte) (*models.Session, error) {
	var s models.Session
	err := r.store.notes.counted(ctx, func() error {
		s = models.Session{}
		return r.db.WithContext(ctx).Where("token_hash = ?", hash).Take(&s).Error
	}, func(p *noted) { p.overlaySession(&s) })
	if err != nil {
		return nil, found(err, models.InvalidToken, "")
	}
	return &s, nil
}

// SessionWithFactors finds a user's live session that was made with the same factors and
// lifetime, or answers InvalidToken.
func (r *Reads) SessionWithFactors(ctx context.Context, user models.ID, factors []byte, lifetime int64, now models.Time) (*models.Session, error) {
	var sessions []models.Session
	err := r.store.notes.counted(ctx, func() error {
		return r.db.WithContext(ctx).Where("user_id = ? AND factors = ? AND lifetime = ? AND NOT unbound", user, factors, lifetime).
			Order("id DESC").Limit(20).Find(&sessions).Error
	}, func(p *noted) {
		for i := range sessions {
			p.overlaySession(&sessions[i])
		}
	})
	if err != nil {
		return nil, doing("read sessions", err)
	}
	for i := range sessions {
		if sessions[i].ExpiresAt > now {
			return &sessions[i], nil
		}
	}
	return nil, models.Fail(models.InvalidToken, "", "")
}

// CreateSession stores a session; its times are set here.
func (tx *Tx) CreateSession(s *models.Session) error {
	s.CreatedAt, s.LastUsedAt, s.ExpiresAt = tx.at, tx.at, tx.at+models.Time(s.Lifetime)
	if err := tx.insert(s); err != nil {
		return doing("store the session", err)
	}
	tx.changed(models.Change{Kind: models.SessionStarted, RowID: s.UserID})
	return nil
}

// EndSession removes a session by its token's hash and tells whether there was one.
func (tx *Tx) EndSession(hash []byte) (bool, error) {
	var users []models.ID
	err := tx.db.Raw("DELETE FROM sessions WHERE token_hash = ? RETURNING user_id", hash).Scan(&users).Error
	for _, user := range users {
		tx.changed(models.Change{Kind: models.SessionsEnded, RowID: user})
	}
	return len(users) > 0, doing("end the session", err)
}

// EndSessionsOf removes all sessions of a user but the one whose token has the hash except.
func (tx *Tx) EndSessionsOf(user models.ID, except []byte) error {
	q := tx.db.Where("user_id = ?", user)
	if except != nil {
		q = q.Where("token_hash <> ?", except)
	}
	r := q.Delete(&models.Session{})
	if r.Error == nil && r.RowsAffected > 0 {
		tx.changed(models.Change{Kind: models.SessionsEnded, RowID: user})
	}
	return doing("end the user's sessions", r.Error)
}

// PruneSessions removes sessions that ended before now, a bounded number at a time, and tells
// how many went.
func (s *Store) PruneSessions(ctx context.Context, now models.Time) (n int64, err error) {
	err = s.Write(ctx, models.System, func(tx *Tx) error {
		r := tx.db.Exec("DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE expires_at < ? ORDER BY expires_at LIMIT 5000)", now)
		n = r.RowsAffected
		return doing("remove ended sessions", r.Error)
	})
	return n, err
}
