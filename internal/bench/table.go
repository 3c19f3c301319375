package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// maxSpread is the spread of an anchor beyond which a row says nothing.
const maxSpread = 0.15

// A result is a row that was measured: a ratio of rates that shall reach the goal, or a ratio of
// times, or a size, that shall stay below it.
type result struct {
	name, database string
	ours, anchor   float64 // per second, or seconds; zero for a size
	value, goal    float64
	spread         float64
	times          bool   // a ratio of times
	unit           string // of a size; empty for a ratio
}

func (r result) verdict() string {
	switch {
	case r.spread > maxSpread:
		return "unclear"
	case r.atMost() && r.value <= r.goal, !r.atMost() && r.value >= r.goal:
		return "holds"
	}
	return "misses"
}

func (r result) atMost() bool { return r.times || r.unit != "" }

func printTable(w io.Writer, results []result) error {
	var b strings.Builder
	fmt.Fprintln(&b, machine())
	fmt.Fprintln(&b, "| row | database | ours | anchor | ratio | goal | | anchor's spread |")
	fmt.Fprintln(&b, "| --- | --- | ---: | ---: | ---: | ---: | --- | ---: |")
	for _, r := range results {
		switch {
		case r.unit != "":
			fmt.Fprintf(&b, "| %s | %s | %.1f %s | – | – | ≤ %.1f %s | %s | – |\n", r.name, r.database, r.value, r.unit, r.goal, r.unit, r.verdict())
		case r.times:
			fmt.Fprintf(&b, "| %s | %s | %.2f s | %.2f s | %.3f | ≤ %.2f | %s | %.0f %% |\n",
				r.name, r.database, r.ours, r.anchor, r.value, r.goal, r.verdict(), 100*r.spread)
		default:
			fmt.Fprintf(&b, "| %s | %s | %s/s | %s/s | %.2f | ≥ %.2f | %s | %.0f %% |\n",
				r.name, r.database, thousands(r.ours), thousands(r.anchor), r.value, r.goal, r.verdict(), 100*r.spread)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// thousands writes a rate as people read it.
func thousands(f float64) string {
	if f < 1000 {
		return fmt.Sprintf("%.1f", f)
	}
	text := fmt.Sprintf("%.0f", f)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// machine says in a few lines where and with what was measured.
func machine() string {
	first := func(name string, args ...string) string {
		out, _ := exec.Command(name, args...).CombinedOutput() // `wrk -v` fails after it told
		line, _, _ := strings.Cut(string(out), "\n")
		return strings.TrimSpace(line)
	}
	load, _ := os.ReadFile("/proc/loadavg")
	return fmt.Sprintf("- %s, commit %s\n- %s; %d processors; load at the end %s\n- %s; %s; %s\n",
		time.Now().UTC().Format("2006-01-02 15:04 UTC"), first("git", "describe", "--tags", "--always", "--dirty"),
		first("uname", "-srm"), runtime.GOMAXPROCS(0), strings.TrimSpace(string(load)),
		runtime.Version(), first("psql", "--version"), first("wrk", "-v"))
}

func printJSON(w io.Writer, results []result) error {
	type row struct {
		Name     string  `json:"name"`
		Database string  `json:"database"`
		Value    float64 `json:"value"`
		Goal     float64 `json:"goal"`
		Holds    bool    `json:"holds"`
		Spread   float64 `json:"spread"`
	}
	rows := []row{}
	for _, r := range results {
		rows = append(rows, row{r.name, r.database, r.value, r.goal, r.verdict() == "holds", r.spread})
	}
	return json.NewEncoder(w).Encode(map[string]any{"rows": rows})
}
