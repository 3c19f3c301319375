package application

import (
	"context"
	"strings"

	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/roster"
	"github.com/rollcall-id/rollcall/store"
)

// A View is one application's window: whoever holds it can do only what that application may.
// It belongs to one request.
type View struct {
	service *Service
	store   *store.Store
	app     *app
	at      models.Time // when the application called
	by      models.Actor
	reads   roster.Reads // one moment in memory, or SQL
	fresh   bool         // reads has all that was committed when somebody was missed
}

func newView(s *Service, a *app, caller Caller, now models.Time) (*View, error) {
	reads, err := s.roster.Reads()
	if err != nil {
		return nil, err
	}
	return &View{service: s, store: s.store, app: a, at: now, reads: reads, by: models.Actor{
		Kind: models.ActorApplication, Name: a.Name, Address: a.address(caller), Request: caller.Request, Writer: models.ByOperator,
	}}, nil
}

// refreshed reads, once in a request, what other processes wrote a moment ago, and tells
// whether that is news: whoever isn't found is looked for again then.
func (v *View) refreshed(ctx context.Context) (bool, error) {
	if v.fresh || v.reads == roster.Reads(&v.store.Reads) {
		return false, nil
	}
	v.fresh = true
	before := v.reads
	err := v.catchUp(ctx)
	return v.reads != before, err
}

// catchUp makes the view read all that is committed now, whichever process wrote it.
func (v *View) catchUp(ctx context.Context) error {
	if err := v.store.CatchUp(ctx); err != nil {
		return err
	}
	reads, err := v.service.roster.ReadsNow(v.app.visible.Dirs)
	if err == nil {
		v.reads = reads
	}
	return err
}

// sought looks for something, and once more where it isn't found and there is news.
func sought[T any](ctx context.Context, v *View, missing models.Code, look func() (T, error)) (T, error) {
	found, err := look()
	if !models.Is(err, missing) {
		return found, err
	}
	news, rerr := v.refreshed(ctx)
	if rerr != nil {
		var none T
		return none, rerr
	}
	if !news {
		return found, err
	}
	return look()
}

// Application gives the application whose view it is.
func (v *View) Application() *models.Application { return &v.app.Application }

// Actor gives on whose behalf the view acts.
func (v *View) Actor() models.Actor { return v.by }

// Note keeps how a call was answered, for `rollcall app show`. It never waits.
func (v *View) Note(method, route string, status int, reason string) {
	v.store.NoteCall(models.Call{ApplicationID: v.app.ID, At: v.at, Address: v.by.Address,
		Method: method, Path: route, Status: status, Reason: reason})
}

// mapping gives the mapping of one of the view's directories; nil when there is none.
func (v *View) mapping(id models.ID) *mapping {
	for i := range v.app.mappings {
		if v.app.mappings[i].DirectoryID == id {
			return &v.app.mappings[i]
		}
	}
	return nil
}

// name gives a name as the application wants it.
func (v *View) name(name string) string {
	if v.app.LowerCase {
		return strings.ToLower(name)
	}
	return name
}

// nested tells whether a walk goes on through nested groups.
func (v *View) nested(d Depth) bool { return d == Nested && v.app.Nested }

// Depth says how far memberships are followed.
type Depth int

// The depths.
const (
	Direct Depth = iota
	Nested       // through groups in groups, where the application counts those
)

// groups presents groups as the application sees them.
func (v *View) groups(groups []*models.Group) []*models.Group {
	for _, g := range groups {
		g.Name = v.name(g.Name)
	}
	return groups
}

// find looks a name up as the application knows it: an alias first, then a user's own name.
// It gives the canonical user. The alias of a user whom the application doesn't see, because
// its directory is inactive or an earlier one has the name, doesn't count.
func (v *View) find(ctx context.Context, name string) (*models.User, error) {
	return sought(ctx, v, models.UserNotFound, func() (*models.User, error) {
		return v.findIn(ctx, v.reads, &v.store.Reads, name)
	})
}

// findIn is find with given reads, such as a transaction's.
func (v *View) findIn(ctx context.Context, r roster.Reads, aliases *store.Reads, name string) (*models.User, error) {
	if v.app.HasAliases {
		alias, err := aliases.AliasByName(ctx, v.app.ID, name)
		if err == nil {
			u, err := v.byRow(ctx, r, alias.UserID, name)
			if !models.Is(err, models.UserNotFound) {
				return u, err
			}
		} else if !models.Is(err, models.AliasNotFound) {
			return nil, err
		}
	}
	u, err := r.VisibleUser(ctx, v.app.visible, name)
	if models.Is(err, models.UserNotFound) {
		return nil, userNotFound(name)
	}
	return u, err
}

// byRow gives the user of a row when the application sees it: in a mapped directory, and not
// shadowed by an earlier one. name is what to call it when it doesn't.
func (v *View) byRow(ctx context.Context, r roster.Reads, id models.ID, name string) (*models.User, error) {
	u, err := r.UserByID(ctx, id)
	if err != nil {
		if models.Is(err, models.UserNotFound) {
			return nil, userNotFound(name)
		}
		return nil, err
	}
	return v.unshadowed(ctx, r, u, name)
}

// unshadowed gives the user back if it is the canonical one of its name.
func (v *View) unshadowed(ctx context.Context, r roster.Reads, u *models.User, name string) (*models.User, error) {
	if v.mapping(u.DirectoryID) == nil {
		return nil, userNotFound(name)
	}
	first, err := r.VisibleUser(ctx, v.app.visible, u.Name)
	if err != nil || first.ID != u.ID {
		if err != nil && !models.Is(err, models.UserNotFound) {
			return nil, err
		}
		return nil, userNotFound(name)
	}
	return first, nil
}

// findGroup gives the canonical group of a name.
func (v *View) findGroup(ctx context.Context, name string) (*models.Group, error) {
	rows, err := v.groupsNamed(ctx, name)
	if err != nil {
		return nil, err
	}
	return rows[0], nil
}

// groupsNamed gives the groups of a name in the order of the directories, at least one.
func (v *View) groupsNamed(ctx context.Context, name string) ([]*models.Group, error) {
	return sought(ctx, v, models.GroupNotFound, func() ([]*models.Group, error) { return v.groupsIn(ctx, v.reads, name) })
}

// groupsIn is groupsNamed with given reads, such as a transaction's.
func (v *View) groupsIn(ctx context.Context, r roster.Reads, name string) ([]*models.Group, error) {
	rows, err := r.GroupsNamed(ctx, v.app.visible, name)
	if err == nil && len(rows) == 0 {
		return nil, groupNotFound(name)
	}
	return rows, err
}

func userNotFound(name string) error {
	return models.Fail(models.UserNotFound, name, "User <"+name+"> does not exist")
}

func groupNotFound(name string) error {
	return models.Fail(models.GroupNotFound, name, "Group <"+name+"> does not exist")
}

// edit makes a change in one transaction; what the view reads after it has the change.
func (v *View) edit(ctx context.Context, do func(e *directory.Edit) error) error {
	if err := v.service.directories.Edit(ctx, v.by, do); err != nil {
		return err
	}
	reads, err := v.service.roster.Reads()
	if err != nil {
		return err
	}
	v.reads = reads
	return nil
}

func notMember(member, group string) error {
	return models.Fail(models.NotMember, member, "<"+member+"> is not a member of group <"+group+">")
}
