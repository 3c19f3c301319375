package sync

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// tellRows is up to how many rows the feed tells each change of a run. Beyond, it says that the
// directory was replaced: whoever follows reads it anew, which is cheaper for them.
const tellRows = 10_000

// batchRows is how many rows are made ready at once.
const batchRows = 5000

// An applier writes a diff in one transaction: removals first, so that names are free, then what
// changes, then what is new.
type applier struct {
	ctx context.Context
	tx  *store.Tx
	dir *models.Directory
	w   *want
	d   *diff

	tell    bool // the feed tells each change
	users   map[models.ID]*models.User
	groups  map[models.ID]*models.Group
	changes [6][]models.Change // in the order in which clients must learn of them
	replace map[models.ID]*models.ChangedMemberships
}

// The places of changes in the order of the feed: an event that names somebody whom the client
// doesn't know yet makes it read everything.
const (
	tellLeavings = iota
	tellUserRemovals
	tellGroupRemovals
	tellGroups
	tellUsers
	tellJoinings
)

// write applies the diff.
func (a *applier) write() error {
	a.tell = a.d.rows() <= tellRows
	a.users, a.groups = map[models.ID]*models.User{}, map[models.ID]*models.Group{}
	if a.tell {
		if err := a.look(); err != nil {
			return err
		}
	}
	for _, part := range []func() error{a.leavings, a.removals, a.groupRows, a.userRows, a.joinings, a.departures} {
		if err := part(); err != nil {
			return err
		}
	}
	if !a.tell {
		a.tx.DirectoryReplaced(a.dir)
		return nil
	}
	for _, list := range a.changes {
		a.tx.Append(list...)
	}
	return nil
}

// look reads the rows whose names the feed will tell.
func (a *applier) look() (err error) {
	users := slices.Concat(a.d.removeUsers, a.d.deactivate)
	groups := slices.Clone(a.d.removeGroups)
	for _, m := range a.d.removeMembers {
		users, groups = append(users, m.Bottom), append(groups, m.Top)
	}
	for _, m := range a.d.removeChildren {
		groups = append(groups, m.Top, m.Bottom)
	}
	for _, n := range a.d.changeUsers {
		users = append(users, a.w.users.at(n).row)
	}
	for _, m := range a.d.addMembers {
		if row := a.w.users.at(num(uint32(m))).row; row != 0 {
			users = append(users, row)
		}
	}
	if a.users, err = a.tx.UsersWithIDs(a.ctx, unique(users)); err != nil {
		return err
	}
	a.groups, err = a.tx.GroupsWithIDs(a.ctx, unique(groups))
	return err
}

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

func (a *applier) removals() error {
	if err := a.tx.RemoveUsers(a.dir.ID, a.d.removeUsers); err != nil {
		return err
	}
	if err := a.tx.RemoveGroups(a.dir.ID, a.d.removeGroups); err != nil {
		return err
	}
	for _, id := range a.d.removeUsers {
		if u := a.users[id]; u != nil {
			a.say(tellUserRemovals, models.Change{Kind: models.UserDeleted, RowID: id, Name: u.Name, Data: userData(u, nil)})
		}
	}
	for _, id := range a.d.removeGroups {
		if g := a.groups[id]; g != nil {
			a.say(tellGroupRemovals, models.Change{Kind: models.GroupDeleted, RowID: id, Name: g.Name, Data: groupData(g)})
		}
	}
	return nil
}

