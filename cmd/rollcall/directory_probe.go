package main

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rollcall-id/rollcall/directory"
)

func directoryTest(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use: "test NAME", Short: "Ask a directory's source what the credentials may do", Args: takes(1, 1),
		Long: `Ask a directory's source what the credentials may do: which permissions are granted and which
are missing, and when the secret ends. Exit 0 when nothing is missing, 5 when something is, 1
when the source can't be asked.`,
		Example: "  rollcall directory test cloud\n  rollcall directory test cloud --json",
	}
	cmd.RunE = p.at(func(ctx context.Context, d *desk, args []string) error {
		dir, _, source, err := d.Sync.Source(ctx, args[0])
		if err != nil {
			return err
		}
		defer source.Close()
		report, err := d.Sync.Check(ctx, dir, source)
		if err != nil {
			return err
		}
		shown := probeObject{Granted: append([]string{}, report.Granted...), Missing: append([]string{}, report.Missing...), SecretEnds: "unknown",
			OK: len(report.Missing) == 0, Notes: report.Notes}
		if !report.SecretEnds.IsZero() {
			shown.SecretEnds = report.SecretEnds.UTC().Format(time.DateOnly)
		}
		err = d.show(shown, func(w *sheet) {
			w.line("granted", cell(strings.Join(shown.Granted, ", ")))
			w.line("missing", cell(strings.Join(shown.Missing, "; ")))
			w.line("secret ends", shown.SecretEnds)
			for _, n := range shown.Notes {
				w.line("note", n)
			}
			w.line("protected", strings.Join(directory.ProtectedGroups(), ", ")+" (allow-groups lets them in)")
		})
		if err == nil && !shown.OK {
			return exitWith(exitNotPermitted)
		}
		return err
	})
	return p.answersJSON(cmd, probeObject{})
}
