package explain

import (
	"context"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// find gives the user that the word means; nil when no directory has one. A name goes before an
// id, an id before a mail address; among equals the directory that the application sees first.
func (q *question) find(ctx context.Context) (*models.User, error) {
	if u, err := q.byAlias(ctx); u != nil || err != nil {
		return u, err
	}
	for _, look := range []func(context.Context, *models.Directory) (*models.User, error){q.byName, q.byID, q.byMail} {
		for _, dir := range q.dirs {
			u, err := look(ctx, dir)
			if models.Is(err, models.UserNotFound) {
				continue
			}
			if u != nil || err != nil {
				return u, err
			}
		}
	}
	return nil, nil
}

func (q *question) byAlias(ctx context.Context) (*models.User, error) {
	if !q.app.HasAliases {
		return nil, nil
	}
	alias, err := q.store.AliasByName(ctx, q.app.ID, q.word)
	if models.Is(err, models.AliasNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	u, err := q.store.UserByID(ctx, alias.UserID)
	if models.Is(err, models.UserNotFound) {
		return nil, nil
	}
	return u, err
}

func (q *question) byName(ctx context.Context, dir *models.Directory) (*models.User, error) {
	return q.store.UserByName(ctx, dir.ID, q.word)
}

func (q *question) byID(ctx context.Context, dir *models.Directory) (*models.User, error) {
	return q.store.UserByExternalID(ctx, dir.ID, q.word)
}

func (q *question) byMail(ctx context.Context, dir *models.Directory) (*models.User, error) {
	found, err := q.store.SearchUsers(ctx, store.Search{Visible: store.Visible{Dirs: []models.ID{dir.ID}}, Limit: 1,
		Filter: models.Filter{Logic: models.Compare, Property: "email", Match: models.Equals, Text: models.Key(q.word)}})
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0].User, nil
}
