package sync

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/models"
)

// A run that takes longer than its directory allows ends, and says which setting it was.
func TestDeadline(t *testing.T) {
	t.Parallel()
	r := &run{service: &Service{lease: time.Hour}, dir: &models.Directory{Name: "cloud"}, settings: &Settings{Deadline: 10 * time.Millisecond}}
	err := r.watched(t.Context(), 1, func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	})
	if err == nil || !strings.Contains(err.Error(), "setting deadline") {
		t.Errorf("the run ended with %v", err)
	}
	if err := r.watched(t.Context(), 1, func(context.Context) error { return nil }); err != nil {
		t.Errorf("a run that is in time ended with %v", err)
	}
}
