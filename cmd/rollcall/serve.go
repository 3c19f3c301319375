package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/rollcall-id/rollcall/server"
)

func serveCommand(p *program) *cobra.Command {
	var demo bool
	cmd := &cobra.Command{
		Use: "serve", Short: "Answer requests until it is told to stop", Args: takes(0, 0),
		Long: `Answer requests until it is told to stop (SIGTERM, or Ctrl-C): then it takes no new
connections and ends what it has begun; a second signal ends it at once.

It upgrades the database's schema where that is older than the program, after keeping a copy of
a SQLite file. Every setting has a flag; docs/configuration.md explains them.

With --demo it serves made-up people on 127.0.0.1:8095, from data/demo.db, which is made anew at
each start, and prints lines to try it with. Addresses that others can reach are refused.`,
		Example: `  rollcall serve --listen 127.0.0.1:8095
  ROLLCALL_DATABASE_URL=postgres://rollcall@db/rollcall rollcall serve
  rollcall serve --demo`,
	}
	cmd.RunE = p.alone(func(ctx context.Context, cmd *cobra.Command, _ []string) error {
		c, origins, err := p.settings(cmd)
		if err != nil {
			return err
		}
		if demo {
			return p.serveDemo(ctx, c, origins)
		}
		return server.Run(ctx, server.Options{Config: c, Log: server.NewLogger(p.stderr, c), Version: version})
	})
	cmd.Flags().BoolVar(&demo, "demo", false, "serve made-up people, on this machine only, and print lines to try it with")
	server.Flags(cmd.Flags())
	return cmd
}
