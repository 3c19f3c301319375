package api

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/rollcall-id/rollcall/models"
)

// A Refusal is a failure in the words of one API.
type Refusal struct {
	Status     int
	Reason     string        // the API's word for it, for notes
	Message    string        // a sentence for the caller; the whole body where there is no Entity
	Entity     Entity        // nil: the message is sent as plain text
	RetryAfter time.Duration // zero: no such header
}

// CodeOf gives the code of a failure, also of those that don't come from our own rules: Echo's
// (no such path), net/http's (a body too large), and a context that ended.
func CodeOf(err error) models.Code {
	if known, ok := errors.AsType[*models.Error](err); ok {
		return known.Code
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return models.RequestTooLarge
	}
	if failure, ok := errors.AsType[*echo.HTTPError](err); ok {
		return codeOfStatus(failure.Code)
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return models.Unavailable
	}
	return models.Internal
}

func codeOfStatus(status int) models.Code {
	switch status {
	case http.StatusNotFound:
		return models.NoSuchResource
	case http.StatusMethodNotAllowed:
		return models.MethodNotAllowed
	case http.StatusRequestEntityTooLarge:
		return models.RequestTooLarge
	case http.StatusUnsupportedMediaType:
		return models.UnsupportedMedia
	case http.StatusNotAcceptable:
		return models.NotAcceptable
	case http.StatusTooManyRequests:
		return models.Busy
	case http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return models.Unavailable
	}
	if status >= 400 && status < 500 {
		return models.IllegalArgument
	}
	return models.Internal
}

// ErrorHandler is Echo's central error handler: the one place where a failure is answered. The
// access log writes it down.
func ErrorHandler(err error, c echo.Context) {
	refusal := refusalOf(c, err)
	if c.Response().Committed {
		// Half an answer must not look like a whole one: net/http cuts the connection.
		panic(http.ErrAbortHandler)
	}
	if refusal.RetryAfter > 0 {
		c.Response().Header().Set(echo.HeaderRetryAfter, strconv.Itoa(int(refusal.RetryAfter.Seconds())))
	}
	_ = answer(c, refusal) // a caller who doesn't read it is gone
}

// refusalOf asks the API that c belongs to; elsewhere the words of HTTP must do.
func refusalOf(c echo.Context, err error) Refusal {
	if refuse := CallOf(c).refuse; refuse != nil {
		return refuse(c, err)
	}
	status := http.StatusInternalServerError
	if failure, ok := errors.AsType[*echo.HTTPError](err); ok {
		status = failure.Code
	}
	return Refusal{Status: status, Message: http.StatusText(status)}
}

func answer(c echo.Context, refusal Refusal) error {
	if refusal.Entity == nil {
		return send(c, refusal.Status, plainText, []byte(refusal.Message))
	}
	format, err := FormatOf(c)
	if err != nil {
		format = XML
	}
	return write(c, refusal.Status, format, refusal.Entity)
}
