package sync

import (
	"context"
	"fmt"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// A comparer walks a directory's rows once, at one moment, and tells how they differ from what
// is wanted. Its memory holds numbers, and what is in the way of a name.
type comparer struct {
	w          *want
	dir        *models.Directory
	now        models.Time
	departures map[string]map[models.ID]models.Time
	attributes map[models.ID]uint64 // hashes of the attributes that a sync brought
	held       map[uint64]holder    // names that rows keep which the source no longer has, or which are in doubt
	live       map[models.ID]int32  // groups by row
	goes       map[models.ID]bool   // groups whose rows are removed
	taken      map[string]bool      // keys of groups' names that others have, of a delta
	replaced   map[models.ID]bool   // users that leave and are removed at once: others take their names
	renamed    map[num]uint64       // the names that rows have now, where they are to have another
	d          diff
}

// A holder has a name that others may want.
type holder struct {
	row     models.ID
	leaving bool // it may be removed for the name's sake
}

// compareAll compares everything: the source was read completely.
func compareAll(ctx context.Context, st *store.Store, w *want, dir *models.Directory) (*diff, int64, error) {
	departures, err := st.Departures(ctx, dir.ID)
	if err != nil {
		return nil, 0, err
	}
	c := &comparer{w: w, dir: dir, now: st.Now(), departures: departures, attributes: map[models.ID]uint64{},
		held: map[uint64]holder{}, live: map[models.ID]int32{}, goes: map[models.ID]bool{}, renamed: map[num]uint64{}}
	var seq int64
	err = st.Load(ctx, func(l *store.Load) error {
		if seq, err = l.LastChange(); err != nil {
			return err
		}
		if err := c.readAttributes(l); err != nil {
			return err
		}
		users := func(each func(*store.Row) error) error { return l.UsersByID(dir.ID, copied(each)) }
		if err := besideRows(ctx, users, c.user); err != nil {
			return err
		}
		if err := c.groups(l); err != nil {
			return err
		}
		if err := c.names(ctx); err != nil {
			return err
		}
		c.newUsers()
		w.unborn = w.unbornGroups()
		return c.memberships(ctx, l)
	})
	if err != nil {
		return nil, 0, fmt.Errorf("compare with directory %s: %w", dir.Name, err)
	}
	return &c.d, seq, nil
}

// readAttributes hashes the attributes that a sync brought, user by user, as a page has them.
func (c *comparer) readAttributes(l *store.Load) error {
	var user models.ID
	var page writer
	var name string
	var values []string
	attribute := func() {
		if len(values) > 0 {
			page.attribute(models.Attribute{Name: name, Values: values})
		}
		values = values[:0]
	}
	end := func() {
		attribute()
		if len(page.buf) > 0 {
			c.attributes[user] = c.w.users.attributes(page.buf)
		}
		page.buf = page.buf[:0]
	}
	err := l.SyncedUserAttributes(c.dir.ID, func(u models.ID, n, v []byte) error {
		if u != user {
			end()
			user, name = u, string(n)
		}
		if string(n) != name {
			attribute()
			name = string(n)
		}
		values = append(values, string(v))
		return nil
	})
	end()
	return err
}

// The texts of a user's row, in the order in which Load gives them.
const (
	textName = iota
	textKey
	textFirst
	textLast
	textDisplay
	textMail
	textExternal
)

// user compares one of our users.
func (c *comparer) user(row *store.Row) error {
	c.d.had.users++
	n := c.w.users.findBytes(row.Texts[textExternal])
	if n == none {
		if row.Active && len(c.d.vanished) < vanishedAsked {
			c.d.vanished = append(c.d.vanished, string(row.Texts[textExternal]))
		}
		c.leaves(row)
		return nil
	}
	e := c.w.users.at(n)
	e.row = row.ID
	_, away := c.departures["user"][row.ID]
	if c.w.blurred && !away {
		e.state |= stateStays
	}
	switch {
	case c.w.inDoubt(e) && !away:
		c.held[c.w.users.nameHash(string(row.Texts[textKey]))] = holder{row.ID, false} // in doubt: as it was
		return nil
	case !c.w.inScope(e):
		c.leaves(row)
		return nil
	}
	if away {
		c.d.backUsers = append(c.d.backUsers, row.ID)
	}
	t := row.Texts
	if c.w.users.content(t[textName], t[textFirst], t[textLast], t[textDisplay], t[textMail], row.Active, c.attributes[row.ID]) == e.content {
		return nil
	}
	e.state |= stateChanged
	if row.Active && e.state&stateActive == 0 {
		e.state |= stateGoesOff
	}
	if h := c.w.users.nameHash(string(t[textKey])); h != e.name {
		e.state |= stateRenamed
		c.renamed[n] = h
	}
	return nil
}

// vanishedAsked is how many users that a list no longer has are asked for singly.
const vanishedAsked = 20

// leaves notes a user that is not in the source, or not in what the settings choose.
func (c *comparer) leaves(row *store.Row) {
	since, away := c.departures["user"][row.ID]
	switch {
	case c.w.settings.purgeAfter == 0, away && c.now.Sub(since) >= c.w.settings.purgeAfter:
		c.d.removeUsers = append(c.d.removeUsers, row.ID)
		return
	case row.Active:
		c.d.deactivate = append(c.d.deactivate, row.ID)
	case !away:
		c.d.leftUsers = append(c.d.leftUsers, row.ID)
	}
	c.held[c.w.users.nameHash(string(row.Texts[textKey]))] = holder{row.ID, true}
}

// groups compares our groups, and finds the new ones their names.
func (c *comparer) groups(l *store.Load) error {
	err := l.Groups(c.dir.ID, func(row *store.Row) error {
		c.d.had.groups++
		t := row.Texts
		g := &models.Group{ID: row.ID, DirectoryID: c.dir.ID, Name: string(t[0]), NameKey: string(t[1]), Description: string(t[2]),
			ExternalID: string(t[3]), Active: row.Active, CreatedAt: row.CreatedAt, UpdatedAt: row.UpdatedAt}
		c.group(g)
		return nil
	})
	if err != nil {
		return err
	}
	c.nameGroups()
	return nil
}

// group compares one of our groups.
func (c *comparer) group(row *models.Group) {
	i, ok := c.w.groupOf[row.ExternalID]
	if !ok || c.w.groups[i].gone || !c.w.groups[i].chosen {
		c.leavesGroup(row)
		return
	}
	g := c.w.groups[i]
	g.row, g.live = row.ID, row
	g.share(row)
	c.live[row.ID] = i
	if _, away := c.departures["group"][row.ID]; away {
		c.d.backGroups = append(c.d.backGroups, row.ID)
	}
}

// share lets our row and the source's group have one text where they say the same: of a hundred
// thousand groups there is no need for two.
func (g *group) share(row *models.Group) {
	for _, text := range []struct{ ours, theirs *string }{
		{&row.ExternalID, &g.ID}, {&row.Name, &g.Name}, {&row.NameKey, &row.Name}, {&row.Description, &g.Description},
	} {
		if *text.ours == *text.theirs {
			*text.ours = *text.theirs
		}
	}
}

func (c *comparer) leavesGroup(row *models.Group) {
	since, away := c.departures["group"][row.ID]
	switch {
	case c.w.settings.purgeAfter == 0, away && c.now.Sub(since) >= c.w.settings.purgeAfter:
		c.removeGroup(row.ID)
		return
	case !away:
		c.d.emptied = append(c.d.emptied, row.ID)
	}
	c.held[c.groupHash(row.NameKey)] = holder{row.ID, true}
}

// groupHash keeps groups' names apart from users' of the same word.
func (c *comparer) groupHash(key string) uint64 { return c.w.users.nameHash("group\x00" + key) }

// newUsers lists who is created and who is changed.
func (c *comparer) newUsers() {
	for n := range num(c.w.users.n) {
		e := c.w.users.at(n)
		if !c.w.inScope(e) || e.state&stateLoser != 0 {
			continue
		}
		switch {
		case e.row == 0:
			c.d.createUsers = append(c.d.createUsers, n)
		case e.state&stateChanged != 0:
			c.d.changeUsers = append(c.d.changeUsers, n)
			if e.state&stateGoesOff != 0 {
				c.d.goesOff = append(c.d.goesOff, e.row)
			}
		}
	}
}
