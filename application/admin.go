package application

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/internal/password"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// NewApplication says how to create an application with all it needs, in one transaction.
type NewApplication struct {
	Name, Description string
	Password          models.Secret
	Addresses         []string
	Directories       []string           // mapped in this order, each with Permissions and Groups
	Permissions       models.Permissions // in each directory
	Groups            []string           // allowed to log in; empty: everybody
	Options           Options
}

// Options are an application's switches; nil leaves one as it is.
type Options struct {
	Description                          *string
	Active, Aggregate, LowerCase, Nested *bool
}

// MinPassword is the shortest password of an application, in characters.
const MinPassword = 8

// Create adds an application. Warnings are sentences for the operator: what was done but
// doesn't help yet.
func (s *Service) Create(ctx context.Context, by models.Actor, n NewApplication) (app *models.Application, warnings []string, err error) {
	if problem := models.NameProblem(n.Name); problem != "" || strings.Contains(n.Name, ":") {
		if problem == "" {
			problem = "it has a colon, which ends the name in a Basic header"
		}
		return nil, nil, models.Fail(models.IllegalArgument, n.Name, "the application can't have this name: "+problem)
	}
	if err := checkText("description", n.Description); err != nil {
		return nil, nil, err
	}
	addresses, err := cleanAddresses(n.Addresses)
	if err != nil {
		return nil, nil, err
	}
	hash, err := s.passwordHash(ctx, n.Password)
	if err != nil {
		return nil, nil, err
	}
	err = s.store.Write(ctx, by, func(tx *store.Tx) error {
		warnings = s.creationWarnings(n)
		app = &models.Application{Name: n.Name, Description: n.Description, Active: true, Nested: true}
		n.Options.apply(app)
		if err := tx.CreateApplication(app); err != nil {
			return err
		}
		if err := tx.AddApplicationPassword(app, &models.ApplicationPassword{Hash: hash}); err != nil {
			return err
		}
		if err := tx.SetApplicationAddresses(app, nil, addresses); err != nil {
			return err
		}
		var mappings []models.Mapping
		for _, name := range n.Directories {
			dir, err := tx.DirectoryByName(ctx, name)
			if err != nil {
				return err
			}
			idle, err := mappingWarnings(ctx, tx, dir, n.Groups)
			if err != nil {
				return err
			}
			warnings = append(warnings, idle...)
			mappings = append(mappings, models.Mapping{DirectoryID: dir.ID, Permissions: n.Permissions, AllowAll: len(n.Groups) == 0, Groups: n.Groups})
		}
		return tx.SetMappings(app, nil, mappings)
	})
	return app, warnings, err
}

func (s *Service) creationWarnings(n NewApplication) (warnings []string) {
	if len(n.Addresses) == 0 {
		warnings = append(warnings, "application "+n.Name+" has no allowed addresses, so it can be reached from nowhere: rollcall app set "+n.Name+" --address ADDRESS")
	}
	if len(n.Directories) == 0 {
		warnings = append(warnings, "application "+n.Name+" has no directories yet, so it sees nobody: rollcall app map "+n.Name+" DIRECTORY")
	}
	return warnings
}

func (o Options) apply(app *models.Application) {
	for _, set := range []struct {
		field *bool
		value *bool
	}{{&app.Active, o.Active}, {&app.Aggregate, o.Aggregate}, {&app.LowerCase, o.LowerCase}, {&app.Nested, o.Nested}} {
		if set.value != nil {
			*set.field = *set.value
		}
	}
	if o.Description != nil {
		app.Description = *o.Description
	}
}

func checkText(what, text string) error {
	if problem := models.TextProblem(text, models.MaxText); problem != "" {
		return models.Fail(models.IllegalArgument, "", "the "+what+" can't be stored: "+problem)
	}
	return nil
}

func cleanAddresses(list []string) ([]string, error) {
	var out []string
	for _, text := range list {
		clean, err := CleanAddress(text)
		if err != nil {
			return nil, err
		}
		out = append(out, clean)
	}
	return out, nil
}

func (s *Service) passwordHash(ctx context.Context, secret models.Secret) (models.Secret, error) {
	if len([]rune(secret.Reveal())) < MinPassword {
		return "", models.Fail(models.InvalidCredential, "", fmt.Sprintf("an application's password needs at least %d characters", MinPassword))
	}
	hash, err := s.hasher.Hash(ctx, secret.Reveal())
	switch {
	case errors.Is(err, password.ErrTooLong):
		return "", &models.Error{Code: models.InvalidCredential, Message: err.Error(), Err: err}
	case errors.Is(err, password.ErrBusy):
		return "", &models.Error{Code: models.Busy, Message: "Too many passwords are being checked at the moment; try again shortly.", Err: err}
	case err != nil:
		return "", fmt.Errorf("hash the application's password: %w", err)
	}
	return models.Secret(hash), nil
}

// List reads all applications, by name.
func (s *Service) List(ctx context.Context) ([]*store.ApplicationRecord, error) {
	return s.store.Applications(ctx)
}

