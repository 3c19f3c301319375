package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/store"
)

func directorySet(p *program) *cobra.Command {
	var f directoryFlags
	var active bool
	cmd := &cobra.Command{
		Use: "set NAME", Short: "Change a directory's settings", Args: takes(1, 1),
		Long: "Change a directory's settings. What no flag names stays as it is.\n\n" + permissionsDoc + "\n\n" + settingsDoc(),
		Example: `  rollcall directory set staff --set password-min-length=12 --set password-history=
  rollcall directory set partners --active=false`,
	}
	flags := cmd.Flags()
	cmd.RunE = p.at(func(ctx context.Context, d *desk, args []string) error {
		patch := directory.Patch{
			Description: given(flags, "description", &f.description), Active: given(flags, "active", &active),
		}
		var err error
		if patch.Permissions, err = permissions(f.permit); err != nil {
			return err
		}
		if patch.Settings, err = f.settings(); err != nil {
			return err
		}
		if patch.Description == nil && patch.Active == nil && patch.Permissions == nil && len(patch.Settings) == 0 {
			return nothingGiven(cmd)
		}
		dir, err := d.Directories.Set(ctx, d.by, args[0], patch)
		if err != nil {
			return err
		}
		return d.done(showDirectory(dir), "directory %s changed", dir.Name)
	})
	flags.BoolVar(&active, "active", true, "applications see it: --active=true or --active=false")
	f.add(cmd)
	return p.answersJSON(cmd, directoryObject{})
}

func directoryRename(p *program) *cobra.Command {
	cmd := &cobra.Command{Use: "rename NAME NEW-NAME", Short: "Give a directory another name", Args: takes(2, 2), Example: "  rollcall directory rename staff people"}
	cmd.RunE = p.at(func(ctx context.Context, d *desk, args []string) error {
		dir, err := d.Directories.Rename(ctx, d.by, args[0], args[1])
		if err != nil {
			return err
		}
		return d.done(showDirectory(dir), "directory %s is now %s", args[0], dir.Name)
	})
	return p.answersJSON(cmd, directoryObject{})
}

func directoryDelete(p *program) *cobra.Command {
	var c confirmation
	cmd := &cobra.Command{
		Use: "delete NAME", Short: "Delete a directory with everything in it", Args: takes(1, 1),
		Long: "Delete a directory with its users, groups and memberships. It says what goes, and wants\n" +
			"the name typed once more, or --yes. There is no way back but a backup.",
		Example: "  rollcall directory delete partners --yes",
	}
	cmd.RunE = p.at(func(ctx context.Context, d *desk, args []string) error {
		dir, err := d.Store.DirectoryByName(ctx, args[0])
		if err != nil {
			return err
		}
		contents, err := d.Store.ContentsOf(ctx, dir.ID)
		if err != nil {
			return err
		}
		if err := c.ask(ctx, p, dir.Name, "this deletes directory "+dir.Name+" "+goesWithIt(contents)); err != nil {
			return err
		}
		if err := d.Directories.Delete(ctx, d.by, dir.Name); err != nil {
			return err
		}
		return d.done(deletedDirectory{dir.Name, showContents(contents)}, "directory %s deleted, %s", dir.Name, goesWithIt(contents))
	})
	return p.answersJSON(c.flag(cmd), deletedDirectory{})
}

// goesWithIt says what a directory takes with it.
func goesWithIt(c store.DirectoryContents) string {
	text := fmt.Sprintf("with %s, %s and %s", count(c.Users, "user"), count(c.Groups, "group"), count(c.Memberships, "membership"))
	switch len(c.Applications) {
	case 0:
		return text
	case 1:
		return text + "; application " + c.Applications[0] + " is mapped to it"
	}
	return text + "; applications " + strings.Join(c.Applications, ", ") + " are mapped to it"
}

func count(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
