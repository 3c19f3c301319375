package sync

import (
	"context"
	"errors"
	"time"

	"github.com/rollcall-id/rollcall/directory"
)

// keepHouse does once a day what isn't a run: it warns of secrets that end, and removes the records
// of old runs. It begins soon after the start, since a process may not live for a day.
func (s *Service) keepHouse(ctx context.Context) {
	wait := time.NewTimer(lookEvery)
	defer wait.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-wait.C:
		}
		wait.Reset(secretLook)
		for _, chore := range []func(context.Context) error{s.WarnOfSecrets, s.PruneHistory} {
			if err := chore(ctx); err != nil && ctx.Err() == nil {
				s.log.Warn("the daily look after synchronisations failed; trying again in an hour", "error", err)
				wait.Reset(time.Hour)
			}
		}
	}
}

// PruneHistory removes the records of runs that are older than the setting history allows.
func (s *Service) PruneHistory(ctx context.Context) error {
	dirs, err := s.store.Directories(ctx)
	if err != nil {
		return err
	}
	var unread error
	for _, dir := range dirs {
		if !directory.Mirrored(dir.Kind) {
			continue
		}
		settings, err := ReadSettings(dir)
		if err != nil {
			unread = errors.Join(unread, err)
			continue
		}
		n, err := s.store.PruneRuns(ctx, dir.ID, s.store.Now().Add(-settings.History))
		if err != nil {
			return err
		}
		if n > 0 {
			s.log.Info("old records of synchronisations were removed", "directory", dir.Name, "runs", n)
		}
	}
	return unread
}