// ByName finds an application with all that belongs to it, or answers AppNotFound.
func (s *Service) ByName(ctx context.Context, name string) (*store.ApplicationRecord, error) {
	return byName(ctx, &s.store.Reads, name)
}

func byName(ctx context.Context, r *store.Reads, name string) (*store.ApplicationRecord, error) {
	all, err := r.Applications(ctx)
	if err != nil {
		return nil, err
	}
	for _, record := range all {
		if record.Key == models.Key(name) {
			return record, nil
		}
	}
	return nil, models.Fail(models.AppNotFound, name, "there is no application <"+name+">")
}

// Set changes an application's switches and, unless nil, its allowed addresses.
func (s *Service) Set(ctx context.Context, by models.Actor, name string, o Options, addresses []string) error {
	clean, err := cleanAddresses(addresses)
	if err != nil {
		return err
	}
	if o.Description != nil {
		if err := checkText("description", *o.Description); err != nil {
			return err
		}
	}
	return s.edit(ctx, by, name, func(tx *store.Tx, record *store.ApplicationRecord) error {
		if addresses != nil {
			if err := tx.SetApplicationAddresses(&record.Application, record.Addresses, clean); err != nil {
				return err
			}
		}
		after := record.Application
		o.apply(&after)
		if after == record.Application {
			return nil
		}
		return tx.SaveApplication(&record.Application, &after)
	})
}

// Resync makes an application's event tokens expire: its next synchronisation is a full one.
func (s *Service) Resync(ctx context.Context, by models.Actor, name string) error {
	return s.edit(ctx, by, name, func(tx *store.Tx, record *store.ApplicationRecord) error {
		tx.ResyncApplication(&record.Application)
		return nil
	})
}

// Delete removes an application.
func (s *Service) Delete(ctx context.Context, by models.Actor, name string) error {
	return s.edit(ctx, by, name, func(tx *store.Tx, record *store.ApplicationRecord) error {
		return tx.DeleteApplication(&record.Application)
	})
}

// NewMapping says how an application is mapped to a directory.
type NewMapping struct {
	Directory   string
	Permissions models.Permissions
	Groups      []string // allowed to log in; empty: everybody
	Position    int      // from 1; zero: where it is, or at the end
}

// Map links an application to a directory, or changes the link. The warnings say what of it
// doesn't help yet.
func (s *Service) Map(ctx context.Context, by models.Actor, name string, n NewMapping) (warnings []string, err error) {
	err = s.edit(ctx, by, name, func(tx *store.Tx, record *store.ApplicationRecord) error {
		dir, err := tx.DirectoryByName(ctx, n.Directory)
		if err != nil {
			return err
		}
		after := slices.Clone(record.Mappings)
		i := slices.IndexFunc(after, func(m models.Mapping) bool { return m.DirectoryID == dir.ID })
		m := models.Mapping{DirectoryID: dir.ID}
		if i >= 0 {
			m = after[i]
		}
		m.Permissions, m.Groups, m.AllowAll = n.Permissions, n.Groups, len(n.Groups) == 0
		switch {
		case n.Position == 0 && i >= 0:
			after[i] = m
		case n.Position == 0:
			after = append(after, m)
		default:
			if i >= 0 {
				after = slices.Delete(after, i, i+1)
			}
			after = slices.Insert(after, min(max(n.Position, 1)-1, len(after)), m)
		}
		if warnings, err = mappingWarnings(ctx, tx, dir, n.Groups); err != nil {
			return err
		}
		return tx.SetMappings(&record.Application, record.Mappings, after)
	})
	return warnings, err
}

// mappingWarnings says what keeps users of a mapped directory out for now.
func mappingWarnings(ctx context.Context, tx *store.Tx, dir *models.Directory, groups []string) (warnings []string, err error) {
	missing, err := missingGroups(ctx, tx, dir, groups)
	if err != nil || !directory.Mirrored(dir.Kind) {
		return missing, err
	}
	state, err := tx.SyncState(ctx, dir.ID)
	if err != nil || state.CompletedAt != 0 {
		return missing, err
	}
	// Its groups come with its users: that they are missing says nothing new.
	return []string{"directory " + dir.Name + " was never synchronised, so applications don't see it yet: rollcall sync " + dir.Name + " --apply"}, nil
}

func missingGroups(ctx context.Context, tx *store.Tx, dir *models.Directory, groups []string) (warnings []string, err error) {
	for _, name := range groups {
		if problem := models.NameProblem(name); problem != "" {
			return nil, models.Fail(models.IllegalArgument, name, "<"+name+"> can't be a group: "+problem)
		}
		switch _, err := tx.GroupByName(ctx, dir.ID, name); {
		case models.Is(err, models.GroupNotFound):
			warnings = append(warnings, "directory "+dir.Name+" has no group "+name+" yet: until it has, nobody is let in by it")
		case err != nil:
			return nil, err
		}
	}
	return warnings, nil
}

