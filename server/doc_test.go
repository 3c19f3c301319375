package server

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/rollcall-id/rollcall/internal/testkit"
)

// Whoever starts a goroutine waits for it: none is left when the tests are over. GORM starts one
// for each database that is opened, and has no way to end it.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(testRun{m}, goleak.IgnoreTopFunction("gorm.io/gorm/internal/lru.NewLRU[...].func1"))
}

// testRun lets testkit clean up before goroutines are counted.
type testRun struct{ m *testing.M }

func (r testRun) Run() int { return testkit.Main(r.m) }
