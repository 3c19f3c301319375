package roster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// An applier makes the next Snapshot out of one and the changes of a transaction or several.
//
// Changes may come in another order than they happened: those of this process's transactions
// come from many goroutines, those of other processes later, and on PostgreSQL numbers are
// given before the commit. But whoever changes a row waits for the last one who did, so of one
// row, one link, or one name, the higher number is always the later change. Only when all that
// lie below have come is the picture exact.
type applier struct {
	sql   *store.Store
	next  *Snapshot
	own   map[models.ID]bool // directories whose view is a copy already
	asked int                // how many rows were read
}

// mostAsked is from how many rows to be read on a fresh build is the shorter way.
const mostAsked = 500

var errTooMany = errors.New("too many changes came late")

// apply gives the Snapshot with the changes in it. What it can't know from the changes alone
// it reads; where that fails, the roster must be built anew.
func apply(sql *store.Store, s *Snapshot, changes []models.Change) (*Snapshot, error) {
	a := applier{sql: sql, own: map[models.ID]bool{},
		next: &Snapshot{dirs: maps.Clone(s.dirs), gone: s.gone, loaded: s.loaded, seq: s.seq}}
	for i := range changes {
		if err := a.change(&changes[i]); err != nil {
			return nil, fmt.Errorf("apply change %d: %w", changes[i].Seq, err)
		}
		a.next.seq = max(a.next.seq, changes[i].Seq)
	}
	return a.next, nil
}

func (a *applier) change(c *models.Change) error {
	if a.next.gone[c.DirectoryID] {
		return nil
	}
	switch c.Kind {
	case models.DirectoryChanged:
		a.view(c.DirectoryID)
	case models.DirectoryDeleted:
		a.deleteDirectory(c.DirectoryID)
	case models.DirectoryReplaced:
		if d := a.view(c.DirectoryID); a.late(d, c) != known {
			d.replaced = true
		}
	case models.UserCreated, models.UserUpdated, models.UserRenamed, models.UserAttributes, models.CredentialSet, models.UserDeleted:
		if c.RowID == 0 {
			return nil // CredentialSet of a whole directory
		}
		return a.user(c)
	case models.GroupCreated, models.GroupUpdated, models.GroupAttributes, models.GroupDeleted:
		return a.group(c)
	case models.MemberAdded, models.MemberRemoved:
		return a.link(c, c.Kind == models.MemberAdded, func(o *overlay) links { return o.members }, a.sql.HasMember)
	case models.MembershipsReplaced:
		return a.links(c)
	case models.NestingAdded, models.NestingRemoved:
		return a.link(c, c.Kind == models.NestingAdded, func(o *overlay) links { return o.nested }, a.sql.HasChild)
	}
	return nil
}

// view gives a directory's view to be changed.
func (a *applier) view(id models.ID) *dirView {
	d := a.next.dirs[id]
	switch {
	case d == nil:
		d = newView(id, emptyBase(a.next.loaded))
	case a.own[id]:
		return d
	default:
		d = &dirView{id: id, base: d.base, over: d.over.copied(), replaced: d.replaced}
	}
	a.own[id] = true
	a.next.dirs[id] = d
	return d
}

// deleteDirectory forgets a directory for good: a change of it may still come, but its id is
// never given again.
func (a *applier) deleteDirectory(id models.ID) {
	delete(a.next.dirs, id)
	a.next.gone = maps.Clone(a.next.gone)
	if a.next.gone == nil {
		a.next.gone = map[models.ID]bool{}
	}
	a.next.gone[id] = true
}

// lateness says what to do with a change that the base may have.
type lateness int

const (
	inTime lateness = iota // the base can't have it
	known                  // the base has it
	unsure                 // it may have it, or a later one of the same row, or neither: only the database can tell
)

// late tells how a change stands to its directory's base. When a base is loaded, SQLite has
// every change up to the last; PostgreSQL, where transactions commit out of order, may lack
// some. And a base that was folded has what had come until then.
func (a *applier) late(d *dirView, c *models.Change) lateness {
	switch {
	case c.Seq > d.base.folded:
		return inTime
	case c.Seq <= d.base.loaded && a.sql.Database() == "sqlite":
		return known
	}
	return unsure
}

