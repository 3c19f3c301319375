package sync

import (
	"slices"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

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
