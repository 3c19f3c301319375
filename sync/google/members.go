package google

import (
	"context"
	"fmt"
	"net/http"
	"sync"

	admin "google.golang.org/api/admin/directory/v1"

	dirsync "github.com/rollcall-id/rollcall/sync"
)

const membersPage = 200

// Members sends the direct members of groups. There is no request for several groups, so there
// is one for each, many at once.
func (s *Source) Members(ctx context.Context, groups []string, part func(dirsync.Members) error) error {
	var one sync.Mutex // part is called by one at a time
	send := func(m dirsync.Members) error {
		one.Lock()
		defer one.Unlock()
		return part(m)
	}
	return s.each(ctx, groups, func(ctx context.Context, group string) error { return s.membersOf(ctx, group, send) })
}

func (s *Source) membersOf(ctx context.Context, group string, send func(dirsync.Members) error) error {
	var got []dirsync.Member
	var sending error // what the receiver says ends the run; it isn't the group's fault
	problem := s.follow(ctx, "read the members of group "+group, "", func(token string) (int, string, error) {
		list, err := s.directory.Members.List(group).MaxResults(membersPage).Fields("kind", "nextPageToken", "members(id,type)").PageToken(token).Context(ctx).Do()
		if err != nil {
			return 0, "", err
		}
		got, err = readMembers(list)
		return len(got), list.NextPageToken, err
	}, func(next dirsync.Checkpoint) error {
		sending = send(dirsync.Members{Group: group, Members: got, Last: next == ""})
		return sending
	})
	if sending != nil {
		return sending
	}
	return dirsync.EndMembers(ctx, group, problem, gone, func(err error) bool { return !ofOneGroup(err) }, send)
}

// ofOneGroup tells whether a problem may be that of one group: Google answers some groups with
// backendError for ever, and those that belong to another account with 403. What is wrong with
// all that we ask ends the run.
func ofOneGroup(err error) bool {
	e := refusal(err)
	switch {
	case e == nil:
		return false
	case e.Status == http.StatusForbidden:
		return e.Code == "forbidden" || e.Code == "domainCannotUseApis"
	case e.Status == http.StatusBadRequest:
		return true
	}
	return e.Status >= http.StatusInternalServerError
}

const kindMembers = "admin#directory#members"

func readMembers(list *admin.Members) ([]dirsync.Member, error) {
	if err := notGoogles(list.Kind, kindMembers); err != nil {
		return nil, err
	}
	members := make([]dirsync.Member, len(list.Members))
	for i, m := range list.Members {
		if m == nil || m.Id == "" {
			return nil, fmt.Errorf("the answer has a member without an id")
		}
		members[i] = member(m)
	}
	return members, nil
}
