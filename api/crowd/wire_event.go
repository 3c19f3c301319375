package crowd

import (
	"strconv"

	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/models"
)

// eventList is what changed for an application since an event token, and the next token. Its
// names are in camel case, unlike all others of this API.
type eventList struct {
	links  *links
	token  string
	events []application.Event
}

// AppendXML writes <events>. Without the second attribute Atlassian's client would never ask
// again and read everything each time.
func (l eventList) AppendXML(b []byte) []byte {
	b = append(b, `<events newEventToken="`...)
	b = api.AppendXMLAttr(b, l.token)
	b = append(b, `" incrementalSynchronisationAvailable="true"`...)
	if len(l.events) == 0 {
		return append(b, "/>"...)
	}
	b = append(b, '>')
	for i := range l.events {
		b = eventEntity{l.links, &l.events[i]}.AppendXML(b)
	}
	return append(b, "</events>"...)
}

// AppendJSON writes the object.
func (l eventList) AppendJSON(b []byte) []byte {
	b = append(b, '{')
	b = api.AppendJSONField(b, "newEventToken", l.token)
	b = appendJSONBool(b, "incrementalSynchronisationAvailable", true)
	b = append(b, `,"events":[`...)
	for i := range l.events {
		if i > 0 {
			b = append(b, ',')
		}
		b = eventEntity{l.links, &l.events[i]}.AppendJSON(b)
	}
	return append(b, "]}"...)
}

// eventEntity is one event. Its operation comes first.
type eventEntity struct {
	links *links
	*application.Event
}

// element gives the event's name in XML; in JSON it has none.
func (e eventEntity) element() string {
	switch {
	case e.Parents != nil && e.User != nil:
		return "userMembershipEvent"
	case e.Parents != nil:
		return "groupMembershipEvent"
	case e.User != nil:
		return "userEvent"
	}
	return "groupEvent"
}

// AppendXML writes the event's element.
func (e eventEntity) AppendXML(b []byte) []byte {
	element := e.element()
	b = append(b, '<')
	b = append(b, element...)
	b = append(b, '>')
	b = api.AppendXMLElement(b, "operation", string(e.Operation))
	switch element {
	case "userMembershipEvent":
		b = appendXMLName(b, "childUser", e.User.Name)
		b = e.appendXMLParents(b)
	case "groupMembershipEvent":
		b = appendXMLName(b, "group", e.Group.Name)
		b = e.appendXMLParents(b)
		b = append(b, "<childGroups/>"...) // Atlassian's client takes the list for given
	case "userEvent":
		b = e.appendXMLAttributes(b)
		b = e.appendXMLUser(b)
	default:
		b = e.appendXMLAttributes(b)
		b = e.appendXMLGroup(b)
	}
	b = append(b, "</"...)
	b = append(b, element...)
	return append(b, '>')
}

// appendXMLName writes a user or group of which only the name is said.
func appendXMLName(b []byte, element, name string) []byte {
	b = append(b, '<')
	b = append(b, element...)
	b = append(b, ` name="`...)
	b = api.AppendXMLAttr(b, name)
	return append(b, `"/>`...)
}

func (e eventEntity) appendXMLParents(b []byte) []byte {
	b = append(b, "<parentGroups>"...)
	for _, name := range e.Parents {
		b = appendXMLName(b, "group", name)
	}
	return append(b, "</parentGroups>"...)
}

func (e eventEntity) appendXMLAttributes(b []byte) []byte {
	if len(e.Stored) > 0 {
		b = append(b, "<storedAttributes>"...)
		for _, one := range e.Stored {
			b = append(b, `<attribute name="`...)
			b = api.AppendXMLAttr(b, one.Name)
			b = append(b, `"><values>`...)
			for _, value := range one.Values {
				b = api.AppendXMLElement(b, "value", value)
			}
			b = append(b, "</values></attribute>"...)
		}
		b = append(b, "</storedAttributes>"...)
	}
	if len(e.Removed) > 0 {
		b = append(b, "<deletedAttributes>"...)
		for _, name := range e.Removed {
			b = appendXMLName(b, "attribute", name)
		}
		b = append(b, "</deletedAttributes>"...)
	}
	return b
}

// appendXMLUser writes the user as it is after the event; of one that is gone, only the name.
func (e eventEntity) appendXMLUser(b []byte) []byte {
	b = append(b, `<user name="`...)
	b = api.AppendXMLAttr(b, e.User.Name)
	b = append(b, `">`...)
	b = e.links.appendXML(b, userLink(e.User.Name), "self")
	if e.Operation != application.Deleted {
		b = api.AppendXMLElement(b, "first-name", e.User.FirstName)
		b = api.AppendXMLElement(b, "last-name", e.User.LastName)
		b = api.AppendXMLElement(b, "display-name", e.User.DisplayName)
		b = api.AppendXMLElement(b, "email", e.User.Email)
		b = api.AppendXMLElement(b, "key", userKey(e.User))
		b = api.AppendXMLElement(b, "active", strconv.FormatBool(e.User.Active))
	}
	return append(b, "</user>"...)
}

