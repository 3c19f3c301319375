package crowd

import (
	"encoding/xml"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/login"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/session"
)

// contextBody is who wants a session. atlassian-python-api writes "userName"; JSON names match
// in any case.
type contextBody struct {
	XMLName  xml.Name      `json:"-" xml:"authentication-context"`
	Username string        `json:"username" xml:"username"`
	Password models.Secret `json:"password" xml:"password"`
	Factors  factorsBody   `json:"validation-factors" xml:"validation-factors"`
}

// factorsBody is what a session is bound to. In JSON the list is called validationFactors by
// all clients, and validation-factor or validationFactor in some documents.
type factorsBody struct {
	List  []factorBody `json:"validationFactors" xml:"validation-factor"`
	List2 []factorBody `json:"validation-factor" xml:"-"`
	List3 []factorBody `json:"validationFactor" xml:"-"`
}

type factorBody struct {
	Name  string `json:"name" xml:"name"`
	Value string `json:"value" xml:"value"`
}

// factorsRoot is validation factors that are a body of their own: bare in both formats, or in
// JSON as they are at login.
type factorsRoot struct {
	XMLName xml.Name `json:"-" xml:"validation-factors"`
	factorsBody
	AtLogin factorsBody `json:"validation-factors" xml:"-"`
}

func (b factorsBody) read() []session.Factor {
	var factors []session.Factor
	for _, list := range [][]factorBody{b.List, b.List2, b.List3} {
		for _, f := range list {
			factors = append(factors, session.Factor{Name: f.Name, Value: f.Value})
		}
	}
	return factors
}

// startSession answers POST /session. A person who is unknown is refused like one with a wrong
// password: Atlassian's client handles no other reason here.
func (h *handler) startSession(c echo.Context) error {
	start, err := readStart(c)
	if err != nil {
		return err
	}
	s, err := h.login.StartSession(reqctx(c), view(c), start)
	loggedIn(c, err)
	if err != nil {
		return except(err, models.UserNotFound, http.StatusBadRequest, answers[models.InvalidPassword].reason)
	}
	h.locate(c, sessionLink(s.Token))
	return api.Write(c, http.StatusCreated, wireSession(h.linksOf(c), s, detailOfMany(c, "user")))
}

func readStart(c echo.Context) (login.Start, error) {
	check, err := api.Flag(c, "validate-password", true)
	if err != nil {
		return login.Start{}, err
	}
	lifetime, err := readDuration(api.Param(c, "duration"))
	if err != nil {
		return login.Start{}, err
	}
	var body contextBody
	if err := api.ReadBody(c, &body, api.Lenient); err != nil {
		return login.Start{}, err
	}
	if body.Username == "" {
		return login.Start{}, models.Fail(models.IllegalArgument, "username", "The body names no username")
	}
	return login.Start{
		Username: body.Username, Password: body.Password, CheckPassword: check,
		Factors: body.Factors.read(), Lifetime: lifetime,
	}, api.CheckText("field", "username", body.Username)
}

// readDuration reads for how many seconds a session shall live; none, or zero, leaves it to the
// server. So does more than a year, which is beyond every server's limit.
func readDuration(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil || seconds < 0 {
		return 0, &models.Error{
			Code: models.IllegalArgument, Subject: "duration", Err: err,
			Message: `The parameter "duration" must be a number of seconds`,
		}
	}
	const year = 365 * 24 * 60 * 60
	if seconds > year {
		return 0, nil
	}
	return time.Duration(seconds) * time.Second, nil
}

// validateSession answers POST /session/{token}, and the session lives on from now.
func (h *handler) validateSession(c echo.Context) error {
	var body factorsRoot
	if err := api.ReadBody(c, &body, api.Lenient); err != nil {
		return err
	}
	factors := append(body.read(), body.AtLogin.read()...)
	s, err := h.login.ValidateSession(reqctx(c), view(c), token(c), factors)
	if err != nil {
		return err
	}
	return api.Write(c, http.StatusOK, wireSession(h.linksOf(c), s, detailOfMany(c, "user")))
}

// session answers GET /session/{token}, without factors, and doesn't prolong the session. The
// user is always whole: the node client reads all fields from it.
func (h *handler) session(c echo.Context) error {
	s, err := h.login.Session(reqctx(c), view(c), token(c))
	if err != nil {
		return err
	}
	return api.Write(c, http.StatusOK, wireSession(h.linksOf(c), s, full))
}

// endSession answers DELETE /session/{token}, also for a token that nobody knows.
func (h *handler) endSession(c echo.Context) error {
	if err := h.login.EndSession(reqctx(c), view(c), token(c)); err != nil {
		return err
	}
	return api.WriteNothing(c)
}

// endSessionsOf answers DELETE /session: all sessions of a user end, but not the one to
// exclude; also for a user whom nobody knows.
func (h *handler) endSessionsOf(c echo.Context) error {
	name, err := api.Required(c, "username")
	if err != nil {
		return err
	}
	if err := h.login.EndSessionsOf(reqctx(c), view(c), name, api.Param(c, "exclude")); err != nil {
		return err
	}
	return api.WriteNothing(c)
}

// token gives the token of the path, decoded: Echo matches the path as it was written when it
// has escapes of its own.
func token(c echo.Context) string {
	written := c.Param("token")
	if c.Request().URL.RawPath == "" {
		return written
	}
	plain, err := url.PathUnescape(written)
	if err != nil {
		return written
	}
	return plain
}
