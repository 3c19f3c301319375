package api

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/rollcall-id/rollcall/models"
)

// readJSON reads one JSON object. Its names match in any case: clients write "userName" as well
// as "username".
func readJSON(data []byte, into any) error {
	data, err := asText(data)
	if err != nil {
		return err
	}
	if deeper(data, maxDepth) {
		return illegalBody("The body is nested too deeply", nil)
	}
	if err := json.Unmarshal(data, into); err != nil {
		return badJSON(err)
	}
	return nil
}

// deeper tells whether brackets nest deeper than limit. What isn't JSON at all is left to the
// parser.
func deeper(data []byte, limit int) bool {
	depth, quoted := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > limit {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}

// badJSON says what is wrong with a body and in which field, without repeating its value, which
// may be a password.
func badJSON(err error) error {
	wrong, ok := errors.AsType[*json.UnmarshalTypeError](err)
	if !ok {
		return illegalBody("The body is not valid JSON: "+err.Error(), err)
	}
	kind, _, _ := strings.Cut(wrong.Value, " ")
	if wrong.Field == "" {
		return illegalBody("The body must be a JSON object, not "+article(kind), err)
	}
	return &models.Error{
		Code: models.IllegalArgument, Subject: wrong.Field, Err: err,
		Message: `The field "` + wrong.Field + `" of the body can't be ` + article(kind),
	}
}

func article(kind string) string {
	switch kind {
	case "array", "object":
		return "an " + kind
	case "bool", "boolean":
		return "a boolean"
	}
	return "a " + kind
}
