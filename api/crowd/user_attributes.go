package crowd

import (
	"context"
	"encoding/xml"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/models"
)

// attributesRoot is a list of attributes that is a body of its own.
type attributesRoot struct {
	XMLName xml.Name `json:"-" xml:"attributes"`
	attributesBody
}

// userAttributes answers GET /user/attribute.
func (h *handler) userAttributes(c echo.Context) error {
	name, err := api.Required(c, "username")
	if err != nil {
		return err
	}
	u, attributes, err := view(c).UserAttributes(reqctx(c), name)
	if err != nil {
		return err
	}
	return api.Write(c, http.StatusOK, attributeList{h.linksOf(c), owner{name: u.Name}, true, attributes})
}

// setUserAttributes answers POST and PUT /user/attribute.
var setUserAttributes = setAttributes("username", (*application.View).SetUserAttributes)

// deleteUserAttribute answers DELETE /user/attribute; it is fine when there is no such
// attribute.
var deleteUserAttribute = onTwo("username", "attributename", (*application.View).DeleteUserAttribute)

// setAttributes is a resource that sets attributes of whom the query names by param. In both
// methods, POST and PUT (which atlassian-python-api sends), each attribute that the body names
// gets the values it has there; others stay.
func setAttributes(param string, set func(*application.View, context.Context, string, []models.Attribute) error) echo.HandlerFunc {
	return func(c echo.Context) error {
		name, err := api.Required(c, param)
		if err != nil {
			return err
		}
		var body attributesRoot
		if err := api.ReadBody(c, &body, api.Strict); err != nil {
			return err
		}
		attributes, err := readAttributes(body.attributesBody)
		if err != nil {
			return err
		}
		if err := set(view(c), reqctx(c), name, attributes); err != nil {
			return err
		}
		return api.WriteNothing(c)
	}
}
