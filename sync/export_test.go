package sync

import (
	"context"
	"slices"
)

// DueNow lists the names of the directories that the schedule would run now.
func DueNow(ctx context.Context, s *Service) (names []string, err error) {
	due, err := s.due(ctx)
	for _, dir := range due {
		names = append(names, dir.Name)
	}
	slices.Sort(names)
	return names, err
}
