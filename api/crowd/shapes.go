package crowd

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/models"
)

// onOne is a resource that does something to whom the query names by param, and answers 204.
func onOne(param string, do func(*application.View, context.Context, string) error) echo.HandlerFunc {
	return func(c echo.Context) error {
		name, err := api.Required(c, param)
		if err != nil {
			return err
		}
		if err := do(view(c), reqctx(c), name); err != nil {
			return err
		}
		return api.WriteNothing(c)
	}
}

// onTwo is the same for a resource that needs two names, in the order of do.
func onTwo(first, second string, do func(*application.View, context.Context, string, string) error) echo.HandlerFunc {
	return func(c echo.Context) error {
		a, err := api.Required(c, first)
		if err != nil {
			return err
		}
		b, err := api.Required(c, second)
		if err != nil {
			return err
		}
		if err := do(view(c), reqctx(c), a, b); err != nil {
			return err
		}
		return api.WriteNothing(c)
	}
}

// A relation is a list of the users or groups around one of them, such as /group/user/direct.
// When the query also names one by asks, it is a question instead: is that one in the list?
type relation struct {
	of   string   // the parameter that says whose list it is
	asks []string // the parameters by which one is asked for

	list func(c echo.Context, of string, page models.Page) error // answers with the list
	has  func(c echo.Context, of, one string) error              // NotMember: it isn't
	name func(l *links, one string) api.Entity                   // the answer when it is
}

func (h *handler) related(r relation) echo.HandlerFunc {
	return func(c echo.Context) error {
		of, err := api.Required(c, r.of)
		if err != nil {
			return err
		}
		for _, param := range r.asks {
			// An empty name is a question too. A list would be taken for a yes: clients look
			// at the status alone.
			if !api.Has(c, param) {
				continue
			}
			one := api.Param(c, param)
			if err := r.has(c, of, one); err != nil {
				return err
			}
			return api.Write(c, http.StatusOK, r.name(h.linksOf(c), one))
		}
		page, err := api.ReadPage(c)
		if err != nil {
			return err
		}
		return r.list(c, of, page)
	}
}
