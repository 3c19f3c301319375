package crowd

import (
	"encoding/xml"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/rollcall-id/rollcall/api"
)

// renameBody is a new name. In JSON it is "new-name" for most clients and "newName" for
// atlassian-python-api; "name" is taken too. In XML it is the text of the innermost new-name
// element: that element may be the root, or stand in a root of the same or another name.
type renameBody struct {
	NewName  string `json:"new-name"`
	NewName2 string `json:"newName"`
	Name     string `json:"name"`
}

func (b renameBody) newName() string {
	for _, name := range []string{b.NewName, b.NewName2} {
		if name != "" {
			return name
		}
	}
	return b.Name
}

// UnmarshalXML reads the innermost new-name.
func (b *renameBody) UnmarshalXML(d *xml.Decoder, root xml.StartElement) error {
	open := []string{root.Name.Local}
	text := ""
	for len(open) > 0 {
		token, err := d.Token()
		if err != nil {
			return err
		}
		switch token := token.(type) {
		case xml.StartElement:
			open = append(open, token.Name.Local)
			if token.Name.Local == "new-name" {
				text = ""
			}
		case xml.CharData:
			if open[len(open)-1] == "new-name" {
				text += string(token)
			}
		case xml.EndElement:
			if token.Name.Local == "new-name" && b.NewName == "" {
				b.NewName = text
			}
			open = open[:len(open)-1]
		}
	}
	return nil
}

// renameUser answers POST /user/rename with the user under the new name. The key stays.
func (h *handler) renameUser(c echo.Context) error {
	name, err := api.Required(c, "username")
	if err != nil {
		return err
	}
	var body renameBody
	if err := api.ReadBody(c, &body, api.Strict); err != nil {
		return err
	}
	u, err := view(c).RenameUser(reqctx(c), name, body.newName())
	if err != nil {
		return err
	}
	return h.writeUser(c, http.StatusOK, u)
}
