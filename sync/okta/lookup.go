package okta

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	dirsync "github.com/rollcall-id/rollcall/sync"
)

// UsersByID sends those of these users that are there. Read one by one they are as they are now;
// a search for many would be answered from an index that lags behind. Members of a group may be
// users that our role leaves out.
func (s *Source) UsersByID(ctx context.Context, ids []string, take func(dirsync.User) error) error {
	return each(ctx, s, ids, s.userByID, func(id string, u oktaUser, err error) error {
		switch {
		case gone(err), hidden(err):
			return nil
		case err != nil:
			return err
		case u.ID != id || !s.statuses.known(&u): // Okta takes a login name for an id, too
			return nil
		}
		return take(s.user(&u))
	})
}

func (s *Source) userByID(ctx context.Context, id string) (oktaUser, error) {
	return single(ctx, s, "read user "+id, "/api/v1/users/"+url.PathEscape(id), s.decodeUsers)
}

// longestWord bounds what is looked for: no name is longer.
const longestWord = 256

// Find sends the users whose id, login or mail address is the word.
func (s *Source) Find(ctx context.Context, word string) (found []dirsync.User, err error) {
	word = strings.TrimSpace(word)
	if word == "" || len(word) > longestWord {
		return nil, nil
	}
	is := " eq " + quoted(word)
	filter := query("/api/v1/users", "limit", pageSize, "filter", "id"+is+" or profile.login"+is+" or profile.email"+is)
	err = list(ctx, s, fmt.Sprintf("look for %q", word), filter, s.decodeUsers, func(users []oktaUser, _ string) error {
		for i := range users {
			if s.statuses.known(&users[i]) {
				found = append(found, s.user(&users[i]))
			}
		}
		return nil
	})
	return found, err
}

// GroupsOf sends the ids of the groups that each user is a member of. Who was deactivated is in
// none: Okta leaves such users in all their groups, so that each user of whom we don't know is
// looked at, too.
func (s *Source) GroupsOf(ctx context.Context, users []string, take func(user string, groups []string) error) error {
	return each(ctx, s, users, s.groupsOf, func(id string, groups []string, err error) error {
		if err != nil && !gone(err) {
			return err
		}
		return take(id, groups)
	})
}

func (s *Source) isPresent(ctx context.Context, id string) (bool, error) {
	if s.present[id] {
		return true, nil
	}
	u, err := s.userByID(ctx, id)
	return err == nil && s.statuses.known(&u), err
}

func (s *Source) groupsOf(ctx context.Context, user string) (ids []string, err error) {
	if there, err := s.isPresent(ctx, user); err != nil || !there {
		return nil, err
	}
	err = list(ctx, s, "read the groups of user "+user, "/api/v1/users/"+url.PathEscape(user)+"/groups?limit="+pageSize, decodeGroups,
		func(groups []oktaGroup, _ string) error {
			for _, g := range s.groupsOfInterest(groups) {
				ids = append(ids, g.ID)
			}
			return nil
		})
	return ids, err
}
