package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	dirsync "github.com/rollcall-id/rollcall/sync"
)

func TestProgress(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		terminal bool
		want     []string
	}{
		{"plain lines", false, []string{
			"note: waiting for the run that is going on",
			"users: 30 (3 requests, 11s)", // now and then
			"users: 40 (4 requests, 12s)", // a part has ended
			"groups: 0 (5 requests, 12s)",
			"",
		}},
		{"a terminal", true, []string{
			"note: waiting for the run that is going on",
			"[·#········] users: 10 (1 request, 0s)",
			"[···#······] users: 30 (3 requests, 11s)",
			"[·····#····] groups: 0 (5 requests, 12s)",
			"", "", // the line is empty again, and the cursor at its start
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			now := time.Unix(1_700_000_000, 0)
			var out bytes.Buffer
			g := &progress{w: &out, terminal: c.terminal, every: 10 * time.Second, clock: func() time.Time { return now }, began: now}
			g.report(dirsync.Progress{Phase: dirsync.PhaseJoining})
			g.report(dirsync.Progress{Phase: "users", Count: 10, Requests: 1})
			g.report(dirsync.Progress{Phase: "users", Count: 20, Requests: 2}) // too soon
			now = now.Add(11 * time.Second)
			g.report(dirsync.Progress{Phase: "users", Count: 30, Requests: 3})
			now = now.Add(time.Second)
			g.report(dirsync.Progress{Phase: "users", Count: 40, Requests: 4}) // too soon
			g.report(dirsync.Progress{Phase: "groups", Requests: 5})
			g.end()
			got := strings.Split(out.String(), "\n")
			if c.terminal {
				got = slices.Concat(got[:1], strings.Split(got[1], "\r")[1:])
			}
			for i := range got {
				got[i] = strings.TrimRight(got[i], " ")
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
