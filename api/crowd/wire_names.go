package crowd

import (
	"iter"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/rollcall-id/rollcall/api"
)

// nameList is a list of users or groups of which nobody wants more than the name and the link.
// What it writes is, to the byte, what a list of minimal entities writes; clients ask for
// thousands of names at once.
type nameList struct {
	nameKind
	links *links
	names iter.Seq[string]
}

// nameKind says what the names are.
type nameKind struct{ list, one, path string }

var (
	userNames  = nameKind{"users", "user", "/user?username="}
	groupNames = nameKind{"groups", "group", "/group?groupname="}
)

// writeNames answers with the names of a list, if there was no failure.
func (h *handler) writeNames(c echo.Context, kind nameKind, names iter.Seq[string], err error) error {
	if err != nil {
		return err
	}
	return api.Write(c, http.StatusOK, nameList{kind, h.linksOf(c), names})
}

// AppendXML writes <users> or <groups>.
func (l nameList) AppendXML(b []byte) []byte {
	b = append(b, "<"+l.list+` expand="`+l.one+`"`...)
	opening, address := "<"+l.one+` name="`, `"><link href="`+l.links.xml+l.path
	closing, some := `" rel="self"/></`+l.one+">", false
	for name := range l.names {
		if !some {
			some = true
			b = append(b, '>')
		}
		b = append(b, opening...)
		if unreserved(name) {
			b = append(append(append(b, name...), address...), name...)
		} else {
			b = append(api.AppendXMLAttr(b, name), address...)
			b = appendEscaped(b, name, "+")
		}
		b = append(b, closing...)
	}
	if !some {
		return append(b, "/>"...)
	}
	return append(b, "</"+l.list+">"...)
}

// AppendJSON writes the object.
func (l nameList) AppendJSON(b []byte) []byte {
	b = append(b, `{"expand":"`+l.one+`","`+l.list+`":[`...)
	address, some := `{"link":{"href":"`+l.links.json+l.path, false
	for name := range l.names {
		if some {
			b = append(b, ',')
		}
		some = true
		b = append(b, address...)
		if unreserved(name) {
			b = append(append(append(b, name...), `","rel":"self"},"name":"`...), name...)
		} else {
			b = append(appendEscaped(b, name, "+"), `","rel":"self"},"name":"`...)
			b = api.AppendJSONText(b, name)
		}
		b = append(b, `"}`...)
	}
	return append(b, "]}"...)
}
