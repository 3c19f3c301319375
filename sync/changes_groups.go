package sync

import (
	"context"
	"fmt"
	"slices"

	"github.com/rollcall-id/rollcall/models"
)

// study finds out what of the changes concerns us: which groups are published, which users'
// groups must be asked for, and what only a full read can tell.
func (r *run) study(ctx context.Context, c *changes) error {
	var err error
	if c.departed, err = r.service.store.Departures(ctx, r.dir.ID); err != nil {
		return err
	}
	if err := r.studyGroups(ctx, c); err != nil {
		return err
	}
	for key, e := range c.edges {
		group, member := key[0], key[1]
		published, opened := c.isPublished(group), c.opened(group)
		switch {
		case !published && !opened:
		case e.kind == MemberGroup:
			flat := r.settings.flatten || r.settings.membersOnly || opened || c.opens[group]
			switch {
			case group == member, c.goneGroups[member] && !flat:
			case flat, !c.isPublished(member):
				return &FullRead{"groups in groups changed whose members count as members"}
			}
		case e.kind == MemberEverybody:
			return &FullRead{"everybody was put into a group, or taken out of one"}
		case e.kind == MemberUser && (opened || c.opens[group] || r.settings.membersOnly || r.settings.flatten):
			c.regroup[member] = true
		}
	}
	if err := r.studyWhole(ctx, c); err != nil {
		return err
	}
	return r.studyUsers(ctx, c)
}

// opened tells whether a group's members count as another's, or are in scope through it.
func (c *changes) opened(group string) bool { return len(c.outer[group]) > 0 }

// isPublished tells whether a group is chosen, or here.
func (c *changes) isPublished(group string) bool {
	g, ok := c.w.groupOf[group]
	return (ok && c.w.groups[g].chosen || slices.Contains(c.kept.Unborn, group)) && !c.goneGroups[group]
}

// meet takes in those of these groups that are here, and of which the source told nothing.
func (c *changes) meet(live map[string]*models.Group) {
	for id, row := range live {
		if _, known := c.w.groupOf[id]; !known && c.departed["group"][row.ID] == 0 {
			c.w.groupOf[id] = int32(len(c.w.groups))
			c.w.groups = append(c.w.groups, &group{Group: Group{ID: id, Name: row.Name, Description: row.Description}, chosen: true, quiet: true})
		}
	}
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
	c.meet(live)
	for id := range c.goneGroups {
		if c.opened(id) || r.settings.membersOnly && slices.Contains(c.kept.Unborn, id) {
			return &FullRead{"a group was removed whose members count as another's, or come because of it"}
		}
	}
	var fresh []string
	for _, g := range c.w.groups {
		g.gone = c.goneGroups[g.ID]
		row := live[g.ID]
		here := row != nil && c.departed["group"][row.ID] == 0
		switch {
		case here && (g.gone || !g.chosen):
			if err := r.studyLeaving(ctx, c, g, row); err != nil {
				return err
			}
		case g.gone || !g.chosen:
			if r.settings.membersOnly && slices.Contains(c.kept.Unborn, g.ID) {
				return &FullRead{"a group is no longer chosen whose members came because of it"}
			}
		case here:
			if r.settings.follow && !g.quiet {
				if name, problem := r.settings.nameGroup(&g.Group); problem == "" && models.Key(name) != row.NameKey {
					return &FullRead{"a group that follows its name at the source has another one"}
				}
			}
		case row != nil: // which groups it is in, no source tells
			return &FullRead{"a group came back"}
		case c.opened(g.ID):
			return &FullRead{"a group is published now whose members count as another's"}
		default:
			_, problem := r.settings.nameGroup(&g.Group)
			if problem == "" && slices.Contains(c.kept.Unborn, g.ID) {
				return &FullRead{"a group is published now that may be in others"}
			}
			if problem == "" || r.settings.membersOnly {
				fresh = append(fresh, g.ID)
			}
		}
	}
	return r.readFresh(ctx, c, fresh)
}

// studyLeaving looks at a group that is here and is no longer to be.
func (r *run) studyLeaving(ctx context.Context, c *changes, g *group, row *models.Group) error {
	switch {
	case c.opened(g.ID), r.settings.membersOnly:
		return &FullRead{"a group leaves whose members count as another's, or come because of it"}
	case r.settings.follow:
		return &FullRead{"a group leaves, and its name may be another's now"}
	case r.settings.namesGroups():
		return &FullRead{"a group leaves, and the setting groups may name it"} // see guard
	case g.gone:
		return nil
	}
	parents, err := r.service.store.HasParents(ctx, row.ID)
	if err != nil {
		return err
	}
	if parents || r.settings.flatten {
		return &FullRead{"a group that is in others is no longer published"}
	}
	return nil
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
	}
	return nil
}

// studyWhole looks at the groups whose members were read anew.
func (r *run) studyWhole(ctx context.Context, c *changes) error {
	if err := r.meetChildren(ctx, c); err != nil {
		return err
	}
	for id, whole := range c.members {
		switch {
		case c.opened(id), c.opens[id]:
			return &FullRead{"a group was read anew whose members count as another's, or another's as its own"}
		case !c.isPublished(id):
			continue
		}
		for _, m := range whole.members {
			if m.Kind == MemberEverybody || m.Kind == MemberGroup && m.ID != id && (r.settings.flatten || r.settings.membersOnly || !c.isPublished(m.ID)) {
				return &FullRead{"a group that was read anew has groups in it whose members count as its own"}
			}
		}
	}
	return nil
}

// meetChildren finds our rows of the groups that are in them.
func (r *run) meetChildren(ctx context.Context, c *changes) error {
	var children []string
	for _, whole := range c.members {
		for _, m := range whole.members {
			if m.Kind == MemberGroup {
				children = append(children, m.ID)
			}
		}
	}
	live, err := r.service.store.GroupsWithExternalIDs(ctx, r.dir.ID, unique(children))
	if err != nil {
		return err
	}
	c.meet(live)
	return nil
}
