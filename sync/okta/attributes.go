package okta

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/rollcall-id/rollcall/models"
)

// attributes are those of users that are asked for, by the names of Okta's profile.
type attributes struct {
	names  []string
	fields []int        // of the profile in page, one for each name
	page   reflect.Type // a page of users that have these attributes only; nil: none are asked for
}

var attributeName = regexp.MustCompile(`^(profile\.)?[A-Za-z_][A-Za-z0-9_]*$`)

// newAttributes makes a type for them: reading each profile as a map takes three times as long.
func newAttributes(names []string) (attributes, error) {
	if len(names) == 0 {
		return attributes{}, nil
	}
	var fields []reflect.StructField
	a := attributes{names: names}
	for _, name := range names {
		if !attributeName.MatchString(name) {
			return attributes{}, fmt.Errorf("attributes: %q is not the name of an attribute in Okta's profile, as employeeNumber is", name)
		}
		tag := reflect.StructTag(fmt.Sprintf("json:%q", strings.TrimPrefix(name, "profile.")))
		at := slices.IndexFunc(fields, func(f reflect.StructField) bool { return f.Tag == tag })
		if at < 0 {
			at = len(fields)
			fields = append(fields, reflect.StructField{Name: fmt.Sprintf("A%d", at), Type: reflect.TypeFor[json.RawMessage](), Tag: tag})
		}
		a.fields = append(a.fields, at)
	}
	user := reflect.StructOf([]reflect.StructField{{Name: "Profile", Type: reflect.StructOf(fields), Tag: `json:"profile"`}})
	a.page = reflect.SliceOf(user)
	return a, nil
}

// read adds the attributes of a page to its users.
func (a attributes) read(body []byte, users []oktaUser) error {
	if a.page == nil {
		return nil
	}
	page := reflect.New(a.page)
	if err := json.Unmarshal(body, page.Interface()); err != nil {
		return err
	}
	for i := range users {
		profile := page.Elem().Index(i).Field(0)
		for j, name := range a.names {
			if values := texts(profile.Field(a.fields[j]).Bytes()); len(values) > 0 {
				users[i].attributes = append(users[i].attributes, models.Attribute{Name: name, Values: values})
			}
		}
	}
	return nil
}

// texts gives what an attribute says: text, a number, yes or no, or several of them. What is
// nested deeper is no attribute.
func texts(raw json.RawMessage) (values []string) {
	var value any
	if len(raw) == 0 || json.Unmarshal(raw, &value) != nil {
		return nil
	}
	switch value := value.(type) {
	case string:
		if value != "" {
			values = []string{value}
		}
	case float64, bool:
		values = []string{string(raw)}
	case []any:
		var list []json.RawMessage
		if json.Unmarshal(raw, &list) != nil {
			return nil
		}
		for i := range value {
			if _, nested := value[i].([]any); !nested {
				values = append(values, texts(list[i])...)
			}
		}
	}
	return values
}
