package application

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// Operation says what an event did.
type Operation string

// The operations, as Crowd writes them.
const (
	Created Operation = "CREATED"
	Updated Operation = "UPDATED"
	Deleted Operation = "DELETED"
)

// An Event is one change as an application sees it. Of User and Group one is set; with Parents
// it is a membership: the user or group joins, or leaves, the groups of these names. Updated, they
// are all groups that the user is directly in.
type Event struct {
	Operation Operation
	User      *User
	Group     *models.Group
	Parents   []string
	Stored    []models.Attribute // attributes that were set
	Removed   []string           // attributes that were deleted
}

// replay turns changes into what the application sees of them, in their order. Each says by
// itself what it was: only where several directories may know one name, present rows decide
// which of them counts.
func (v *View) replay(ctx context.Context, r *store.Reads, changes []models.Change) ([]Event, error) {
	p := player{view: v, ctx: ctx, r: r, names: map[name]*history{}}
	if len(v.app.mappings) > 1 {
		if err := p.study(changes); err != nil {
			return nil, err
		}
	}
	var events []Event
	for i := range changes {
		found, err := p.events(&changes[i])
		if err != nil {
			return nil, fmt.Errorf("replay change %d: %w", changes[i].Seq, err)
		}
		events = append(events, found...)
	}
	return events, nil
}

// A player replays one page of changes.
type player struct {
	view  *View
	ctx   context.Context
	r     *store.Reads
	names map[name]*history
}

// A name is a user's or a group's key.
type name struct {
	group bool
	key   string
}

// history says which directories have a name, and whether the page makes it.
type history struct {
	dirs    []models.ID // that have the name now, in the view's order
	created map[models.ID]bool
}

// study looks, where there are several directories, for names whose owner changed within the
// page: a name that moved between directories can't be told as events, so the token expires.
func (p *player) study(changes []models.Change) error {
	for i := range changes {
		c := &changes[i]
		if p.view.mapping(c.DirectoryID) == nil {
			continue
		}
		switch c.Kind {
		case models.UserCreated, models.UserUpdated, models.UserDeleted, models.UserAttributes:
			if err := p.studyName(name{false, models.Key(c.Name)}, c); err != nil {
				return err
			}
		case models.GroupCreated, models.GroupUpdated, models.GroupDeleted, models.GroupAttributes:
			if err := p.studyName(name{true, models.Key(c.Name)}, c); err != nil {
				return err
			}
		}
	}
	for n, h := range p.names {
		if len(h.dirs) < 2 && len(h.created) < 2 {
			continue
		}
		for _, dir := range h.dirs {
			if len(h.created) > 0 && !h.created[dir] {
				return expired("the name " + n.key + " came to more than one directory")
			}
		}
	}
	return nil
}

func (p *player) studyName(n name, c *models.Change) error {
	h := p.names[n]
	if h == nil {
		h = &history{created: map[models.ID]bool{}}
		var err error
		if h.dirs, err = p.having(n); err != nil {
			return err
		}
		p.names[n] = h
	}
	switch c.Kind {
	case models.UserCreated, models.GroupCreated:
		h.created[c.DirectoryID] = true
	case models.UserDeleted, models.GroupDeleted:
		others := 0
		for _, dir := range h.dirs {
			if dir != c.DirectoryID {
				others++
			}
		}
		if others > 0 || len(h.created) > 1 {
			return expired("the name " + n.key + " left one of its directories")
		}
	}
	return nil
}

func (p *player) having(n name) (dirs []models.ID, err error) {
	if n.group {
		rows, err := p.r.GroupsNamed(p.ctx, p.view.app.visible, n.key)
		for _, g := range rows {
			dirs = append(dirs, g.DirectoryID)
		}
		return dirs, err
	}
	rows, err := p.r.UsersNamed(p.ctx, p.view.app.visible, n.key)
	for _, u := range rows {
		dirs = append(dirs, u.DirectoryID)
	}
	return dirs, err
}

