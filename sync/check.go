package sync

import (
	"context"

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
		report.SecretEnds, _ = typedEnd(dir) // zero where nobody typed one
	}
	return report, nil
}
