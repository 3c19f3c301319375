package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/models"
	dirsync "github.com/rollcall-id/rollcall/sync"
)

// probeObject is what a directory's credentials may do at its source.
type probeObject struct {
	Granted    []string `json:"granted" doc:"permissions that the credentials have"`
	Missing    []string `json:"missing" doc:"permissions that they need and don't have, each with the way out"`
	SecretEnds string   `json:"secretEnds" doc:"the day on which the secret ends, as 2027-05-01, or unknown"`
	OK         bool     `json:"ok" doc:"nothing is missing"`
	Notes      []string `json:"notes,omitempty" doc:"what is good to know and no failure"`
}

type discardedObject struct {
	Directory string `json:"directory" doc:"the directory"`
	Discarded string `json:"discarded" doc:"the hash of the plan that is dropped"`
}

type cancelledObject struct {
	Directory string `json:"directory" doc:"the directory"`
	Running   bool   `json:"running" doc:"there was a run, which is told to stop"`
}

// A historyRun is a run as `sync history` shows it.
type historyRun struct {
	Started string `json:"started" doc:"when it began"`
	Ended   string `json:"ended" doc:"when it ended; empty while it runs"`
	*models.Run
}

type historyObject struct {
	Runs []historyRun `json:"runs" doc:"the runs, the newest first"`
}

// syncObject is what `directory show` tells of a directory's synchronisation.
type syncObject struct {
	Schedule  string `json:"schedule" doc:"when it runs by itself, in words"`
	Completed string `json:"completed,omitempty" doc:"when a run last ended well; left out: never, and applications don't see it"`
	LastRun   string `json:"lastRun,omitempty" doc:"when the last run began"`
	Outcome   string `json:"outcome,omitempty" doc:"of the last run"`
	Problem   string `json:"problem,omitempty" doc:"of the last run: why it failed, is held or is partial"`
	NextRun   string `json:"nextRun,omitempty" doc:"when the next run is due"`
	Failures  int    `json:"failures" doc:"runs that failed in a row"`
	HeldHash  string `json:"heldHash,omitempty" doc:"the hash of the plan that waits for sync approve or sync discard"`
}

// showSync tells of a mirrored directory's synchronisation; nil of another.
func (d *desk) showSync(ctx context.Context, dir *models.Directory) (*syncObject, error) {
	if !directory.Mirrored(dir.Kind) {
		return nil, nil
	}
	settings, err := dirsync.ReadSettings(dir)
	if err != nil {
		return nil, err
	}
	state, err := d.Store.SyncState(ctx, dir.ID)
	if err != nil {
		return nil, err
	}
	runs, err := d.Store.Runs(ctx, dir.ID, 1)
	if err != nil {
		return nil, err
	}
	o := &syncObject{Schedule: scheduleDoc(settings, &state), Completed: stamp(state.CompletedAt), Failures: state.Failures, HeldHash: state.HeldHash}
	if len(runs) > 0 {
		o.LastRun, o.Outcome, o.Problem = stamp(runs[0].Started), string(runs[0].Outcome), runs[0].Problem
	}
	if settings.Scheduled(&state) {
		o.NextRun = stamp(settings.Due(&state, d.Store.Now()))
	}
	return o, nil
}

func scheduleDoc(s *dirsync.Settings, state *models.SyncState) string {
	switch {
	case s.Schedule == "off":
		return "off"
	case !s.Scheduled(state):
		return "from the first run that is applied by hand"
	case s.Schedule != "" && s.Schedule != "on":
		return s.Schedule
	}
	return "every " + shortly(s.Interval)
}

// shortly is a length of time without the parts that are zero: 1h, 15m.
func shortly(d time.Duration) string {
	switch {
	case d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d%time.Minute == 0:
		return fmt.Sprintf("%dm", d/time.Minute)
	}
	return d.String()
}

func writeSync(w *sheet, o *syncObject) {
	w.title("Synchronisation")
	if o.Completed == "" {
		w.line("completed", "never: applications don't see this directory yet")
	} else {
		w.line("completed", o.Completed)
	}
	w.line("schedule", o.Schedule)
	w.line("last run", strings.TrimSpace(cell(o.LastRun)+" "+o.Outcome))
	if o.Problem != "" {
		w.line("problem", o.Problem)
	}
	w.line("next run", cell(o.NextRun))
	if o.Failures > 0 {
		w.line("failed in a row", o.Failures)
	}
	if o.HeldHash != "" {
		w.line("held plan", o.HeldHash)
	}
}
