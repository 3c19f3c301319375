package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/rollcall-id/rollcall/models"
)

// A syncRun is a run of `rollcall sync`, by its own record and by the kernel's.
type syncRun struct {
	models.Run
	took time.Duration // of the run; the process opens the database before
	peak int64         // of the process's resident memory
}

// syncCommand is `rollcall sync cloud --apply`.
func (b *bench) syncCommand(ctx context.Context, w *world, flags ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, b.program, append([]string{"sync", cloudDirectory, "--apply", "--json"}, flags...)...)
	cmd.Dir = w.dir
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + w.dir}, w.settings()...)
	return cmd
}

// sync runs it and wants an outcome.
func (b *bench) sync(ctx context.Context, w *world, want models.Outcome, flags ...string) (run syncRun, err error) {
	cmd := b.syncCommand(ctx, w, flags...)
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	err = cmd.Start()
	if err == nil {
		run.peak = watchPeak(&process{cmd: cmd}, func() { err = cmd.Wait() })
	}
	if err != nil {
		return run, fmt.Errorf("rollcall sync: %w\n%s%s", err, out.Bytes(), problems.Bytes())
	}
	if err := json.Unmarshal(out.Bytes(), &run.Run); err != nil {
		return run, fmt.Errorf("rollcall sync told %.300q: %w", out.Bytes(), err)
	}
	if run.Outcome != want {
		return run, fmt.Errorf("wrong answer: a run ended as %q (%s), want %q", run.Outcome, run.Problem, want)
	}
	run.took, err = w.lastRun(ctx)
	b.say("  %s run on %s: %s, %.2f s, %d requests, %.0f MB at most; %s", run.Mode, w.kind, run.Outcome, run.took.Seconds(), run.Requests,
		megabytes(run.peak), phasesOf(&run.Run))
	return run, err
}

// watchPeak looks at a process's peak of memory until wait returns. What the kernel tells at its end
// (ru_maxrss) would not do: a child begins with the memory of its parent, which is larger.
func watchPeak(p *process, wait func()) (peak int64) {
	ended, watched := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(watched)
		for {
			if now, err := p.peak(); err == nil { // it may be over
				peak = max(peak, now)
			}
			select {
			case <-ended:
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
	}()
	wait()
	close(ended)
	<-watched
	return peak
}

func phasesOf(r *models.Run) string {
	var b bytes.Buffer
	for _, p := range r.Phases {
		fmt.Fprintf(&b, "%s %.2f s ", p.Name, float64(p.Millis)/1000)
	}
	return b.String()
}
