package crowd

import (
	"github.com/labstack/echo/v4"

	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/models"
)

// expireAllPasswords answers POST /user/expire-all-passwords: everybody whom the application
// may change must choose another password. It wants to be told that this is meant.
func (h *handler) expireAllPasswords(c echo.Context) error {
	confirmed, err := api.Flag(c, "confirm", false)
	if err != nil {
		return err
	}
	if !confirmed {
		return models.Fail(models.IllegalArgument, "confirm", `All passwords expire only with the parameter "confirm=true"`)
	}
	if err := view(c).ExpireAllPasswords(reqctx(c)); err != nil {
		return err
	}
	return api.WriteNothing(c)
}
