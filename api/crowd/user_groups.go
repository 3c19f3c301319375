package crowd

import (
	"github.com/labstack/echo/v4"

	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/models"
)

// groupsOf answers GET /user/group/direct and nested: the groups that a user is in; with a
// groupname, whether the user is in that one.
func (h *handler) groupsOf(depth application.Depth) echo.HandlerFunc {
	return h.related(relation{
		of: "username", asks: []string{"groupname"},
		list: func(c echo.Context, user string, page models.Page) error {
			if detailOfMany(c, "group") == minimal {
				names, err := view(c).GroupNamesOf(reqctx(c), user, depth, page)
				return h.writeNames(c, groupNames, names, err)
			}
			groups, err := view(c).GroupsOf(reqctx(c), user, depth, page)
			if err != nil {
				return err
			}
			return h.writeGroups(c, groups)
		},
		has: func(c echo.Context, user, group string) error {
			return view(c).CheckMember(reqctx(c), user, group, depth)
		},
		name: namedGroup,
	})
}

// joinGroup answers POST /user/group/direct: the user of the query joins the group of the body.
func (h *handler) joinGroup(c echo.Context) error {
	user, err := api.Required(c, "username")
	if err != nil {
		return err
	}
	group, err := readGroupName(c)
	if err != nil {
		return err
	}
	if err := view(c).AddMember(reqctx(c), user, group); err != nil {
		return inBody(err, models.GroupNotFound, group)
	}
	return h.created(c, link{
		path: "/user/group/direct",
		key:  "username", value: canonicalUser(c, user), key2: "groupname", value2: canonicalGroup(c, group),
	})
}

// leaveGroup answers DELETE /user/group/direct.
var leaveGroup = onTwo("username", "groupname", (*application.View).RemoveMember)

// canonicalUser gives a user's name as it is stored, for a Location; a failure to find it out
// is no failure of what was done.
func canonicalUser(c echo.Context, name string) string {
	u, err := view(c).User(reqctx(c), name)
	if err != nil {
		return name
	}
	return u.Name
}

func canonicalGroup(c echo.Context, name string) string {
	g, err := view(c).Group(reqctx(c), name)
	if err != nil {
		return name
	}
	return g.Name
}
