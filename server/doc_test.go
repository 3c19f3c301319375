package server

import (
	"testing"

	"go.uber.org/goleak"
)

// Whoever starts a goroutine waits for it: none is left when the tests are over.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
