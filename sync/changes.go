package sync

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// A delta run reads what changed since the last run and looks only at the rows that it
// concerns. What it can't be sure of it leaves to a full read (*FullRead), and says why.

// kept is what a run leaves behind for the next delta.
type kept struct {
	Cursor Cursor      `json:"cursor"`
	Edges  [][2]string `json:"edges,omitempty"`  // parent and child, by the source's ids: where the child's members count as the parent's
	Losers []string    `json:"losers,omitempty"` // users whose name another had
}

// mostKept is how much a run leaves behind at most; with more, each run reads everything.
const mostKept = 50_000

// keep gives what the next delta begins with; empty when it must be a full read.
func (r *run) keep() (models.Secret, error) {
	if r.cursor == "" || len(r.want.edges)+len(r.want.losers) > mostKept {
		return "", nil
	}
	data, err := json.Marshal(kept{r.cursor, r.want.edges, r.want.losers})
	return models.Secret(data), err
}

// mostChanged is from how many changed objects on a full read is the shorter way.
const mostChanged = 100_000

// changes is what a source told of its changes, the last word of each.
type changes struct {
	kept
	w          *want
	goneUsers  map[string]bool
	goneGroups map[string]bool
	edges      map[[2]string]edge     // by group and member
	members    map[string]*wholeGroup // groups that were read completely
	strangers  map[num]bool           // entries made of our rows: the source told nothing of them
	regroup    map[string]bool        // users whose groups must be asked for
	groupsOf   map[string][]string    // what was answered
	parents    map[string][]string    // of kept edges
}

type edge struct {
	kind  MemberKind
	added bool
}

type wholeGroup struct {
	members []Member
	last    bool
	problem string
	gone    bool
}

// readChanges reads what changed since the last run.
func (r *run) readChanges(ctx context.Context, staging *store.Staging) (*changes, error) {
	w := newWant(r.settings, staging)
	w.delta = true
	c := &changes{w: w, goneUsers: map[string]bool{}, goneGroups: map[string]bool{},
		edges: map[[2]string]edge{}, members: map[string]*wholeGroup{}, strangers: map[num]bool{}, regroup: map[string]bool{},
		groupsOf: map[string][]string{}, parents: map[string][]string{}}
	if err := json.Unmarshal([]byte(r.state.Cursor.Reveal()), &c.kept); err != nil {
		return nil, &FullRead{"the place to go on from can't be read"}
	}
	for _, e := range c.kept.Edges {
		c.parents[e[1]] = append(c.parents[e[1]], e[0])
	}
	next, err := r.source.Changes(ctx, c.kept.Cursor, func(page Changes) error { return r.takeChanges(ctx, c, &page) })
	if err != nil {
		return nil, err
	}
	r.cursor = next
	return c, nil
}

func (r *run) takeChanges(ctx context.Context, c *changes, page *Changes) error {
	if c.w.users.n+len(c.edges)+len(c.goneUsers) > mostChanged {
		return &FullRead{"too much has changed"}
	}
	for i := range page.Groups {
		delete(c.goneGroups, page.Groups[i].ID)
		c.w.takeGroup(page.Groups[i])
	}
	for _, id := range page.GoneGroups {
		c.goneGroups[id] = true
	}
	for _, u := range page.Users {
		delete(c.goneUsers, u.ID)
	}
	for _, id := range page.GoneUsers {
		c.goneUsers[id] = true
	}
	for _, e := range page.Added {
		c.edges[[2]string{e.Group, e.Member.ID}] = edge{e.Member.Kind, true}
	}
	for _, e := range page.Removed {
		c.edges[[2]string{e.Group, e.Member.ID}] = edge{e.Member.Kind, false}
	}
	for i := range page.Members {
		c.takeWhole(&page.Members[i])
	}
	r.progress("changes", len(page.Users)+len(page.GoneUsers)+len(page.Groups)+len(page.Added)+len(page.Removed))
	return r.stageUsers(ctx, c.w, page.Users)
}

func (c *changes) takeWhole(m *Members) {
	g := c.members[m.Group]
	if g == nil || g.last {
		g = &wholeGroup{}
		c.members[m.Group] = g
	}
	g.members = append(g.members, m.Members...)
	g.last, g.gone = m.Last, m.Gone
	if m.Unreadable != nil {
		g.problem = m.Unreadable.Error()
	}
}

// stageUsers stages users that came with the changes, or because of them.
func (r *run) stageUsers(ctx context.Context, w *want, users []User) error {
	if len(users) == 0 {
		return nil
	}
	page := newPage("")
	for i := range users {
		p := r.settings.judge(&users[i], nil)
		page.profile(&p)
	}
	return w.add(ctx, pageUsers, len(users), page)
}

