package entra

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"sync"

	dirsync "github.com/rollcall-id/rollcall/sync"
	"github.com/rollcall-id/rollcall/sync/cloud"
)

// Members sends the direct members of groups: the first pages of twenty groups in one request,
// then the large ones on, one page after the other.
func (s *Source) Members(ctx context.Context, groups []string, part func(dirsync.Members) error) error {
	var one sync.Mutex // part is called by one at a time
	var refused []dirsync.Members
	send := func(m dirsync.Members) error {
		one.Lock()
		defer one.Unlock()
		if cloud.Answered(m.Unreadable, http.StatusForbidden) {
			refused = append(refused, m)
			return nil
		}
		return part(m)
	}
	err := s.ask(ctx, batch{
		ids: groups, patient: true,
		path: func(id string) string { return "/groups/" + url.PathEscape(id) + "/members?$select=id&$top=999" },
		answer: func(ctx context.Context, id string, body []byte, problem error) error {
			return s.membersOf(ctx, id, body, problem, send)
		},
	})
	if err != nil || len(refused) == 0 {
		return err
	}
	// A group that hides its members is refused as all are without the permission.
	may, err := s.mayReadGroups(ctx)
	if err != nil {
		return err
	}
	if !may {
		return refused[0].Unreadable
	}
	for _, m := range refused {
		if err := part(m); err != nil {
			return err
		}
	}
	return nil
}

func (s *Source) membersOf(ctx context.Context, group string, body []byte, problem error, send func(dirsync.Members) error) error {
	var page memberPage
	if problem == nil {
		if page, problem = decodeMembers(body); problem != nil {
			problem = &cloud.Error{Asked: "GET /groups/" + group + "/members", Status: http.StatusOK, Err: problem}
		}
	}
	if problem == nil {
		sendPage := func(page memberPage) error {
			members := make([]dirsync.Member, len(page.Value))
			for i := range page.Value {
				members[i] = page.Value[i].member()
			}
			last := page.NextLink == ""
			return send(dirsync.Members{Group: group, Members: s.told.membersOf(group, members, last), Last: last})
		}
		var sending error // what the receiver says ends the run; it isn't the group's fault
		problem = s.pagesOn(ctx, "read the members of group "+group, page, func(page memberPage) error {
			sending = sendPage(page)
			return sending
		})
		if sending != nil {
			return sending
		}
	}
	return dirsync.EndMembers(ctx, group, problem, gone, cloud.Fatal, send)
}

// A memberPage is a page of members of a group, or of groups of a member.
type memberPage struct {
	Value    []graphMember `json:"value"`
	NextLink string        `json:"@odata.nextLink"`
}

func decodeMembers(body []byte) (memberPage, error) {
	var page memberPage
	if err := json.Unmarshal(body, &page); err != nil {
		return page, err
	}
	if page.Value == nil {
		return page, errNoList
	}
	for _, m := range page.Value {
		if m.ID == "" {
			return page, errNoID
		}
	}
	return page, nil
}

// pagesOn sends the first page of a list, then the others.
func (s *Source) pagesOn(ctx context.Context, what string, first memberPage, send func(memberPage) error) error {
	if first.NextLink != "" {
		if err := s.client.CheckLink(first.NextLink); err != nil {
			return err
		}
	}
	if err := send(first); err != nil || first.NextLink == "" {
		return err
	}
	var got memberPage
	take := func(body []byte) (next string, err error) {
		got, err = decodeMembers(body)
		return got.NextLink, err
	}
	return s.pages(ctx, what, first.NextLink, s.mostPages, take, func(string) error { return send(got) })
}
