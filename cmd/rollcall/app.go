package main

import (
	"context"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

func appCommand(p *program) *cobra.Command {
	return noun("app", "Applications: Crowd clients with a name and passwords of their own", "", `  rollcall app create jira --directory staff --address 10.1.2.3
  rollcall app show jira`,
		appCreate(p), appList(p), appShow(p), appSet(p), appMap(p), appUnmap(p), appResync(p), appDelete(p), appPassword(p), appAlias(p))
}

func appCreate(p *program) *cobra.Command {
	var n application.NewApplication
	var permit []string
	var password secretInput
	var s appSwitches
	cmd := &cobra.Command{
		Use: "create NAME", Short: "Create an application", Args: takes(1, 1),
		Long: `Create an application. Without a password of yours a random one is made and printed, once.

Without --permit it may only read. Without --group all users of its directories may log in.
It can be reached from nowhere until it has an address, and sees nobody until it has a
directory; both can be given later.

` + permissionsDoc,
		Example: `  rollcall app create jira --directory staff --directory partners --address 10.1.2.3
  printf 'secret-1\n' | rollcall app create probe --directory staff --permit all --address 127.0.0.1/32 --password-stdin`,
	}
	flags := cmd.Flags()
	cmd.RunE = p.at(func(ctx context.Context, d *desk, args []string) error {
		n.Name, n.Options = args[0], s.options(flags)
		allowed, err := permissions(permit)
		if err != nil {
			return err
		}
		if allowed != nil {
			n.Permissions = *allowed
		}
		made, err := passwordOrRandom(ctx, p, &password, &n.Password)
		if err != nil {
			return err
		}
		app, warnings, err := d.Application.Create(ctx, d.by, n)
		if err != nil {
			return err
		}
		for _, w := range warnings {
			d.warn("%s", w)
		}
		return d.appCreated(ctx, app.Name, made)
	})
	flags.StringArrayVar(&n.Directories, "directory", nil, "a directory that it sees; repeatable, in order: the first that has a name wins it")
	flags.StringArrayVar(&permit, "permit", nil, "what it may change there: all, read, or permissions with commas; without it the application may only read")
	flags.StringArrayVar(&n.Groups, "group", nil, "a group whose members may log in; repeatable; without it everybody may")
	flags.StringArrayVar(&n.Addresses, "address", nil, addressDoc)
	s.add(cmd)
	return p.answersJSON(password.flags(cmd, "the application's password"), newAppObject{})
}

const addressDoc = "an IP address, a CIDR or a host name from where it may call; repeatable"

// passwordOrRandom takes the password that the flags name, else makes one, which it also gives
// back: somebody has to be told.
func passwordOrRandom(ctx context.Context, p *program, in *secretInput, into *models.Secret) (made models.Secret, err error) {
	secret, err := in.read(ctx, p)
	switch {
	case err != nil:
		return "", err
	case secret != nil:
		*into = *secret
		return "", nil
	}
	made = randomPassword()
	*into = made
	return made, nil
}

func (d *desk) appCreated(ctx context.Context, name string, made models.Secret) error {
	app, directories, err := d.app(ctx, name)
	if err != nil {
		return err
	}
	return d.show(newAppObject{showApp(app, directories, d.Store.Now()), made.Reveal()}, func(w *sheet) {
		w.text("application " + app.Name + " created")
		writeMadePassword(w, made)
	})
}

func writeMadePassword(w *sheet, made models.Secret) {
	if made != "" {
		w.text("password: " + made.Reveal())
		w.text("It is told only now: what is stored can't be turned back into it.")
	}
}

// app reads an application and all directories.
func (d *desk) app(ctx context.Context, name string) (*store.ApplicationRecord, map[models.ID]*models.Directory, error) {
	app, err := d.Application.ByName(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	directories, err := d.directoriesByID(ctx)
	return app, directories, err
}

func (d *desk) directoriesByID(ctx context.Context) (map[models.ID]*models.Directory, error) {
	all, err := d.Store.Directories(ctx)
	byID := make(map[models.ID]*models.Directory, len(all))
	for _, dir := range all {
		byID[dir.ID] = dir
	}
	return byID, err
}

func appList(p *program) *cobra.Command {
	cmd := &cobra.Command{Use: "list", Short: "List all applications", Args: takes(0, 0), Example: "  rollcall app list --json"}
	cmd.RunE = p.at(func(ctx context.Context, d *desk, _ []string) error {
		all, err := d.Application.List(ctx)
		if err != nil {
			return err
		}
		directories, err := d.directoriesByID(ctx)
		if err != nil {
			return err
		}
		l := d.list("NAME", "ACTIVE", "DIRECTORIES", "ADDRESSES", "PASSWORDS", "DESCRIPTION")
		for _, app := range all {
			o := showApp(app, directories, d.Store.Now())
			err := l.add(o, o.Name, yes(o.Active), mapped(o), strings.Join(o.Addresses, ", "), strconv.Itoa(len(o.Passwords)), o.Description)
			if err != nil {
				return err
			}
		}
		return l.end()
	})
	return p.answersJSON(cmd, []appObject{})
}

func mapped(o appObject) string {
	names := make([]string, len(o.Mappings))
	for i, m := range o.Mappings {
		names[i] = m.Directory
	}
	return strings.Join(names, ", ")
}

// appSwitches are what `app create` and `app set` share.
type appSwitches struct {
	description                          string
	active, aggregate, lowerCase, nested bool
}

func (s *appSwitches) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&s.description, "description", "", "what it is for")
	f.BoolVar(&s.active, "active", true, "it may call: --active=false shuts it out")
	f.BoolVar(&s.aggregate, "aggregate", false, "memberships come from every directory, not only from the user's own")
	f.BoolVar(&s.lowerCase, "lower-case", false, "names are given out in lower case")
	f.BoolVar(&s.nested, "nested", true, "groups in groups count: --nested=false makes only direct memberships count")
}

