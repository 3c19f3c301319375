package crowd

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/rollcall-id/rollcall/api"
)

// eventToken answers GET /event: from where the next events count. Jira asks before and after
// it reads everything, and keeps the second answer.
func (h *handler) eventToken(c echo.Context) error {
	token, err := view(c).EventToken(reqctx(c))
	if err != nil {
		return err
	}
	return api.Write(c, http.StatusOK, eventList{token: token})
}

// events answers GET /event/{token}: what changed since, in order. A token that doesn't count
// is 410 and never 404, which Atlassian's client takes for a server without events.
func (h *handler) events(c echo.Context) error {
	events, next, err := view(c).Events(reqctx(c), token(c))
	if err != nil {
		return err
	}
	return api.Write(c, http.StatusOK, eventList{h.linksOf(c), next, events})
}