// study finds out what of the changes concerns us: which groups are published, which users'
// groups must be asked for, and what only a full read can tell.
func (r *run) study(ctx context.Context, c *changes) error {
	if err := r.studyGroups(ctx, c); err != nil {
		return err
	}
	for key, e := range c.edges {
		group, member := key[0], key[1]
		g, known := c.w.groupOf[group]
		published := known && c.w.groups[g].chosen && !c.goneGroups[group]
		opened := c.opened(group)
		switch {
		case !published && !opened:
		case e.kind == MemberGroup:
			if r.settings.flatten || r.settings.membersOnly || opened || !c.isPublished(member) {
				return &FullRead{"groups in groups changed whose members count as members"}
			}
		case e.kind == MemberEverybody:
			return &FullRead{"everybody was put into a group, or taken out of one"}
		case e.kind == MemberUser && (opened || r.settings.membersOnly || r.settings.flatten):
			c.regroup[member] = true
		}
	}
	return r.studyUsers(ctx, c)
}

// opened tells whether a group's members count as another's.
func (c *changes) opened(group string) bool { return len(c.parents[group]) > 0 }

func (c *changes) isPublished(group string) bool {
	g, ok := c.w.groupOf[group]
	return ok && c.w.groups[g].chosen && !c.goneGroups[group]
}

// studyGroups finds our rows of the groups that the changes name, and reads the members of those
// that are new to us.
func (r *run) studyGroups(ctx context.Context, c *changes) error {
	ids := make([]string, 0, len(c.w.groups))
	for _, g := range c.w.groups {
		ids = append(ids, g.ID)
	}
	for id := range c.goneGroups {
		ids = append(ids, id)
	}
	for key, e := range c.edges {
		ids = append(ids, key[0])
		if e.kind == MemberGroup {
			ids = append(ids, key[1])
		}
	}
	for id := range c.members {
		ids = append(ids, id)
	}
	live, err := r.service.store.GroupsWithExternalIDs(ctx, r.dir.ID, unique(ids))
	if err != nil {
		return err
	}
	departed, err := r.service.store.Departures(ctx, r.dir.ID)
	if err != nil {
		return err
	}
	for id, row := range live {
		if _, known := c.w.groupOf[id]; !known && departed["group"][row.ID] == 0 {
			c.w.groupOf[id] = int32(len(c.w.groups))
			c.w.groups = append(c.w.groups, &group{Group: Group{ID: id, Name: row.Name, Description: row.Description}, chosen: true, quiet: true})
		}
	}
	var fresh []string
	for _, g := range c.w.groups {
		row := live[g.ID]
		away := row != nil && departed["group"][row.ID] != 0
		switch {
		case c.goneGroups[g.ID]:
			g.gone = true
			if c.opened(g.ID) {
				return &FullRead{"a group was removed whose members count as another's"}
			}
		case g.chosen && (row == nil || away):
			if c.opened(g.ID) {
				return &FullRead{"a group is published now whose members count as another's"}
			}
			fresh = append(fresh, g.ID)
		case !g.chosen && row != nil && !away:
			parents, err := r.service.store.HasParents(ctx, row.ID)
			if err != nil {
				return err
			}
			if parents || r.settings.membersOnly || r.settings.flatten {
				return &FullRead{"a group that is in others is no longer published"}
			}
		}
	}
	return r.readFresh(ctx, c, fresh)
}

// readFresh reads the members of groups that are published from now on.
func (r *run) readFresh(ctx context.Context, c *changes, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	err := r.source.Members(ctx, ids, func(m Members) error {
		c.takeWhole(&m)
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the members of new groups: %w", err)
	}
	for _, id := range ids {
		whole := c.members[id]
		if whole == nil || !whole.last && !whole.gone && whole.problem == "" {
			return fmt.Errorf("read the members of new groups: the source ended before the group %s was complete", id)
		}
		c.w.groups[c.w.groupOf[id]].gone = whole.gone
		for _, m := range whole.members {
			if m.Kind == MemberEverybody || m.Kind == MemberGroup && (r.settings.flatten || r.settings.membersOnly || !c.isPublished(m.ID)) {
				return &FullRead{"a new group has groups in it whose members count as its own"}
			}
		}
	}
	return nil
}

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
	if len(c.goneUsers) > 0 || c.w.users.n > 0 {
		named = append(named, c.kept.Losers...) // a name may have become free
	}
	live, err := r.service.store.UsersWithExternalIDs(ctx, r.dir.ID, unique(named))
	if err != nil {
		return err
	}
	var strangers []string
	for _, id := range unique(named) {
		if c.goneUsers[id] || c.w.users.find([]byte(id)) != none {
			continue
		}
		if live[id] == nil || contains(c.kept.Losers, id) {
			strangers = append(strangers, id)
		} else if err := r.stageRow(ctx, c, live[id]); err != nil {
			return err
		}
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

// stageRow makes an entry of one of our users of whom the source told nothing but a membership.
func (r *run) stageRow(ctx context.Context, c *changes, u *models.User) error {
	page := newPage("")
	page.profile(&profile{id: u.ExternalID, name: u.Name, first: u.FirstName, last: u.LastName, display: u.DisplayName, mail: u.Email, active: u.Active})
	if err := c.w.add(ctx, pageUsers, 1, page); err != nil {
		return err
	}
	n := c.w.users.find([]byte(u.ExternalID))
	c.w.users.at(n).row = u.ID
	c.strangers[n] = true
	return nil
}

func contains(list []string, id string) bool {
	for _, item := range list {
		if item == id {
			return true
		}
	}
	return false
}
