package google

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"google.golang.org/api/googleapi"

	dirsync "github.com/rollcall-id/rollcall/sync"
	"github.com/rollcall-id/rollcall/sync/cloud"
)

// UsersByID sends those of these users that are there.
func (s *Source) UsersByID(ctx context.Context, ids []string, each func(dirsync.User) error) error {
	var one sync.Mutex // each is called by one at a time
	var withheld error
	err := s.each(ctx, ids, func(ctx context.Context, id string) error {
		u, err := s.user(ctx, id)
		one.Lock()
		defer one.Unlock()
		switch {
		case err == nil:
			return each(u)
		case gone(err):
			return nil
		case unspoken(err):
			withheld = &dirsync.Withheld{Err: err}
			return nil
		}
		return err
	})
	if err == nil {
		err = withheld
	}
	return err
}

// longestWord bounds what is looked for: no address is longer.
const longestWord = 256

// Find sends the user whose id, primary address or alias is the word.
func (s *Source) Find(ctx context.Context, word string) ([]dirsync.User, error) {
	word = strings.TrimSpace(word)
	id := strings.Trim(word, "0123456789") == ""
	if word == "" || len(word) > longestWord || !id && !strings.Contains(word, "@") || strings.ContainsAny(word, "/?#") {
		return nil, nil
	}
	u, err := s.user(ctx, word)
	switch {
	case err == nil:
		return []dirsync.User{u}, nil
	case gone(err), unspoken(err):
		return nil, nil
	}
	return nil, err
}

// user reads one user by id, address or alias.
func (s *Source) user(ctx context.Context, key string) (dirsync.User, error) {
	call := s.directory.Users.Get(key).Fields(googleapi.Field(s.users.fields)).Context(ctx)
	if s.users.schemas != "" {
		call.Projection("custom").CustomFieldMask(s.users.schemas)
	}
	got, err := call.Do()
	switch {
	case ctx.Err() != nil:
		return dirsync.User{}, ctx.Err()
	case err != nil:
		return dirsync.User{}, fmt.Errorf("read user %s: %w", key, problem(err))
	case got.Id == "" || got.PrimaryEmail == "":
		return dirsync.User{}, fmt.Errorf("read user %s: %w", key, errNameless)
	}
	return s.users.user(got), nil
}

// unspoken tells whether Google refuses to speak about a user. It does so of accounts elsewhere,
// but also of those whom the subject may not see: nobody is gone because of it.
func unspoken(err error) bool {
	return cloud.Answered(err, http.StatusBadRequest) || refused(err, "forbidden", "domainCannotUseApis")
}
