package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/models"
)

func userSet(p *program) *cobra.Command {
	var dirName string
	var f userFlags
	cmd := &cobra.Command{
		Use: "set NAME", Short: "Change a user's fields and attributes", Args: takes(1, 1),
		Long: "Change a user's fields and attributes. What no flag names stays as it is.",
		Example: `  rollcall user set ada --email ada@example.test
  rollcall user set ada --attribute requiresPasswordChange=true`,
	}
	flags := cmd.Flags()
	cmd.RunE = p.at(func(ctx context.Context, d *desk, args []string) error {
		patch := directory.UserPatch{
			FirstName: given(flags, "first-name", &f.first), LastName: given(flags, "last-name", &f.last),
			DisplayName: given(flags, "display-name", &f.display), Email: given(flags, "email", &f.email), Active: given(flags, "active", &f.active),
		}
		attrs, err := attributes(f.attributes)
		if err != nil {
			return err
		}
		if patch == (directory.UserPatch{}) && len(attrs) == 0 {
			return nothingGiven(cmd)
		}
		dir, err := d.directory(ctx, dirName)
		if err != nil {
			return err
		}
		u, err := d.changeUser(ctx, dir, args[0], patch, attrs)
		if err != nil {
			return err
		}
		return d.done(showUser(dir, u), "user %s changed", u.Name)
	})
	f.add(cmd)
	return p.answersJSON(inDirectory(cmd, &dirName), userObject{})
}

// changeUser changes fields and attributes in one transaction.
func (d *desk) changeUser(ctx context.Context, dir *models.Directory, name string, patch directory.UserPatch, attrs []models.Attribute) (u *models.User, err error) {
	err = d.Directories.Edit(ctx, d.by, func(e *directory.Edit) error {
		if len(attrs) > 0 {
			if err := e.SetUserAttributes(dir, name, attrs); err != nil {
				return err
			}
		}
		if patch != (directory.UserPatch{}) {
			u, err = e.UpdateUser(dir, name, patch)
		} else {
			u, err = e.Reads().UserByName(ctx, dir.ID, name)
		}
		return err
	})
	return u, err
}

func userPassword(p *program) *cobra.Command {
	var dirName string
	var in secretInput
	var none bool
	cmd := &cobra.Command{
		Use: "password NAME", Short: "Set a user's password", Args: takes(1, 1),
		Long: `Set a user's password: on a terminal it is asked for, elsewhere it comes from stdin or a file.
It ends the user's sessions, and what failed attempts had delayed.`,
		Example: `  rollcall user password ada
  printf 'difference\n' | rollcall user password ada --password-stdin
  rollcall user password ada --clear`,
	}
	cmd.RunE = p.at(func(ctx context.Context, d *desk, args []string) error {
		dir, err := d.directory(ctx, dirName)
		if err != nil {
			return err
		}
		u, err := d.Store.UserByName(ctx, dir.ID, args[0])
		if err != nil {
			return err
		}
		if none {
			if err := d.Directories.ClearPassword(ctx, d.by, dir, u.Name); err != nil {
				return err
			}
			return d.done(showUser(dir, u), "user %s has no password now and can't log in with one", u.Name)
		}
		secret, err := in.read(ctx, p)
		if err == nil && secret == nil {
			secret, err = p.prompt(ctx, "Password for "+u.Name+": ")
		}
		if err != nil {
			return err
		}
		if err := d.Directories.SetPassword(ctx, d.by, dir, u.Name, *secret); err != nil {
			return err
		}
		return d.done(showUser(dir, u), "password of user %s set", u.Name)
	})
	in.flags(cmd, "the password")
	cmd.Flags().BoolVar(&none, "clear", false, "take the password away instead: nobody can log in with one")
	cmd.MarkFlagsMutuallyExclusive("clear", "password-stdin", "password-file")
	return p.answersJSON(inDirectory(cmd, &dirName), userObject{})
}

func userDisable(p *program) *cobra.Command {
	return userActive(p, &cobra.Command{
		Use: "disable NAME", Short: "Keep a user from logging in, and end their sessions",
		Example: "  rollcall user disable ada",
	}, false, "inactive")
}

func userEnable(p *program) *cobra.Command {
	return userActive(p, &cobra.Command{
		Use: "enable NAME", Short: "Let a user log in again",
		Example: "  rollcall user enable ada",
	}, true, "active")
}

// userActive makes `user disable` and `user enable`. A user who is so already is left alone.
func userActive(p *program, cmd *cobra.Command, active bool, word string) *cobra.Command {
	var dirName string
	cmd.Args = takes(1, 1)
	cmd.RunE = p.at(func(ctx context.Context, d *desk, args []string) error {
		dir, err := d.directory(ctx, dirName)
		if err != nil {
			return err
		}
		u, err := d.Store.UserByName(ctx, dir.ID, args[0])
		if err != nil {
			return err
		}
		if u.Active == active {
			return d.done(showUser(dir, u), "user %s is %s already", u.Name, word)
		}
		if u, err = d.changeUser(ctx, dir, u.Name, directory.UserPatch{Active: &active}, nil); err != nil {
			return err
		}
		return d.done(showUser(dir, u), "user %s is %s now", u.Name, word)
	})
	return p.answersJSON(inDirectory(cmd, &dirName), userObject{})
}

func userRename(p *program) *cobra.Command {
	var dirName string
	cmd := &cobra.Command{
		Use: "rename NAME NEW-NAME", Short: "Give a user another name", Args: takes(2, 2),
		Long:    "Give a user another name. The external id stays, so that applications know who it is.",
		Example: "  rollcall user rename ada countess",
	}
	cmd.RunE = p.at(func(ctx context.Context, d *desk, args []string) error {
		dir, err := d.directory(ctx, dirName)
		if err != nil {
			return err
		}
		var u *models.User
		err = d.Directories.Edit(ctx, d.by, func(e *directory.Edit) error {
			u, err = e.RenameUser(dir, args[0], args[1])
			return err
		})
		if err != nil {
			return taken(err, func() error { return d.userExists(ctx, dir, args[1]) })
		}
		return d.done(showUser(dir, u), "user %s is now %s", args[0], u.Name)
	})
	return p.answersJSON(inDirectory(cmd, &dirName), userObject{})
}

func userDelete(p *program) *cobra.Command {
	var dirName string
	var c confirmation
	cmd := &cobra.Command{
		Use: "delete NAME", Short: "Delete a user", Args: takes(1, 1),
		Long: "Delete a user with password, attributes, memberships and sessions. It wants the name typed\n" +
			"once more, or --yes. To keep somebody out and their history, disable them instead.",
		Example: "  rollcall user delete ada --yes",
	}
	cmd.RunE = p.at(func(ctx context.Context, d *desk, args []string) error {
		dir, err := d.directory(ctx, dirName)
		if err != nil {
			return err
		}
		u, err := d.Store.UserByName(ctx, dir.ID, args[0])
		if err != nil {
			return err
		}
		if err := c.ask(ctx, p, u.Name, "this deletes user "+u.Name+" of directory "+dir.Name); err != nil {
			return err
		}
		err = d.Directories.Edit(ctx, d.by, func(e *directory.Edit) error { return e.DeleteUser(dir, u.Name) })
		if err != nil {
			return err
		}
		return d.done(deletedObject{Deleted: u.Name, Directory: dir.Name}, "user %s deleted", u.Name)
	})
	return p.answersJSON(inDirectory(c.flag(cmd), &dirName), deletedObject{})
}
