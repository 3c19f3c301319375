package roster

import (
	"context"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// A Snapshot is one immutable picture of all directories. It answers as store.Reads does.
type Snapshot struct {
	dirs   map[models.ID]*dirView
	gone   map[models.ID]bool // directories that were deleted since the roster was built
	loaded int64              // the last change that the database had then
	seq    int64              // the highest change that came; some below it may still come
}

// replaced tells whether a directory waits to be loaded anew.
func (s *Snapshot) replaced(dir models.ID) bool {
	d := s.dirs[dir]
	return d != nil && d.replaced
}

// views gives the directories in an application's order.
func (s *Snapshot) views(v store.Visible) []*dirView {
	out := make([]*dirView, 0, len(v.Dirs))
	for _, id := range v.Dirs {
		if d := s.dirs[id]; d != nil {
			out = append(out, d)
		}
	}
	return out
}

func user(dir models.ID, h hit) models.User {
	var r record
	h.read(&r)
	return userOf(dir, &r)
}

func userOf(dir models.ID, r *record) models.User {
	return models.User{
		ID: r.id, DirectoryID: dir, Name: r.texts[textName], NameKey: r.texts[textKey], FirstName: r.texts[2], LastName: r.texts[3],
		DisplayName: r.texts[4], Email: r.texts[5], ExternalID: r.texts[6], Active: r.active,
		CreatedAt: r.created, UpdatedAt: r.updated,
	}
}

func group(dir models.ID, h hit) models.Group {
	var r record
	h.read(&r)
	return groupOf(dir, &r)
}

func groupOf(dir models.ID, r *record) models.Group {
	return models.Group{
		ID: r.id, DirectoryID: dir, Name: r.texts[textName], NameKey: r.texts[textKey], Description: r.texts[2], ExternalID: r.texts[3],
		Active: r.active, CreatedAt: r.created, UpdatedAt: r.updated,
	}
}

// VisibleUser finds the canonical user of a name, or answers UserNotFound.
func (s *Snapshot) VisibleUser(_ context.Context, v store.Visible, name string) (*models.User, error) {
	key := models.Key(name)
	for _, id := range v.Dirs {
		if d := s.dirs[id]; d != nil {
			if h, ok := d.userSide().ofKey(key); ok {
				u := user(id, h)
				return &u, nil
			}
		}
	}
	return nil, models.Fail(models.UserNotFound, name, "")
}

// VisibleGroup finds the canonical group of a name, or answers GroupNotFound.
func (s *Snapshot) VisibleGroup(_ context.Context, v store.Visible, name string) (*models.Group, error) {
	key := models.Key(name)
	for _, id := range v.Dirs {
		if d := s.dirs[id]; d != nil {
			if h, ok := d.groupSide().ofKey(key); ok {
				g := group(id, h)
				return &g, nil
			}
		}
	}
	return nil, models.Fail(models.GroupNotFound, name, "")
}

// UsersNamed lists the users of a name in the order of the directories.
func (s *Snapshot) UsersNamed(_ context.Context, v store.Visible, name string) ([]*models.User, error) {
	key := models.Key(name)
	var out []*models.User
	for _, d := range s.views(v) {
		if h, ok := d.userSide().ofKey(key); ok {
			u := user(d.id, h)
			out = append(out, &u)
		}
	}
	return out, nil
}

// GroupsNamed lists the groups of a name in the order of the directories.
func (s *Snapshot) GroupsNamed(_ context.Context, v store.Visible, name string) ([]*models.Group, error) {
	key := models.Key(name)
	var out []*models.Group
	for _, d := range s.views(v) {
		if h, ok := d.groupSide().ofKey(key); ok {
			g := group(d.id, h)
			out = append(out, &g)
		}
	}
	return out, nil
}

// UserByID finds a user by its row, or answers UserNotFound.
func (s *Snapshot) UserByID(_ context.Context, id models.ID) (*models.User, error) {
	for dir, d := range s.dirs {
		if h, ok := d.userSide().ofID(id); ok {
			u := user(dir, h)
			return &u, nil
		}
	}
	return nil, models.Fail(models.UserNotFound, "", "")
}

// UserByExternalID finds a user of a directory by its external id, or answers UserNotFound.
func (s *Snapshot) UserByExternalID(_ context.Context, dir models.ID, external string) (*models.User, error) {
	if d := s.dirs[dir]; d != nil {
		if h, ok := d.userSide().ofExternal(external); ok {
			u := user(dir, h)
			return &u, nil
		}
	}
	return nil, models.Fail(models.UserNotFound, external, "")
}

// page gives the bounds of a page in a list of n.
func page(p models.Page, n int) (start, end int) {
	start = min(max(p.Start, 0), n)
	if p.Max < 0 || p.Max > n-start {
		return start, n
	}
	return start, start + p.Max
}
