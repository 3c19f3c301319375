package okta

import (
	"context"
	"net/url"
	"sync"

	"golang.org/x/sync/errgroup"

	dirsync "github.com/rollcall-id/rollcall/sync"
	"github.com/rollcall-id/rollcall/sync/cloud"
)

// Members sends the direct members of groups, several groups at once. Okta has no question for
// many groups.
func (s *Source) Members(ctx context.Context, groups []string, part func(dirsync.Members) error) error {
	if len(groups) == 0 {
		return nil
	}
	everyone, err := s.everyoneID(ctx)
	if err != nil {
		return err
	}
	return s.readMembers(ctx, groups, everyone, part)
}

func (s *Source) readMembers(ctx context.Context, groups []string, everyone string, part func(dirsync.Members) error) error {
	var one sync.Mutex // part is called by one at a time
	return s.atOnce(ctx, groups, func(ctx context.Context, group string) error {
		send := func(m dirsync.Members) error {
			one.Lock()
			defer one.Unlock()
			if ctx.Err() != nil { // the receiver has said no already
				return ctx.Err()
			}
			return part(m)
		}
		if group == everyone {
			return send(dirsync.Members{Group: group, Last: true, Members: []dirsync.Member{{Kind: dirsync.MemberEverybody}}})
		}
		return s.membersOf(ctx, group, send)
	})
}

// atOnce does something for each id, as many at once as the org allows.
func (s *Source) atOnce(ctx context.Context, ids []string, do func(ctx context.Context, id string) error) error {
	g, running := errgroup.WithContext(ctx)
	g.SetLimit(s.client.Workers())
	for _, id := range ids {
		if running.Err() != nil {
			break
		}
		g.Go(func() error { return do(running, id) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return ctx.Err() // what wasn't begun isn't done
}

// each asks for several ids at once. It takes the answers one after the other, and none any more
// after take said no.
func each[T any](ctx context.Context, s *Source, ids []string, ask func(context.Context, string) (T, error), take func(id string, answer T, err error) error) error {
	var one sync.Mutex
	return s.atOnce(ctx, ids, func(ctx context.Context, id string) error {
		answer, err := ask(ctx, id)
		one.Lock()
		defer one.Unlock()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return take(id, answer, err)
	})
}

// An everyone is the group of all users, whose members need not be read one by one.
type everyone struct {
	mu    sync.Mutex
	known bool   // all groups that may be it were looked at
	id    string // empty: there is none that we may see
}

// look looks for it among groups.
func (e *everyone) look(groups []oktaGroup) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range groups {
		if groups[i].everybody() {
			e.id, e.known = groups[i].ID, true
		}
	}
}

// over says that there are no more groups to look at.
func (e *everyone) over() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.known = true
}

func (e *everyone) get() (id string, known bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.id, e.known
}

// everyoneID gives the id of the group of all users. Okta is asked for it only when it didn't
// come by.
func (s *Source) everyoneID(ctx context.Context) (string, error) {
	if id, known := s.everyone.get(); known {
		return id, nil
	}
	err := list(ctx, s, "look for the group Everyone", query("/api/v1/groups", "limit", pageSize, "filter", `type eq "BUILT_IN"`), decodeGroups,
		func(groups []oktaGroup, _ string) error {
			s.everyone.look(groups)
			return nil
		})
	if err != nil {
		return "", err
	}
	s.everyone.over()
	id, _ := s.everyone.get()
	return id, nil
}

func (s *Source) membersOf(ctx context.Context, group string, send func(dirsync.Members) error) error {
	var sending error // what the receiver says ends the run; it isn't the group's fault
	problem := list(ctx, s, "read the members of group "+group, "/api/v1/groups/"+url.PathEscape(group)+"/users?limit="+pageSize, decodeMembers,
		func(got []oktaMember, next string) error {
			members := make([]dirsync.Member, 0, len(got))
			for i := range got {
				if s.statuses.known(&oktaUser{Status: got[i].Status}) {
					members = append(members, dirsync.Member{ID: got[i].ID})
				}
			}
			sending = send(dirsync.Members{Group: group, Members: members, Last: next == ""})
			return sending
		})
	if sending != nil {
		return sending
	}
	return dirsync.EndMembers(ctx, group, problem, gone, cloud.Fatal, send)
}

// An oktaMember is what we need of a member. Okta sends whole users, also those that were
// deactivated: it takes nobody out of a group for that.
type oktaMember struct {
	ID     string `json:"id"`
	Status string `json:"status"`
}

func decodeMembers(body []byte) ([]oktaMember, error) {
	return decodeList(body, func(m *oktaMember) bool { return m.ID != "" && m.Status != "" })
}
