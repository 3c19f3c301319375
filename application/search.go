package application

import (
	"context"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// searchBatch is how many rows of a search are in memory at once.
const searchBatch = 500

// A Found is one batch of a search's answer.
type Found[T any] struct {
	Entries    []*T
	Attributes map[models.ID][]models.Attribute // where they were asked for
}

// SearchUsers calls each with batches of the users that a filter finds, by name: the part that
// the page says. All of it is of one moment; nothing is called where nothing is found.
func (v *View) SearchUsers(ctx context.Context, f models.Filter, p models.Page, attributes bool, each func(Found[User]) error) error {
	s := v.search(f)
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

// SearchGroups calls each with batches of the groups that a filter finds, as SearchUsers does.
func (v *View) SearchGroups(ctx context.Context, f models.Filter, p models.Page, attributes bool, each func(Found[models.Group]) error) error {
	s := v.search(f)
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
				ids := make([]models.ID, len(rows))
				for i, g := range rows {
					ids[i] = g.ID
				}
				if found.Attributes, err = r.GroupAttributes(ctx, ids); err != nil {
					return 0, "", err
				}
			}
			return len(rows), last, each(found)
		})
	})
}

func (v *View) search(f models.Filter) store.Search {
	s := store.Search{Visible: v.app.visible, Filter: f}
	if v.app.HasAliases {
		s.Application = v.app.ID
	}
	return s
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
