package sync_test

import (
	"testing"

	"github.com/rollcall-id/rollcall/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }
