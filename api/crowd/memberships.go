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
	defer out.Close()
	w := newDumpWriter(out)
	if err := view(c).Memberships(reqctx(c), w.group); err != nil {
		return err
	}
	return w.end()
}

// A dumpWriter writes memberships one by one. There are millions of them, so it is made once for
// all, and none of them allocates.
type dumpWriter struct {
	out     *api.Stream
	b       []byte
	some    bool // groups were written
	element string
	opening string
	members bool // the group's element has some
	write   func(name string, err error) bool
	err     error
}

func newDumpWriter(out *api.Stream) *dumpWriter {
	w := &dumpWriter{out: out, b: out.Begin()}
	w.write = w.member
	return w
}

// group writes a group with its members.
func (w *dumpWriter) group(name string, users, groups iter.Seq2[string, error]) error {
	if !w.some {
		w.some = true
		w.b = append(w.b, "<memberships>"...)
	}
	w.b = append(w.b, `<membership group="`...)
	w.b = api.AppendXMLAttr(w.b, name)
	w.b = append(w.b, `">`...)
	w.list("users", `<user name="`, users)
	w.list("groups", `<group name="`, groups)
	w.b = append(w.b, "</membership>"...)
	return w.err
}

// list writes the members of one sort. The element is there even when it is empty: python-crowd
// doesn't ask.
func (w *dumpWriter) list(element, opening string, names iter.Seq2[string, error]) {
	w.element, w.opening, w.members = element, opening, false
	if w.err != nil {
		return
	}
	names(w.write)
	if w.members {
		w.b = append(w.b, "</"...)
		w.b = append(w.b, element...)
		w.b = append(w.b, '>')
	} else {
		w.b = append(w.b, '<')
		w.b = append(w.b, element...)
		w.b = append(w.b, "/>"...)
	}
	if w.err == nil {
		w.b, w.err = w.out.Pass(w.b)
	}
}

// member writes one name, and tells whether to go on.
func (w *dumpWriter) member(name string, err error) bool {
	if err != nil {
		w.err = err
		return false
	}
	if !w.members {
		w.members = true
		w.b = append(w.b, '<')
		w.b = append(w.b, w.element...)
		w.b = append(w.b, '>')
	}
	b := append(w.b, w.opening...)
	b = api.AppendXMLAttr(b, name)
	w.b, w.err = w.out.Pass(append(b, `"/>`...))
	return w.err == nil
}

// end closes the list.
func (w *dumpWriter) end() error {
	if !w.some {
		return w.out.End(append(w.b, "<memberships/>"...))
	}
	return w.out.End(append(w.b, "</memberships>"...))
}
