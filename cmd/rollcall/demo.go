package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"

	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/server"
)

// The demo has what is worth a look: a name that two directories have, groups in groups, a
// sister of a group that its members are not in, and somebody who may not log in.

// demoApp is the demo's application; its password is random.
const demoApp = "demo"

type demoUser struct {
	name, first, last, password string
	active                      bool
}

type demoGroup struct {
	name, description string
	users, groups     []string // groups that come before it in the list
}

var demoDirectories = []struct {
	name, description string
	users             []demoUser
	groups            []demoGroup
}{
	{
		name: "staff", description: "people on the payroll",
		users: []demoUser{
			{"ada", "Ada", "Lovelace", "difference", true},
			{"charles", "Charles", "Babbage", "analytical", false},
			{"grace", "Grace", "Hopper", "compiler", true},
		},
		groups: []demoGroup{
			{"backend", "the machines behind it all", []string{"ada"}, nil},
			{"engineering", "", []string{"grace"}, []string{"backend"}},
			{"sales", "", []string{"charles"}, nil},
			{"everyone", "", nil, []string{"engineering", "sales"}},
		},
	},
	{
		name: "partners", description: "people who help",
		users: []demoUser{
			{"ada", "Ada", "Byron", "countess", true},
			{"blaise", "Blaise", "Pascal", "triangle", true},
		},
		groups: []demoGroup{{"visitors", "may look around", []string{"ada", "blaise"}, nil}},
	},
}

// serveDemo makes the demo's database anew and serves it.
func (p *program) serveDemo(ctx context.Context, c server.Config, origins server.Origins) error {
	if err := c.ApplyDemo(origins); err != nil {
		return err
	}
	// Another demo may be at work: then its database isn't ours to remove.
	for _, address := range []string{c.Listen, c.ManagementListen} {
		if err := isFree(ctx, address); err != nil {
			return err
		}
	}
	password := randomPassword()
	if err := makeDemo(ctx, c, password); err != nil {
		return fmt.Errorf("make the demo: %w", err)
	}
	return server.Run(ctx, server.Options{Config: c, Log: server.NewLogger(p.stderr, c), Version: version,
		Ready: func(listen, management string) {
			fmt.Fprint(p.stdout, demoText(c, listen, management, password))
		},
	})
}

func isFree(ctx context.Context, address string) error {
	if address == "" {
		return nil
	}
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	return l.Close()
}

func makeDemo(ctx context.Context, c server.Config, password models.Secret) (err error) {
	if err := removeDatabase(c.DatabaseURL); err != nil {
		return err
	}
	s, err := server.OpenServices(ctx, c, slog.New(slog.DiscardHandler), server.Opening{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Store.Close()) }()
	n := application.NewApplication{Name: demoApp, Description: "try the API with it", Password: password,
		Addresses: []string{"127.0.0.1", "::1"}, Permissions: models.AllPermissions}
	for _, d := range demoDirectories {
		dir, err := s.Directories.Create(ctx, operator(), directory.NewDirectory{Name: d.name, Description: d.description})
		if err != nil {
			return err
		}
		n.Directories = append(n.Directories, d.name)
		for _, u := range d.users {
			if err := makeDemoUser(ctx, s, dir, u); err != nil {
				return err
			}
		}
		if err := s.Directories.Edit(ctx, operator(), func(e *directory.Edit) error { return makeDemoGroups(e, dir, d.groups) }); err != nil {
			return err
		}
	}
	_, _, err = s.Application.Create(ctx, operator(), n)
	return err
}

// removeDatabase removes a SQLite database with what SQLite keeps beside it; its key stays.
func removeDatabase(u server.DatabaseURL) error {
	file, ok := u.SQLitePath()
	if !ok {
		return fmt.Errorf("%s is no SQLite file", u)
	}
	for _, name := range []string{file, file + "-wal", file + "-shm"} {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func makeDemoUser(ctx context.Context, s *server.Services, dir *models.Directory, u demoUser) error {
	password := models.Secret(u.password)
	_, err := s.Directories.CreateUser(ctx, operator(), dir, directory.NewUser{
		Name: u.name, FirstName: u.first, LastName: u.last, Email: u.name + "@" + dir.Name + ".example", Active: u.active, Password: &password,
	})
	return err
}

func makeDemoGroups(e *directory.Edit, dir *models.Directory, groups []demoGroup) error {
	for _, g := range groups {
		if _, err := e.CreateGroup(dir, directory.NewGroup{Name: g.name, Description: g.description, Active: true}); err != nil {
			return err
		}
		if err := addingMembers.all(e, dir, g.name, g.users, g.groups); err != nil {
			return err
		}
	}
	return nil
}
