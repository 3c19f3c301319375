package main

import (
	"context"

	"github.com/spf13/cobra"
)

func appResync(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use: "resync NAME", Short: "Make an application read everything again", Args: takes(1, 1),
		Long: `Make an application read everything again: its event tokens expire, and its next
synchronisation is a full one. It loses nothing by it but time.`,
		Example: "  rollcall app resync jira",
	}
	cmd.RunE = p.at(func(ctx context.Context, d *desk, args []string) error {
		if err := d.Application.Resync(ctx, d.by, args[0]); err != nil {
			return err
		}
		return d.appChanged(ctx, args[0], "application %s reads everything at its next synchronisation")
	})
	return p.answersJSON(cmd, appObject{})
}
