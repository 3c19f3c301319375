package crowd

import (
	"encoding/xml"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/models"
)

// groupBody is a group as a request has it.
type groupBody struct {
	XMLName     xml.Name `json:"-" xml:"group"`
	Name        string   `json:"name" xml:"name,attr"`
	Description *string  `json:"description" xml:"description"`
	Type        string   `json:"type" xml:"type"`
	Active      api.Bool `json:"active" xml:"active"`
}

// readGroup reads a group. Its type may be left out; of Crowd's two only GROUP is left.
func readGroup(c echo.Context) (groupBody, error) {
	var body groupBody
	if err := api.ReadBody(c, &body, api.Strict); err != nil {
		return groupBody{}, err
	}
	if kind := strings.TrimSpace(body.Type); kind != "" && !strings.EqualFold(kind, groupType) {
		return groupBody{}, models.Fail(models.IllegalArgument, body.Name, `The type of a group must be "GROUP"`)
	}
	return body, nil
}

// group answers GET /group.
func (h *handler) group(c echo.Context) error {
	name, err := api.Required(c, "groupname")
	if err != nil {
		return err
	}
	g, err := view(c).Group(reqctx(c), name)
	if err != nil {
		return err
	}
	return h.writeGroup(c, g)
}

// createGroup answers POST /group. A group whose body doesn't say is active, as for users.
func (h *handler) createGroup(c echo.Context) error {
	body, err := readGroup(c)
	if err != nil {
		return err
	}
	g, err := view(c).CreateGroup(reqctx(c), application.NewGroup{
		Name: body.Name, Description: text(body.Description), Active: body.Active.Or(true),
	})
	if err != nil {
		return err
	}
	return h.created(c, groupLink(g.Name))
}

// updateGroup answers PUT /group with the group: unlike PUT /user, and clients insist on both.
func (h *handler) updateGroup(c echo.Context) error {
	name, err := api.Required(c, "groupname")
	if err != nil {
		return err
	}
	body, err := readGroup(c)
	if err != nil {
		return err
	}
	g, err := view(c).UpdateGroup(reqctx(c), name, application.GroupPatch{
		Name: body.Name, Description: body.Description, Active: body.Active.Ptr(),
	})
	if err != nil {
		return err
	}
	return h.writeGroup(c, g)
}

// deleteGroup answers DELETE /group.
var deleteGroup = onOne("groupname", (*application.View).DeleteGroup)

// writeGroup answers with one group, in the detail that the caller asked for.
func (h *handler) writeGroup(c echo.Context, g *models.Group) error {
	entities, err := h.wireGroups(c, []*models.Group{g}, detailOfOne(c))
	if err != nil {
		return err
	}
	return api.Write(c, http.StatusOK, entities[0])
}

// writeGroups answers with a list of groups.
func (h *handler) writeGroups(c echo.Context, groups []*models.Group) error {
	list, err := h.wireGroups(c, groups, detailOfMany(c, "group"))
	if err != nil {
		return err
	}
	return api.Write(c, http.StatusOK, list)
}

func (h *handler) wireGroups(c echo.Context, groups []*models.Group, d detail) (groupList, error) {
	var attributes map[models.ID][]models.Attribute
	if d == withAttributes {
		var err error
		if attributes, err = view(c).AttributesOfGroups(reqctx(c), groups); err != nil {
			return nil, err
		}
	}
	l := h.linksOf(c)
	list := make(groupList, len(groups))
	for i, g := range groups {
		list[i] = wireGroup(l, g, d, attributes[g.ID])
	}
	return list, nil
}
