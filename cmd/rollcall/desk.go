package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/user"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/server"
)

// A desk is what a command works at: the services over the database, and on whose behalf.
type desk struct {
	*program
	*server.Services
	by models.Actor
}

// at makes a command's function of one that needs a desk. The database is opened as it is: one
// that has no schema yet gets it, an older schema is refused, since upgrading is `serve`'s.
func (p *program) at(do func(ctx context.Context, d *desk, args []string) error) func(*cobra.Command, []string) error {
	return p.alone(func(ctx context.Context, cmd *cobra.Command, args []string) error {
		c, _, err := p.settings(cmd)
		if err != nil {
			return err
		}
		d, err := p.open(ctx, c)
		if err != nil {
			return err
		}
		return errors.Join(do(ctx, d, args), d.Store.Close())
	})
}

// alone makes a command's function of one that opens nothing beforehand.
func (p *program) alone(do func(ctx context.Context, cmd *cobra.Command, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		p.ran = true
		return do(cmd.Context(), cmd, args)
	}
}

// settings reads the settings of a command.
func (p *program) settings(cmd *cobra.Command) (server.Config, server.Origins, error) {
	return server.Load(cmd.Flags(), p.environ)
}

func (p *program) open(ctx context.Context, c server.Config) (*desk, error) {
	news := &commandLog{output: &p.output}
	services, err := server.OpenServices(ctx, c, slog.New(news), server.Opening{})
	if err != nil {
		return nil, err
	}
	if news.infos > 0 { // it says so only when it makes a schema
		p.note("a new database was made: %s", c.DatabaseURL)
	}
	return &desk{program: p, Services: services, by: operator()}, nil
}

// operator is whoever types the command.
func operator() models.Actor {
	return models.Actor{Kind: models.ActorOperator, Name: operatorName(), Writer: models.ByOperator}
}

func operatorName() string {
	if name := os.Getenv("SUDO_USER"); name != "" && os.Geteuid() == 0 && models.NameProblem(name) == "" {
		return name
	}
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return fmt.Sprintf("uid %d", os.Getuid())
}

// commandLog takes what the parts log while a command runs: warnings go to the person who typed
// it, the rest is counted.
type commandLog struct {
	*output
	infos int
}

// Enabled takes everything from info on.
func (l *commandLog) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelInfo
}

// Handle writes a warning.
func (l *commandLog) Handle(_ context.Context, r slog.Record) error {
	if r.Level < slog.LevelWarn {
		l.infos++
		return nil
	}
	var b strings.Builder
	r.Attrs(func(a slog.Attr) bool {
		fmt.Fprintf(&b, ", %s: %s", a.Key, a.Value)
		return true
	})
	l.warn("%s%s", r.Message, b.String())
	return nil
}

// WithAttrs leaves them out: what a command does, its user knows.
func (l *commandLog) WithAttrs([]slog.Attr) slog.Handler { return l }

// WithGroup leaves the group out.
func (l *commandLog) WithGroup(string) slog.Handler { return l }

// directory finds the directory that a command works in: the one that is named, else the only
// one there is.
func (d *desk) directory(ctx context.Context, name string) (*models.Directory, error) {
	if name != "" {
		return d.Store.DirectoryByName(ctx, name)
	}
	all, err := d.Store.Directories(ctx)
	switch {
	case err != nil:
		return nil, err
	case len(all) == 0:
		return nil, &models.Error{Code: models.DirectoryNotFound, Message: "there is no directory yet; rollcall directory create NAME makes one"}
	case len(all) > 1:
		names := make([]string, len(all))
		for i, dir := range all {
			names[i] = dir.Name
		}
		return nil, wrongUsage("add --directory NAME", "there are several directories: %s", strings.Join(names, ", "))
	}
	return all[0], nil
}

// inDirectory gives a command the flag --directory.
func inDirectory(cmd *cobra.Command, name *string) *cobra.Command {
	cmd.Flags().StringVarP(name, "directory", "d", "", "directory; may be left out while there is only one")
	return cmd
}
