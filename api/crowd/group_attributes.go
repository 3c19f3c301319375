package crowd

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/application"
)

// groupAttributes answers GET /group/attribute.
func (h *handler) groupAttributes(c echo.Context) error {
	name, err := api.Required(c, "groupname")
	if err != nil {
		return err
	}
	g, attributes, err := view(c).GroupAttributes(reqctx(c), name)
	if err != nil {
		return err
	}
	return api.Write(c, http.StatusOK, attributeList{h.linksOf(c), owner{name: g.Name, isGroup: true}, true, attributes})
}

// setGroupAttributes answers POST and PUT /group/attribute, as for users.
var setGroupAttributes = setAttributes("groupname", (*application.View).SetGroupAttributes)

// deleteGroupAttribute answers DELETE /group/attribute.
var deleteGroupAttribute = onTwo("groupname", "attributename", (*application.View).DeleteGroupAttribute)
