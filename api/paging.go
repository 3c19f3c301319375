package api

import (
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/rollcall-id/rollcall/models"
)

// DefaultMax is how many entries a list has when the caller names no number.
const DefaultMax = 1000

// ReadPage reads which part of a list is wanted: start-index from 0, and max-results, where
// -1 asks for all and 0 for an empty list. Other negatives and non-numbers are refused.
func ReadPage(c echo.Context) (models.Page, error) {
	start, err := number(c, "start-index", 0, 0)
	if err != nil {
		return models.Page{}, err
	}
	limit, err := number(c, "max-results", DefaultMax, -1)
	if err != nil {
		return models.Page{}, err
	}
	return models.Page{Start: start, Max: limit}, nil
}

func number(c echo.Context, name string, absent, least int) (int, error) {
	text, found := lookup(c, name)
	if !found {
		return absent, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least {
		return 0, &models.Error{
			Code: models.IllegalArgument, Subject: name, Err: err,
			Message: `The parameter "` + name + `" must be a whole number from ` + strconv.Itoa(least),
		}
	}
	return n, nil
}
