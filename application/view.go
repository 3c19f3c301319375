package application

import (
	"context"
	"strings"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// A View is one application's window: whoever holds it can do only what that application may.
// It belongs to one request.
type View struct {
	service *Service
	store   *store.Store
	app     *app
	by      models.Actor
}

func newView(s *Service, a *app, caller Caller) *View {
	return &View{service: s, store: s.store, app: a, by: models.Actor{
		Kind: models.ActorApplication, Name: a.Name, Address: address(caller), Request: caller.Request, Writer: models.ByOperator,
	}}
}

// Application gives the application whose view it is.
func (v *View) Application() *models.Application { return &v.app.Application }

// Actor gives on whose behalf the view acts.
func (v *View) Actor() models.Actor { return v.by }

// Note keeps how a call was answered, for `rollcall app show`. It never waits.
func (v *View) Note(method, route string, status int, reason string) {
	v.store.NoteCall(models.Call{ApplicationID: v.app.ID, At: v.store.Now(), Address: v.by.Address,
		Method: method, Path: route, Status: status, Reason: reason})
}

// directory gives the mapping of one of the view's directories; nil when there is none.
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

// depth tells whether a walk goes on through nested groups.
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
func (v *View) find(ctx context.Context, r *store.Reads, name string) (*models.User, error) {
	if v.app.HasAliases {
		alias, err := r.AliasByName(ctx, v.app.ID, name)
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
func (v *View) byRow(ctx context.Context, r *store.Reads, id models.ID, name string) (*models.User, error) {
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
func (v *View) unshadowed(ctx context.Context, r *store.Reads, u *models.User, name string) (*models.User, error) {
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

func (v *View) findGroup(ctx context.Context, r *store.Reads, name string) (*models.Group, error) {
	g, err := r.VisibleGroup(ctx, v.app.visible, name)
	if models.Is(err, models.GroupNotFound) {
		return nil, groupNotFound(name)
	}
	return g, err
}

func userNotFound(name string) error {
	return models.Fail(models.UserNotFound, name, "User <"+name+"> does not exist")
}

func groupNotFound(name string) error {
	return models.Fail(models.GroupNotFound, name, "Group <"+name+"> does not exist")
}
