package api

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"github.com/rollcall-id/rollcall/models"
)

// Care says how strictly a resource takes a body's Content-Type.
type Care int

// The ways to take a Content-Type.
const (
	Strict  Care = iota // it must be one of ours, and there must be a body
	Lenient             // missing or odd, the first byte decides; no body at all is fine too
)

// ReadBody reads the body of c into into, a struct with json and xml tags. What isn't in the
// struct is ignored; what is in the body twice counts the last time. Failures are
// IllegalArgument, UnsupportedMedia and RequestTooLarge.
func ReadBody(c echo.Context, into any, care Care) error {
	format, charset, err := bodyFormat(c.Request().Header, care)
	if err != nil {
		return err
	}
	data, err := readAll(c.Request().Body)
	if err != nil {
		return err
	}
	if len(bytes.TrimSpace(data)) == 0 {
		if care == Lenient {
			return nil
		}
		return illegalBody("The request has no body", nil)
	}
	if format == Undecided {
		if format, err = guess(data, care); err != nil {
			return err
		}
	}
	if charset == latin1 {
		data = fromLatin1(data)
	}
	if format == JSON {
		return readJSON(data, into)
	}
	return readXML(data, charset, into)
}

// bodyFormat reads the Content-Type. The format is Undecided where there is none, and where it
// is odd and the resource lenient.
func bodyFormat(header http.Header, care Care) (Format, charset, error) {
	if coding := header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return 0, 0, models.Fail(models.UnsupportedMedia, coding, "The body must not be compressed")
	}
	text := header.Get(echo.HeaderContentType)
	switch text { // as nearly all clients write it
	case "":
		return Undecided, unstated, nil
	case "application/xml":
		return XML, unstated, nil
	case "application/json":
		return JSON, unstated, nil
	}
	mediaType, params, err := mime.ParseMediaType(text)
	if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) && care == Strict {
		return 0, 0, unsupportedMedia(text)
	}
	charset, err := charsetNamed(params["charset"])
	if err != nil {
		return 0, 0, err
	}
	switch {
	case mediaType == "application/xml":
		return XML, charset, nil
	case mediaType == "application/json":
		return JSON, charset, nil
	case care == Lenient:
		return Undecided, charset, nil
	}
	return 0, 0, unsupportedMedia(mediaType)
}

// guess decides by the first byte of a body whose type nobody named: Crowd's session and
// authentication resources declare none.
func guess(data []byte, care Care) (Format, error) {
	if care == Strict {
		return 0, unsupportedMedia("")
	}
	switch text := bytes.TrimSpace(bytes.TrimPrefix(data, byteOrderMark)); {
	case bytes.HasPrefix(text, []byte("<")):
		return XML, nil
	case bytes.HasPrefix(text, []byte("{")):
		return JSON, nil
	}
	return 0, illegalBody("The body is neither XML nor a JSON object", nil)
}

func unsupportedMedia(mediaType string) error {
	return models.Fail(models.UnsupportedMedia, mediaType, "The Content-Type of the body must be application/xml or application/json")
}

// readAll reads a body to its end. How large it may be is limited before (http.MaxBytesReader
// or Echo's BodyLimit).
func readAll(body io.Reader) ([]byte, error) {
	if body == nil {
		return nil, nil
	}
	data, err := io.ReadAll(body)
	if err == nil {
		return data, nil
	}
	if CodeOf(err) == models.RequestTooLarge {
		return nil, &models.Error{Code: models.RequestTooLarge, Err: err}
	}
	return nil, illegalBody("The body ended too early", err)
}

var byteOrderMark = []byte("\uFEFF")

// asText checks that data is UTF-8 and leaves out a byte order mark.
func asText(data []byte) ([]byte, error) {
	if !utf8.Valid(data) {
		return nil, illegalBody("The body is not valid UTF-8", nil)
	}
	return bytes.TrimPrefix(data, byteOrderMark), nil
}

func illegalBody(message string, err error) error {
	return &models.Error{Code: models.IllegalArgument, Message: message, Err: err}
}
