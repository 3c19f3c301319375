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
	if a.users, err = a.d.usersWith(a.ctx, &a.tx.Reads, users); err != nil {
		return err
	}
	a.groups, err = a.tx.GroupsWithIDs(a.ctx, unique(groups))
	return err
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
