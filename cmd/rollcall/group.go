package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

func groupCommand(p *program) *cobra.Command {
	return noun("group", "Groups of a directory, and who is in them", "", `  rollcall group create developers
  rollcall group add developers ada bob
  rollcall group add everyone --group developers`,
		groupCreate(p), groupList(p), groupShow(p), groupMembers(p, addingMembers), groupMembers(p, removingMembers), groupDelete(p))
}

func groupCreate(p *program) *cobra.Command {
	var dirName string
	n := directory.NewGroup{}
	cmd := &cobra.Command{Use: "create NAME", Short: "Create a group", Args: takes(1, 1), Example: "  rollcall group create developers --description 'who may push'"}
	cmd.RunE = p.at(func(ctx context.Context, d *desk, args []string) error {
		dir, err := d.directory(ctx, dirName)
		if err != nil {
			return err
		}
		n.Name = args[0]
		var g *models.Group
		err = d.Directories.Edit(ctx, d.by, func(e *directory.Edit) error {
			g, err = e.CreateGroup(dir, n)
			return err
		})
		if err != nil {
			return taken(err, func() error { _, err := d.Store.GroupByName(ctx, dir.ID, n.Name); return err })
		}
		return d.done(showGroup(dir, g), "group %s created in directory %s", g.Name, dir.Name)
	})
	cmd.Flags().StringVar(&n.Description, "description", "", "what it is for")
	cmd.Flags().BoolVar(&n.Active, "active", true, "it is in use")
	return p.answersJSON(inDirectory(cmd, &dirName), groupObject{})
}

func groupList(p *program) *cobra.Command {
	var dirName string
	cmd := &cobra.Command{Use: "list", Short: "List the groups of a directory, by name", Args: takes(0, 0), Example: "  rollcall group list --directory staff"}
	cmd.RunE = p.at(func(ctx context.Context, d *desk, _ []string) error {
		dir, err := d.directory(ctx, dirName)
		if err != nil {
			return err
		}
		l := d.list("NAME", "ACTIVE", "DESCRIPTION")
		for after := ""; ; {
			page, err := d.Store.GroupsOf(ctx, dir.ID, after, pageSize)
			if err != nil {
				return err
			}
			for _, g := range page {
				after = g.NameKey
				if err := l.add(showGroup(dir, g), g.Name, yes(g.Active), g.Description); err != nil {
					return err
				}
			}
			if len(page) < pageSize {
				return l.end()
			}
		}
	})
	return p.answersJSON(inDirectory(cmd, &dirName), []groupObject{})
}

func groupShow(p *program) *cobra.Command {
	var dirName string
	cmd := &cobra.Command{Use: "show NAME", Short: "Show a group and who is in it", Args: takes(1, 1), Example: "  rollcall group show developers"}
	cmd.RunE = p.at(func(ctx context.Context, d *desk, args []string) error {
		dir, err := d.directory(ctx, dirName)
		if err != nil {
			return err
		}
		g, err := d.Store.GroupByName(ctx, dir.ID, args[0])
		if err != nil {
			return err
		}
		o, err := d.groupDetails(ctx, dir, g)
		if err != nil {
			return err
		}
		return d.show(o, func(w *sheet) { writeGroup(w, o) })
	})
	return p.answersJSON(inDirectory(cmd, &dirName), groupDetails{})
}

// groupDetails reads all members at one moment, in one query: pages by number would sort them
// all over again for each.
func (d *desk) groupDetails(ctx context.Context, dir *models.Directory, g *models.Group) (groupDetails, error) {
	o := groupDetails{groupObject: showGroup(dir, g)}
	only, from := store.Visible{Dirs: []models.ID{dir.ID}}, store.Start{IDs: []models.ID{g.ID}, Key: g.NameKey}
	err := d.Store.Snapshot(ctx, func(r *store.Reads) error {
		users, err := r.MembersOf(ctx, only, from, models.Everything)
		if err != nil {
			return err
		}
		children, err := r.ChildrenOf(ctx, only, from, models.Everything)
		if err != nil {
			return err
		}
		parents, err := r.ParentsOf(ctx, only, from, models.Everything)
		o.Users, o.Groups, o.Parents = userNames(users), groupNames(children), groupNames(parents)
		return err
	})
	return o, err
}

func userNames(users []*models.User) []string {
	names := make([]string, len(users))
	for i, u := range users {
		names[i] = u.Name
	}
	return names
}

func writeGroup(w *sheet, o groupDetails) {
	w.line("name", o.Name)
	w.line("directory", o.Directory)
	w.line("description", o.Description)
	w.line("active", yes(o.Active))
	w.line("external id", o.ExternalID)
	w.line("created", o.Created)
	w.line("updated", o.Updated)
	w.line("users", orNone(o.Users, "none"))
	w.line("groups", orNone(o.Groups, "none"))
	w.line("is in", orNone(o.Parents, "no group"))
}

func groupDelete(p *program) *cobra.Command {
	var dirName string
	var c confirmation
	cmd := &cobra.Command{
		Use: "delete NAME", Short: "Delete a group", Args: takes(1, 1),
		Long:    "Delete a group with its memberships; its members stay. It wants the name typed once more, or\n--yes.",
		Example: "  rollcall group delete developers --yes",
	}
	cmd.RunE = p.at(func(ctx context.Context, d *desk, args []string) error {
		dir, err := d.directory(ctx, dirName)
		if err != nil {
			return err
		}
		g, err := d.Store.GroupByName(ctx, dir.ID, args[0])
		if err != nil {
			return err
		}
		if err := c.ask(ctx, p, g.Name, "this deletes group "+g.Name+" of directory "+dir.Name); err != nil {
			return err
		}
		err = d.Directories.Edit(ctx, d.by, func(e *directory.Edit) error { return e.DeleteGroup(dir, g.Name) })
		if err != nil {
			return err
		}
		return d.done(deletedObject{Deleted: g.Name, Directory: dir.Name}, "group %s deleted", g.Name)
	})
	return p.answersJSON(inDirectory(c.flag(cmd), &dirName), deletedObject{})
}