// events gives what the application sees of one change.
func (p *player) events(c *models.Change) ([]Event, error) {
	if c.Kind == models.MembershipsReplaced && p.view.mapping(c.DirectoryID) != nil {
		return p.replaced(c)
	}
	e, err := p.event(c)
	if e == nil {
		return nil, err
	}
	return []Event{*e}, nil
}

// replaced tells of a user that left groups and joined others at once: where its directory alone
// decides, by all groups that it is in now, so that at no moment it is in none. Where others have
// a say, one by one.
func (p *player) replaced(c *models.Change) ([]Event, error) {
	var told models.ChangedMemberships
	if err := json.Unmarshal(c.Data, &told); err != nil {
		return nil, err
	}
	one := models.Change{DirectoryID: c.DirectoryID, MemberID: c.RowID, Member: c.Name}
	if len(p.view.app.mappings) < 2 {
		e, err := p.membership(Updated, &one, false)
		if err != nil || e == nil {
			return nil, err
		}
		e.Parents = make([]string, len(told.Groups))
		for i, name := range told.Groups {
			e.Parents[i] = p.view.name(name)
		}
		return []Event{*e}, nil
	}
	var events []Event
	for _, part := range []struct {
		op     Operation
		groups []models.GroupRef
	}{{Created, told.Added}, {Deleted, told.Removed}} {
		for _, g := range part.groups {
			one.RowID, one.Name = g.ID, g.Name
			e, err := p.membership(part.op, &one, false)
			if err != nil {
				return nil, err
			}
			if e != nil {
				events = append(events, *e)
			}
		}
	}
	return events, nil
}

// event gives what the application sees of one change; nil for nothing.
func (p *player) event(c *models.Change) (*Event, error) {
	m := p.view.mapping(c.DirectoryID)
	if m == nil {
		return nil, nil
	}
	switch c.Kind {
	case models.UserCreated:
		return p.user(Created, c)
	case models.UserUpdated, models.UserAttributes:
		return p.user(Updated, c)
	case models.UserDeleted:
		return p.user(Deleted, c)
	case models.GroupCreated:
		return p.group(Created, c)
	case models.GroupUpdated, models.GroupAttributes:
		return p.group(Updated, c)
	case models.GroupDeleted:
		return p.group(Deleted, c)
	case models.MemberAdded:
		return p.membership(Created, c, false)
	case models.MemberRemoved:
		return p.membership(Deleted, c, false)
	case models.NestingAdded:
		return p.membership(Created, c, true)
	case models.NestingRemoved:
		return p.membership(Deleted, c, true)
	}
	return nil, nil
}

// counts tells whether a change to a name in a directory is the one that the application sees:
// the directory is the first that has it.
func (p *player) counts(n name, c *models.Change) bool {
	h := p.names[n]
	if h == nil {
		return true
	}
	if len(h.dirs) > 0 && h.dirs[0] != c.DirectoryID {
		return false
	}
	return true
}

func (p *player) user(op Operation, c *models.Change) (*Event, error) {
	if !p.counts(name{false, models.Key(c.Name)}, c) {
		return nil, nil
	}
	var data models.ChangedUser
	if err := json.Unmarshal(c.Data, &data); err != nil {
		return nil, err
	}
	v := p.view
	u := &User{Unaliased: v.name(c.Name), DirectoryName: v.mapping(c.DirectoryID).directory.Name, User: models.User{
		ID: c.RowID, DirectoryID: c.DirectoryID, Name: v.name(c.Name), NameKey: models.Key(c.Name),
		FirstName: data.FirstName, LastName: data.LastName, DisplayName: data.DisplayName, Email: data.Email,
		Active: data.Active, ExternalID: data.ExternalID, CreatedAt: data.CreatedAt, UpdatedAt: data.UpdatedAt,
	}}
	if v.app.HasAliases {
		aliases, err := p.r.AliasesOf(p.ctx, v.app.ID, []models.ID{c.RowID})
		if err != nil {
			return nil, err
		}
		if alias, ok := aliases[c.RowID]; ok {
			u.Name = v.name(alias)
		}
	}
	e := &Event{Operation: op, User: u}
	e.attributes(data.Attributes)
	return e, nil
}

