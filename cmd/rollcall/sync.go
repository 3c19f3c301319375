package main

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rollcall-id/rollcall/models"
	dirsync "github.com/rollcall-id/rollcall/sync"
)

func syncCommand(p *program) *cobra.Command {
	var f directoryFlags
	var apply, full bool
	cmd := &cobra.Command{
		Use: "sync NAME", Short: "Show what a synchronisation would do, or do it", Args: takes(1, 1),
		Long: `Show what a synchronisation of a directory with its source would do. Nothing changes
before --apply says so. The first run that is applied starts the schedule (directory set NAME
--set schedule=off stops it).

Without --apply: exit 0 when there is nothing to do, 3 when changes are pending, 4 when the
guard would stop them, 1 when the source could not be read. With --apply: 0 when the run was
applied, 4 when the guard holds it, 1 when it failed.

--set and --set-file try settings that are not saved yet.`,
		Example: `  rollcall sync cloud
  rollcall sync cloud --set groups='eng-*'
  rollcall sync cloud --apply
  rollcall sync cloud --apply --full --json`,
	}
	cmd.RunE = p.at(func(ctx context.Context, d *desk, args []string) error {
		settings, err := f.settings()
		if err != nil {
			return err
		}
		o := dirsync.Options{By: d.by, Full: full, Settings: settings}
		if apply {
			if len(settings) > 0 {
				return wrongUsage("rollcall directory set "+args[0]+" saves settings", "--apply takes the settings that are saved, not --set")
			}
			return d.runSync(ctx, args[0], o)
		}
		saveMemory()
		shown := d.progress()
		o.Progress = shown.report
		run, err := d.Sync.Plan(ctx, args[0], o)
		shown.end()
		if err != nil {
			return err
		}
		if err := d.show(run, func(w *sheet) { writeRun(w, run) }); err != nil {
			return err
		}
		switch {
		case run.Guard != "":
			return exitWith(exitHeld)
		case counts(run) > 0:
			return exitWith(exitPending)
		}
		return nil
	})
	cmd.Flags().BoolVar(&apply, "apply", false, "do it")
	cmd.Flags().BoolVar(&full, "full", false, "read everything, not only what changed")
	cmd.Flags().StringArrayVar(&f.set, "set", nil, "a setting to try, as `KEY=VALUE`; repeatable")
	cmd.Flags().StringArrayVar(&f.setFile, "set-file", nil, "a setting to try whose value is read from a file, as `KEY=FILE`; repeatable")
	cmd.AddCommand(syncApprove(p), syncDiscard(p), syncCancel(p), syncHistory(p), syncTry(p))
	return p.answersJSON(cmd, models.Run{})
}

// runSync applies and shows the record.
func (d *desk) runSync(ctx context.Context, name string, o dirsync.Options) error {
	saveMemory()
	shown := d.progress()
	o.Progress = shown.report
	run, err := d.Sync.Apply(ctx, name, o)
	shown.end()
	if run == nil {
		return err
	}
	if run.Joined {
		d.note("another process was at it already; this is the record of its run")
	}
	if problem := d.show(run, func(w *sheet) { writeRun(w, run) }); problem != nil {
		return problem
	}
	switch {
	case err != nil:
		return err
	case run.Outcome == models.OutcomeHeld:
		return exitWith(exitHeld)
	}
	return nil
}

// saveMemory lets the memory of this process grow by two fifths between two collections, not to twice what
// is in use: a run keeps much that has few pointers, so that collecting it is cheap.
func saveMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(40)
	}
}

// counts is how many objects a run changes.
func counts(r *models.Run) int {
	return r.Users.Created + r.Users.Changed + r.Users.Deactivated + r.Users.Removed +
		r.Groups.Created + r.Groups.Changed + r.Groups.Emptied + r.Groups.Removed + r.Memberships.Added + r.Memberships.Removed
}

// shownSteps is how many steps and skipped objects people are shown; --json has more.
const shownSteps = 200

func writeRun(w *sheet, r *models.Run) {
	w.line("directory", r.Directory)
	w.line("mode", r.Mode+" ("+r.Reason+")")
	w.line("outcome", r.Outcome)
	if r.Problem != "" {
		w.line("problem", r.Problem)
	}
	if r.Guard != "" && r.Guard != r.Problem {
		w.line("guard", r.Guard)
	}
	w.line("users", fmt.Sprintf("%d created, %d changed, %d deactivated, %d removed", r.Users.Created, r.Users.Changed, r.Users.Deactivated, r.Users.Removed))
	w.line("groups", fmt.Sprintf("%d created, %d changed, %d emptied, %d removed", r.Groups.Created, r.Groups.Changed, r.Groups.Emptied, r.Groups.Removed))
	w.line("memberships", fmt.Sprintf("%d added, %d removed", r.Memberships.Added, r.Memberships.Removed))
	w.line("skipped", len(r.Skipped)+r.MoreSkipped)
	w.line("requests", fmt.Sprintf("%d (%d told to wait)", r.Requests, r.Throttled))
	if r.Hash != "" {
		w.line("hash", r.Hash)
	}
	for _, p := range r.Phases {
		w.line("phase "+p.Name, phaseText(p))
	}
	writeSteps(w, r)
	writeSkipped(w, r)
	if len(r.Renamed) > 0 {
		w.title("Groups with another name at their source (group-names=follow takes it over)")
		for _, g := range r.Renamed {
			w.row(g.Name, "→ "+g.Now, g.ID)
		}
	}
	if r.Guard != "" && r.Hash != "" {
		w.text("")
		w.text("rollcall sync approve " + r.Directory + " " + r.Hash + "   applies exactly what this takes away")
	}
}

// phaseText tells how long a part took, and how fast it went where that is more than a moment.
func phaseText(p models.Phase) string {
	took := time.Duration(p.Millis) * time.Millisecond
	if took < 100*time.Millisecond || p.Count == 0 {
		return fmt.Sprintf("%d in %s", p.Count, took)
	}
	return fmt.Sprintf("%d in %s (%.0f a second)", p.Count, took, float64(p.Count)/took.Seconds())
}

func writeSteps(w *sheet, r *models.Run) {
	if len(r.Steps) == 0 {
		return
	}
	w.title("Steps")
	for _, s := range r.Steps[:min(len(r.Steps), shownSteps)] {
		detail := s.Member
		for _, f := range s.Fields {
			detail = strings.TrimSpace(detail + " " + f.Name + ": " + f.Old + " → " + f.New)
		}
		w.row(string(s.Kind), s.Name, detail)
	}
	if more := len(r.Steps) - shownSteps + r.MoreSteps; len(r.Steps) > shownSteps || r.MoreSteps > 0 {
		w.text(fmt.Sprintf("… and %d more", more))
	}
}

func writeSkipped(w *sheet, r *models.Run) {
	if len(r.Skipped) == 0 {
		return
	}
	w.title("Skipped")
	for _, s := range r.Skipped[:min(len(r.Skipped), shownSteps)] {
		w.row(s.Kind, cell(s.Name), s.ID, s.Reason)
	}
	if more := len(r.Skipped) - shownSteps + r.MoreSkipped; len(r.Skipped) > shownSteps || r.MoreSkipped > 0 {
		w.text(fmt.Sprintf("… and %d more", more))
	}
}

func cell(text string) string {
	if text == "" {
		return "–"
	}
	return text
}
