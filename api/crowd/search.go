package crowd

import (
	"bufio"
	"io"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/models"
)

// search answers GET /search: the users or groups that a restriction in Crowd's query language
// finds. Openfire reads all users this way, a hundred at a time.
func (h *handler) search(c echo.Context) error {
	what, err := readSearched(c)
	if err != nil {
		return err
	}
	filter, err := parseCQL(api.Param(c, "restriction"), what, time.Local)
	if err != nil {
		return err
	}
	return h.writeFound(c, what, filter)
}

// searchByBody answers POST /search: the same with a restriction as an entity. Atlassian's
// client tests its connection and reads everybody this way; no body at all is everything too.
func (h *handler) searchByBody(c echo.Context) error {
	what, err := readSearched(c)
	if err != nil {
		return err
	}
	var filter models.Filter
	if hasBody(c) {
		var body restriction
		if err := api.ReadBody(c, &body, api.Strict); err != nil {
			return err
		}
		if filter, err = body.filter(what); err != nil {
			return err
		}
	}
	return h.writeFound(c, what, filter)
}

func readSearched(c echo.Context) (searched, error) {
	kind := api.Param(c, "entity-type")
	switch strings.ToLower(kind) {
	case "user":
		return searchedUsers, nil
	case "group":
		return searchedGroups, nil
	case "":
		return searched{}, models.Fail(models.IllegalArgument, "entity-type", "entity-type query parameter required.")
	}
	return searched{}, models.Fail(models.IllegalArgument, "entity-type", "Unknown type: "+kind)
}

// hasBody tells whether the request has a body, also where nobody said how long it is.
func hasBody(c echo.Context) bool {
	body := c.Request().Body
	ahead := bufio.NewReader(body)
	_, err := ahead.Peek(1)
	c.Request().Body = struct {
		io.Reader
		io.Closer
	}{ahead, body}
	return err != io.EOF
}

// writeFound answers with what a filter finds. The list is streamed: Atlassian's client asks
// for all there is. Nothing is sent before the search has found something or ended.
func (h *handler) writeFound(c echo.Context, what searched, f models.Filter) error {
	page, err := api.ReadPage(c)
	if err != nil {
		return err
	}
	if err := view(c).NoteFullRead(reqctx(c)); err != nil {
		return err
	}
	list, err := newListStream(c, what.name)
	if err != nil {
		return err
	}
	defer list.out.Close()
	d, l := detailOfMany(c, what.name), h.linksOf(c)
	var user userEntity // one for all: a million users are to take no memory
	var group groupEntity
	if what.name == searchedGroups.name {
		err = view(c).SearchGroups(reqctx(c), f, page, d == withAttributes, func(found application.Found[models.Group]) error {
			return list.add(len(found.Entries), func(i int) api.Entity {
				g := found.Entries[i]
				group = wireGroup(l, g, d, found.Attributes[g.ID])
				return &group
			})
		})
	} else {
		err = view(c).SearchUsers(reqctx(c), f, page, d == withAttributes, func(found application.Found[application.User]) error {
			return list.add(len(found.Entries), func(i int) api.Entity {
				u := found.Entries[i]
				user = wireUser(l, u, d, found.Attributes[u.ID])
				return &user
			})
		})
	}
	if err != nil {
		return err
	}
	return list.end()
}

// A listStream sends a list of users or groups while it is still being read. What it sends is,
// to the byte, what appendXMLList and appendJSONList make of a whole list.
type listStream struct {
	out    *api.Stream
	b      []byte
	format api.Format
	what   string // "user"
	some   bool
}

func newListStream(c echo.Context, what string) (*listStream, error) {
	format, err := api.FormatOf(c)
	if err != nil {
		return nil, err
	}
	s := &listStream{out: api.NewStream(c), format: format, what: what}
	s.b = s.out.Begin()
	if format == api.JSON {
		s.b = s.b[:0] // it began with the declaration of XML
		response := c.Response()
		response.Before(func() { response.Header().Set(echo.HeaderContentType, format.ContentType()) })
	}
	return s, nil
}

// add sends n more entities, each before it asks for the next.
func (s *listStream) add(n int, entity func(i int) api.Entity) (err error) {
	for i := range n {
		switch {
		case s.format == api.XML:
			if !s.some {
				s.b = append(s.b, "<"+s.what+`s expand="`+s.what+`">`...)
			}
			s.b = entity(i).AppendXML(s.b)
		case s.some:
			s.b = entity(i).AppendJSON(append(s.b, ','))
		default:
			s.b = entity(i).AppendJSON(append(s.b, `{"expand":"`+s.what+`","`+s.what+`s":[`...))
		}
		s.some = true
		if s.b, err = s.out.Pass(s.b); err != nil {
			return err
		}
	}
	return nil
}

// end closes the list.
func (s *listStream) end() error {
	switch {
	case s.format == api.XML && s.some:
		s.b = append(s.b, "</"+s.what+"s>"...)
	case s.format == api.XML:
		s.b = appendXMLList[userEntity](s.b, s.what+"s", s.what, nil)
	case s.some:
		s.b = append(s.b, "]}"...)
	default:
		s.b = appendJSONList[userEntity](s.b, s.what+"s", s.what, nil)
	}
	return s.out.End(s.b)
}
