package api

import (
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"github.com/rollcall-id/rollcall/models"
)

// A param is one parameter of a query, decoded.
type param struct{ name, value string }

// ReadQuery decodes the request's query; Param and its kin then answer from it. A query that
// can't be decoded, or that isn't text, is an IllegalArgument.
func ReadQuery(c echo.Context) (err error) {
	call := CallOf(c)
	call.query, err = parseQuery(call.params[:0], c.Request().URL.RawQuery)
	call.queryIsRead = err == nil
	return err
}

// Has tells whether the query names the parameter, be it with an empty value.
func Has(c echo.Context, name string) bool {
	_, found := lookup(c, name)
	return found
}

// Param gives the first value of a parameter; it is empty when there is none.
func Param(c echo.Context, name string) string {
	value, _ := lookup(c, name)
	return value
}

// Required gives the value of a parameter that the request can't do without.
func Required(c echo.Context, name string) (string, error) {
	value, _ := lookup(c, name)
	if value == "" {
		return "", models.Fail(models.IllegalArgument, name, `The query has no parameter "`+name+`"`)
	}
	return value, nil
}

// Flag gives the value of a parameter that is true or false; absent is what it is when the
// query doesn't have it. Another value is refused: a misspelt "false" must not mean either.
func Flag(c echo.Context, name string, absent bool) (bool, error) {
	value, _ := lookup(c, name)
	switch strings.ToLower(value) {
	case "":
		return absent, nil
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, models.Fail(models.IllegalArgument, name, `The parameter "`+name+`" is neither true nor false`)
}

func lookup(c echo.Context, name string) (value string, found bool) {
	call := CallOf(c)
	if !call.queryIsRead {
		// Only an answer to a failure comes here; it makes do with what can be decoded.
		call.query, _ = parseQuery(nil, c.Request().URL.RawQuery)
		call.queryIsRead = true
	}
	for _, p := range call.query {
		if p.name == name {
			return p.value, true
		}
	}
	return "", false
}

// parseQuery splits at "&" only: Dex and some node clients send names unescaped, and a name
// may well have a ";", at which net/url would drop the whole parameter. Bytes above 0x7F that
// arrive unescaped are UTF-8 like the others. The parameters are appended to query.
func parseQuery(query []param, raw string) ([]param, error) {
	if raw == "" {
		return nil, nil
	}
	for piece := range strings.SplitSeq(raw, "&") {
		if piece == "" {
			continue
		}
		rawName, rawValue, _ := strings.Cut(piece, "=")
		name, err := url.QueryUnescape(rawName)
		if err != nil {
			return nil, badQuery(err)
		}
		value, err := url.QueryUnescape(rawValue)
		if err != nil {
			return nil, badQuery(err)
		}
		if err := CheckText("parameter", name, value); err != nil {
			return nil, err
		}
		query = append(query, param{name, value})
	}
	return query, nil
}

func badQuery(err error) error {
	return &models.Error{Code: models.IllegalArgument, Message: `The query has a "%" that is not followed by two hexadecimal digits`, Err: err}
}

// CheckText refuses a value that no name can be and that databases choke on: bytes that are
// not UTF-8, and control characters other than tab and line ends. The message names the value
// by its kind and name: parameter "username".
func CheckText(kind, name, value string) error {
	problem := ""
	if !utf8.ValidString(value) {
		problem = "is not valid UTF-8"
	} else if strings.ContainsFunc(value, forbidden) {
		problem = "has a control character"
	}
	if problem == "" {
		return nil
	}
	return models.Fail(models.IllegalArgument, name, "The "+kind+` "`+name+`" `+problem)
}

func forbidden(r rune) bool {
	return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0x7F
}
