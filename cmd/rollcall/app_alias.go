package main

import (
	"context"

	"github.com/spf13/cobra"
)

func appAlias(p *program) *cobra.Command {
	return noun("alias", "Aliases: the names under which one application knows users", "", `  rollcall app alias set jira ada countess
  rollcall app alias list jira`,
		appAliasSet(p), appAliasRemove(p), appAliasList(p))
}

func appAliasSet(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use: "set NAME USER ALIAS", Short: "Give a user a name of its own in an application", Args: takes(3, 3),
		Long:    "Give a user, of one of the application's directories, a name of its own in the application.\nThe application then knows the user by that name only.",
		Example: "  rollcall app alias set jira ada countess",
	}
	cmd.RunE = p.at(func(ctx context.Context, d *desk, args []string) error {
		if err := d.Application.SetAlias(ctx, d.by, args[0], args[1], args[2]); err != nil {
			return err
		}
		return d.done(aliasObject{Application: args[0], User: args[1], Alias: args[2]}, "application %s knows %s as %s", args[0], args[1], args[2])
	})
	return p.answersJSON(cmd, aliasObject{})
}

func appAliasRemove(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use: "remove NAME USER", Short: "Take a user's alias in an application away", Args: takes(2, 2),
		Example: "  rollcall app alias remove jira ada",
	}
	cmd.RunE = p.at(func(ctx context.Context, d *desk, args []string) error {
		if err := d.Application.RemoveAlias(ctx, d.by, args[0], args[1]); err != nil {
			return err
		}
		return d.done(aliasObject{Application: args[0], User: args[1]}, "application %s knows %s by no other name", args[0], args[1])
	})
	return p.answersJSON(cmd, aliasObject{})
}

func appAliasList(p *program) *cobra.Command {
	cmd := &cobra.Command{Use: "list NAME", Short: "List an application's aliases", Args: takes(1, 1), Example: "  rollcall app alias list jira"}
	cmd.RunE = p.at(func(ctx context.Context, d *desk, args []string) error {
		all, err := d.Application.Aliases(ctx, args[0])
		if err != nil {
			return err
		}
		l := d.list("ALIAS", "USER", "DIRECTORY")
		for _, a := range all {
			if err := l.add(aliasObject{Application: args[0], User: a.User, Directory: a.Directory, Alias: a.Alias}, a.Alias, a.User, a.Directory); err != nil {
				return err
			}
		}
		return l.end()
	})
	return p.answersJSON(cmd, []aliasObject{})
}