func (a *applier) groupRows() error {
	ids, err := a.tx.ReserveGroupIDs(len(a.d.createGroups))
	if err != nil {
		return err
	}
	rows := make([]*models.Group, len(a.d.createGroups))
	for i, at := range a.d.createGroups {
		g := a.w.groups[at]
		g.row = ids[i]
		rows[i] = &models.Group{ID: g.row, DirectoryID: a.dir.ID, Name: g.name, Description: fit(g.Description, models.MaxText),
			ExternalID: g.ID, Active: true}
	}
	if err := a.tx.InsertGroups(rows); err != nil {
		return err
	}
	for _, g := range rows {
		a.say(tellGroups, models.Change{Kind: models.GroupCreated, RowID: g.ID, Name: g.Name, Data: groupData(g)})
	}
	changed := make([]*models.Group, len(a.d.changeGroups))
	for i, at := range a.d.changeGroups {
		g := *a.w.groups[at].live
		g.Description, g.Active = fit(a.w.groups[at].Description, models.MaxText), true
		changed[i] = &g
	}
	if err := a.tx.UpdateGroups(changed); err != nil {
		return err
	}
	for _, g := range changed {
		a.say(tellGroups, models.Change{Kind: models.GroupUpdated, RowID: g.ID, Name: g.Name, Data: groupData(g)})
	}
	return nil
}

// userRows writes users: those that change give their names free first, since names may be
// swapped.
func (a *applier) userRows() error {
	var renamed []models.ID
	for _, n := range a.d.changeUsers {
		if e := a.w.users.at(n); e.state&stateRenamed != 0 {
			renamed = append(renamed, e.row)
		}
	}
	if err := a.tx.FreeUserNames(renamed); err != nil {
		return err
	}
	if err := a.deactivations(); err != nil {
		return err
	}
	ids, err := a.tx.ReserveUserIDs(len(a.d.createUsers))
	if err != nil {
		return err
	}
	for i, n := range a.d.createUsers {
		a.w.users.at(n).row = ids[i]
	}
	if err := a.rowsOf(a.d.changeUsers, a.changed); err != nil {
		return err
	}
	return a.rowsOf(a.d.createUsers, a.created)
}

// deactivations makes users inactive that the source no longer has.
func (a *applier) deactivations() error {
	return inBatches(a.d.deactivate, func(ids []models.ID) error {
		rows, err := a.tx.UsersWithIDs(a.ctx, ids)
		if err != nil {
			return err
		}
		list := make([]*models.User, 0, len(rows))
		for _, id := range ids {
			if u := rows[id]; u != nil {
				u.Active = false
				list = append(list, u)
			}
		}
		if err := a.tx.UpdateUsers(list); err != nil {
			return err
		}
		for _, u := range list {
			a.say(tellUsers, models.Change{Kind: models.UserUpdated, RowID: u.ID, Name: u.Name, Data: userData(u, nil)})
		}
		return nil
	})
}

// rowsOf makes rows of staged users, batch by batch.
func (a *applier) rowsOf(list []num, write func(users []*models.User, attributes []store.AttributesOf) error) error {
	var users []*models.User
	var attributes []store.AttributesOf
	flush := func() error {
		if len(users) == 0 {
			return nil
		}
		err := write(users, attributes)
		users, attributes = users[:0], attributes[:0]
		return err
	}
	err := a.w.eachRecord(a.ctx, list, func(n num, rec *record) error {
		u := rec.user(a.dir.ID)
		u.ID = a.w.users.at(n).row
		own, err := rec.readAttributes()
		if err != nil {
			return err
		}
		users = append(users, u)
		attributes = append(attributes, store.AttributesOf{User: u.ID, Attributes: own})
		if len(users) < batchRows {
			return nil
		}
		return flush()
	})
	if err != nil {
		return err
	}
	return flush()
}

func (a *applier) created(users []*models.User, attributes []store.AttributesOf) error {
	if err := a.tx.InsertUsers(users); err != nil {
		return err
	}
	some := slices.DeleteFunc(slices.Clone(attributes), func(of store.AttributesOf) bool { return len(of.Attributes) == 0 })
	if err := a.tx.ReplaceUserAttributes(some); err != nil {
		return err
	}
	for i, u := range users {
		a.users[u.ID] = nil
		if a.tell {
			a.users[u.ID] = u
			a.say(tellUsers, models.Change{Kind: models.UserCreated, RowID: u.ID, Name: u.Name, Data: userData(u, changedAttributes(nil, attributes[i].Attributes))})
		}
	}
	if !a.tell {
		clear(a.users)
	}
	return nil
}

