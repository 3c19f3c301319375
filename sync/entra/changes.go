package entra

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	dirsync "github.com/rollcall-id/rollcall/sync"
	"github.com/rollcall-id/rollcall/sync/cloud"
)

const groupDeltaFields = groupFields + ",members"

// Begin gives the cursor of now: links for users, and for groups with their members.
func (s *Source) Begin(ctx context.Context) (dirsync.Cursor, error) {
	s.told = told{} // what a delta query told before isn't told again from here on
	c := cursor{Asked: s.asked()}
	nothing := func() error { return nil }
	var err error
	c.Users, err = s.delta(ctx, "ask for the present state of users", deltaLink{Link: "/users/delta?$select=" + s.users.fields + "&$deltatoken=latest"},
		func(body []byte) (next, delta string, err error) {
			page, err := s.users.decode(body)
			return page.next, page.delta, err
		}, nothing)
	if err != nil {
		return "", err
	}
	c.Groups, err = s.delta(ctx, "ask for the present state of groups", deltaLink{Link: "/groups/delta?$select=" + groupDeltaFields + "&$deltatoken=latest"},
		func(body []byte) (next, delta string, err error) {
			page, err := decodeGroups(body)
			return page.NextLink, page.DeltaLink, err
		}, nothing)
	if err != nil {
		return "", err
	}
	return c.pack()
}

// Changes sends what changed since a cursor: users first, so that who is new is known before the
// groups.
func (s *Source) Changes(ctx context.Context, since dirsync.Cursor, page func(dirsync.Changes) error) (dirsync.Cursor, error) {
	c, err := s.unpack(since)
	if err != nil {
		return "", err
	}
	if c.Users, err = s.changedUsers(ctx, c.Users, page); err != nil {
		return "", err
	}
	if c.Groups, err = s.changedGroups(ctx, c.Groups, page); err != nil {
		return "", expired(err)
	}
	return c.pack()
}

func (s *Source) changedUsers(ctx context.Context, from deltaLink, send func(dirsync.Changes) error) (deltaLink, error) {
	var got userPage
	vague := map[string]bool{}
	next, err := s.delta(ctx, "read changes of users", from,
		func(body []byte) (next, delta string, err error) {
			got, err = s.users.decode(body)
			return got.next, got.delta, err
		},
		func() error {
			changes, ids := userChanges(got.users)
			for _, u := range changes.Users {
				delete(vague, u.ID)
			}
			for _, id := range changes.GoneUsers { // a copy of Graph that is behind must not bring them back
				delete(vague, id)
			}
			for _, id := range ids {
				vague[id] = true
			}
			return send(changes)
		})
	if err != nil || len(vague) == 0 {
		return next, expired(err)
	}
	// Told to have changed, but not how they are: ask.
	var users []dirsync.User
	err = s.UsersByID(ctx, slices.Sorted(maps.Keys(vague)), func(u dirsync.User) error {
		users = append(users, u)
		return nil
	})
	if err != nil {
		return next, err
	}
	return next, send(dirsync.Changes{Users: users})
}

// userChanges turns a page into changes. The same user may be on it twice, removed and there:
// the last one counts. Vague are those that it doesn't say all of: delta queries have been seen to
// leave out accountEnabled, and who is disabled must not come back because of that.
func userChanges(page []decodedUser) (changes dirsync.Changes, vague []string) {
	last := make(map[string]int, len(page))
	for i, u := range page {
		last[u.ID] = i
	}
	for i, u := range page {
		switch {
		case last[u.ID] != i:
		case u.Removed != nil: // it has an id and nothing else
			changes.GoneUsers = append(changes.GoneUsers, u.ID)
		case u.UserPrincipalName == "", u.AccountEnabled == nil:
			vague = append(vague, u.ID)
		default:
			changes.Users = append(changes.Users, u.user())
		}
	}
	return changes, vague
}

func (s *Source) changedGroups(ctx context.Context, from deltaLink, send func(dirsync.Changes) error) (deltaLink, error) {
	var got groupPage
	return s.delta(ctx, "read changes of groups", from,
		func(body []byte) (next, delta string, err error) {
			got, err = decodeGroups(body)
			return got.NextLink, got.DeltaLink, err
		},
		func() error {
			changes := groupChanges(got.Value)
			s.told.note(changes.Added, true)
			s.told.note(changes.Removed, false)
			return send(changes)
		})
}

// groupChanges turns a page into changes. A large group comes in parts, on this page and on
// others: each part adds to what was told before.
func groupChanges(page []graphGroup) dirsync.Changes {
	var changes dirsync.Changes
	last := make(map[string]int, len(page))
	for i := range page {
		if g := &page[i]; g.Removed != nil || g.DisplayName != "" {
			last[g.ID] = i
		}
	}
	type pair struct{ group, member string }
	edges := map[pair]int{} // the last word on a membership: its place in words
	type word struct {
		edge    dirsync.Edge
		removed bool
	}
	var words []word
	for i := range page {
		g := &page[i]
		if at, known := last[g.ID]; known && at == i {
			switch {
			case g.Removed != nil, g.distribution():
				changes.GoneGroups = append(changes.GoneGroups, g.ID)
			default:
				changes.Groups = append(changes.Groups, g.group())
			}
		}
		for j := range g.Members {
			m := &g.Members[j]
			if m.ID == "" {
				continue
			}
			key := pair{g.ID, m.ID}
			w := word{dirsync.Edge{Group: g.ID, Member: m.member()}, m.Removed != nil}
			if at, known := edges[key]; known {
				words[at] = w
				continue
			}
			edges[key] = len(words)
			words = append(words, w)
		}
	}
	for _, w := range words {
		if w.removed {
			changes.Removed = append(changes.Removed, w.edge)
		} else {
			changes.Added = append(changes.Added, w.edge)
		}
	}
	return changes
}

// delta reads pages up to the link for the next time.
func (s *Source) delta(ctx context.Context, what string, from deltaLink, take func([]byte) (next, delta string, err error), send func() error) (deltaLink, error) {
	asked := s.now()
	var link string
	err := s.pages(ctx, what, from.Link, s.mostPages,
		func(body []byte) (next string, err error) {
			next, link, err = take(body)
			if err == nil && next == "" && link == "" {
				err = errors.New("the answer has neither a next link nor a delta link")
			}
			return next, err
		},
		func(string) error { return send() })
	if err != nil {
		return deltaLink{}, err
	}
	if err := s.client.CheckLink(link); err != nil {
		return deltaLink{}, fmt.Errorf("%s: %w", what, err)
	}
	return from.moved(link, asked), nil
}

// expired turns links that lead nowhere into the wish for a full read. Graph has many words for one
// that it no longer knows, has refused good ones for days, and has sent lists without end: the links
// are its own, so whatever is wrong with them, asking again doesn't help. When Graph was right for
// another reason, the full read meets that too.
func expired(err error) error {
	var lost *astray
	if errors.As(err, &lost) {
		return &dirsync.FullRead{Reason: lost.Error()}
	}
	if !cloud.Answered(err, http.StatusBadRequest, http.StatusNotFound, http.StatusGone) {
		return err
	}
	e := cloud.Refusal(err)
	return &dirsync.FullRead{Reason: strings.TrimSpace(fmt.Sprintf("Entra no longer knows the last run's delta link (%d %s", e.Status, e.Code)) + ")"}
}
