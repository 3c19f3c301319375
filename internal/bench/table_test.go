package main

import (
	"regexp"
	"testing"
	"time"
)

func TestVerdict(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		result
		want string
	}{
		{result{kind: rates, value: 0.85, goal: 0.85, spread: 0.15}, "holds"},
		{result{kind: rates, value: 0.84, goal: 0.85}, "misses"},
		{result{kind: rates, value: 0.90, goal: 0.85, spread: 0.16}, "unclear"},
		{result{kind: times, value: 0.60, goal: 0.60}, "holds"},
		{result{kind: times, value: 0.61, goal: 0.60}, "misses"},
		{result{kind: times, value: 19, goal: 20, spread: 0.50, maxSpread: maxSpreadP99}, "holds"},
		{result{kind: times, value: 19, goal: 20, spread: 0.51, maxSpread: maxSpreadP99}, "unclear"},
		{result{kind: sizes, value: 16, goal: 16}, "holds"},
		{result{kind: sizes, value: 17, goal: 16}, "misses"},
	} {
		if got := c.verdict(); got != c.want {
			t.Errorf("%+v: want %s, got %s", c.result, c.want, got)
		}
	}
}

// The whole stays under 150 minutes, and a quick run under six.
func TestRunsStayWithinTheirTime(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		quick bool
		most  time.Duration
	}{{false, 150 * time.Minute}, {true, 6 * time.Minute}} {
		b := &bench{quick: c.quick, wanted: regexp.MustCompile("")}
		if _, estimate := b.plan(); estimate > c.most {
			t.Errorf("quick %v: it takes %v, want %v at most", c.quick, estimate, c.most)
		}
	}
}

func TestPlanTakesOnlyWhatIsWanted(t *testing.T) {
	t.Parallel()
	b := &bench{wanted: regexp.MustCompile("LISTEN|binary")}
	if wanted, _ := b.plan(); len(wanted) != 2 {
		t.Errorf("want two parts, got %d", len(wanted))
	}
	b = &bench{quick: true, wanted: regexp.MustCompile("LISTEN")}
	if wanted, _ := b.plan(); len(wanted) != 0 {
		t.Errorf("a quick run has no such row, got %d parts", len(wanted))
	}
}
