package main

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

func userCommand(p *program) *cobra.Command {
	return noun("user", "Users of a directory", "", `  rollcall user create ada --first-name Ada --last-name Lovelace --email ada@example.test
  rollcall user password ada
  rollcall user show ada`,
		userCreate(p), userList(p), userShow(p), userSet(p), userPassword(p), userDisable(p), userEnable(p), userRename(p), userDelete(p))
}

// userFlags are what `user create` and `user set` share.
type userFlags struct {
	first, last, display, email string
	attributes                  []string
	active                      bool
}

func (f *userFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.first, "first-name", "", "first name")
	flags.StringVar(&f.last, "last-name", "", "last name")
	flags.StringVar(&f.display, "display-name", "", "name as applications show it; left out, it is made of the other two")
	flags.StringVar(&f.email, "email", "", "mail address")
	flags.BoolVar(&f.active, "active", true, "may log in")
	flags.StringArrayVar(&f.attributes, "attribute", nil,
		"an attribute, as `NAME=VALUE`; the same name again adds a value, NAME= alone removes the attribute; repeatable")
}

func userCreate(p *program) *cobra.Command {
	var dirName string
	var f userFlags
	var in secretInput
	cmd := &cobra.Command{
		Use: "create NAME", Short: "Create a user", Args: takes(1, 1),
		Long: "Create a user. Without a password they can't log in with one until rollcall user password\nsets it.",
		Example: `  rollcall user create ada --directory staff --first-name Ada --last-name Lovelace
  rollcall user create ada --password-file ada.password --attribute phone=123 --attribute phone=456`,
	}
	cmd.RunE = p.at(func(ctx context.Context, d *desk, args []string) error {
		dir, err := d.directory(ctx, dirName)
		if err != nil {
			return err
		}
		n := directory.NewUser{Name: args[0], FirstName: f.first, LastName: f.last, DisplayName: f.display, Email: f.email, Active: f.active}
		if n.Attributes, err = attributes(f.attributes); err != nil {
			return err
		}
		if n.Password, err = in.read(ctx, p); err != nil {
			return err
		}
		u, err := d.Directories.CreateUser(ctx, d.by, dir, n)
		if err != nil {
			return taken(err, func() error { return d.userExists(ctx, dir, args[0]) })
		}
		return d.done(showUser(dir, u), "user %s created in directory %s", u.Name, dir.Name)
	})
	f.add(cmd)
	return p.answersJSON(inDirectory(in.flags(cmd, "the user's password"), &dirName), userObject{})
}

func (d *desk) userExists(ctx context.Context, dir *models.Directory, name string) error {
	_, err := d.Store.UserByName(ctx, dir.ID, name)
	return err
}

func userList(p *program) *cobra.Command {
	var dirName string
	cmd := &cobra.Command{Use: "list", Short: "List the users of a directory, by name", Args: takes(0, 0), Example: "  rollcall user list --directory staff --json"}
	cmd.RunE = p.at(func(ctx context.Context, d *desk, _ []string) error {
		dir, err := d.directory(ctx, dirName)
		if err != nil {
			return err
		}
		l := d.list("NAME", "DISPLAY NAME", "EMAIL", "ACTIVE")
		for after := ""; ; {
			page, err := d.Store.UsersOf(ctx, dir.ID, after, pageSize)
			if err != nil {
				return err
			}
			for _, u := range page {
				after = u.NameKey
				if err := l.add(showUser(dir, u), u.Name, u.DisplayName, u.Email, yes(u.Active)); err != nil {
					return err
				}
			}
			if len(page) < pageSize {
				return l.end()
			}
		}
	})
	return p.answersJSON(inDirectory(cmd, &dirName), []userObject{})
}

func userShow(p *program) *cobra.Command {
	var dirName string
	cmd := &cobra.Command{
		Use: "show NAME", Short: "Show a user with attributes, groups and logins", Args: takes(1, 1),
		Example: "  rollcall user show ada --directory staff",
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
		o, err := d.userDetails(ctx, dir, u)
		if err != nil {
			return err
		}
		return d.show(o, func(w *sheet) { writeUser(w, o) })
	})
	return p.answersJSON(inDirectory(cmd, &dirName), userDetails{})
}

func (d *desk) userDetails(ctx context.Context, dir *models.Directory, u *models.User) (userDetails, error) {
	o := userDetails{userObject: showUser(dir, u), Attributes: map[string][]string{}}
	c, err := d.Store.Credential(ctx, u.ID)
	if err != nil {
		return o, err
	}
	o.HasPassword, o.MustChange, o.FailedAttempts = c.Hash != "", c.MustChange, c.Failures
	o.PasswordChanged, o.LastAuthenticated = stamp(c.ChangedAt), stamp(c.LastAuthenticated)
	attrs, err := d.Store.UserAttributes(ctx, []models.ID{u.ID})
	if err != nil {
		return o, err
	}
	for _, a := range attrs[u.ID] {
		o.Attributes[a.Name] = a.Values
	}
	direct, err := d.groupsAround(ctx, dir, u, false)
	if err != nil {
		return o, err
	}
	all, err := d.groupsAround(ctx, dir, u, true)
	o.Groups = direct
	o.NestedGroups = slices.DeleteFunc(all, func(name string) bool { return slices.Contains(direct, name) })
	return o, err
}

// groupsAround names the groups that a user is in within its directory.
func (d *desk) groupsAround(ctx context.Context, dir *models.Directory, u *models.User, nested bool) ([]string, error) {
	groups, err := d.Store.GroupsAround(ctx, store.Visible{Dirs: []models.ID{dir.ID}}, store.Start{IDs: []models.ID{u.ID}, Nested: nested}, models.Everything)
	return groupNames(groups), err
}

func groupNames(groups []*models.Group) []string {
	names := make([]string, len(groups))
	for i, g := range groups {
		names[i] = g.Name
	}
	return names
}

func writeUser(w *sheet, o userDetails) {
	w.line("name", o.Name)
	w.line("directory", o.Directory)
	w.line("display name", o.DisplayName)
	w.line("first name", o.FirstName)
	w.line("last name", o.LastName)
	w.line("email", o.Email)
	w.line("active", yes(o.Active))
	w.line("external id", o.ExternalID)
	w.line("created", o.Created)
	w.line("updated", o.Updated)
	password := "none: no login with one"
	if o.HasPassword {
		password = "set " + o.PasswordChanged
	}
	if o.MustChange {
		password += ", must be changed"
	}
	w.line("password", password)
	w.line("failed attempts", o.FailedAttempts)
	w.line("last login", orNever(o.LastAuthenticated))
	w.line("groups", orNone(o.Groups, "none"))
	w.line("nested groups", orNone(o.NestedGroups, "none"))
	if len(o.Attributes) > 0 {
		w.title("Attributes")
		for _, name := range slices.Sorted(maps.Keys(o.Attributes)) {
			w.row(name, strings.Join(o.Attributes[name], ", "))
		}
	}
}

func orNever(at string) string {
	if at == "" {
		return "never"
	}
	return at
}
