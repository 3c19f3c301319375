package crowd

import (
	"iter"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/rollcall-id/rollcall/api"
)

// memberships answers GET /group/membership: each group with its direct members, by name. It is
// XML whatever the caller asks for, and streamed, for it may be larger than memory. A group
// without members is there too, or Jira would keep those that it had before.
func (h *handler) memberships(c echo.Context) error {
	if c.Request().Method == http.MethodHead {
		c.Response().Header().Set(echo.HeaderContentType, api.XML.ContentType())
		return c.NoContent(http.StatusOK)
	}
	if err := view(c).NoteFullRead(reqctx(c)); err != nil {
		return err
	}
	out := api.NewStream(c)
	b := out.Begin()
	groups := 0
	err := view(c).Memberships(reqctx(c), func(group string, users, children iter.Seq2[string, error]) error {
		if groups == 0 {
			b = append(b, "<memberships>"...)
		}
		groups++
		b = append(b, `<membership group="`...)
		b = api.AppendXMLAttr(b, group)
		b = append(b, `">`...)
		var err error
		if b, err = appendNames(out, b, "users", `<user name="`, users); err != nil {
			return err
		}
		if b, err = appendNames(out, b, "groups", `<group name="`, children); err != nil {
			return err
		}
		b = append(b, "</membership>"...)
		return nil
	})
	if err != nil {
		return err
	}
	if groups == 0 {
		return out.End(append(b, "<memberships/>"...))
	}
	return out.End(append(b, "</memberships>"...))
}

// appendNames writes the members of one sort. The element is there even when it is empty:
// python-crowd doesn't ask.
func appendNames(out *api.Stream, b []byte, element, opening string, names iter.Seq2[string, error]) ([]byte, error) {
	some := false
	for name, err := range names {
		if err != nil {
			return b, err
		}
		if !some {
			some = true
			b = append(b, '<')
			b = append(b, element...)
			b = append(b, '>')
		}
		b = append(b, opening...)
		b = api.AppendXMLAttr(b, name)
		b = append(b, `"/>`...)
		if b, err = out.Pass(b); err != nil {
			return b, err
		}
	}
	if !some {
		b = append(b, '<')
		b = append(b, element...)
		b = append(b, "/>"...)
	} else {
		b = append(b, "</"...)
		b = append(b, element...)
		b = append(b, '>')
	}
	return out.Pass(b)
}
