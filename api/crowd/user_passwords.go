package crowd

import (
	"encoding/xml"

	"github.com/labstack/echo/v4"

	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/models"
)

// passwordBody is a password that is a body of its own. No value is the empty password, which
// no rule takes.
type passwordBody struct {
	XMLName xml.Name      `json:"-" xml:"password"`
	Value   models.Secret `json:"value" xml:"value"`
}

// setPassword answers PUT /user/password.
func (h *handler) setPassword(c echo.Context) error {
	name, err := api.Required(c, "username")
	if err != nil {
		return err
	}
	var body passwordBody
	if err := api.ReadBody(c, &body, api.Strict); err != nil {
		return err
	}
	if err := view(c).SetPassword(reqctx(c), name, body.Value); err != nil {
		return err
	}
	return api.WriteNothing(c)
}

// clearPassword answers DELETE /user/password: the user can't log in with one any more.
var clearPassword = onOne("username", (*application.View).ClearPassword)
