package okta

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync"

	dirsync "github.com/rollcall-id/rollcall/sync"
	"github.com/rollcall-id/rollcall/sync/cloud"
)

// UsersByID sends those of these users that are there. Read one by one they are as they are now;
// a search for many would be answered from an index that lags behind.
func (s *Source) UsersByID(ctx context.Context, ids []string, each func(dirsync.User) error) error {
	var one sync.Mutex
	return s.atOnce(ctx, ids, func(ctx context.Context, id string) error {
		u, err := s.userByID(ctx, id)
		if gone(err) {
			return nil
		}
		if err != nil {
			return err
		}
		if u.ID != id || !s.statuses.known(&u) { // Okta takes a login name for an id, too
			return nil
		}
		one.Lock()
		defer one.Unlock()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return each(s.user(&u))
	})
}

func (s *Source) userByID(ctx context.Context, id string) (u oktaUser, err error) {
	err = s.client.Do(ctx, cloud.Request{URL: "/api/v1/users/" + url.PathEscape(id), Take: func(a cloud.Answer) (err error) {
		u, err = s.decodeUser(a.Body)
		return err
	}})
	if err != nil {
		return u, fmt.Errorf("read user %s: %w", id, err)
	}
	return u, nil
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
func (s *Source) GroupsOf(ctx context.Context, users []string, each func(user string, groups []string) error) error {
	var one sync.Mutex
	return s.atOnce(ctx, users, func(ctx context.Context, id string) error {
		there, err := s.isPresent(ctx, id)
		var groups []string
		if err == nil && there {
			groups, err = s.groupsOf(ctx, id)
		}
		if err != nil && !gone(err) {
			return err
		}
		one.Lock()
		defer one.Unlock()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return each(id, groups)
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
	err = list(ctx, s, "read the groups of user "+user, "/api/v1/users/"+url.PathEscape(user)+"/groups?limit="+pageSize, decodeGroups,
		func(groups []oktaGroup, _ string) error {
			for _, g := range s.groupsOfInterest(groups) {
				ids = append(ids, g.ID)
			}
			return nil
		})
	return ids, err
}
