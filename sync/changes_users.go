package sync

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/rollcall-id/rollcall/models"
)

// studyUsers finds the users whose groups must be asked for, those of whom the changes name only
// the id, and asks.
func (r *run) studyUsers(ctx context.Context, c *changes) error {
	var named []string
	for key, e := range c.edges {
		if e.kind == MemberUser {
			named = append(named, key[1])
		}
	}
	for _, whole := range c.members {
		for _, m := range whole.members {
			if m.Kind == MemberUser {
				named = append(named, m.ID)
				if r.settings.membersOnly || r.settings.flatten {
					c.regroup[m.ID] = true
				}
			}
		}
	}
	for _, id := range c.kept.Late { // came back, maybe: no source tells the groups of those
		named = append(named, id)
		c.regroup[id] = true
	}
	out, err := r.leftWhole(ctx, c)
	if err != nil {
		return err
	}
	named = append(named, out...)
	if len(c.goneUsers) > 0 || c.w.users.n > 0 || r.settings.membersOnly && len(named) > 0 {
		named = append(named, c.kept.Losers...) // a name may have become free
	}
	live, err := r.service.store.UsersWithExternalIDs(ctx, r.dir.ID, unique(named))
	if err != nil {
		return err
	}
	var strangers []string
	var told []*models.User
	for _, id := range unique(named) {
		if c.goneUsers[id] || c.w.users.find(id) != none {
			continue
		}
		if row := live[id]; row == nil || c.departed["user"][row.ID] != 0 || slices.Contains(c.kept.Losers, id) {
			strangers = append(strangers, id)
		} else {
			told = append(told, row)
		}
	}
	if err := r.stageRows(ctx, c, told); err != nil {
		return err
	}
	if len(strangers) > mostChanged/10 {
		return &FullRead{"too many users are named of whom nothing is known"}
	}
	var found []User
	if len(strangers) > 0 {
		if err := r.source.UsersByID(ctx, strangers, func(u User) error { found = append(found, u); return nil }); err != nil {
			return fmt.Errorf("read users that joined groups: %w", err)
		}
	}
	if err := r.stageUsers(ctx, c.w, found); err != nil {
		return err
	}
	return r.askGroups(ctx, c)
}

// leftWhole lists the users that are here in groups whose members were read anew: where only
// members of groups come, they may have to go.
func (r *run) leftWhole(ctx context.Context, c *changes) (ids []string, err error) {
	if !r.settings.membersOnly || len(c.members) == 0 {
		return nil, nil
	}
	live, err := r.service.store.GroupsWithExternalIDs(ctx, r.dir.ID, slices.Collect(maps.Keys(c.members)))
	if err != nil {
		return nil, err
	}
	var members []models.ID
	for _, row := range live {
		users, _, err := r.service.store.SyncedMembersOf(ctx, row.ID)
		if err != nil {
			return nil, err
		}
		members = append(members, users...)
	}
	rows, err := r.service.store.UsersWithIDs(ctx, unique(members))
	for _, u := range rows {
		c.regroup[u.ExternalID] = true
		ids = append(ids, u.ExternalID)
	}
	return ids, err
}

// stageRows makes entries of those of our users of whom the source told nothing but memberships.
func (r *run) stageRows(ctx context.Context, c *changes, rows []*models.User) error {
	if len(rows) == 0 {
		return nil
	}
	page := newPage("")
	for _, u := range rows {
		page.profile(&profile{id: u.ExternalID, name: u.Name, first: u.FirstName, last: u.LastName, display: u.DisplayName, mail: u.Email, active: u.Active})
	}
	if err := c.w.add(ctx, pageChanged, len(rows), page); err != nil {
		return err
	}
	for _, u := range rows {
		n := c.w.users.find(u.ExternalID)
		c.w.users.at(n).row = u.ID
		c.strangers[n] = true
	}
	return nil
}

// askGroups asks for the groups of users that come anew or come back, and of those for whom a
// single membership doesn't say enough.
func (r *run) askGroups(ctx context.Context, c *changes) error {
	ids := slices.DeleteFunc(c.w.idsOf(), func(id string) bool { return c.strangers[c.w.users.find(id)] })
	live, err := r.service.store.UsersWithExternalIDs(ctx, r.dir.ID, ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if row := live[id]; row == nil || c.departed["user"][row.ID] != 0 {
			c.regroup[id] = true
		}
	}
	var ask []string
	for id := range c.regroup {
		if !c.goneUsers[id] && c.w.users.find(id) != none {
			ask = append(ask, id)
		}
	}
	if len(ask) > mostChanged/10 {
		return &FullRead{"the groups of too many users would have to be asked for"}
	}
	if len(ask) == 0 {
		return nil
	}
	slices.Sort(ask)
	err = r.source.GroupsOf(ctx, ask, func(user string, groups []string) error {
		c.groupsOf[user] = append(c.groupsOf[user], groups...)
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the groups of users: %w", err)
	}
	for _, id := range ask {
		if _, told := c.groupsOf[id]; !told {
			c.groupsOf[id] = nil
		}
	}
	return r.knowGroups(ctx, c)
}

// knowGroups finds our rows of the groups that users are in.
func (r *run) knowGroups(ctx context.Context, c *changes) error {
	var ids []string
	for _, groups := range c.groupsOf {
		for _, g := range groups {
			ids = append(ids, upward(g, c.outer)...)
		}
	}
	live, err := r.service.store.GroupsWithExternalIDs(ctx, r.dir.ID, unique(ids))
	if err != nil {
		return err
	}
	c.meet(live)
	return nil
}

// upward gives a group and all those above it.
func upward(group string, parents map[string][]string) []string {
	out := []string{group}
	seen := map[string]bool{group: true}
	for at := 0; at < len(out); at++ {
		for _, parent := range parents[out[at]] {
			if !seen[parent] {
				seen[parent] = true
				out = append(out, parent)
			}
		}
	}
	return out
}
