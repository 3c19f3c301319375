package application

import (
	"context"
	"iter"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/roster"
	"github.com/rollcall-id/rollcall/store"
)

// searchBatch is how many rows of a search are in memory at once.
const searchBatch = 500

// A Found is one batch of a search's answer. It is valid until the function that it is given to
// returns: its room is used again.
type Found[T any] struct {
	Entries    []*T
	Attributes map[models.ID][]models.Attribute // where they were asked for
}

// SearchUsers calls each with batches of the users that a filter finds, by name: the part that
// the page says. Nothing is called where nothing is found. All of it is of one moment; only
// attributes, which memory doesn't have, may be a little later than the rest.
func (v *View) SearchUsers(ctx context.Context, f models.Filter, p models.Page, attributes bool, each func(Found[User]) error) error {
	s := v.search(f)
	if memory, ok := v.reads.(*roster.Snapshot); ok {
		s.Skip, s.Limit = p.Start, p.Max
		if found, ok := memory.SearchUsers(ctx, s); ok {
			return v.usersFound(ctx, found, attributes, each)
		}
	}
	return v.searchUsersInSQL(ctx, s, p, attributes, each)
}

// SearchGroups calls each with batches of the groups that a filter finds, as SearchUsers does.
func (v *View) SearchGroups(ctx context.Context, f models.Filter, p models.Page, attributes bool, each func(Found[models.Group]) error) error {
	s := v.search(f)
	if memory, ok := v.reads.(*roster.Snapshot); ok {
		s.Skip, s.Limit = p.Start, p.Max
		if found, ok := memory.SearchGroups(ctx, s); ok {
			return v.groupsFound(ctx, found, attributes, each)
		}
	}
	return v.searchGroupsInSQL(ctx, s, p, attributes, each)
}

func (v *View) search(f models.Filter) store.Search {
	s := store.Search{Visible: v.app.visible, Filter: f}
	if v.app.HasAliases {
		s.Application = v.app.ID
	}
	return s
}

// usersFound gives on what memory found.
func (v *View) usersFound(ctx context.Context, found iter.Seq2[models.User, error], attributes bool, each func(Found[User]) error) error {
	show := func(at *User, u models.User) { *at = v.shown(&u, "") } // memory finds nobody by an alias
	return batched(ctx, found, show, func(batch []*User) (err error) {
		of := Found[User]{Entries: batch}
		if attributes {
			ids := make([]models.ID, len(batch))
			for i, u := range batch {
				ids[i] = u.ID
			}
			if of.Attributes, err = v.service.directories.UserAttributes(ctx, ids); err != nil {
				return err
			}
		}
		return each(of)
	})
}

func (v *View) groupsFound(ctx context.Context, found iter.Seq2[models.Group, error], attributes bool, each func(Found[models.Group]) error) error {
	show := func(at *models.Group, g models.Group) { *at = g; at.Name = v.name(g.Name) }
	return batched(ctx, found, show, func(batch []*models.Group) (err error) {
		of := Found[models.Group]{Entries: batch}
		if attributes {
			if of.Attributes, err = v.store.GroupAttributes(ctx, groupIDs(batch)); err != nil {
				return err
			}
		}
		return each(of)
	})
}

// batched calls each with batches of rows as they are shown. The first are small, so that little
// takes little; the room of a batch is used again, so that a million rows take no more than some.
// It ends with the context.
func batched[R, T any](ctx context.Context, rows iter.Seq2[R, error], show func(at *T, row R), each func([]*T) error) error {
	room := make([]T, searchBatch/25)
	batch := make([]*T, 0, searchBatch)
	for row, err := range rows {
		if err != nil {
			return err
		}
		at := &room[len(batch)]
		show(at, row)
		if batch = append(batch, at); len(batch) < len(room) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := each(batch); err != nil {
			return err
		}
		batch = batch[:0]
		if more := min(5*len(room), searchBatch); more > len(room) {
			room = make([]T, more)
		}
	}
	if len(batch) == 0 {
		return nil
	}
	return each(batch)
}

func (v *View) searchUsersInSQL(ctx context.Context, s store.Search, p models.Page, attributes bool, each func(Found[User]) error) error {
	return v.store.Snapshot(ctx, func(r *store.Reads) error {
		return inBatches(p, func(skip, limit int, after string) (int, string, error) {
			s.Skip, s.Limit, s.After = skip, limit, after
			rows, err := r.SearchUsers(ctx, s)
			if err != nil || len(rows) == 0 {
				return 0, "", err
			}
			users := make([]*models.User, len(rows))
			ids := make([]models.ID, len(rows))
			for i := range rows {
				users[i], ids[i] = &rows[i].User, rows[i].ID
			}
			var found Found[User]
			if found.Entries, err = v.presentFrom(ctx, r, users); err != nil {
				return 0, "", err
			}
			if attributes {
				if found.Attributes, err = v.service.directories.UserAttributesFrom(ctx, r, ids); err != nil {
					return 0, "", err
				}
			}
			return len(rows), rows[len(rows)-1].SortKey, each(found)
		})
	})
}

func (v *View) searchGroupsInSQL(ctx context.Context, s store.Search, p models.Page, attributes bool, each func(Found[models.Group]) error) error {
	return v.store.Snapshot(ctx, func(r *store.Reads) error {
		return inBatches(p, func(skip, limit int, after string) (int, string, error) {
			s.Skip, s.Limit, s.After = skip, limit, after
			rows, err := r.SearchGroups(ctx, s)
			if err != nil || len(rows) == 0 {
				return 0, "", err
			}
			last := rows[len(rows)-1].NameKey
			found := Found[models.Group]{Entries: v.groups(rows)}
			if attributes {
				if found.Attributes, err = r.GroupAttributes(ctx, groupIDs(rows)); err != nil {
					return 0, "", err
				}
			}
			return len(rows), last, each(found)
		})
	})
}

// inBatches reads a page batch by batch: the first skips to the page's start, each later one
// goes on after the last key. read gives how many it found and the last one's key.
func inBatches(p models.Page, read func(skip, limit int, after string) (n int, last string, err error)) error {
	skip, left, after := p.Start, p.Max, ""
	for left != 0 {
		limit := searchBatch
		if left > 0 {
			limit = min(limit, left)
		}
		n, last, err := read(skip, limit, after)
		if err != nil || n < limit {
			return err
		}
		if left > 0 {
			left -= n
		}
		skip, after = 0, last
	}
	return nil
}

func groupIDs(groups []*models.Group) []models.ID {
	ids := make([]models.ID, len(groups))
	for i, g := range groups {
		ids[i] = g.ID
	}
	return ids
}
