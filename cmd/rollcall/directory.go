package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/models"
)

func directoryCommand(p *program) *cobra.Command {
	return noun("directory", "Directories: sets of users and groups with one owner", "", `  rollcall directory create staff --description 'people on the payroll'
  rollcall directory set staff --set password-min-length=12
  rollcall directory show staff`,
		directoryCreate(p), directoryList(p), directoryShow(p), directorySet(p), directoryTest(p), directoryRename(p), directoryDelete(p))
}

// directoryFlags are what `directory create` and `directory set` share.
type directoryFlags struct {
	description string
	permit      []string
	set         []string
	setFile     []string
}

func (f *directoryFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.description, "description", "", "what it is for")
	cmd.Flags().StringArrayVar(&f.permit, "permit", nil, permitDoc+" (for a new directory: all)")
	cmd.Flags().StringArrayVar(&f.set, "set", nil, "a setting of its kind, as `KEY=VALUE`; KEY= alone goes back to the default; repeatable")
	cmd.Flags().StringArrayVar(&f.setFile, "set-file", nil, "a setting whose value is read from a file, as `KEY=FILE`; repeatable")
}

const (
	permitDoc      = "what applications may change in it: all, read, or permissions with commas"
	permissionsDoc = "Permissions are create-user, update-user (passwords too), update-user-attribute, delete-user,\n" +
		"create-group, update-group (memberships too), update-group-attribute and delete-group."
)

// permissions gives what --permit says; nil where it wasn't given.
func permissions(lists []string) (*models.Permissions, error) {
	if lists == nil {
		return nil, nil
	}
	p, err := models.ParsePermissions(lists...)
	if err != nil {
		return nil, wrongUsage("", "--permit: %v", err)
	}
	return &p, nil
}

// settings gives what --set and --set-file say.
func (f *directoryFlags) settings() (map[string]string, error) {
	all := map[string]string{}
	for _, given := range f.set {
		if err := addSetting(all, given, func(text string) (string, error) { return text, nil }); err != nil {
			return nil, err
		}
	}
	for _, given := range f.setFile {
		if err := addSetting(all, given, readSetting); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func addSetting(all map[string]string, given string, value func(string) (string, error)) error {
	key, text, ok := strings.Cut(given, "=")
	if !ok || key == "" {
		return wrongUsage("", "%q is not KEY=VALUE", given)
	}
	if _, twice := all[key]; twice {
		return wrongUsage("", "setting %s is given twice", key)
	}
	var err error
	all[key], err = value(text)
	return err
}

func readSetting(name string) (string, error) {
	data, err := os.ReadFile(name)
	return strings.TrimRight(string(data), "\r\n"), err
}

// settingsDoc lists the settings of each kind, for --help.
func settingsDoc() string {
	var b strings.Builder
	for _, kind := range directory.Kinds() {
		fmt.Fprintf(&b, "Settings of the kind %s:\n", kind)
		for _, s := range directory.Settings(kind) {
			fmt.Fprintf(&b, "  %-20s %s", s.Name, s.Doc)
			if s.Default != "" {
				fmt.Fprintf(&b, " (default %s)", s.Default)
			}
			b.WriteString("\n")
		}
	}
	return strings.TrimRight(b.String(), "\n")
}

func directoryCreate(p *program) *cobra.Command {
	var f directoryFlags
	var kind string
	cmd := &cobra.Command{
		Use: "create NAME", Short: "Create a directory", Args: takes(1, 1),
		Long: "Create a directory.\n\n" + permissionsDoc + "\n\n" + settingsDoc(),
		Example: `  rollcall directory create staff
  rollcall directory create partners --permit read --set password-min-length=12`,
	}
	cmd.RunE = p.at(func(ctx context.Context, d *desk, args []string) error {
		allowed, err := permissions(f.permit)
		if err != nil {
			return err
		}
		settings, err := f.settings()
		if err != nil {
			return err
		}
		dir, err := d.Directories.Create(ctx, d.by, directory.NewDirectory{
			Name: args[0], Kind: models.Kind(kind), Description: f.description, Permissions: allowed, Settings: settings,
		})
		if err != nil {
			return err
		}
		return d.done(showDirectory(dir), "directory %s created", dir.Name)
	})
	cmd.Flags().StringVar(&kind, "kind", string(models.KindInternal), "who may write it and who checks its passwords: "+kindsDoc())
	f.add(cmd)
	return p.answersJSON(cmd, directoryObject{})
}

func kindsDoc() string {
	var names []string
	for _, kind := range directory.Kinds() {
		names = append(names, string(kind))
	}
	return strings.Join(names, ", ")
}

func directoryList(p *program) *cobra.Command {
	cmd := &cobra.Command{Use: "list", Short: "List all directories", Args: takes(0, 0), Example: "  rollcall directory list --json"}
	cmd.RunE = p.at(func(ctx context.Context, d *desk, _ []string) error {
		all, err := d.Store.Directories(ctx)
		if err != nil {
			return err
		}
		l := d.list("NAME", "KIND", "ACTIVE", "PERMISSIONS", "DESCRIPTION")
		for _, dir := range all {
			if err := l.add(showDirectory(dir), dir.Name, string(dir.Kind), yes(dir.Active), dir.Permissions.String(), dir.Description); err != nil {
				return err
			}
		}
		return l.end()
	})
	return p.answersJSON(cmd, []directoryObject{})
}

func directoryShow(p *program) *cobra.Command {
	cmd := &cobra.Command{Use: "show NAME", Short: "Show a directory, its settings and what it holds", Args: takes(1, 1), Example: "  rollcall directory show staff"}
	cmd.RunE = p.at(func(ctx context.Context, d *desk, args []string) error {
		dir, err := d.Store.DirectoryByName(ctx, args[0])
		if err != nil {
			return err
		}
		contents, err := d.Store.ContentsOf(ctx, dir.ID)
		if err != nil {
			return err
		}
		synced, err := d.showSync(ctx, dir)
		if err != nil {
			return err
		}
		shown := directoryDetails{showDirectory(dir), showContents(contents), synced}
		return d.show(shown, func(w *sheet) { writeDirectory(w, dir.Kind, shown) })
	})
	return p.answersJSON(cmd, directoryDetails{})
}

func writeDirectory(w *sheet, kind models.Kind, o directoryDetails) {
	w.line("name", o.Name)
	w.line("kind", o.Kind)
	w.line("description", o.Description)
	w.line("active", yes(o.Active))
	w.line("permissions", o.Permissions)
	w.line("users", o.Users)
	w.line("groups", o.Groups)
	w.line("memberships", o.Memberships)
	w.line("applications", strings.Join(o.Applications, ", "))
	w.line("created", o.Created)
	w.line("updated", o.Updated)
	if o.Sync != nil {
		writeSync(w, o.Sync)
	}
	w.title("Settings")
	for _, s := range directory.Settings(kind) {
		value, set := o.Settings[s.Name]
		if !set {
			value = s.Default + " (default)"
		}
		w.row(s.Name, strings.TrimSpace(value), s.Doc)
	}
}