// ask reads a row; it bounds how many, and for how long other changes wait.
func (a *applier) ask(read func(ctx context.Context) error) error {
	if a.asked++; a.asked > mostAsked {
		return errTooMany
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	return read(ctx)
}

func (a *applier) user(c *models.Change) error {
	return a.row(c, (*dirView).userSide, models.UserDeleted, models.UserNotFound,
		func(ctx context.Context) (record, error) {
			u, err := a.sql.UserByID(ctx, c.RowID)
			if err != nil {
				return record{}, err
			}
			return userRecord(u), nil
		},
		func() (record, error) {
			var data models.ChangedUser
			err := json.Unmarshal(c.Data, &data)
			return userRecord(&models.User{
				ID: c.RowID, Name: c.Name, NameKey: models.Key(c.Name), FirstName: data.FirstName, LastName: data.LastName,
				DisplayName: data.DisplayName, Email: data.Email, ExternalID: data.ExternalID, Active: data.Active,
				CreatedAt: data.CreatedAt, UpdatedAt: data.UpdatedAt,
			}), err
		})
}

func (a *applier) group(c *models.Change) error {
	return a.row(c, (*dirView).groupSide, models.GroupDeleted, models.GroupNotFound,
		func(ctx context.Context) (record, error) {
			g, err := a.sql.GroupByID(ctx, c.RowID)
			if err != nil {
				return record{}, err
			}
			return groupRecord(g), nil
		},
		func() (record, error) {
			var data models.ChangedGroup
			err := json.Unmarshal(c.Data, &data)
			return groupRecord(&models.Group{
				ID: c.RowID, Name: c.Name, NameKey: models.Key(c.Name), Description: data.Description, ExternalID: data.ExternalID,
				Active: data.Active, CreatedAt: data.CreatedAt, UpdatedAt: data.UpdatedAt,
			}), err
		})
}

// row takes over what a change says of a user or group: read from the database where only that
// can tell, else told by the change itself.
func (a *applier) row(c *models.Change, side func(*dirView) side, deleted models.ChangeKind, missing models.Code,
	read func(ctx context.Context) (record, error), told func() (record, error)) error {
	d := a.view(c.DirectoryID)
	n := news{seq: c.Seq, deleted: c.Kind == deleted, record: record{id: c.RowID}}
	switch a.late(d, c) {
	case known:
		return nil
	case unsure:
		n.asked = true
		err := a.ask(func(ctx context.Context) error {
			r, err := read(ctx)
			if err == nil {
				n.record = r
			}
			return err
		})
		if n.deleted = models.Is(err, missing); err != nil && !n.deleted {
			return err
		}
	default:
		r, err := told()
		if err != nil {
			return err
		}
		n.record, n.parts = r, parts(c, r.updated)
	}
	d.over.changes++
	side(d).put(&n)
	return nil
}

func (a *applier) link(c *models.Change, there bool, of func(*overlay) links, has func(ctx context.Context, top, bottom models.ID) (bool, error)) error {
	d := a.view(c.DirectoryID)
	l := of(d.over)
	s := linkState{link: link{c.RowID, c.MemberID}, there: there, seq: c.Seq}
	before, _ := l.get(c.RowID, c.MemberID)
	switch a.late(d, c) {
	case known:
		return nil
	case unsure: // what is read now is later than all that came
		err := a.ask(func(ctx context.Context) (err error) {
			s.there, err = has(ctx, c.RowID, c.MemberID)
			return err
		})
		if err != nil {
			return err
		}
		s.seq = max(s.seq, before.seq)
	default:
		if before.seq > s.seq {
			return nil
		}
	}
	d.over.changes++
	l.set(s)
	return nil
}

// links takes in the groups that a user left and joined at once.
func (a *applier) links(c *models.Change) error {
	var told models.ChangedMemberships
	if err := json.Unmarshal(c.Data, &told); err != nil {
		return err
	}
	one := models.Change{Seq: c.Seq, Tx: c.Tx, DirectoryID: c.DirectoryID, MemberID: c.RowID}
	for there, groups := range map[bool][]models.GroupRef{true: told.Added, false: told.Removed} {
		for _, g := range groups {
			one.RowID = g.ID
			if err := a.link(&one, there, func(o *overlay) links { return o.members }, a.sql.HasMember); err != nil {
				return err
			}
		}
	}
	return nil
}

func userRecord(u *models.User) record {
	return record{id: u.ID, active: u.Active, created: u.CreatedAt, updated: u.UpdatedAt,
		texts: [userTexts]string{u.Name, u.NameKey, u.FirstName, u.LastName, u.DisplayName, u.Email, u.ExternalID}}
}

func groupRecord(g *models.Group) record {
	return record{id: g.ID, active: g.Active, created: g.CreatedAt, updated: g.UpdatedAt,
		texts: [userTexts]string{g.Name, g.NameKey, g.Description, g.ExternalID}}
}
