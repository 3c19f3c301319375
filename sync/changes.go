package sync

import (
	"context"
	"encoding/json"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// A delta run reads what changed since the last run and looks only at the rows that it
// concerns. What it can't be sure of it leaves to a full read (*FullRead), and says why.

// kept is what a run leaves behind for the next delta.
type kept struct {
	Cursor Cursor      `json:"cursor"`
	Edges  [][2]string `json:"edges,omitempty"`  // parent and child, by the source's ids: where the child's members count as the parent's
	Inner  [][2]string `json:"inner,omitempty"`  // where they don't, but are in scope through the parent
	Unborn []string    `json:"unborn,omitempty"` // groups that are chosen and have no name here
	Losers []string    `json:"losers,omitempty"` // users whose name another had
	Late   []string    `json:"late,omitempty"`   // users of whom some groups were read before they came
}

// mostKept is how much a run leaves behind at most; with more, each run reads everything.
const mostKept = 50_000

// keep gives what the next delta begins with; empty when it must be a full read.
func (r *run) keep() (models.Secret, error) {
	w := r.want
	if r.cursor == "" || len(w.edges)+len(w.inner)+len(w.losers)+len(w.unborn)+len(w.late) > mostKept {
		return "", nil
	}
	data, err := json.Marshal(kept{r.cursor, w.edges, w.inner, w.unborn, w.losers, w.late})
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
	parents    map[string][]string    // of groups whose members count as the parent's
	outer      map[string][]string    // of these, and of those whose members are in scope through the parent
	opens      map[string]bool        // groups that have such groups in them
	departed   map[string]map[models.ID]models.Time
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
		groupsOf: map[string][]string{}, parents: map[string][]string{}, outer: map[string][]string{}, opens: map[string]bool{}}
	if err := json.Unmarshal([]byte(r.state.Cursor.Reveal()), &c.kept); err != nil {
		return nil, &FullRead{"the place to go on from can't be read"}
	}
	for _, e := range c.kept.Edges {
		c.opens[e[0]] = true
		c.parents[e[1]] = append(c.parents[e[1]], e[0])
		c.outer[e[1]] = append(c.outer[e[1]], e[0])
	}
	for _, e := range c.kept.Inner {
		c.outer[e[1]] = append(c.outer[e[1]], e[0])
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
	return w.add(ctx, pageChanged, len(users), page)
}
