package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/models"
)

func appMap(p *program) *cobra.Command {
	var n application.NewMapping
	var permit []string
	var everybody bool
	cmd := &cobra.Command{
		Use: "map NAME [DIRECTORY]", Short: "Let an application see a directory, or change how", Args: takes(1, 2),
		Long: `Let an application see a directory, or change how it does. The directory may also stand
behind --directory.

A new mapping may only read and lets everybody log in unless flags say otherwise. Of one that
is there, what no flag names stays.

` + permissionsDoc,
		Example: `  rollcall app map jira partners --permit update-group
  rollcall app map jira staff --position 1
  rollcall app map jira staff --group jira-users
  rollcall app map jira --directory cloud`,
	}
	flags := cmd.Flags()
	cmd.RunE = p.at(func(ctx context.Context, d *desk, args []string) error {
		switch {
		case len(args) == 1 && n.Directory == "":
			return wrongUsage(cmd.CommandPath()+" --help", "something is missing: %s", synopsis(cmd))
		case len(args) == 2 && n.Directory != "" && models.Key(n.Directory) != models.Key(args[1]):
			return wrongUsage("", "two directories are named, %s and %s", args[1], n.Directory)
		case len(args) == 2:
			n.Directory = args[1]
		}
		if flags.Changed("position") && n.Position < 1 {
			return wrongUsage("", "--position counts from 1")
		}
		allowed, err := permissions(permit)
		if err != nil {
			return err
		}
		if err := d.keepMapping(ctx, args[0], &n, allowed, everybody); err != nil {
			return err
		}
		warnings, err := d.Application.Map(ctx, d.by, args[0], n)
		if err != nil {
			return err
		}
		for _, w := range warnings {
			d.warn("%s", w)
		}
		return d.appChanged(ctx, args[0], "application %s is mapped to directory %s", n.Directory)
	})
	flags.StringVar(&n.Directory, "directory", "", "the directory, where no argument names it")
	flags.StringArrayVar(&permit, "permit", nil, "what it may change there: all, read, or permissions with commas (for a new mapping: read)")
	flags.StringArrayVar(&n.Groups, "group", nil, "a group whose members may log in; repeatable; they replace the ones there are")
	flags.BoolVar(&everybody, "everybody", false, "all users of the directory may log in")
	flags.IntVar(&n.Position, "position", 0, "its place among the application's directories, from 1 (for a new mapping: the last)")
	cmd.MarkFlagsMutuallyExclusive("group", "everybody")
	return p.answersJSON(cmd, appObject{})
}

// keepMapping fills in what no flag named from the mapping that is there.
func (d *desk) keepMapping(ctx context.Context, name string, n *application.NewMapping, allowed *models.Permissions, everybody bool) error {
	app, err := d.Application.ByName(ctx, name)
	if err != nil {
		return err
	}
	dir, err := d.Store.DirectoryByName(ctx, n.Directory)
	if err != nil {
		return err
	}
	for _, m := range app.Mappings {
		if m.DirectoryID != dir.ID {
			continue
		}
		n.Permissions = m.Permissions
		if n.Groups == nil && !everybody {
			n.Groups = m.Groups
		}
	}
	if allowed != nil {
		n.Permissions = *allowed
	}
	n.Directory = dir.Name
	return nil
}

func appUnmap(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use: "unmap NAME DIRECTORY", Short: "Hide a directory from an application", Args: takes(2, 2),
		Example: "  rollcall app unmap jira partners",
	}
	cmd.RunE = p.at(func(ctx context.Context, d *desk, args []string) error {
		if err := d.Application.Unmap(ctx, d.by, args[0], args[1]); err != nil {
			return err
		}
		return d.appChanged(ctx, args[0], "application %s no longer sees directory %s", args[1])
	})
	return p.answersJSON(cmd, appObject{})
}
