package sync

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/rollcall-id/rollcall/models"
)

// names decides who has a name that several want. Never does the order in which they came
// decide: a row that has the name keeps it, else the lowest id of the source gets it. Who loses
// stays as it was. A row that leaves anyway makes room at once.
func (c *comparer) names(ctx context.Context) error {
	c.replaced = map[models.ID]bool{}
	if err := c.rivals(ctx); err != nil {
		return err
	}
	for again := true; again; {
		again = false
		for n := range num(c.w.users.n) {
			e := c.w.users.at(n)
			if !c.w.inScope(e) || e.state&stateLoser != 0 || e.row != 0 && e.state&stateRenamed == 0 {
				continue
			}
			h, taken := c.held[e.name]
			switch {
			case !taken:
			case h.leaving:
				c.makeRoom(h.row)
				delete(c.held, e.name)
			default:
				if err := c.lose(ctx, n, "a user that is left as it is has the name"); err != nil {
					return err
				}
				again = true
			}
		}
	}
	is := func(row models.ID) bool { return c.replaced[row] }
	c.d.deactivate = slices.DeleteFunc(c.d.deactivate, is)
	c.d.leftUsers = slices.DeleteFunc(c.d.leftUsers, is)
	return nil
}

// makeRoom removes a user that would only have been deactivated: another id takes its name.
func (c *comparer) makeRoom(row models.ID) {
	c.replaced[row] = true
	c.d.removeUsers = append(c.d.removeUsers, row)
}

// lose leaves a user as it is, and what it has now stays taken.
func (c *comparer) lose(ctx context.Context, n num, why string) error {
	e := c.w.users.at(n)
	e.state |= stateLoser
	_, away := c.departures["user"][e.row]
	if away { // back, but not under this name: it stays away
		c.d.backUsers = slices.DeleteFunc(c.d.backUsers, func(id models.ID) bool { return id == e.row })
	}
	if old, ok := c.renamed[n]; ok {
		c.held[old] = holder{e.row, away}
	}
	rec, err := c.w.record(ctx, n)
	if err != nil {
		return err
	}
	c.w.skips.add("user", string(rec.id), string(rec.name), why)
	c.w.losers = append(c.w.losers, string(rec.id))
	return nil
}

// rivals finds users of the source that want one name.
func (c *comparer) rivals(ctx context.Context) error {
	type claim struct {
		name uint64
		n    num
	}
	claims := make([]claim, 0, c.w.users.n)
	for n := range num(c.w.users.n) {
		if e := c.w.users.at(n); c.w.inScope(e) {
			claims = append(claims, claim{e.name, n})
		}
	}
	slices.SortFunc(claims, func(a, b claim) int { return cmp.Compare(a.name, b.name) })
	for i := 0; i < len(claims); {
		end := i + 1
		for end < len(claims) && claims[end].name == claims[i].name {
			end++
		}
		if end-i > 1 {
			rivals := make([]num, 0, end-i)
			for _, cl := range claims[i:end] {
				rivals = append(rivals, cl.n)
			}
			if err := c.decide(ctx, rivals); err != nil {
				return err
			}
		}
		i = end
	}
	return nil
}

// decide lets one of several users have the name that they want.
func (c *comparer) decide(ctx context.Context, rivals []num) error {
	ids := make(map[num]string, len(rivals))
	for _, n := range rivals {
		rec, err := c.w.record(ctx, n)
		if err != nil {
			return err
		}
		ids[n] = string(rec.id)
	}
	slices.SortFunc(rivals, func(a, b num) int {
		ea, eb := c.w.users.at(a), c.w.users.at(b)
		hasA, hasB := ea.row != 0 && ea.state&stateRenamed == 0, eb.row != 0 && eb.state&stateRenamed == 0
		if hasA != hasB {
			return cond(hasA, -1, 1)
		}
		return strings.Compare(ids[a], ids[b])
	})
	for _, n := range rivals[1:] {
		if err := c.lose(ctx, n, "another user of the source has the name: "+ids[rivals[0]]); err != nil {
			return err
		}
	}
	return nil
}

// nameGroups gives every group its name. One that is here keeps its own; a new one that wants a
// name which is taken gets the beginning of its id behind it.
func (c *comparer) nameGroups() {
	var order []*group
	taken := map[string]bool{}
	maps.Copy(taken, c.taken)
	for _, g := range c.w.groups {
		if !g.chosen || g.gone {
			continue
		}
		if g.quiet {
			if g.live == nil { // it went since
				g.gone = true
				continue
			}
			g.name = g.live.Name
			taken[g.live.NameKey] = true
			continue
		}
		want, problem := c.w.settings.nameGroup(&g.Group)
		g.name = want
		switch {
		case g.live == nil && problem != "":
			g.skip = problem
			c.w.skips.add("group", g.ID, g.Name, problem)
			continue
		case g.live != nil && (problem != "" || !c.w.settings.follow):
			c.drift(g, want)
			g.name = g.live.Name
			taken[g.live.NameKey] = true
			continue
		}
		order = append(order, g)
	}
	slices.SortFunc(order, func(a, b *group) int {
		return cmp.Or(claim(a)-claim(b), strings.Compare(a.ID, b.ID))
	})
	for _, g := range order {
		c.nameGroup(g, taken)
	}
	c.changeGroups()
}

// claim ranks a group among those that want one name: who has it keeps it.
func claim(g *group) int {
	switch {
	case g.live != nil && g.live.NameKey == models.Key(g.name):
		return 0
	case g.live != nil && g.live.NameKey == models.Key(withID(g)):
		return 1
	}
	return 2
}

func withID(g *group) string { return g.name + " (" + g.ID[:min(8, len(g.ID))] + ")" }

func (c *comparer) nameGroup(g *group, taken map[string]bool) {
	for _, name := range []string{g.name, withID(g)} {
		key := models.Key(name)
		if taken[key] || models.NameProblem(name) != "" {
			continue
		}
		taken[key] = true
		g.name = name
		if h, held := c.held[c.groupHash(key)]; held {
			c.makeRoomForGroup(h.row)
		}
		if g.live != nil && g.live.NameKey != key { // it follows its name: the old one goes, a new one comes
			c.removeGroup(g.row)
			delete(c.live, g.row)
			g.row, g.live = 0, nil
		}
		return
	}
	g.skip = "other groups have the name, also with the id behind it"
	c.w.skips.add("group", g.ID, g.Name, g.skip)
}

func (c *comparer) makeRoomForGroup(row models.ID) {
	c.d.emptied = slices.DeleteFunc(c.d.emptied, func(id models.ID) bool { return id == row })
	c.removeGroup(row)
}

func (c *comparer) removeGroup(row models.ID) {
	if !c.goes[row] {
		c.goes[row] = true
		c.d.removeGroups = append(c.d.removeGroups, row)
	}
}

// drift lists a group that has another name at its source.
func (c *comparer) drift(g *group, want string) {
	if want != "" && g.live.Name != want && g.live.Name != withID(&group{Group: g.Group, name: want}) {
		c.w.drifts = append(c.w.drifts, models.Drift{ID: g.ID, Name: g.live.Name, Now: want})
	}
}

// changeGroups lists the groups that are created or changed.
func (c *comparer) changeGroups() {
	for i, g := range c.w.groups {
		switch {
		case !g.published():
		case g.live == nil:
			c.d.createGroups = append(c.d.createGroups, int32(i))
		case g.live.Description != fit(g.Description, models.MaxText) || !g.live.Active:
			c.d.changeGroups = append(c.d.changeGroups, int32(i))
		}
	}
}
