package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/rollcall-id/rollcall/internal/explain"
)

func explainCommand(p *program) *cobra.Command {
	return noun("explain", "Why somebody can or can't log in", "", `  rollcall explain user ada --app jira
  rollcall explain user ada --app jira --group developers`, explainUser(p))
}

func explainUser(p *program) *cobra.Command {
	var app, group string
	cmd := &cobra.Command{
		Use: "user NAME|ID|MAIL", Short: "Explain why a person can or can't log in to an application, or is or isn't in a group", Args: takes(1, 1),
		Long: `Explain step by step why a person can or can't log in to an application and, with --group, is or
isn't in a group. The person is named by the name, the stable id or the mail address.

Of a directory that is kept equal to a source it tells what the source and the settings say, too.
Whom no directory has, it looks for among those that the last runs skipped, then at the source.
It ends with 0, whatever the answer is.`,
		Example: `  rollcall explain user ada --app jira
  rollcall explain user ada@example.test --app jira --group developers --json`,
	}
	cmd.RunE = p.at(func(ctx context.Context, d *desk, args []string) error {
		if app == "" {
			return wrongUsage("rollcall app list lists them", "--app is missing: which application?")
		}
		answer, err := d.Explain.User(ctx, app, args[0], group)
		if err != nil {
			return err
		}
		return d.show(answer, func(w *sheet) {
			for _, s := range answer.Steps {
				w.row(yes(s.OK), s.Step, s.Detail)
			}
			w.text("")
			w.text(verdict(answer, args[0], app, group))
		})
	})
	cmd.Flags().StringVar(&app, "app", "", "the application")
	cmd.Flags().StringVar(&group, "group", "", "a group: explain also how the person comes into it")
	return p.answersJSON(cmd, explain.Answer{})
}

func verdict(a *explain.Answer, who, app, group string) string {
	if group != "" {
		group = " and is in group " + group
	}
	if a.Allowed {
		return who + " may log in to " + app + group + "."
	}
	return "It is not so that " + who + " may log in to " + app + group + ": see " + a.FailedStep + "."
}
