package openapitest

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
)

// An element is one element of an XML document.
type element struct {
	name       string
	attributes map[string]string
	children   []*element
	text       string // of the element itself
}

// decodeBody is kin-openapi's door for application/xml.
func decodeBody(body io.Reader, _ http.Header, schema *openapi3.SchemaRef, _ openapi3filter.EncodingFn) (any, error) {
	text, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	return decode(string(text), schema.Value)
}

// decode turns an XML document into the value that a schema describes. What the schema does not
// know is kept under its own name, for the schema to refuse; what is there twice and should not
// be is an error.
func decode(text string, schema *openapi3.Schema) (any, error) {
	root, err := parse(text)
	if err != nil {
		return nil, err
	}
	return valueOf(root, schema, "")
}

func parse(text string) (*element, error) {
	d := xml.NewDecoder(strings.NewReader(text))
	document := &element{}
	open := []*element{document}
	for {
		token, err := d.Token()
		switch {
		case err == io.EOF && len(document.children) == 1:
			return document.children[0], nil
		case err == io.EOF:
			return nil, fmt.Errorf("there are %d root elements", len(document.children))
		case err != nil:
			return nil, err
		}
		top := open[len(open)-1]
		switch token := token.(type) {
		case xml.StartElement:
			e := &element{name: token.Name.Local, attributes: map[string]string{}}
			for _, a := range token.Attr {
				e.attributes[a.Name.Local] = a.Value
			}
			top.children = append(top.children, e)
			open = append(open, e)
		case xml.CharData:
			top.text += string(token)
		case xml.EndElement:
			open = open[:len(open)-1]
		}
	}
}

// valueOf reads an element. A schema may name the element; where it doesn't, the place does.
func valueOf(e *element, schema *openapi3.Schema, place string) (any, error) {
	if want := elementName(schema, place); want != "" && e.name != want {
		return nil, fmt.Errorf("the element <%s> should be <%s>", e.name, want)
	}
	if schema.Type == nil && len(schema.AnyOf) > 0 {
		return alternative(e, schema, place)
	}
	switch {
	case schema.Type.Is("object"):
		return objectOf(e, schema)
	case schema.Type.Is("array"):
		return listOf(e.children, schema.Items.Value)
	case len(e.children) > 0:
		return nil, fmt.Errorf("the element <%s> has elements in it", e.name)
	}
	return scalar(e.text, schema), nil
}

// alternative gives the first value that fits.
func alternative(e *element, schema *openapi3.Schema, place string) (any, error) {
	var problems []error
	for _, one := range schema.AnyOf {
		name := place
		if one.Value.XML != nil && one.Value.XML.Name != "" {
			name = one.Value.XML.Name
		}
		value, err := valueOf(e, one.Value, name)
		if err == nil {
			err = one.Value.VisitJSON(value)
		}
		if err == nil {
			return value, nil
		}
		problems = append(problems, err)
	}
	return nil, errors.Join(problems...)
}

func elementName(schema *openapi3.Schema, place string) string {
	if schema.XML != nil && schema.XML.Name != "" {
		return schema.XML.Name
	}
	return place
}

func objectOf(e *element, schema *openapi3.Schema) (any, error) {
	object := map[string]any{}
	for name, text := range e.attributes {
		p := schema.Properties[name]
		if p == nil {
			object[name] = text
			continue
		}
		if !isAttribute(p.Value) {
			return nil, fmt.Errorf("%s of <%s> should be an element", name, e.name)
		}
		object[name] = scalar(text, p.Value)
	}
	for key, p := range schema.Properties {
		if p.Value.Type.Is("array") && !wrapped(p.Value) {
			object[key] = []any{} // a list without entries has nothing to be seen by
		}
	}
	for _, child := range e.children {
		key, p := property(schema, child.name)
		if p == nil {
			if known := schema.Properties[child.name]; known != nil {
				return nil, fmt.Errorf("<%s> in <%s> should be an attribute", child.name, e.name)
			}
			object[child.name] = child.text
			continue
		}
		if p.Type.Is("array") && !wrapped(p) {
			value, err := valueOf(child, p.Items.Value, child.name)
			if err != nil {
				return nil, err
			}
			object[key] = append(object[key].([]any), value)
			continue
		}
		if _, twice := object[key]; twice {
			return nil, fmt.Errorf("<%s> has two of <%s>", e.name, child.name)
		}
		value, err := valueOf(child, p, child.name)
		if err != nil {
			return nil, err
		}
		object[key] = value
	}
	return object, nil
}

// property finds which property a child element is.
func property(schema *openapi3.Schema, child string) (string, *openapi3.Schema) {
	for key, p := range schema.Properties {
		name := key
		switch {
		case isAttribute(p.Value):
			continue
		case p.Value.Type.Is("array") && !wrapped(p.Value):
			name = elementName(p.Value.Items.Value, key)
		default:
			name = elementName(p.Value, key)
		}
		if name == child {
			return key, p.Value
		}
	}
	return "", nil
}

func isAttribute(schema *openapi3.Schema) bool { return schema.XML != nil && schema.XML.Attribute }

func wrapped(schema *openapi3.Schema) bool { return schema.XML != nil && schema.XML.Wrapped }

func listOf(children []*element, items *openapi3.Schema) (any, error) {
	list := []any{}
	for _, child := range children {
		value, err := valueOf(child, items, elementName(items, ""))
		if err != nil {
			return nil, err
		}
		list = append(list, value)
	}
	return list, nil
}

// scalar reads a text as what the schema says it is; what it can't be stays a text.
func scalar(text string, schema *openapi3.Schema) any {
	switch {
	case schema.Type.Is("boolean"):
		if value, err := strconv.ParseBool(text); err == nil && (text == "true" || text == "false") {
			return value
		}
	case schema.Type.Is("integer"), schema.Type.Is("number"):
		if value, err := strconv.ParseFloat(text, 64); err == nil {
			return value
		}
	}
	return text
}
