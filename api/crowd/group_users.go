package crowd

import (
	"encoding/xml"

	"github.com/labstack/echo/v4"

	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/models"
)

// members answers GET /group/user/direct and nested: the users of a group; with a username,
// whether that one is among them.
func (h *handler) members(depth application.Depth) echo.HandlerFunc {
	return h.related(relation{
		of: "groupname", asks: []string{"username"},
		list: func(c echo.Context, group string, page models.Page) error {
			if detailOfMany(c, "user") == minimal {
				names, err := view(c).MemberNames(reqctx(c), group, depth, page)
				return h.writeNames(c, userNames, names, err)
			}
			users, err := view(c).Members(reqctx(c), group, depth, page)
			if err != nil {
				return err
			}
			return h.writeUsers(c, users)
		},
		has: func(c echo.Context, group, user string) error {
			return view(c).CheckMember(reqctx(c), user, group, depth)
		},
		name: namedUser,
	})
}

// addMember answers POST /group/user/direct: the user of the body joins the group of the query.
func (h *handler) addMember(c echo.Context) error {
	group, err := api.Required(c, "groupname")
	if err != nil {
		return err
	}
	user, err := readUserName(c)
	if err != nil {
		return err
	}
	if err := view(c).AddMember(reqctx(c), user, group); err != nil {
		return inBody(err, models.UserNotFound, user)
	}
	return h.created(c, link{
		path: "/group/user/direct",
		key:  "groupname", value: canonicalGroup(c, group), key2: "username", value2: canonicalUser(c, user),
	})
}

// removeMember answers DELETE /group/user/direct.
var removeMember = onTwo("username", "groupname", (*application.View).RemoveMember)

// readUserName reads a body of which only the user's name counts.
func readUserName(c echo.Context) (string, error) {
	var body struct {
		XMLName xml.Name `json:"-" xml:"user"`
		Name    string   `json:"name" xml:"name,attr"`
	}
	if err := api.ReadBody(c, &body, api.Strict); err != nil {
		return "", err
	}
	return body.Name, checkName("user", body.Name)
}

// readGroupName reads a body of which only the group's name counts: the node client
// atlassian-crowd sends a whole group.
func readGroupName(c echo.Context) (string, error) {
	var body struct {
		XMLName xml.Name `json:"-" xml:"group"`
		Name    string   `json:"name" xml:"name,attr"`
	}
	if err := api.ReadBody(c, &body, api.Strict); err != nil {
		return "", err
	}
	return body.Name, checkName("group", body.Name)
}

func checkName(kind, name string) error {
	if name == "" {
		return models.Fail(models.IllegalArgument, "name", "The body does not name a "+kind)
	}
	return api.CheckText("name of the "+kind, name, name)
}
