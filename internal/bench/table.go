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

// Beyond these spreads of its anchor a row says nothing.
const (
	maxSpread    = 0.15
	maxSpreadP99 = 0.50 // a p99 hangs on few requests
)

// A kind is what a row compares, and so which way its goal points.
type kind int

const (
	rates kind = iota // ours shall reach so much of the anchor's
	times             // ours shall take so much of the anchor's at most
	sizes             // no anchor: ours shall stay below the goal
)

// A result is a row that was measured.
type result struct {
	kind           kind
	name, database string
	ours, anchor   float64 // per second, or seconds; zero for a size
	value, goal    float64 // the ratio, or the size
	spread         float64
	maxSpread      float64 // zero: maxSpread
	unit           string  // of a size
}

func (r result) verdict() string {
	most := r.maxSpread
	if most == 0 {
		most = maxSpread
	}
	switch {
	case r.spread > most:
		return "unclear"
	case r.kind == rates && r.value >= r.goal, r.kind != rates && r.value <= r.goal:
		return "holds"
	}
	return "misses"
}

func printTable(w io.Writer, results []result) error {
	var b strings.Builder
	fmt.Fprintln(&b, machine())
	fmt.Fprintln(&b, "| row | database | ours | anchor | ratio | goal | | anchor's spread |")
	fmt.Fprintln(&b, "| --- | --- | ---: | ---: | ---: | ---: | --- | ---: |")
	for _, r := range results {
		switch {
		case r.kind == sizes:
			fmt.Fprintf(&b, "| %s | %s | %.1f %s | – | – | ≤ %.1f %s | %s | – |\n", r.name, r.database, r.value, r.unit, r.goal, r.unit, r.verdict())
		case r.kind == times:
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %.3f | ≤ %.2f | %s | %.0f %% |\n",
				r.name, r.database, seconds(r.ours), seconds(r.anchor), r.value, r.goal, r.verdict(), 100*r.spread)
		default:
			fmt.Fprintf(&b, "| %s | %s | %s/s | %s/s | %.2f | ≥ %.2f | %s | %.0f %% |\n",
				r.name, r.database, thousands(r.ours), thousands(r.anchor), r.value, r.goal, r.verdict(), 100*r.spread)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// seconds writes a time as people read it.
func seconds(f float64) string {
	switch {
	case f >= 1:
		return fmt.Sprintf("%.2f s", f)
	case f >= 1e-3:
		return fmt.Sprintf("%.1f ms", 1e3*f)
	}
	return fmt.Sprintf("%.1f µs", 1e6*f)
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
	return fmt.Sprintf("- %s, commit %s\n- %s; %d processors; load at the end %s\n- %s; %s; %s; %s\n",
		time.Now().UTC().Format("2006-01-02 15:04 UTC"), first("git", "describe", "--tags", "--always", "--dirty"),
		first("uname", "-srm"), runtime.GOMAXPROCS(0), strings.TrimSpace(string(load)),
		runtime.Version(), first("psql", "--version"), first("wrk", "-v"), slapdVersion())
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
