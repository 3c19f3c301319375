package main

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/models"
)

// A memberVerb is what `group add` and `group remove` don't have in common.
type memberVerb struct {
	name, short, long, example, done string
	user, group                      func(e *directory.Edit, dir *models.Directory, group, member string) error
}

var addingMembers = memberVerb{
	name: "add", short: "Put users and groups into a group", done: "%s added to group %s",
	long: "Put users, and with --group groups, into a group: all of them, or none where one of them is\nunknown or in it already.",
	example: `  rollcall group add developers ada bob
  rollcall group add everyone --group developers --group sales`,
	user: (*directory.Edit).AddMember, group: (*directory.Edit).AddChild,
}

var removingMembers = memberVerb{
	name: "remove", short: "Take users and groups out of a group", done: "%s removed from group %s",
	long: "Take users, and with --group groups, out of a group: all of them, or none where one of them\nis unknown or not in it.",
	example: `  rollcall group remove developers ada
  rollcall group remove everyone --group developers`,
	user: (*directory.Edit).RemoveMember, group: (*directory.Edit).RemoveChild,
}

func groupMembers(p *program, v memberVerb) *cobra.Command {
	var dirName string
	var groups []string
	cmd := &cobra.Command{Use: v.name + " NAME [USER]...", Short: v.short, Long: v.long, Example: v.example, Args: takes(1, -1)}
	cmd.RunE = p.at(func(ctx context.Context, d *desk, args []string) error {
		name, users := args[0], args[1:]
		if len(users)+len(groups) == 0 {
			return wrongUsage(cmd.CommandPath()+" --help", "name a user, or a group with --group")
		}
		dir, err := d.directory(ctx, dirName)
		if err != nil {
			return err
		}
		g, err := d.Store.GroupByName(ctx, dir.ID, name)
		if err != nil {
			return err
		}
		err = d.Directories.Edit(ctx, d.by, func(e *directory.Edit) error { return v.all(e, dir, g.Name, users, groups) })
		if err != nil {
			return err
		}
		o := membersObject{Group: g.Name, Directory: dir.Name, Users: filled(users), Groups: filled(groups)}
		return d.done(o, v.done, strings.Join(slices.Concat(users, groups), ", "), g.Name)
	})
	cmd.Flags().StringArrayVarP(&groups, "group", "g", nil, "a group instead of a user; repeatable")
	return p.answersJSON(inDirectory(cmd, &dirName), membersObject{})
}

func (v memberVerb) all(e *directory.Edit, dir *models.Directory, group string, users, groups []string) error {
	for _, u := range users {
		if err := v.user(e, dir, group, u); err != nil {
			return err
		}
	}
	for _, g := range groups {
		if err := v.group(e, dir, group, g); err != nil {
			return err
		}
	}
	return nil
}