// Unmap removes the link between an application and a directory, or answers MappingNotFound.
func (s *Service) Unmap(ctx context.Context, by models.Actor, name, dirName string) error {
	return s.edit(ctx, by, name, func(tx *store.Tx, record *store.ApplicationRecord) error {
		dir, err := tx.DirectoryByName(ctx, dirName)
		if err != nil {
			return err
		}
		after := slices.DeleteFunc(slices.Clone(record.Mappings), func(m models.Mapping) bool { return m.DirectoryID == dir.ID })
		if len(after) == len(record.Mappings) {
			return models.Fail(models.MappingNotFound, dir.Name, "application <"+record.Name+"> is not mapped to directory <"+dir.Name+">")
		}
		return tx.SetMappings(&record.Application, record.Mappings, after)
	})
}

// AddPassword gives an application one more password; the old ones stay valid until they are
// removed or expire.
func (s *Service) AddPassword(ctx context.Context, by models.Actor, name string, secret models.Secret, hint string, expires models.Time) (*models.ApplicationPassword, error) {
	if err := checkText("note", hint); err != nil {
		return nil, err
	}
	hash, err := s.passwordHash(ctx, secret)
	if err != nil {
		return nil, err
	}
	var added *models.ApplicationPassword
	err = s.edit(ctx, by, name, func(tx *store.Tx, record *store.ApplicationRecord) error {
		added = &models.ApplicationPassword{Hash: hash, Hint: hint, ExpiresAt: expires}
		return tx.AddApplicationPassword(&record.Application, added)
	})
	return added, err
}

// RemovePassword takes one of an application's passwords away; it counts no longer.
func (s *Service) RemovePassword(ctx context.Context, by models.Actor, name string, id models.ID) error {
	return s.edit(ctx, by, name, func(tx *store.Tx, record *store.ApplicationRecord) error {
		there, err := tx.RemoveApplicationPassword(&record.Application, id)
		if err == nil && !there {
			return models.Fail(models.IllegalArgument, name, fmt.Sprintf("application <%s> has no password %d: see rollcall app show %s", record.Name, id, record.Name))
		}
		return err
	})
}

// edit changes an application in one transaction.
func (s *Service) edit(ctx context.Context, by models.Actor, name string, do func(tx *store.Tx, record *store.ApplicationRecord) error) error {
	return s.store.Write(ctx, by, func(tx *store.Tx) error {
		if err := tx.LockApplication(name); err != nil {
			return err
		}
		record, err := byName(ctx, &tx.Reads, name)
		if err != nil {
			return err
		}
		return do(tx, record)
	})
}

// SetAlias gives a user, of one of the application's directories, a name of its own in the
// application. NameTaken when another user has that alias.
func (s *Service) SetAlias(ctx context.Context, by models.Actor, name, user, alias string) error {
	if problem := models.NameProblem(alias); problem != "" {
		return models.Fail(models.IllegalArgument, alias, "<"+alias+"> can't be an alias: "+problem)
	}
	return s.edit(ctx, by, name, func(tx *store.Tx, record *store.ApplicationRecord) error {
		u, err := aliased(ctx, tx, record, user)
		if err != nil {
			return err
		}
		return tx.SetAlias(&record.Application, u, alias)
	})
}

// RemoveAlias takes a user's name in the application away, or answers AliasNotFound.
func (s *Service) RemoveAlias(ctx context.Context, by models.Actor, name, user string) error {
	return s.edit(ctx, by, name, func(tx *store.Tx, record *store.ApplicationRecord) error {
		u, err := aliased(ctx, tx, record, user)
		if err != nil {
			return err
		}
		return tx.RemoveAlias(&record.Application, u)
	})
}

// aliased finds a user by its own name in the application's directories, inactive ones too.
func aliased(ctx context.Context, tx *store.Tx, record *store.ApplicationRecord, user string) (*models.User, error) {
	var v store.Visible
	for _, m := range record.Mappings {
		v.Dirs = append(v.Dirs, m.DirectoryID)
	}
	u, err := tx.VisibleUser(ctx, v, user)
	if models.Is(err, models.UserNotFound) {
		return nil, userNotFound(user)
	}
	return u, err
}

// An AliasedUser is one line of an application's aliases.
type AliasedUser struct{ User, Directory, Alias string }

// Aliases lists an application's aliases, by alias.
func (s *Service) Aliases(ctx context.Context, name string) ([]AliasedUser, error) {
	record, err := s.ByName(ctx, name)
	if err != nil {
		return nil, err
	}
	rows, err := s.store.Aliases(ctx, record.ID)
	if err != nil {
		return nil, err
	}
	c, err := s.configured(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]AliasedUser, 0, len(rows))
	for _, row := range rows {
		u, err := s.store.UserByID(ctx, row.UserID)
		if err != nil {
			return nil, err
		}
		line := AliasedUser{User: u.Name, Alias: row.Name}
		if dir := c.directories[u.DirectoryID]; dir != nil {
			line.Directory = dir.Name
		}
		out = append(out, line)
	}
	return out, nil
}
