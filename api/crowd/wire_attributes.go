package crowd

import (
	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/models"
)

// attributeList is the attributes of a user or group as the wire has them. They stand in the
// entity, and are a resource of their own.
type attributeList struct {
	links    *links
	owner    owner
	expanded bool // else there is only the link
	list     []models.Attribute
}

// AppendXML writes <attributes>.
func (a attributeList) AppendXML(b []byte) []byte {
	b = append(b, "<attributes>"...)
	if a.expanded {
		for _, one := range a.list {
			b = a.appendOneXML(b, one)
		}
	}
	b = a.links.appendXML(b, a.owner.attributesLink(), "self")
	return append(b, "</attributes>"...)
}

func (a attributeList) appendOneXML(b []byte, one models.Attribute) []byte {
	b = append(b, `<attribute name="`...)
	b = api.AppendXMLAttr(b, one.Name)
	b = append(b, `">`...)
	b = a.links.appendXML(b, a.owner.attributeLink(one.Name), "self")
	if len(one.Values) == 0 {
		return append(b, "<values/></attribute>"...)
	}
	b = append(b, "<values>"...)
	for _, value := range one.Values {
		b = api.AppendXMLElement(b, "value", value)
	}
	return append(b, "</values></attribute>"...)
}

// AppendJSON writes the object. Its array is there even when it is empty: clients map over it
// without asking.
func (a attributeList) AppendJSON(b []byte) []byte {
	b = append(b, `{"attributes":[`...)
	if a.expanded {
		for i, one := range a.list {
			if i > 0 {
				b = append(b, ',')
			}
			b = a.appendOneJSON(b, one)
		}
	}
	b = append(b, ']')
	b = a.links.appendJSON(b, a.owner.attributesLink(), "self")
	return append(b, '}')
}

func (a attributeList) appendOneJSON(b []byte, one models.Attribute) []byte {
	b = append(b, '{')
	b = a.links.appendJSON(b, a.owner.attributeLink(one.Name), "self")
	b = api.AppendJSONField(b, "name", one.Name)
	b = append(b, `,"values":[`...)
	for i, value := range one.Values {
		if i > 0 {
			b = append(b, ',')
		}
		b = api.AppendJSONString(b, value)
	}
	return append(b, "]}"...)
}

// attributesBody is a list of attributes as a request has it, alone or in a user.
type attributesBody struct {
	Attributes []attributeBody `json:"attributes" xml:"attribute"`
}

type attributeBody struct {
	Name   string   `json:"name" xml:"name,attr"`
	Values []string `json:"values" xml:"values>value"`
}

// readAttributes gives the attributes of a body, each name once: the last mention counts. No
// values means that the attribute is to go.
func readAttributes(body attributesBody) ([]models.Attribute, error) {
	var list []models.Attribute
	position := map[string]int{}
	for _, one := range body.Attributes {
		if one.Name == "" {
			return nil, models.Fail(models.IllegalArgument, "attributes", "An attribute of the body has no name")
		}
		if err := api.CheckText("attribute", one.Name, one.Name); err != nil {
			return nil, err
		}
		i, known := position[one.Name]
		if !known {
			i = len(list)
			position[one.Name] = i
			list = append(list, models.Attribute{})
		}
		list[i] = models.Attribute{Name: one.Name, Values: one.Values}
	}
	return list, nil
}
