package sync

import (
	"context"
	"time"

	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/models"
)

// Check asks a source what the credentials may do. Where the source doesn't tell when the secret
// ends, the setting secret-ends does.
func (s *Service) Check(ctx context.Context, dir *models.Directory, source Source) (Report, error) {
	report, err := source.Check(ctx)
	if err != nil {
		return report, (&run{service: s, dir: dir}).explain(err)
	}
	if report.SecretEnds.IsZero() {
		if day, err := time.Parse(time.DateOnly, directory.SettingOf(dir, "secret-ends")); err == nil {
			report.SecretEnds = day
		}
	}
	return report, nil
}
