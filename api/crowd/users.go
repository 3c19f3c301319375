package crowd

import (
	"encoding/xml"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/models"
)

// userBody is a user as a request has it. python-crowd sends back all that it got from GET, so
// what can only be read (link, key, dates …) may be there and means nothing.
type userBody struct {
	XMLName     xml.Name       `json:"-" xml:"user"`
	Name        string         `json:"name" xml:"name,attr"`
	FirstName   *string        `json:"first-name" xml:"first-name"`
	LastName    *string        `json:"last-name" xml:"last-name"`
	DisplayName *string        `json:"display-name" xml:"display-name"`
	DirectoryID api.Int        `json:"directory-id" xml:"directory-id"`
	Email       *string        `json:"email" xml:"email"`
	Password    secretBody     `json:"password" xml:"password"`
	Encrypted   secretBody     `json:"encrypted-password" xml:"encrypted-password"`
	Active      api.Bool       `json:"active" xml:"active"`
	Attributes  attributesBody `json:"attributes" xml:"attributes"`
}

// secretBody is a password; on a user that came from GET it has a link and no value.
type secretBody struct {
	Value *models.Secret `json:"value" xml:"value"`
}

// readUser reads a user to be created. One whose body doesn't say is active. Atlassian's client
// always says; a person who writes the request by hand and leaves it out wants a user who can
// log in.
func readUser(c echo.Context) (application.NewUser, error) {
	var body userBody
	if err := api.ReadBody(c, &body, api.Strict); err != nil {
		return application.NewUser{}, err
	}
	if body.Password.Value != nil && body.Encrypted.Value != nil {
		return application.NewUser{}, models.Fail(models.IllegalArgument, body.Name,
			"The user has both a password and an encrypted-password")
	}
	attributes, err := readAttributes(body.Attributes)
	if err != nil {
		return application.NewUser{}, err
	}
	return application.NewUser{
		Name: body.Name, FirstName: text(body.FirstName), LastName: text(body.LastName),
		DisplayName: text(body.DisplayName), Email: text(body.Email), Active: body.Active.Or(true),
		Password: body.Password.Value, Encrypted: body.Encrypted.Value, Attributes: attributes,
	}, nil
}

// readUserPatch reads a user to be changed. What the body leaves out stays as it is; password
// and attributes stay in any case, as in Crowd: COmanage sends a random password each time.
func readUserPatch(c echo.Context) (application.UserPatch, error) {
	var body userBody
	if err := api.ReadBody(c, &body, api.Strict); err != nil {
		return application.UserPatch{}, err
	}
	return application.UserPatch{
		Name: body.Name, DirectoryID: models.ID(max(0, body.DirectoryID)),
		FirstName: body.FirstName, LastName: body.LastName, DisplayName: body.DisplayName,
		Email: body.Email, Active: body.Active.Ptr(),
	}, nil
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// user answers GET /user, by username or by key.
func (h *handler) user(c echo.Context) error {
	u, err := h.findUser(c)
	if err != nil {
		return err
	}
	return h.writeUser(c, http.StatusOK, u)
}

func (h *handler) findUser(c echo.Context) (*application.User, error) {
	if key := api.Param(c, "key"); key != "" {
		return view(c).UserByKey(reqctx(c), key)
	}
	name, err := api.Required(c, "username")
	if err != nil {
		return nil, err
	}
	return view(c).User(reqctx(c), name)
}

// createUser answers POST /user with the user and its attributes: provisioning tools read the
// key from it, and Atlassian's client would store the attributes again if they were missing.
func (h *handler) createUser(c echo.Context) error {
	wanted, err := readUser(c)
	if err != nil {
		return err
	}
	u, attributes, err := view(c).CreateUser(reqctx(c), wanted)
	if err != nil {
		return err
	}
	h.locate(c, userLink(u.Name))
	return api.Write(c, http.StatusCreated, wireUser(h.linksOf(c), u, withAttributes, attributes))
}

// updateUser answers PUT /user; unlike PUT /group it has no body.
func (h *handler) updateUser(c echo.Context) error {
	name, err := api.Required(c, "username")
	if err != nil {
		return err
	}
	patch, err := readUserPatch(c)
	if err != nil {
		return err
	}
	if err := view(c).UpdateUser(reqctx(c), name, patch); err != nil {
		return err
	}
	return api.WriteNothing(c)
}

// deleteUser answers DELETE /user.
var deleteUser = onOne("username", (*application.View).DeleteUser)

// writeUser answers with one user, in the detail that the caller asked for.
func (h *handler) writeUser(c echo.Context, status int, u *application.User) error {
	d, attributes := detailOfOne(c), map[models.ID][]models.Attribute(nil)
	if d == withAttributes {
		var err error
		if attributes, err = view(c).AttributesOfUsers(reqctx(c), []*application.User{u}); err != nil {
			return err
		}
	}
	return api.Write(c, status, wireUser(h.linksOf(c), u, d, attributes[u.ID]))
}

// writeUsers answers with a list of users.
func (h *handler) writeUsers(c echo.Context, users []*application.User) error {
	list, err := h.wireUsers(c, users, detailOfMany(c, "user"))
	if err != nil {
		return err
	}
	return api.Write(c, http.StatusOK, list)
}

func (h *handler) wireUsers(c echo.Context, users []*application.User, d detail) (userList, error) {
	var attributes map[models.ID][]models.Attribute
	if d == withAttributes {
		var err error
		if attributes, err = view(c).AttributesOfUsers(reqctx(c), users); err != nil {
			return nil, err
		}
	}
	l := h.linksOf(c)
	list := make(userList, len(users))
	for i, u := range users {
		list[i] = wireUser(l, u, d, attributes[u.ID])
	}
	return list, nil
}
