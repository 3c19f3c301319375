package main

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/rollcall-id/rollcall/models"
)

func appPassword(p *program) *cobra.Command {
	return noun("password", "An application's passwords: several count at once, so that one can be replaced", "", `  rollcall app password add jira --hint 'new node'
  rollcall app password remove jira 3`,
		appPasswordAdd(p), appPasswordRemove(p))
}

func appPasswordAdd(p *program) *cobra.Command {
	var in secretInput
	var hint, expires string
	cmd := &cobra.Command{
		Use: "add NAME", Short: "Give an application one more password", Args: takes(1, 1),
		Long: `Give an application one more password. The others go on counting until they are removed or
expire. Without a password of yours a random one is made and printed, once.`,
		Example: `  rollcall app password add jira --hint 'rotation 2026' --expires 400d
  rollcall app password add jira --password-file /run/secrets/jira`,
	}
	cmd.RunE = p.at(func(ctx context.Context, d *desk, args []string) error {
		end, err := timeFlag("expires", expires, d.Store.Now(), false)
		if err != nil {
			return err
		}
		if end != 0 && end <= d.Store.Now() {
			return wrongUsage("", "--expires: %s is over", moment(end))
		}
		var secret models.Secret
		made, err := passwordOrRandom(ctx, p, &in, &secret)
		if err != nil {
			return err
		}
		added, err := d.Application.AddPassword(ctx, d.by, args[0], secret, hint, end)
		if err != nil {
			return err
		}
		o := newPasswordObject{showPassword(added, d.Store.Now()), args[0], made.Reveal()}
		return d.show(o, func(w *sheet) {
			w.text("password " + strconv.FormatInt(o.ID, 10) + " added to application " + args[0])
			writeMadePassword(w, made)
		})
	})
	cmd.Flags().StringVar(&hint, "hint", "", "a note by which you will know it again; anyone who may run `app show` sees it")
	cmd.Flags().StringVar(&expires, "expires", "", "when it stops counting: `WHEN` is a date, a time or a length of time, 90d")
	return p.answersJSON(in.flags(cmd, "the password"), newPasswordObject{})
}

func appPasswordRemove(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use: "remove NAME ID", Short: "Take a password away from an application", Args: takes(2, 2),
		Long:    "Take a password away from an application: from then on it isn't accepted. The ids are in\nrollcall app show.",
		Example: "  rollcall app password remove jira 3",
	}
	cmd.RunE = p.at(func(ctx context.Context, d *desk, args []string) error {
		id, err := strconv.ParseInt(args[1], 10, 64)
		if err != nil {
			return wrongUsage("rollcall app show "+args[0]+" lists the ids", "%q is no id of a password", args[1])
		}
		if err := d.Application.RemovePassword(ctx, d.by, args[0], models.ID(id)); err != nil {
			return err
		}
		app, directories, err := d.app(ctx, args[0])
		if err != nil {
			return err
		}
		if len(app.Passwords) == 0 {
			d.warn("application %s has no password left, so it can't call: rollcall app password add %s", app.Name, quotedArg(app.Name))
		}
		return d.done(showApp(app, directories, d.Store.Now()), "password %d removed from application %s", id, app.Name)
	})
	return p.answersJSON(cmd, appObject{})
}
