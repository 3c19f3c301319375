package google

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"google.golang.org/api/googleapi"

	dirsync "github.com/rollcall-id/rollcall/sync"
)

// UsersByID sends those of these users that are there.
func (s *Source) UsersByID(ctx context.Context, ids []string, each func(dirsync.User) error) error {
	var one sync.Mutex // each is called by one at a time
	return s.each(ctx, ids, func(ctx context.Context, id string) error {
		u, there, err := s.user(ctx, id)
		if err != nil || !there {
			return err
		}
		one.Lock()
		defer one.Unlock()
		return each(u)
	})
}

// longestWord bounds what is looked for: no address is longer.
const longestWord = 256

// Find sends the user whose id, primary address or alias is the word.
func (s *Source) Find(ctx context.Context, word string) ([]dirsync.User, error) {
	word = strings.TrimSpace(word)
	if word == "" || len(word) > longestWord || strings.ContainsAny(word, "/?#") {
		return nil, nil
	}
	u, there, err := s.user(ctx, word)
	if err != nil || !there {
		return nil, err
	}
	return []dirsync.User{u}, nil
}

// user reads one user by id, address or alias. Google refuses to speak about users of other
// accounts: those aren't there either.
func (s *Source) user(ctx context.Context, key string) (dirsync.User, bool, error) {
	call := s.directory.Users.Get(key).Fields(googleapi.Field(s.users.fields)).Context(ctx)
	if s.users.schemas != "" {
		call.Projection("custom").CustomFieldMask(s.users.schemas)
	}
	got, err := call.Do()
	if err != nil {
		if ctx.Err() != nil {
			return dirsync.User{}, false, ctx.Err()
		}
		err = problem(err)
		if gone(err) || answered(err, http.StatusBadRequest) || refused(err, "forbidden") {
			return dirsync.User{}, false, nil
		}
		return dirsync.User{}, false, fmt.Errorf("read user %s: %w", key, err)
	}
	if got.Id == "" || got.PrimaryEmail == "" {
		return dirsync.User{}, false, fmt.Errorf("read user %s: %w", key, errNameless)
	}
	return s.users.user(got), true, nil
}
