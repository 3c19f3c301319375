package main

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// latencies are how long single requests took, in any order.
type latencies []time.Duration

// p99 is what 99 of 100 stayed at or below.
func (l latencies) p99() time.Duration {
	sorted := slices.Sorted(slices.Values(l))
	return sorted[(len(sorted)*99+99)/100-1]
}

// A lagSide is one of two whose single requests are compared.
type lagSide struct {
	measure func(ctx context.Context, window int, d time.Duration) (latencies, error)
	check   func(ctx context.Context) error
}

// addP99 compares the p99 of all windows of either side together and adds the row. The spread is
// that of the p99 of the anchor's windows.
func (b *bench) addP99(ctx context.Context, name, database string, goal float64, ours, anchor lagSide) error {
	var all [2]latencies
	keep := func(i int, s lagSide) side {
		return side{func(ctx context.Context, window int, d time.Duration) (float64, error) {
			got, err := s.measure(ctx, window, d)
			if err != nil || len(got) == 0 {
				return 0, err
			}
			if window > 0 {
				all[i] = append(all[i], got...)
			}
			return got.p99().Seconds(), nil
		}, s.check}
	}
	c, err := b.compare(ctx, keep(0, ours), keep(1, anchor), b.window)
	if err != nil {
		return fmt.Errorf("%s, %s: %w", name, database, err)
	}
	p99, bare := all[0].p99().Seconds(), all[1].p99().Seconds()
	b.add(result{kind: times, name: name, database: database, ours: p99, anchor: bare, value: p99 / bare, goal: goal,
		spread: c.spread, maxSpread: maxSpreadP99})
	return nil
}