func (p *player) group(op Operation, c *models.Change) (*Event, error) {
	if !p.counts(name{true, models.Key(c.Name)}, c) {
		return nil, nil
	}
	var data models.ChangedGroup
	if err := json.Unmarshal(c.Data, &data); err != nil {
		return nil, err
	}
	e := &Event{Operation: op, Group: &models.Group{
		ID: c.RowID, DirectoryID: c.DirectoryID, Name: p.view.name(c.Name), NameKey: models.Key(c.Name),
		Description: data.Description, Active: data.Active, ExternalID: data.ExternalID,
		CreatedAt: data.CreatedAt, UpdatedAt: data.UpdatedAt,
	}}
	e.attributes(data.Attributes)
	return e, nil
}

func (e *Event) attributes(touched *models.ChangedAttributes) {
	if touched != nil {
		e.Stored, e.Removed = touched.Set, touched.Deleted
	}
}

// membership tells of a member, user or group, that joined or left a group.
func (p *player) membership(op Operation, c *models.Change, nested bool) (*Event, error) {
	v := p.view
	seen, err := p.memberSeen(op, c, nested)
	if err != nil || !seen {
		return nil, err
	}
	e := &Event{Operation: op, Parents: []string{v.name(c.Name)}}
	if nested {
		e.Group = &models.Group{Name: v.name(c.Member), NameKey: models.Key(c.Member)}
		return e, nil
	}
	e.User = &User{User: models.User{ID: c.MemberID, Name: v.name(c.Member), NameKey: models.Key(c.Member)}, Unaliased: v.name(c.Member)}
	if v.app.HasAliases {
		aliases, err := p.r.AliasesOf(p.ctx, v.app.ID, []models.ID{c.MemberID})
		if err != nil {
			return nil, err
		}
		if alias, ok := aliases[c.MemberID]; ok {
			e.User.Name = v.name(alias)
		}
	}
	return e, nil
}

// memberSeen tells whether the application sees a change of a membership: with one directory
// always; without aggregation in the member's own directory; with it unless another directory
// has the same membership.
func (p *player) memberSeen(op Operation, c *models.Change, nested bool) (bool, error) {
	v := p.view
	if len(v.app.mappings) < 2 {
		return true, nil
	}
	dirs, err := p.having(name{nested, models.Key(c.Member)})
	if err != nil {
		return false, err
	}
	if !v.app.Aggregate {
		return len(dirs) == 0 || dirs[0] == c.DirectoryID, nil
	}
	parents, err := p.r.GroupsNamed(p.ctx, v.app.visible, c.Name)
	if err != nil {
		return false, err
	}
	for _, parent := range parents {
		if parent.DirectoryID == c.DirectoryID {
			continue
		}
		has, err := p.has(parent, c.Member, nested)
		if err != nil || has {
			return false, err
		}
	}
	return true, nil
}

func (p *player) has(parent *models.Group, member string, nested bool) (bool, error) {
	if nested {
		child, err := p.r.GroupByName(p.ctx, parent.DirectoryID, member)
		if err != nil {
			return false, ignore(err, models.GroupNotFound)
		}
		return p.r.HasChild(p.ctx, parent.ID, child.ID)
	}
	u, err := p.r.UserByName(p.ctx, parent.DirectoryID, member)
	if err != nil {
		return false, ignore(err, models.UserNotFound)
	}
	return p.r.HasMember(p.ctx, parent.ID, u.ID)
}

// ignore turns an expected absence into no error.
func ignore(err error, code models.Code) error {
	if models.Is(err, code) {
		return nil
	}
	return err
}
