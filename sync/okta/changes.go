package okta

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"time"

	dirsync "github.com/rollcall-id/rollcall/sync"
)

const (
	// searchMost is how many results Okta's search shows. What is beyond them it refuses.
	searchMost = 50_000
	// mostLookups bounds how many users and groups of whom the log speaks, and whom the search
	// doesn't find yet, are read one by one. The others come with the overlap of the next run.
	mostLookups = 25
	// mostDeletions is how many deletions are confirmed one by one.
	mostDeletions = 1000
	// indexBehind is by how much the log's time of a change may be later than the change's own.
	indexBehind = 5 * time.Second
)

// Changes sends what changed since a cursor. Okta has no delta query: timestamps tell which
// users and groups changed, and whose members; the System Log tells what was deleted, and what
// the search doesn't find yet. The members of a group are read anew: the log leaves out
// memberships that come with rules and imports.
func (s *Source) Changes(ctx context.Context, since dirsync.Cursor, page func(dirsync.Changes) error) (dirsync.Cursor, error) {
	c, err := readCursor(since, s.now())
	if err != nil {
		return "", err
	}
	told, next, err := s.readLog(ctx, c)
	if err != nil {
		return "", err
	}
	if next.Asked, err = s.changedUsers(ctx, c, told.users, page); err != nil {
		return "", err
	}
	moved, err := s.changedGroups(ctx, c, told.groups, page)
	if err != nil {
		return "", err
	}
	if err := s.sendMembers(ctx, moved, page); err != nil {
		return "", err
	}
	return next.write()
}

// sendMembers sends the members of groups, each group on one page.
func (s *Source) sendMembers(ctx context.Context, groups []string, page func(dirsync.Changes) error) error {
	// Everyone has another member for each new user, and whoever asks for the groups of that one
	// is told so. It came by if its members changed.
	everyone, _ := s.everyone.get()
	groups = slices.DeleteFunc(groups, func(id string) bool { return id == everyone })
	slices.Sort(groups)
	groups = slices.Compact(groups) // one may be found, and be named by the log
	parts := map[string][]dirsync.Members{}
	return s.readMembers(ctx, groups, "", func(m dirsync.Members) error {
		if m.Gone {
			return page(dirsync.Changes{GoneGroups: []string{m.Group}})
		}
		parts[m.Group] = append(parts[m.Group], m)
		if !m.Last && m.Unreadable == nil {
			return nil
		}
		whole := parts[m.Group]
		delete(parts, m.Group)
		return page(dirsync.Changes{Members: whole})
	})
}

// changedUsers sends the users that a search finds, then those of whom the log knows more. It gives
// those who were asked for one by one: until the search knows as much of them, they are asked for again.
func (s *Source) changedUsers(ctx context.Context, c cursor, told hints, page func(dirsync.Changes) error) (asked hints, err error) {
	found := 0
	search := query("/api/v1/users", "limit", pageSize, "sortBy", "id", "search", "lastUpdated gt "+quoted(oktaTime(c.Since.Add(-overlap))))
	err = list(ctx, s, "search for changed users", search, s.decodeUsers, func(users []oktaUser, _ string) error {
		if found += len(users); found >= searchMost {
			return errTooManyFound
		}
		for i := range users {
			id := users[i].ID
			if _, named := told[id]; !named {
				told[id] = c.Asked[id]
			}
			told.found(id, users[i].LastUpdated)
		}
		return page(s.userChanges(users))
	})
	if refusedAs(err, codeSearch) && found > 0 {
		err = errTooManyFound
	}
	if err != nil {
		return nil, err
	}
	lookups, err := toLookUp(told)
	if err != nil {
		return nil, err
	}
	asked = hints{}
	for id, hint := range c.Asked {
		if hint.Latest.After(c.Since.Add(-overlap)) {
			asked[id] = hint
		}
	}
	for _, id := range lookups {
		asked[id] = told[id]
	}
	return asked, each(ctx, s, lookups, s.userByID, func(id string, u oktaUser, err error) error {
		switch {
		case gone(err):
			delete(s.present, id)
			return page(dirsync.Changes{GoneUsers: []string{id}})
		case hidden(err):
			return nil
		case err != nil:
			return err
		}
		return page(s.userChanges([]oktaUser{u}))
	})
}

// errTooManyFound is what Okta's search can't tell.
var errTooManyFound = &dirsync.FullRead{Reason: fmt.Sprintf("%d users or more changed since the last run, and Okta's search shows no more", searchMost)}

func (s *Source) userChanges(users []oktaUser) (c dirsync.Changes) {
	for i := range users {
		if s.statuses.known(&users[i]) {
			s.present[users[i].ID] = true
			c.Users = append(c.Users, s.user(&users[i]))
		} else {
			delete(s.present, users[i].ID)
			c.GoneUsers = append(c.GoneUsers, users[i].ID)
		}
	}
	return c
}

// toLookUp chooses the ids to read one by one: all that may be deleted, a few of the others.
func toLookUp(told hints) ([]string, error) {
	var deleted, others []string
	for id, h := range told {
		if h.Deleted {
			deleted = append(deleted, id)
		} else {
			others = append(others, id)
		}
	}
	if len(deleted) > mostDeletions {
		return nil, &dirsync.FullRead{Reason: fmt.Sprintf("more than %d users or groups were deleted since the last run", mostDeletions)}
	}
	slices.SortFunc(others, func(a, b string) int { return told[b].Latest.Compare(told[a].Latest) })
	return append(deleted, others[:min(len(others), mostLookups)]...), nil
}

// changedGroups sends the groups that changed, and gives those whose members did.
func (s *Source) changedGroups(ctx context.Context, c cursor, told hints, page func(dirsync.Changes) error) (moved []string, err error) {
	since := c.Since.Add(-overlap)
	after := quoted(oktaTime(since))
	filter := query("/api/v1/groups", "limit", pageSize, "filter", "lastUpdated gt "+after+" or lastMembershipUpdated gt "+after)
	send := func(groups []oktaGroup) error {
		s.everyone.look(groups)
		for i := range groups {
			if s.wants(&groups[i]) && groups[i].LastMembershipUpdated.After(since) {
				moved = append(moved, groups[i].ID)
			}
		}
		return page(dirsync.Changes{Groups: s.groupsOfInterest(groups)})
	}
	err = list(ctx, s, "look for changed groups", filter, decodeGroups, func(groups []oktaGroup, _ string) error {
		for i := range groups {
			told.found(groups[i].ID, groups[i].LastUpdated, groups[i].LastMembershipUpdated)
		}
		return send(groups)
	})
	if err != nil {
		return nil, err
	}
	lookups, err := toLookUp(told)
	if err != nil {
		return nil, err
	}
	err = each(ctx, s, lookups, s.groupByID, func(id string, g oktaGroup, err error) error {
		switch {
		case gone(err):
			return page(dirsync.Changes{GoneGroups: []string{id}})
		case hidden(err):
			return nil
		case err != nil:
			return err
		case s.wants(&g) && !g.LastMembershipUpdated.After(since):
			moved = append(moved, id) // the log speaks of its members, its own timestamp doesn't yet
		}
		return send([]oktaGroup{g})
	})
	return moved, err
}

func (s *Source) groupByID(ctx context.Context, id string) (oktaGroup, error) {
	return single(ctx, s, "read group "+id, "/api/v1/groups/"+url.PathEscape(id), decodeGroups)
}
