package main

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// A side is one of two that are compared.
type side struct {
	// measure gives how many times per second the side did its work in a window; or how many
	// seconds it took for what it does once.
	measure func(ctx context.Context, window int, d time.Duration) (float64, error)
	// check asks samples before and after each window; a wrong answer is an error.
	check func(ctx context.Context) error
}

// window measures one window between two checks.
func (s side) window(ctx context.Context, window int, d time.Duration) (float64, error) {
	if err := s.check(ctx); err != nil {
		return 0, err
	}
	rate, err := s.measure(ctx, window, d)
	if err != nil {
		return 0, err
	}
	return rate, s.check(ctx)
}

// A comparison is what the windows of two sides gave.
type comparison struct{ ours, anchor, spread float64 }

// slow is how long a side may take; one that takes longer is measured three times.
const slow = 30 * time.Second

// compare lets the two sides take turns, each after a window that isn't counted.
func (b *bench) compare(ctx context.Context, ours, anchor side, d time.Duration) (comparison, error) {
	sides := []struct {
		name string
		side
	}{{"ours", ours}, {"anchor", anchor}}
	var rates [2][]float64
	windows := b.windows
	for window := 0; window <= windows; window++ {
		for i, s := range sides {
			span := d
			if window == 0 {
				span = min(d, time.Second)
			}
			begun := time.Now()
			rate, err := s.window(ctx, window, span)
			if err != nil {
				return comparison{}, fmt.Errorf("%s: %w", s.name, err)
			}
			if time.Since(begun) > slow {
				windows = min(windows, 3)
			}
			if window > 0 {
				rates[i] = append(rates[i], rate)
			}
		}
	}
	return comparison{median(rates[0]), median(rates[1]), spread(rates[1])}, nil
}

func median(all []float64) float64 {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}

// spread gives how far the windows lie apart, as a part of their median.
func spread(all []float64) float64 { return (slices.Max(all) - slices.Min(all)) / median(all) }
