package google

import (
	"context"
	"fmt"
	"net/http"
	"sync"

	admin "google.golang.org/api/admin/directory/v1"

	dirsync "github.com/rollcall-id/rollcall/sync"
	"github.com/rollcall-id/rollcall/sync/cloud"
)

const membersPage = 200

// memberFields leave out a member's status: Google has answered 403 to those who ask for it, where
// a group has members from elsewhere.
const memberFields = "members(id,type)"

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
		list, err := s.directory.Members.List(group).MaxResults(membersPage).Fields("kind", "nextPageToken", memberFields).PageToken(token).Context(ctx).Do()
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
	return dirsync.EndMembers(ctx, group, problem, gone, func(err error) bool { return !s.ofOneGroup(ctx, err) }, send)
}

// ofOneGroup tells whether a problem may be that of one group: Google answers some groups with
// backendError for ever, and those that belong to another account with 403, while all groups can
// still be listed. What is wrong with all that we ask ends the run.
func (s *Source) ofOneGroup(ctx context.Context, err error) bool {
	if refused(err, "forbidden", "domainCannotUseApis") {
		_, err := s.listGroups().MaxResults(1).Context(ctx).Do()
		return err == nil
	}
	e := cloud.Refusal(err)
	return e != nil && !e.EndsRun && (e.Status == http.StatusBadRequest || e.Status >= http.StatusInternalServerError)
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
