//go:build long

package roster_test

import (
	"testing"

	"github.com/rollcall-id/rollcall/internal/testkit"
)

// Ten thousand random writes, as TestMemoryAnswersAsSQLDoes.
func TestLongMemoryAnswersAsSQLDoes(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) { sameMeaning(t, db, 10_000, 25) })
}

// Ten thousand writes of two replicas, as TestReplicasAgreeAfterConcurrentWrites.
func TestLongReplicasAgreeAfterConcurrentWrites(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) { agree(t, db, 10_000/6) })
}
