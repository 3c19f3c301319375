package roster

import (
	"context"
	"iter"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// SearchUsers streams what store.Reads.SearchUsers lists; ok is false where SQL is to be asked,
// which has what the picture lacks: aliases, attributes, and an index of mails.
func (s *Snapshot) SearchUsers(ctx context.Context, q store.Search) (found iter.Seq2[models.User, error], ok bool) {
	matches, ok := userProperties.compile(q.Filter)
	if !ok || q.Application != 0 || byMail(q.Filter) && s.users(q.Visible) > scanned {
		return nil, false
	}
	return search(ctx, s, q, (*dirView).userSide, matches, userOf), true
}

// SearchGroups streams what store.Reads.SearchGroups lists, as SearchUsers does.
func (s *Snapshot) SearchGroups(ctx context.Context, q store.Search) (found iter.Seq2[models.Group, error], ok bool) {
	matches, ok := groupProperties.compile(q.Filter)
	if !ok {
		return nil, false
	}
	return search(ctx, s, q, (*dirView).groupSide, matches, groupOf), true
}

// scanned is how many users are looked through in the time that SQL takes to find a few of them
// by an index.
const scanned = 2000

// byMail tells whether SQL's index of mails serves a filter, and no order of keys.
func byMail(f models.Filter) bool {
	if _, byKey := spansOf(f); byKey {
		return false
	}
	switch f.Logic {
	case models.Compare:
		return f.Property == "email" && (f.Match == models.Equals || f.Match == models.StartsWith && f.Text != "")
	case models.And:
		for _, child := range f.Filters {
			if byMail(child) {
				return true
			}
		}
	case models.Or:
		for _, child := range f.Filters {
			if _, byKey := spansOf(child); !byKey && !byMail(child) {
				return false
			}
		}
		return len(f.Filters) > 0
	}
	return false
}

// users gives about how many users some directories have.
func (s *Snapshot) users(v store.Visible) (n int) {
	for _, d := range s.views(v) {
		n += d.users.len()
	}
	return n
}

// askEvery is after how many rows a search looks whether anybody still waits for it.
const askEvery = 10_000

// search goes through the canonical rows whose keys a filter leaves over, and gives those of the
// wanted part that pass the test. It takes no memory, however many there are.
func search[T any](ctx context.Context, s *Snapshot, q store.Search, side func(*dirView) side, matches test,
	of func(dir models.ID, r *record) T) iter.Seq2[T, error] {
	spans, bounded := spansOf(q.Filter)
	if !bounded {
		spans = []span{allKeys}
	}
	views := s.views(q.Visible)
	return func(yield func(T, error) bool) {
		var r record
		skip, left, looked := q.Skip, q.Limit, 0
		for _, span := range spans {
			from := span.from
			if q.After != "" {
				from = max(from, q.After+"\x00") // the least key that is greater
			}
			for m := range canonicalFrom(views, side, from) {
				m.hit.read(&r)
				if span.to != "" && r.texts[textKey] >= span.to {
					break
				}
				if looked++; looked%askEvery == 0 && ctx.Err() != nil {
					var none T
					yield(none, ctx.Err())
					return
				}
				switch {
				case left == 0:
					return
				case !matches(&r):
				case skip > 0:
					skip--
				default:
					if left--; !yield(of(m.dir.id, &r), nil) {
						return
					}
				}
			}
		}
	}
}
