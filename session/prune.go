package session

import (
	"context"
	"time"

	"github.com/rollcall-id/rollcall/models"
)

// pruneAfter is how long an ended session's row stays. Uses are noted in batches, and wait
// while the database is away: a row that looks ended may be about to be renewed.
const pruneAfter = time.Hour

// Prune removes the rows of ended sessions, a batch at a time, until ctx ends.
func (s *Service) Prune(ctx context.Context) error {
	tick := time.NewTicker(s.o.PruneEvery)
	defer tick.Stop()
	for {
		if err := s.pruneNow(ctx); err != nil && ctx.Err() == nil {
			s.o.Log.Warn("ended sessions could not be removed; trying again later", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (s *Service) pruneNow(ctx context.Context) error {
	before := models.TimeOf(s.store.Now().Std().Add(-pruneAfter))
	for {
		n, err := s.store.PruneSessions(ctx, before)
		if n == 0 || err != nil {
			return err
		}
	}
}
