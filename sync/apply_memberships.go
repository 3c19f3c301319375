package sync

import (
	"encoding/json"
	"slices"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// leavings removes memberships. A user that leaves groups and joins others is told at once, with
// all groups: at no moment is it in none.
func (a *applier) leavings() error {
	if err := inBatches(a.d.removeMembers, func(pairs []store.Pair) error { return a.tx.RemoveMemberships(a.dir.ID, pairs) }); err != nil {
		return err
	}
	if err := inBatches(a.d.removeChildren, func(pairs []store.Pair) error { return a.tx.RemoveNestings(a.dir.ID, pairs) }); err != nil {
		return err
	}
	if !a.tell {
		return nil
	}
	a.replace = a.replaced()
	for _, m := range a.d.removeMembers {
		user, group := a.users[m.Bottom], a.groups[m.Top]
		if user == nil || group == nil {
			continue
		}
		if r := a.replace[m.Bottom]; r != nil {
			r.Removed = append(r.Removed, models.GroupRef{ID: group.ID, Name: group.Name})
			continue
		}
		a.say(tellLeavings, models.Change{Kind: models.MemberRemoved, RowID: group.ID, Name: group.Name, MemberID: user.ID, Member: user.Name})
	}
	for _, m := range a.d.removeChildren {
		if parent, child := a.groups[m.Top], a.groups[m.Bottom]; parent != nil && child != nil {
			a.say(tellLeavings, models.Change{Kind: models.NestingRemoved, RowID: parent.ID, Name: parent.Name, MemberID: child.ID, Member: child.Name})
		}
	}
	return nil
}

// replaced finds the users that leave groups and join others.
func (a *applier) replaced() map[models.ID]*models.ChangedMemberships {
	leave := map[models.ID]bool{}
	for _, m := range a.d.removeMembers {
		leave[m.Bottom] = true
	}
	out := map[models.ID]*models.ChangedMemberships{}
	for _, m := range a.d.addMembers {
		if row := a.w.users.at(num(uint32(m))).row; row != 0 && leave[row] {
			out[row] = &models.ChangedMemberships{}
		}
	}
	return out
}

// joinings adds memberships.
func (a *applier) joinings() error {
	err := inBatches(a.d.addMembers, func(list []uint64) error {
		pairs := make([]store.Pair, len(list))
		for i, m := range list {
			pairs[i] = store.Pair{Top: a.w.groups[m>>32].row, Bottom: a.w.users.at(num(uint32(m))).row}
		}
		return a.tx.InsertMemberships(a.dir.ID, pairs)
	})
	if err != nil {
		return err
	}
	err = inBatches(a.d.addChildren, func(list []uint64) error {
		pairs := make([]store.Pair, len(list))
		for i, m := range list {
			pairs[i] = store.Pair{Top: a.w.groups[m>>32].row, Bottom: a.w.groups[uint32(m)].row}
		}
		return a.tx.InsertNestings(a.dir.ID, pairs)
	})
	if err != nil || !a.tell {
		return err
	}
	for _, m := range a.d.addMembers {
		g := a.w.groups[m>>32]
		user := a.users[a.w.users.at(num(uint32(m))).row]
		if user == nil {
			continue
		}
		if r := a.replace[user.ID]; r != nil {
			r.Added = append(r.Added, models.GroupRef{ID: g.row, Name: g.name})
			continue
		}
		a.say(tellJoinings, models.Change{Kind: models.MemberAdded, RowID: g.row, Name: g.name, MemberID: user.ID, Member: user.Name})
	}
	for _, m := range a.d.addChildren {
		parent, child := a.w.groups[m>>32], a.w.groups[uint32(m)]
		a.say(tellJoinings, models.Change{Kind: models.NestingAdded, RowID: parent.row, Name: parent.name, MemberID: child.row, Member: child.name})
	}
	return a.replacements()
}

// replacements tells the users that left groups and joined others.
func (a *applier) replacements() error {
	var ids []models.ID
	for id := range a.replace {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	names, err := a.tx.DirectGroupNames(a.ctx, ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		r := a.replace[id]
		r.Groups = names[id]
		data, _ := json.Marshal(r) // plain fields always marshal
		a.say(tellJoinings, models.Change{Kind: models.MembershipsReplaced, RowID: id, Name: a.users[id].Name, Data: data})
	}
	return nil
}
