package crowd

import (
	"bytes"
	"encoding/json"
	"reflect"
)

// restrictionBody is a restriction as JSON has it. A page of Atlassian's documentation spells
// the match mode "matchMode".
type restrictionBody struct {
	Kind       string            `json:"restriction-type"`
	Logic      string            `json:"boolean-logic"`
	Children   []restrictionBody `json:"restrictions"`
	Property   propertyBody      `json:"property"`
	MatchMode  string            `json:"match-mode"`
	MatchMode2 string            `json:"matchMode"`
	Value      scalarBody        `json:"value"`
}

type propertyBody struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// UnmarshalJSON reads a restriction.
func (r *restriction) UnmarshalJSON(data []byte) error {
	var body restrictionBody
	if err := json.Unmarshal(data, &body); err != nil {
		return err
	}
	*r = body.restriction()
	return nil
}

func (b *restrictionBody) restriction() restriction {
	r := restriction{
		kind: b.Kind, logic: b.Logic, property: b.Property.Name, propertyType: b.Property.Type,
		match: b.MatchMode, value: b.Value.text,
	}
	if r.match == "" {
		r.match = b.MatchMode2
	}
	for i := range b.Children {
		r.children = append(r.children, b.Children[i].restriction())
	}
	return r
}

// scalarBody is a value: a string, but true and 1 are taken as well. Null is none.
type scalarBody struct{ text *string }

// UnmarshalJSON reads a string, or what can be written as one.
func (s *scalarBody) UnmarshalJSON(data []byte) error {
	switch data = bytes.TrimSpace(data); data[0] {
	case 'n':
		return nil
	case '"':
		s.text = new(string)
		return json.Unmarshal(data, s.text)
	case '{':
		return &json.UnmarshalTypeError{Value: "object", Type: reflect.TypeFor[string]()}
	case '[':
		return &json.UnmarshalTypeError{Value: "array", Type: reflect.TypeFor[string]()}
	}
	s.text = new(string(data))
	return nil
}