func (a *applier) changed(users []*models.User, attributes []store.AttributesOf) error {
	var had map[models.ID][]models.Attribute
	if a.tell {
		ids := make([]models.ID, len(users))
		for i, u := range users {
			ids[i] = u.ID
		}
		var err error
		if had, err = a.tx.SyncedAttributesOf(a.ctx, ids); err != nil {
			return err
		}
	}
	if err := a.tx.UpdateUsers(users); err != nil {
		return err
	}
	if err := a.tx.ReplaceUserAttributes(attributes); err != nil {
		return err
	}
	if !a.tell {
		return nil
	}
	for i, u := range users {
		if was := a.users[u.ID]; was != nil {
			a.sayChanged(was, u, changedAttributes(had[u.ID], attributes[i].Attributes))
		}
		a.users[u.ID] = u
	}
	return nil
}

// sayChanged tells what became different of a user: each kind of change tells its own part only.
func (a *applier) sayChanged(was, u *models.User, attributes *models.ChangedAttributes) {
	u.CreatedAt = was.CreatedAt
	if was.Name != u.Name {
		a.say(tellUsers, models.Change{Kind: models.UserRenamed, RowID: u.ID, Name: u.Name, Member: was.Name, Data: userData(u, nil)})
	}
	if was.FirstName != u.FirstName || was.LastName != u.LastName || was.DisplayName != u.DisplayName || was.Email != u.Email || was.Active != u.Active {
		a.say(tellUsers, models.Change{Kind: models.UserUpdated, RowID: u.ID, Name: u.Name, Data: userData(u, nil)})
	}
	if attributes != nil {
		a.say(tellUsers, models.Change{Kind: models.UserAttributes, RowID: u.ID, Name: u.Name, Data: userData(u, attributes)})
	}
}

// changedAttributes tells which of a user's attributes became different; nil for none.
func changedAttributes(was, is []models.Attribute) *models.ChangedAttributes {
	var c models.ChangedAttributes
	find := func(list []models.Attribute, name string) []string {
		for _, a := range list {
			if a.Name == name {
				return a.Values
			}
		}
		return nil
	}
	for _, a := range is {
		if !slices.Equal(find(was, a.Name), a.Values) {
			c.Set = append(c.Set, a)
		}
	}
	for _, a := range was {
		if find(is, a.Name) == nil {
			c.Deleted = append(c.Deleted, a.Name)
		}
	}
	if len(c.Set)+len(c.Deleted) == 0 {
		return nil
	}
	return &c
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

// departures remembers who left the source, and who came back.
func (a *applier) departures() error {
	if err := a.tx.Departed(a.dir.ID, "user", slices.Concat(a.d.deactivate, a.d.leftUsers)); err != nil {
		return err
	}
	if err := a.tx.Returned(a.dir.ID, "user", a.d.backUsers); err != nil {
		return err
	}
	if err := a.tx.Departed(a.dir.ID, "group", a.d.emptied); err != nil {
		return err
	}
	return a.tx.Returned(a.dir.ID, "group", a.d.backGroups)
}

func (a *applier) say(place int, c models.Change) {
	if a.tell {
		c.DirectoryID = a.dir.ID
		a.changes[place] = append(a.changes[place], c)
	}
}

func userData(u *models.User, attributes *models.ChangedAttributes) []byte {
	changed := models.ChangedUser{FirstName: u.FirstName, LastName: u.LastName, DisplayName: u.DisplayName, Email: u.Email,
		Active: u.Active, ExternalID: u.ExternalID, CreatedAt: u.CreatedAt, UpdatedAt: u.UpdatedAt, Attributes: attributes}
	data, _ := json.Marshal(changed) // plain fields always marshal
	return data
}

func groupData(g *models.Group) []byte {
	data, _ := json.Marshal(models.ChangedGroup{Description: g.Description, Active: g.Active, ExternalID: g.ExternalID,
		CreatedAt: g.CreatedAt, UpdatedAt: g.UpdatedAt})
	return data
}

func inBatches[T any](list []T, do func([]T) error) error {
	for batch := range slices.Chunk(list, batchRows) {
		if err := do(batch); err != nil {
			return err
		}
	}
	return nil
}
