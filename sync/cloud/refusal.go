package cloud

import (
	"errors"
	"net/http"
	"slices"
)

// A NoToken is why there is no token. Its answer isn't one to what was asked with the token: a
// token endpoint that isn't found must not be taken for a group that isn't there.
type NoToken struct{ Err error }

// Error says why.
func (e *NoToken) Error() string { return e.Err.Error() }

// Unwrap gives what lay underneath.
func (e *NoToken) Unwrap() error { return e.Err }

// Refusal gives what was answered to the question itself; nil when there was no token to ask it
// with, or when the error is no answer at all.
func Refusal(err error) *Error {
	if _, unauthorized := errors.AsType[*NoToken](err); unauthorized {
		return nil
	}
	e, _ := errors.AsType[*Error](err)
	return e
}

// Answered tells whether the question itself was answered with one of these statuses.
func Answered(err error, statuses ...int) bool {
	e := Refusal(err)
	return e != nil && slices.Contains(statuses, e.Status)
}

// Fatal tells whether a problem concerns all that is asked, and not the one thing that was asked
// for: no token or a refused one, no connection, a list that leads astray, a service that wants no
// more requests or on which the run has used up its patience.
func Fatal(err error) bool {
	e := Refusal(err)
	return e == nil || e.EndsRun || e.Status == 0 || e.Status == http.StatusUnauthorized || e.Status == http.StatusTooManyRequests
}