// options are the switches that were given.
func (s *appSwitches) options(f *pflag.FlagSet) application.Options {
	return application.Options{
		Description: given(f, "description", &s.description), Active: given(f, "active", &s.active),
		Aggregate: given(f, "aggregate", &s.aggregate), LowerCase: given(f, "lower-case", &s.lowerCase), Nested: given(f, "nested", &s.nested),
	}
}

func appSet(p *program) *cobra.Command {
	var s appSwitches
	var addresses, webhookTo []string
	cmd := &cobra.Command{
		Use: "set NAME", Short: "Change an application's switches and addresses", Args: takes(1, 1),
		Long: "Change an application's switches and addresses. What no flag names stays as it is;\n--address replaces all addresses, and --webhook-to all networks.",
		Example: `  rollcall app set jira --aggregate=true --lower-case=true
  rollcall app set jira --address 10.1.2.3 --address 10.1.2.4`,
	}
	flags := cmd.Flags()
	cmd.RunE = p.at(func(ctx context.Context, d *desk, args []string) error {
		o := s.options(flags)
		if o == (application.Options{}) && addresses == nil && webhookTo == nil {
			return nothingGiven(cmd)
		}
		if err := d.Application.Set(ctx, d.by, args[0], o, addresses); err != nil {
			return err
		}
		if webhookTo != nil {
			if err := d.Application.SetWebhookNetworks(ctx, d.by, args[0], webhookTo); err != nil {
				return err
			}
		}
		return d.appChanged(ctx, args[0], "application %s changed")
	})
	flags.StringArrayVar(&addresses, "address", nil, addressDoc+"; they replace the ones there are")
	flags.StringArrayVar(&webhookTo, "webhook-to", nil, "a private network (CIDR) in which its webhooks may lie, beside its own addresses; repeatable, replaces the ones there are")
	s.add(cmd)
	return p.answersJSON(cmd, appObject{})
}

// appChanged tells what became of an application; format has its name for the first %s.
func (d *desk) appChanged(ctx context.Context, name, format string, more ...any) error {
	app, directories, err := d.app(ctx, name)
	if err != nil {
		return err
	}
	return d.done(showApp(app, directories, d.Store.Now()), format, append([]any{app.Name}, more...)...)
}

func appDelete(p *program) *cobra.Command {
	var c confirmation
	cmd := &cobra.Command{
		Use: "delete NAME", Short: "Delete an application", Args: takes(1, 1),
		Long:    "Delete an application with its passwords, addresses, mappings and aliases. It wants the\nname typed once more, or --yes. Users and groups stay.",
		Example: "  rollcall app delete jira --yes",
	}
	cmd.RunE = p.at(func(ctx context.Context, d *desk, args []string) error {
		app, err := d.Application.ByName(ctx, args[0])
		if err != nil {
			return err
		}
		if err := c.ask(ctx, p, app.Name, "this deletes application "+app.Name+" with its passwords, mappings and aliases"); err != nil {
			return err
		}
		if err := d.Application.Delete(ctx, d.by, app.Name); err != nil {
			return err
		}
		return d.done(deletedObject{Deleted: app.Name}, "application %s deleted", app.Name)
	})
	return p.answersJSON(c.flag(cmd), deletedObject{})
}
