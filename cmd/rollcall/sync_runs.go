package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/rollcall-id/rollcall/models"
	dirsync "github.com/rollcall-id/rollcall/sync"
)

func syncApprove(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use: "approve NAME PLAN-HASH", Short: "Apply a plan that the guard holds", Args: takes(2, 2),
		Long: `Apply a plan that the guard holds. The source is read again: when the new plan takes away
the same (and brings as much, where guard-adds is set), all of it is applied; else nothing happens,
the new hash is told, and the exit code is 6.`,
		Example: "  rollcall sync approve cloud 3f0c9a52e1d84b7765a1b2c3d4e5f607",
	}
	cmd.RunE = p.at(func(ctx context.Context, d *desk, args []string) error {
		return d.runSync(ctx, args[0], dirsync.Options{By: d.by, Approve: args[1]})
	})
	return p.answersJSON(cmd, models.Run{})
}

func syncDiscard(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use: "discard NAME PLAN-HASH", Short: "Drop a plan that the guard holds", Args: takes(2, 2),
		Long:    "Drop a plan that the guard holds. Nothing changes; the next run makes a plan anew.",
		Example: "  rollcall sync discard cloud 3f0c9a52e1d84b7765a1b2c3d4e5f607",
	}
	cmd.RunE = p.at(func(ctx context.Context, d *desk, args []string) error {
		if err := d.Sync.Discard(ctx, d.by, args[0], args[1]); err != nil {
			return err
		}
		return d.done(discardedObject{args[0], args[1]}, "the plan %s of directory %s is dropped", args[1], args[0])
	})
	return p.answersJSON(cmd, discardedObject{})
}

func syncCancel(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use: "cancel NAME", Short: "Stop the run that is going on", Args: takes(1, 1),
		Long:    "Stop the run of a directory that is going on, wherever it runs. What it has read is kept for the next one; nothing is half applied.",
		Example: "  rollcall sync cancel cloud",
	}
	cmd.RunE = p.at(func(ctx context.Context, d *desk, args []string) error {
		running, err := d.Sync.Cancel(ctx, d.by, args[0])
		if err != nil {
			return err
		}
		if !running {
			return d.done(cancelledObject{args[0], false}, "directory %s is not being synchronised", args[0])
		}
		return d.done(cancelledObject{args[0], true}, "the run of directory %s is told to stop", args[0])
	})
	return p.answersJSON(cmd, cancelledObject{})
}

func syncHistory(p *program) *cobra.Command {
	var limit int
	cmd := &cobra.Command{
		Use: "history NAME", Short: "List the runs of a directory, the newest first", Args: takes(1, 1),
		Example: "  rollcall sync history cloud\n  rollcall sync history cloud --limit 1 --json",
	}
	cmd.RunE = p.at(func(ctx context.Context, d *desk, args []string) error {
		runs, err := d.Sync.History(ctx, args[0], limit)
		if err != nil {
			return err
		}
		shown := historyObject{Runs: []historyRun{}}
		for _, r := range runs {
			shown.Runs = append(shown.Runs, historyRun{stamp(r.Started), stamp(r.Ended), r})
		}
		return d.show(shown, func(w *sheet) {
			w.row("STARTED", "TOOK", "MODE", "OUTCOME", "USERS", "GROUPS", "MEMBERSHIPS", "REQUESTS", "PROBLEM")
			for _, r := range runs {
				took := "–"
				if r.Ended != 0 {
					took = r.Ended.Sub(r.Started).String()
				}
				w.row(moment(r.Started), took, r.Mode, string(r.Outcome),
					fmt.Sprintf("+%d ~%d -%d", r.Users.Created, r.Users.Changed, r.Users.Deactivated+r.Users.Removed),
					fmt.Sprintf("+%d ~%d -%d", r.Groups.Created, r.Groups.Changed, r.Groups.Emptied+r.Groups.Removed),
					fmt.Sprintf("+%d -%d", r.Memberships.Added, r.Memberships.Removed), fmt.Sprint(r.Requests), r.Problem)
			}
		})
	})
	cmd.Flags().IntVar(&limit, "limit", 20, "how many `N` runs")
	return p.answersJSON(cmd, historyObject{})
}

func syncTry(p *program) *cobra.Command {
	var f directoryFlags
	var user string
	cmd := &cobra.Command{
		Use: "try NAME --user ID", Short: "Show what each rule makes of one user of the source", Args: takes(1, 1),
		Long: `Show what each rule makes of one user of the source: filters, username, attributes. The user is
found by id, login or mail address. --set tries rules that are not saved yet. Nothing changes.`,
		Example: "  rollcall sync try cloud --user ada@example.test\n  rollcall sync try cloud --user ada@example.test --set username=mail-local-part",
	}
	cmd.RunE = p.at(func(ctx context.Context, d *desk, args []string) error {
		if user == "" {
			return wrongUsage("--user takes an id, a login or a mail address", "which user?")
		}
		settings, err := f.settings()
		if err != nil {
			return err
		}
		tried, err := d.Sync.Try(ctx, args[0], user, settings)
		if err != nil {
			return err
		}
		return d.show(tried, func(w *sheet) {
			for _, t := range tried {
				w.title(t.Login + " (" + t.ID + ")")
				for _, v := range t.Rules {
					w.row(map[bool]string{true: "ok", false: "no"}[v.OK], v.Rule, v.Detail)
				}
				w.row("→", "username", cell(t.Username))
			}
		})
	})
	cmd.Flags().StringVar(&user, "user", "", "id, login or mail address of the user")
	cmd.Flags().StringArrayVar(&f.set, "set", nil, "a setting to try, as `KEY=VALUE`; repeatable")
	cmd.Flags().StringArrayVar(&f.setFile, "set-file", nil, "a setting to try whose value is read from a file, as `KEY=FILE`; repeatable")
	return p.answersJSON(cmd, []dirsync.Trial{})
}
