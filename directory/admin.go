package directory

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/rollcall-id/rollcall/internal/password"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// Service changes directories and what is in them, within what their kinds allow.
type Service struct {
	store  *store.Store
	hasher *password.Hasher
	log    *slog.Logger
}

// New makes the service.
func New(st *store.Store, hasher *password.Hasher, log *slog.Logger) *Service {
	return &Service{store: st, hasher: hasher, log: log}
}

// NewDirectory says how to create a directory; empty fields have defaults.
type NewDirectory struct {
	Name        string
	Kind        models.Kind // empty: internal
	Description string
	Permissions *models.Permissions // nil: all
	Settings    map[string]string
}

// reserved are the verbs of `rollcall sync`: a directory of that name could not be synced.
var reserved = []string{"approve", "discard", "history", "list", "plan", "run", "show", "status", "try", "cancel", "help"}

// Create adds a directory. NameTaken when there is one of this name.
func (s *Service) Create(ctx context.Context, by models.Actor, n NewDirectory) (*models.Directory, error) {
	dir := &models.Directory{Name: n.Name, Kind: n.Kind, Description: n.Description, Active: true,
		Permissions: models.AllPermissions, Settings: maps.Clone(n.Settings)}
	if dir.Kind == "" {
		dir.Kind = models.KindInternal
	}
	if n.Permissions != nil {
		dir.Permissions = *n.Permissions
	}
	if Mirrored(dir.Kind) {
		dir.Active = false // its first completed synchronisation shows it
	}
	if _, ok := kinds[dir.Kind]; !ok {
		return nil, models.Fail(models.IllegalArgument, string(dir.Kind), fmt.Sprintf("there is no kind of directory %q; there is %v", dir.Kind, Kinds()))
	}
	if err := checkDirectory(dir); err != nil {
		return nil, err
	}
	return dir, s.store.Write(ctx, by, func(tx *store.Tx) error {
		dir.ID = 0
		return tx.CreateDirectory(dir, secrets(dir.Kind))
	})
}

func checkDirectory(dir *models.Directory) error {
	if problem := models.NameProblem(dir.Name); problem != "" {
		return models.Fail(models.IllegalArgument, dir.Name, "the directory can't have this name: "+problem)
	}
	if slices.Contains(reserved, strings.ToLower(dir.Name)) {
		return models.Fail(models.IllegalArgument, dir.Name, "the directory can't have this name: it is a command of `rollcall sync`")
	}
	if problem := models.TextProblem(dir.Description, models.MaxText); problem != "" {
		return models.Fail(models.IllegalArgument, dir.Name, "the description can't be stored: "+problem)
	}
	return checkSettings(dir.Kind, dir.Settings)
}

// Patch says what to change of a directory; nil fields and settings that it doesn't name
// stay. A setting with an empty value goes back to its default.
type Patch struct {
	Description *string
	Active      *bool
	Permissions *models.Permissions
	Settings    map[string]string
}

// Set changes a directory. A mirrored one can't be made active before its first completed
// synchronisation: applications would take a directory without users for the truth.
func (s *Service) Set(ctx context.Context, by models.Actor, name string, p Patch) (*models.Directory, error) {
	return s.change(ctx, by, name, func(tx *store.Tx, dir *models.Directory) error {
		if p.Active != nil && *p.Active && !dir.Active && Mirrored(dir.Kind) {
			state, err := tx.SyncState(ctx, dir.ID)
			if err != nil {
				return err
			}
			if state.CompletedAt == 0 {
				return models.Fail(models.Unsupported, dir.Name, "Directory <"+dir.Name+"> was never synchronised; its first completed synchronisation makes it active.")
			}
		}
		set(&dir.Description, p.Description)
		set(&dir.Active, p.Active)
		set(&dir.Permissions, p.Permissions)
		for key, value := range p.Settings {
			if value == "" {
				delete(dir.Settings, key)
			} else {
				dir.Settings[key] = value
			}
		}
		return nil
	})
}

// Rename gives a directory another name. NameTaken when there is one of that name.
func (s *Service) Rename(ctx context.Context, by models.Actor, name, to string) (*models.Directory, error) {
	return s.change(ctx, by, name, func(_ *store.Tx, dir *models.Directory) error {
		dir.Name = to
		return nil
	})
}

func (s *Service) change(ctx context.Context, by models.Actor, name string, do func(*store.Tx, *models.Directory) error) (dir *models.Directory, err error) {
	err = s.store.Write(ctx, by, func(tx *store.Tx) error {
		before, err := tx.DirectoryByName(ctx, name)
		if err != nil {
			return err
		}
		after := *before
		after.Settings = maps.Clone(before.Settings)
		if err := do(tx, &after); err != nil {
			return err
		}
		if err := checkDirectory(&after); err != nil {
			return err
		}
		dir = &after
		return tx.SaveDirectory(before, dir, secrets(dir.Kind))
	})
	return dir, err
}

// Delete removes a directory and all that is in it.
func (s *Service) Delete(ctx context.Context, by models.Actor, name string) error {
	return s.store.Write(ctx, by, func(tx *store.Tx) error {
		dir, err := tx.DirectoryByName(ctx, name)
		if err != nil {
			return err
		}
		return tx.DeleteDirectory(dir)
	})
}

// set stores what a patch gives, and leaves what it doesn't.
func set[T any](field *T, value *T) {
	if value != nil {
		*field = *value
	}
}
