package explain

import (
	"context"
	"fmt"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
	dirsync "github.com/rollcall-id/rollcall/sync"
)

// The steps, in their order.
const (
	SourceObject = "source object"
	Filter       = "filter"
	NameRule     = "name rule"
	Directory    = "directory"
	Order        = "order and shadowing"
	NestedPath   = "nested path"
	AppGroups    = "application's groups"
	Active       = "active"
)

// An Answer says whether somebody may log in (and is in the group that was asked for), and why.
type Answer struct {
	Allowed    bool   `json:"allowed" doc:"every step is passed"`
	FailedStep string `json:"failedStep" doc:"the first step that isn't; empty when all are"`
	Steps      []Step `json:"steps" doc:"the steps, in order, as far as they could be looked at"`
}

// A Step is one of the things that must be so.
type Step struct {
	Step   string `json:"step" doc:"source object, filter, name rule, directory, order and shadowing, nested path, application's groups or active"`
	OK     bool   `json:"ok" doc:"it is passed"`
	Detail string `json:"detail" doc:"what was found"`
}

func (a *Answer) say(step string, ok bool, format string, args ...any) {
	a.Steps = append(a.Steps, Step{step, ok, fmt.Sprintf(format, args...)})
	if !ok && a.FailedStep == "" {
		a.FailedStep = step
	}
	a.Allowed = a.FailedStep == ""
}

// Service explains.
type Service struct {
	store *store.Store
	sync  *dirsync.Service
}

// New makes the service.
func New(st *store.Store, sync *dirsync.Service) *Service { return &Service{store: st, sync: sync} }

// User explains what an application makes of the person whose name (or the application's alias
// for it), stable id or mail address word is; with a group, also how they come into it.
// AppNotFound for an unknown application.
func (s *Service) User(ctx context.Context, app, word, group string) (*Answer, error) {
	q, err := s.ask(ctx, app, word, group)
	if err != nil {
		return nil, err
	}
	u, err := q.find(ctx)
	switch {
	case err != nil:
		return nil, err
	case u == nil:
		err = q.absent(ctx)
	default:
		err = q.present(ctx, u)
	}
	return &q.Answer, err
}

// A question is what was asked, and the answer as it comes about.
type question struct {
	*Service
	Answer
	app     *store.ApplicationRecord
	word    string
	group   string
	dirs    []*models.Directory // all: those that the application sees, in their order, then the others
	visible store.Visible       // the directories that it sees
}

func (s *Service) ask(ctx context.Context, app, word, group string) (*question, error) {
	q := &question{Service: s, word: word, group: group}
	apps, err := s.store.Applications(ctx)
	if err != nil {
		return nil, err
	}
	for _, a := range apps {
		if a.Key == models.Key(app) {
			q.app = a
		}
	}
	if q.app == nil {
		return nil, models.Fail(models.AppNotFound, app, "")
	}
	return q, q.order(ctx)
}

// order puts the directories into the order in which they are looked at.
func (q *question) order(ctx context.Context) error {
	all, err := q.store.Directories(ctx)
	if err != nil {
		return err
	}
	byID := map[models.ID]*models.Directory{}
	for _, dir := range all {
		byID[dir.ID] = dir
	}
	q.visible.Aggregate = q.app.Aggregate
	var mappedInactive, others []*models.Directory
	for _, m := range q.app.Mappings {
		if dir := byID[m.DirectoryID]; dir.Active {
			q.dirs = append(q.dirs, dir)
			q.visible.Dirs = append(q.visible.Dirs, dir.ID)
		} else {
			mappedInactive = append(mappedInactive, dir)
		}
	}
	for _, dir := range all {
		if q.mapping(dir.ID) == nil {
			others = append(others, dir)
		}
	}
	q.dirs = append(append(q.dirs, mappedInactive...), others...)
	return nil
}

// mapping gives the application's mapping of a directory; nil where there is none.
func (q *question) mapping(dir models.ID) *models.Mapping {
	for i := range q.app.Mappings {
		if q.app.Mappings[i].DirectoryID == dir {
			return &q.app.Mappings[i]
		}
	}
	return nil
}

func (q *question) directory(id models.ID) *models.Directory {
	for _, dir := range q.dirs {
		if dir.ID == id {
			return dir
		}
	}
	return &models.Directory{ID: id}
}
