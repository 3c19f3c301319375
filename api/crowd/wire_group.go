package crowd

import (
	"strconv"

	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/models"
)

// groupType is the one type of group that there is today.
const groupType = "GROUP"

// groupEntity is a group as the wire has it: no dates, no directory, no key.
type groupEntity struct {
	links  *links
	detail detail

	name        string
	description string
	active      bool
	attributes  []models.Attribute
}

// wireGroup says how a group looks on the wire.
func wireGroup(l *links, g *models.Group, d detail, attributes []models.Attribute) groupEntity {
	return groupEntity{
		links: l, detail: d,
		name: g.Name, description: g.Description, active: g.Active, attributes: attributes,
	}
}

// namedGroup is the answer of a membership question: the name as it was asked for.
func namedGroup(l *links, name string) api.Entity { return groupEntity{links: l, name: name} }

func (g groupEntity) attributeList() attributeList {
	return attributeList{g.links, owner{name: g.name, isGroup: true}, g.detail == withAttributes, g.attributes}
}

// AppendXML writes <group>.
func (g groupEntity) AppendXML(b []byte) []byte {
	b = append(b, `<group name="`...)
	b = api.AppendXMLAttr(b, g.name)
	if g.detail == minimal {
		b = append(b, `">`...) // with its link, always: see userEntity
		b = g.links.appendXML(b, groupLink(g.name), "self")
		return append(b, "</group>"...)
	}
	b = append(b, `" expand="attributes">`...)
	b = g.links.appendXML(b, groupLink(g.name), "self")
	b = api.AppendXMLElement(b, "description", g.description)
	b = api.AppendXMLElement(b, "type", groupType)
	b = api.AppendXMLElement(b, "active", strconv.FormatBool(g.active))
	b = g.attributeList().AppendXML(b)
	return append(b, "</group>"...)
}

// AppendJSON writes the object.
func (g groupEntity) AppendJSON(b []byte) []byte {
	b = append(b, '{')
	if g.detail != minimal {
		b = api.AppendJSONField(b, "expand", "attributes")
	}
	b = g.links.appendJSON(b, groupLink(g.name), "self")
	b = api.AppendJSONField(b, "name", g.name)
	if g.detail == minimal {
		return append(b, '}')
	}
	b = api.AppendJSONField(b, "description", g.description)
	b = api.AppendJSONField(b, "type", groupType)
	b = appendJSONBool(b, "active", g.active)
	b = api.AppendJSONName(b, "attributes")
	b = g.attributeList().AppendJSON(b)
	return append(b, '}')
}

// groupList is a list of groups.
type groupList []groupEntity

// AppendXML writes <groups>.
func (l groupList) AppendXML(b []byte) []byte { return appendXMLList(b, "groups", "group", l) }

// AppendJSON writes the object.
func (l groupList) AppendJSON(b []byte) []byte { return appendJSONList(b, "groups", "group", l) }
