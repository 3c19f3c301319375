package crowd

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/models"
)

// authenticate answers POST /authentication: is this that person? The name in the answer is the
// one that the application will use. Every refusal of a person is 400: a 401 or 404 would tell
// clients that they are misconfigured.
func (h *handler) authenticate(c echo.Context) error {
	name, err := api.Required(c, "username")
	if err != nil {
		return err
	}
	var body passwordBody
	if err := api.ReadBody(c, &body, api.Lenient); err != nil {
		return err
	}
	u, err := h.login.Authenticate(reqctx(c), view(c), name, body.Value)
	loggedIn(c, err)
	if err != nil {
		return refusedPerson(err)
	}
	return api.Write(c, http.StatusOK, wireUser(h.linksOf(c), u, full, nil))
}

// notify answers POST /authentication/notify: the application let this person in by other
// means. The body is an empty password and says nothing. An unknown user is 400 here too:
// Atlassian's client takes a 404 for a server that is too old to have this resource.
func (h *handler) notify(c echo.Context) error {
	name, err := api.Required(c, "username")
	if err != nil {
		return err
	}
	u, err := h.login.Notify(reqctx(c), view(c), name)
	if err != nil {
		return refusedPerson(err)
	}
	return api.Write(c, http.StatusOK, wireUser(h.linksOf(c), u, full, nil))
}

func refusedPerson(err error) error {
	return except(err, models.UserNotFound, http.StatusBadRequest, answers[models.UserNotFound].reason)
}
