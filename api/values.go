package api

import (
	"encoding/json"
	"errors"
	"reflect"
	"strconv"
	"strings"
)

// A Bool is a boolean of a request's body that may also come as a string: jda/go-crowd and
// COmanage send "active":"true". Absent and empty are nil.
type Bool struct{ value *bool }

// Ptr gives the boolean; nil when the body doesn't say.
func (b Bool) Ptr() *bool { return b.value }

// Or gives the boolean; absent when the body doesn't say.
func (b Bool) Or(absent bool) bool {
	if b.value == nil {
		return absent
	}
	return *b.value
}

// UnmarshalText reads what XML has: the words of xs:boolean.
func (b *Bool) UnmarshalText(text []byte) error {
	value, err := boolOf(string(text))
	if err != nil {
		return err
	}
	b.value = value
	return nil
}

// UnmarshalJSON reads a boolean or a string with its word.
func (b *Bool) UnmarshalJSON(data []byte) error {
	text, kind := scalar(data)
	value, err := boolOf(text)
	if err != nil || kind == "number" {
		return &json.UnmarshalTypeError{Value: kind, Type: reflect.TypeFor[bool]()}
	}
	b.value = value
	return nil
}

func boolOf(text string) (*bool, error) {
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "":
		return nil, nil
	case "true", "1":
		return new(true), nil
	case "false", "0":
		return new(false), nil
	}
	return nil, errors.New("a value must be true or false")
}

// An Int is a whole number of a request's body that may also come as a string. Absent and empty
// are zero.
type Int int64

// UnmarshalText reads what XML has.
func (n *Int) UnmarshalText(text []byte) error {
	value, err := intOf(string(text))
	*n = value
	return err
}

// UnmarshalJSON reads a number or a string with one.
func (n *Int) UnmarshalJSON(data []byte) error {
	text, kind := scalar(data)
	value, err := intOf(text)
	if err != nil {
		return &json.UnmarshalTypeError{Value: kind, Type: reflect.TypeFor[int64]()}
	}
	*n = value
	return nil
}

func intOf(text string) (Int, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, errors.New("a value must be a whole number")
	}
	return Int(n), nil
}

// scalar gives the text of a JSON value, and what kind of value it is. Null is an empty text;
// objects and arrays keep their brackets, which no reader takes.
func scalar(data []byte) (text, kind string) {
	switch data[0] {
	case '"':
		_ = json.Unmarshal(data, &text) // the decoder checked the syntax before it called us
		return text, "string"
	case 'n':
		return "", "null"
	case 't', 'f':
		return string(data), "boolean"
	case '{':
		return string(data), "object"
	case '[':
		return string(data), "array"
	}
	return string(data), "number"
}
