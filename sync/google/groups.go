package google

import (
	"context"
	"fmt"
	"sync"

	admin "google.golang.org/api/admin/directory/v1"

	dirsync "github.com/rollcall-id/rollcall/sync"
)

// Groups sends every group.
func (s *Source) Groups(ctx context.Context, from dirsync.Checkpoint, page func([]dirsync.Group, dirsync.Checkpoint) error) error {
	var got []dirsync.Group
	return s.pages(ctx, "read groups", from, func(token string) (int, string, error) {
		list, err := s.listGroups().PageToken(token).Context(ctx).Do()
		if err != nil {
			return 0, "", err
		}
		got, err = readGroups(list)
		return len(got), list.NextPageToken, err
	}, func(next dirsync.Checkpoint) error { return page(got, next) })
}

func (s *Source) listGroups() *admin.GroupsListCall {
	return s.directory.Groups.List().Customer(s.customer).MaxResults(groupsPage).OrderBy("email").
		Fields("kind", "nextPageToken", "groups(id,email,name,description)")
}

// GroupsOf sends the ids of the groups that each user is a direct member of.
func (s *Source) GroupsOf(ctx context.Context, users []string, each func(user string, groups []string) error) error {
	var one sync.Mutex // each is called by one at a time
	return s.each(ctx, users, func(ctx context.Context, user string) error {
		var groups []string
		err := s.pages(ctx, "read the groups of user "+user, "", func(token string) (int, string, error) {
			if token == "" {
				groups = nil
			}
			list, err := s.directory.Groups.List().UserKey(user).MaxResults(groupsPage).Fields("kind", "nextPageToken", "groups/id").PageToken(token).Context(ctx).Do()
			if err != nil {
				return 0, "", err
			}
			for _, g := range list.Groups {
				groups = append(groups, g.Id)
			}
			return len(list.Groups), list.NextPageToken, notGoogles(list.Kind, kindGroups)
		}, func(dirsync.Checkpoint) error { return nil })
		if err != nil && !gone(err) {
			return err
		}
		one.Lock()
		defer one.Unlock()
		return each(user, groups)
	})
}

const kindGroups = "admin#directory#groups"

func readGroups(list *admin.Groups) ([]dirsync.Group, error) {
	if err := notGoogles(list.Kind, kindGroups); err != nil {
		return nil, err
	}
	groups := make([]dirsync.Group, len(list.Groups))
	for i, g := range list.Groups {
		if g == nil || g.Id == "" || g.Email == "" {
			return nil, fmt.Errorf("the answer has a group without an id or an address")
		}
		groups[i] = group(g)
	}
	return groups, nil
}
