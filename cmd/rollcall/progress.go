package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	dirsync "github.com/rollcall-id/rollcall/sync"
)

// progress shows on stderr how far a run is: one line that is written again and again on a
// terminal, else a plain line when a part has ended, and now and then while it lasts.
type progress struct {
	w        io.Writer
	terminal bool
	every    time.Duration
	clock    func() time.Time
	began    time.Time
	last     time.Time
	now      dirsync.Progress
}

func (p *program) progress() *progress {
	g := &progress{w: p.stderr, terminal: terminalOf(p.stderr) != nil, every: 10 * time.Second, clock: time.Now}
	if g.terminal {
		g.every = 200 * time.Millisecond
	}
	g.began, g.last = g.clock(), g.clock()
	return g
}

// report takes how far the run is.
func (g *progress) report(now dirsync.Progress) {
	if now.Phase != g.now.Phase {
		g.endPhase()
		if now.Phase == dirsync.PhaseJoining {
			fmt.Fprintln(g.w, "note: "+now.Phase) // that nothing moves has a reason
		}
		g.last = time.Time{}
	}
	g.now = now
	if !g.terminal && g.last.IsZero() {
		g.last = g.clock()
	}
	if g.clock().Sub(g.last) < g.every || now.Phase == dirsync.PhaseJoining {
		return
	}
	g.last = g.clock()
	if g.terminal {
		fmt.Fprintf(g.w, "\r%-*s", progressWidth, bar(now)+g.line())
	} else {
		fmt.Fprintln(g.w, g.line())
	}
}

// end leaves the place to what comes next.
func (g *progress) end() {
	g.endPhase()
	if g.terminal {
		fmt.Fprintf(g.w, "\r%*s\r", progressWidth, "")
	}
	g.now = dirsync.Progress{}
}

func (g *progress) endPhase() {
	if !g.terminal && g.now.Phase != "" && g.now.Phase != dirsync.PhaseJoining {
		fmt.Fprintln(g.w, g.line())
	}
}

func (g *progress) line() string {
	return fmt.Sprintf("%s: %d (%s, %s)", g.now.Phase, g.now.Count, count(g.now.Requests, "request"), g.clock().Sub(g.began).Round(time.Second))
}

// progressWidth is what a line takes on a terminal, which has 80 columns at least.
const progressWidth = 78

// bar moves with each page: how much there is to come, no source says.
func bar(now dirsync.Progress) string {
	const width = 10
	at := int(now.Requests) % width
	return "[" + strings.Repeat("·", at) + "#" + strings.Repeat("·", width-1-at) + "] "
}
