package entra

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/google/uuid"

	dirsync "github.com/rollcall-id/rollcall/sync"
	"github.com/rollcall-id/rollcall/sync/cloud"
)

// GroupsOf sends the ids of the groups that each user is a direct member of.
func (s *Source) GroupsOf(ctx context.Context, users []string, each func(user string, groups []string) error) error {
	var one sync.Mutex
	return s.ask(ctx, batch{
		ids: users, patient: true,
		// Not cast to groups: a cast is answered from an index that lags behind.
		path: func(id string) string { return "/users/" + url.PathEscape(id) + "/memberOf?$select=id&$top=999" },
		answer: func(ctx context.Context, id string, body []byte, problem error) error {
			var groups []string
			if problem == nil {
				groups, problem = s.groupsIn(ctx, id, body)
			}
			if problem != nil && !gone(problem) {
				return fmt.Errorf("read the groups of user %s: %w", id, problem)
			}
			one.Lock()
			defer one.Unlock()
			return each(id, s.told.groupsOf(id, groups))
		},
	})
}

// groupsIn reads on from the first page of what a user is in; roles and units are left out.
func (s *Source) groupsIn(ctx context.Context, user string, body []byte) (groups []string, err error) {
	page, err := decodeMembers(body)
	if err != nil {
		return nil, err
	}
	err = s.pagesOn(ctx, "read the groups of user "+user, page, func(page memberPage) error {
		for _, m := range page.Value {
			if m.Type == typeGroup {
				groups = append(groups, m.ID)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return groups, nil
}

// UsersByID sends those of these users that are there. Graph has getByIds for a thousand at once,
// but that takes Directory.Read.All and leaves out whether an account is enabled.
func (s *Source) UsersByID(ctx context.Context, ids []string, each func(dirsync.User) error) error {
	var one sync.Mutex
	return s.ask(ctx, batch{
		ids:  ids,
		path: func(id string) string { return "/users/" + url.PathEscape(id) + "?$select=" + s.users.fields },
		answer: func(_ context.Context, id string, body []byte, problem error) error {
			if gone(problem) || cloud.Answered(problem, http.StatusBadRequest) { // 400: an id that is none of theirs
				return nil
			}
			var u decodedUser
			if problem == nil {
				u, problem = s.users.decodeOne(body)
			}
			if problem != nil {
				return fmt.Errorf("read user %s: %w", id, problem)
			}
			one.Lock()
			defer one.Unlock()
			return each(u.user())
		},
	})
}

// longestWord bounds what is looked for: no name is longer.
const longestWord = 256

// Find sends the users whose id, principal name or mail address is the word.
func (s *Source) Find(ctx context.Context, word string) (found []dirsync.User, err error) {
	word = strings.TrimSpace(word)
	if word == "" || len(word) > longestWord {
		return nil, nil
	}
	if _, err := uuid.Parse(word); err == nil {
		err := s.UsersByID(ctx, []string{word}, func(u dirsync.User) error {
			found = append(found, u)
			return nil
		})
		return found, err
	}
	literal := "'" + strings.ReplaceAll(word, "'", "''") + "'"
	filter := "userPrincipalName eq " + literal + " or mail eq " + literal
	var page userPage
	err = s.client.Do(ctx, cloud.Request{
		URL: "/users?$select=" + s.users.fields + "&$filter=" + strings.ReplaceAll(url.QueryEscape(filter), "+", "%20"),
		Take: func(a cloud.Answer) (err error) {
			page, err = s.users.decode(a.Body)
			return err
		},
	})
	if err != nil {
		return nil, fmt.Errorf("look for %q: %w", word, err)
	}
	for _, u := range page.users {
		found = append(found, u.user())
	}
	return found, nil
}
