package sync

import (
	"context"
	"maps"
	"slices"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// compareChanges reads what changed and compares it with the rows that it concerns.
func (r *run) compareChanges(ctx context.Context, staging *store.Staging) (*diff, int64, error) {
	r.startPhase("changes")
	c, err := r.readChanges(ctx, staging)
	if err == nil {
		err = r.study(ctx, c)
	}
	r.endPhase()
	if err != nil {
		return nil, 0, err
	}
	r.startPhase("compare")
	defer r.endPhase()
	var d *diff
	var seq int64
	err = r.service.store.Snapshot(ctx, func(reads *store.Reads) error {
		if seq, err = reads.LastChange(ctx); err != nil {
			return err
		}
		p := &comparison{run: r, c: c, ctx: ctx, reads: reads}
		d, err = p.compare()
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	r.want = c.w
	c.carry()
	r.notePartial()
	return d, seq, nil
}

// carry gives the next delta what this one knows from the one before.
func (c *changes) carry() {
	w := c.w
	w.edges, w.inner, w.unborn = c.kept.Edges, c.kept.Inner, unique(append(w.unbornGroups(), c.stillUnborn()...))
	for _, id := range c.kept.Losers {
		if w.users.find(id) == none && !c.goneUsers[id] {
			w.losers = append(w.losers, id)
		}
	}
}

// stillUnborn lists the groups that had no name here and of which nothing was told.
func (c *changes) stillUnborn() []string {
	return slices.DeleteFunc(slices.Clone(c.kept.Unborn), func(id string) bool {
		_, told := c.w.groupOf[id]
		return told || c.goneGroups[id]
	})
}

// A comparison compares changes with the rows that they concern.
type comparison struct {
	run   *run
	c     *changes
	ctx   context.Context
	reads *store.Reads

	comparer
	users map[string]*models.User // ours, by the source's id
}

func (p *comparison) compare() (*diff, error) {
	p.w, p.dir, p.now = p.c.w, p.run.dir, p.run.service.store.Now()
	p.attributes, p.held, p.live, p.goes, p.renamed, p.taken = map[models.ID]uint64{}, map[uint64]holder{}, map[models.ID]int32{}, map[models.ID]bool{}, map[num]uint64{}, map[string]bool{}
	var err error
	if p.departures, err = p.reads.Departures(p.ctx, p.dir.ID); err != nil {
		return nil, err
	}
	for _, step := range []func() error{p.findGroups, p.readUsers, p.scope, p.findUsers, p.owners} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	if err := p.names(p.ctx); err != nil {
		return nil, err
	}
	p.purge()
	p.newUsers()
	if err := p.pairs(); err != nil {
		return nil, err
	}
	p.d.users = make(map[models.ID]*models.User, len(p.users))
	for _, u := range p.users {
		p.d.users[u.ID] = u
	}
	return &p.d, p.sizes()
}

// findGroups compares the groups that changed.
func (p *comparison) findGroups() error {
	ids := make([]string, 0, len(p.w.groups)+len(p.c.goneGroups))
	var keys []string
	for _, g := range p.w.groups {
		ids = append(ids, g.ID)
		if name, problem := p.w.settings.nameGroup(&g.Group); problem == "" && !g.quiet {
			keys = append(keys, models.Key(name), models.Key(withID(&group{Group: g.Group, name: name})))
		}
	}
	for id := range p.c.goneGroups {
		ids = append(ids, id)
	}
	live, err := p.reads.GroupsWithExternalIDs(p.ctx, p.dir.ID, unique(ids))
	if err != nil {
		return err
	}
	mine := map[models.ID]bool{}
	for _, row := range live {
		mine[row.ID] = true
	}
	owners, err := p.reads.GroupsWithKeys(p.ctx, p.dir.ID, unique(keys))
	if err != nil {
		return err
	}
	for _, owner := range owners {
		if mine[owner.ID] {
			continue
		}
		if p.departures["group"][owner.ID] != 0 {
			p.held[p.groupHash(owner.NameKey)] = holder{owner.ID, true}
		} else {
			p.taken[owner.NameKey] = true
		}
	}
	for _, id := range unique(ids) {
		if row := live[id]; row != nil {
			if g, ok := p.w.groupOf[id]; ok && p.w.groups[g].quiet && !p.w.groups[g].gone {
				p.w.groups[g].row, p.w.groups[g].live, p.live[row.ID] = row.ID, row, g
				p.w.groups[g].Description = row.Description
				continue
			}
			p.group(row)
		}
	}
	p.nameGroups()
	return nil
}

// readUsers reads our rows of the users that changed, or went.
func (p *comparison) readUsers() (err error) {
	ids := slices.AppendSeq(p.w.idsOf(), maps.Keys(p.c.goneUsers))
	p.users, err = p.reads.UsersWithExternalIDs(p.ctx, p.dir.ID, unique(ids))
	return err
}

// scope marks the users that are in a chosen group.
func (p *comparison) scope() error {
	if !p.w.settings.membersOnly {
		return nil
	}
	for _, id := range p.w.idsOf() {
		e := p.w.users.at(p.w.users.find(id))
		if groups, asked := p.c.groupsOf[id]; asked {
			e.state &^= stateInScope
			if p.chosen(groups) {
				e.state |= stateInScope
			}
		} else if row := p.users[id]; row != nil && p.departures["user"][row.ID] == 0 {
			e.state |= stateInScope // its groups are as they were
		}
	}
	return nil
}

// chosen tells whether one of these groups is chosen, or in one that is.
func (p *comparison) chosen(direct []string) bool {
	return slices.ContainsFunc(direct, func(id string) bool { return slices.ContainsFunc(upward(id, p.c.outer), p.c.isPublished) })
}

// wanted gives the published groups that follow from a user's direct ones.
func (p *comparison) wanted(direct []string) []int32 {
	seen := map[int32]bool{}
	var out []int32
	for _, id := range direct {
		for _, up := range upward(id, p.c.parents) {
			if g, ok := p.w.groupOf[up]; ok && p.w.groups[g].published() && !seen[g] {
				seen[g] = true
				out = append(out, g)
			}
		}
	}
	return out
}

// findUsers compares the users that changed.
func (p *comparison) findUsers() error {
	rows := make([]models.ID, 0, len(p.users))
	for _, u := range p.users {
		rows = append(rows, u.ID)
	}
	own, err := p.reads.SyncedAttributesOf(p.ctx, rows)
	if err != nil {
		return err
	}
	for user, list := range own {
		page := writer{}
		for _, a := range list {
			page.attribute(a)
		}
		p.attributes[user] = p.w.users.attributes(page.buf)
	}
	for _, id := range slices.Sorted(maps.Keys(p.users)) {
		u := p.users[id]
		row := userRow(u)
		switch n := p.w.users.find(id); {
		case p.c.goneUsers[id]:
			p.leaves(row)
		case p.c.strangers[n] && p.w.inScope(p.w.users.at(n)):
		default:
			if err := p.user(row); err != nil {
				return err
			}
		}
	}
	for id := range p.c.goneUsers { // some were told before they went
		if n := p.w.users.find(id); n != none {
			p.w.users.at(n).state |= stateSkipped | stateExcluded
		}
	}
	return nil
}

// userRow gives a user as Load does.
func userRow(u *models.User) *store.Row {
	return &store.Row{ID: u.ID, Active: u.Active, CreatedAt: u.CreatedAt, UpdatedAt: u.UpdatedAt, Texts: [][]byte{
		[]byte(u.Name), []byte(u.NameKey), []byte(u.FirstName), []byte(u.LastName), []byte(u.DisplayName), []byte(u.Email), []byte(u.ExternalID)}}
}

// owners finds who has the names that are wanted, of those whom the changes don't concern.
func (p *comparison) owners() error {
	var keys []string
	var wanting []num
	for n := range num(p.w.users.n) {
		e := p.w.users.at(n)
		if p.w.inScope(e) && (e.row == 0 || e.state&stateRenamed != 0) {
			wanting = append(wanting, n)
		}
	}
	err := p.w.eachRecord(p.ctx, wanting, func(_ num, rec *record) error {
		keys = append(keys, models.Key(string(rec.name)))
		return nil
	})
	if err != nil {
		return err
	}
	owners, err := p.reads.UsersWithKeys(p.ctx, p.dir.ID, unique(keys))
	if err != nil {
		return err
	}
	for _, owner := range owners {
		n := p.w.users.find(owner.ExternalID)
		if n != none && p.w.users.at(n).row == owner.ID && !(p.c.strangers[n] && p.w.inScope(p.w.users.at(n))) {
			continue // it is compared itself: it keeps the name, or gives it away
		}
		if p.c.goneUsers[owner.ExternalID] {
			continue // held already
		}
		p.held[p.w.users.nameHash(owner.NameKey)] = holder{owner.ID, p.departures["user"][owner.ID] != 0}
	}
	return nil
}

// purge removes what left long ago.
func (p *comparison) purge() {
	back := map[models.ID]bool{}
	for _, id := range slices.Concat(p.d.backUsers, p.d.removeUsers) {
		back[id] = true
	}
	for id, since := range p.departures["user"] {
		if !back[id] && p.now.Sub(since) >= p.w.settings.purgeAfter {
			p.d.removeUsers = append(p.d.removeUsers, id)
		}
	}
	slices.Sort(p.d.removeUsers)
	groups := map[models.ID]bool{}
	for _, id := range slices.Concat(p.d.backGroups, p.d.removeGroups) {
		groups[id] = true
	}
	for id, since := range p.departures["group"] {
		if !groups[id] && p.now.Sub(since) >= p.w.settings.purgeAfter {
			p.removeGroup(id)
		}
	}
	slices.Sort(p.d.removeGroups)
}

// sizes counts the directory as far as it matters to the guard: counting five million rows takes
// longer than a delta.
func (p *comparison) sizes() (err error) {
	var r models.Run
	p.d.count(&r)
	most, had := p.w.settings.Guard.matters(&r), &p.d.had
	for _, count := range []struct {
		up    func(ctx context.Context, dir models.ID, most int) (int, error)
		most  int
		count *int
	}{
		{p.reads.CountUsers, most.users, &had.users},
		{p.reads.CountGroups, most.groups, &had.groups},
		{p.reads.CountMemberships, most.memberships, &had.memberships},
	} {
		if count.most > 0 {
			if *count.count, err = count.up(p.ctx, p.dir.ID, count.most+1); err != nil {
				return err
			}
		}
	}
	return nil
}
