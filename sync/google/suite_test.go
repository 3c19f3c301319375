package google_test

import (
	"testing"

	"github.com/rollcall-id/rollcall/sync/sourcetest"
)

func TestConformance(t *testing.T) { sourcetest.Conformance(t, provider) }

func TestFaults(t *testing.T) { sourcetest.Faults(t, provider) }
