package login

import (
	"context"
	"time"

	"github.com/rollcall-id/rollcall/models"
)

// After freeFailures wrong passwords of an account through one application, its attempts are
// refused for a while that doubles with each further one. Applications count apart, so that
// one with an old password doesn't keep a person out of the others, and a delay always ends
// by itself: no stranger can lock somebody out for good.
const (
	freeFailures = 5
	firstDelay   = time.Second
	longestDelay = 15 * time.Minute
)

// delayAfter tells for how long attempts are refused after so many failures in a row.
func delayAfter(failures int) time.Duration {
	over := failures - freeFailures
	if over < 0 {
		return 0
	}
	if over > 10 { // 1024 seconds are more than the longest; and shifts must not overflow
		return longestDelay
	}
	return min(firstDelay<<over, longestDelay)
}

// checkDelay refuses the attempt while its account is delayed, in the words of a wrong
// password. Such an attempt is no failure: trying on doesn't prolong the delay.
func (s *Service) checkDelay(ctx context.Context, a *attempt) error {
	d, err := s.store.Delay(ctx, a.view.Application().ID, a.row.ID)
	if err != nil {
		return err
	}
	if isDelayed(d, s.store.Now()) {
		return a.refuse(Delayed, models.InvalidPassword, wrongPassword)
	}
	return nil
}

// isDelayed tells whether attempts are refused now. A failure that was noted far in the
// future, by a clock that has been set back since, delays nobody.
func isDelayed(d models.Delay, now models.Time) bool {
	delay := delayAfter(d.Failures)
	if delay == 0 {
		return false
	}
	rest := d.LastAt.Add(delay).Sub(now)
	return rest > 0 && rest <= delay+longestDelay
}