func (e eventEntity) appendXMLGroup(b []byte) []byte {
	b = append(b, `<group name="`...)
	b = api.AppendXMLAttr(b, e.Group.Name)
	b = append(b, `">`...)
	b = e.links.appendXML(b, groupLink(e.Group.Name), "self")
	if e.Operation != application.Deleted {
		b = api.AppendXMLElement(b, "description", e.Group.Description)
		b = api.AppendXMLElement(b, "type", groupType)
		b = api.AppendXMLElement(b, "active", strconv.FormatBool(e.Group.Active))
	}
	return append(b, "</group>"...)
}

// AppendJSON writes the object. No client is known that reads it.
func (e eventEntity) AppendJSON(b []byte) []byte {
	b = append(b, '{')
	b = api.AppendJSONField(b, "operation", string(e.Operation))
	switch e.element() {
	case "userMembershipEvent":
		b = appendJSONName(b, "childUser", e.User.Name)
		b = e.appendJSONParents(b)
	case "groupMembershipEvent":
		b = appendJSONName(b, "group", e.Group.Name)
		b = e.appendJSONParents(b)
		b = append(b, `,"childGroups":{"groups":[]}`...)
	case "userEvent":
		b = e.appendJSONAttributes(b)
		b = e.appendJSONUser(b)
	default:
		b = e.appendJSONAttributes(b)
		b = e.appendJSONGroup(b)
	}
	return append(b, '}')
}

func appendJSONName(b []byte, field, name string) []byte {
	b = api.AppendJSONName(b, field)
	b = append(b, '{')
	b = api.AppendJSONField(b, "name", name)
	return append(b, '}')
}

func (e eventEntity) appendJSONParents(b []byte) []byte {
	b = append(b, `,"parentGroups":{"groups":[`...)
	for i, name := range e.Parents {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '{')
		b = api.AppendJSONField(b, "name", name)
		b = append(b, '}')
	}
	return append(b, "]}"...)
}

func (e eventEntity) appendJSONAttributes(b []byte) []byte {
	if len(e.Stored) > 0 {
		b = appendJSONAttributeList(b, "storedAttributes", e.Stored)
	}
	if len(e.Removed) > 0 {
		removed := make([]models.Attribute, len(e.Removed))
		for i, name := range e.Removed {
			removed[i].Name = name
		}
		b = appendJSONAttributeList(b, "deletedAttributes", removed)
	}
	return b
}

func appendJSONAttributeList(b []byte, field string, list []models.Attribute) []byte {
	b = api.AppendJSONName(b, field)
	b = append(b, `{"attributes":[`...)
	for i, one := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '{')
		b = api.AppendJSONField(b, "name", one.Name)
		b = append(b, `,"values":[`...)
		for j, value := range one.Values {
			if j > 0 {
				b = append(b, ',')
			}
			b = api.AppendJSONString(b, value)
		}
		b = append(b, "]}"...)
	}
	return append(b, "]}"...)
}

func (e eventEntity) appendJSONUser(b []byte) []byte {
	b = api.AppendJSONName(b, "user")
	b = append(b, '{')
	b = e.links.appendJSON(b, userLink(e.User.Name), "self")
	b = api.AppendJSONField(b, "name", e.User.Name)
	if e.Operation != application.Deleted {
		b = api.AppendJSONField(b, "first-name", e.User.FirstName)
		b = api.AppendJSONField(b, "last-name", e.User.LastName)
		b = api.AppendJSONField(b, "display-name", e.User.DisplayName)
		b = api.AppendJSONField(b, "email", e.User.Email)
		b = api.AppendJSONField(b, "key", userKey(e.User))
		b = appendJSONBool(b, "active", e.User.Active)
	}
	return append(b, '}')
}

func (e eventEntity) appendJSONGroup(b []byte) []byte {
	b = api.AppendJSONName(b, "group")
	b = append(b, '{')
	b = e.links.appendJSON(b, groupLink(e.Group.Name), "self")
	b = api.AppendJSONField(b, "name", e.Group.Name)
	if e.Operation != application.Deleted {
		b = api.AppendJSONField(b, "description", e.Group.Description)
		b = api.AppendJSONField(b, "type", groupType)
		b = appendJSONBool(b, "active", e.Group.Active)
	}
	return append(b, '}')
}

// userKey is the user's key, as in wireUser: the client knows a user again by it.
func userKey(u *application.User) string {
	return strconv.FormatInt(int64(u.DirectoryID), 10) + ":" + u.ExternalID
}
