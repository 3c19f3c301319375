package crowd

import (
	"strconv"

	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/models"
)

// userEntity is a user as the wire has it. The order of its elements is Crowd's.
type userEntity struct {
	links  *links
	detail detail

	name          string
	firstName     string
	lastName      string
	displayName   string
	directoryID   models.ID
	email         string
	externalID    string // with the directory the user's key: see appendKey
	created       models.Time
	updated       models.Time
	directoryName string
	active        bool
	attributes    []models.Attribute
}

// wireUser says how a user looks on the wire.
func wireUser(l *links, u *application.User, d detail, attributes []models.Attribute) userEntity {
	return userEntity{
		links: l, detail: d,
		name: u.Name, firstName: u.FirstName, lastName: u.LastName, displayName: u.DisplayName,
		directoryID: u.DirectoryID, email: u.Email,
		externalID: u.ExternalID,
		created:    u.CreatedAt, updated: u.UpdatedAt,
		directoryName: u.DirectoryName, active: u.Active, attributes: attributes,
	}
}

// namedUser is the answer of a membership question: the name as it was asked for.
func namedUser(l *links, name string) api.Entity { return userEntity{links: l, name: name} }

func (u userEntity) attributeList() attributeList {
	return attributeList{u.links, owner{name: u.name}, u.detail == withAttributes, u.attributes}
}

// appendKey writes the first part of the user's key, which the external id follows. A key never
// changes: it is Dex's subject, and how Jira recognises a renamed user.
func (u userEntity) appendKey(b []byte) []byte {
	return append(strconv.AppendInt(b, int64(u.directoryID), 10), ':')
}

// AppendXML writes <user>.
func (u userEntity) AppendXML(b []byte) []byte {
	b = append(b, `<user name="`...)
	b = api.AppendXMLAttr(b, u.name)
	if u.detail == minimal {
		// The link is never left out: mod_authnz_crowd loses its place after an entry of a list
		// that has no child.
		b = append(b, `">`...)
		b = u.links.appendXML(b, userLink(u.name), "self")
		return append(b, "</user>"...)
	}
	b = append(b, `" expand="attributes">`...)
	b = u.links.appendXML(b, userLink(u.name), "self")
	b = api.AppendXMLElement(b, "first-name", u.firstName)
	b = api.AppendXMLElement(b, "last-name", u.lastName)
	b = api.AppendXMLElement(b, "display-name", u.displayName)
	b = api.AppendXMLElement(b, "directory-id", strconv.FormatInt(int64(u.directoryID), 10))
	b = api.AppendXMLElement(b, "email", u.email)
	b = append(b, "<password>"...)
	b = u.links.appendXML(b, passwordLink(u.name), "edit")
	b = append(b, "</password>"...)
	b = append(b, "<key>"...)
	b = api.AppendXMLText(u.appendKey(b), u.externalID)
	b = append(b, "</key>"...)
	b = appendXMLTime(b, "created-date", u.created)
	b = appendXMLTime(b, "updated-date", u.updated)
	b = api.AppendXMLElement(b, "directory-name", u.directoryName)
	b = api.AppendXMLElement(b, "active", strconv.FormatBool(u.active))
	b = u.attributeList().AppendXML(b)
	return append(b, "</user>"...)
}

// AppendJSON writes the object.
func (u userEntity) AppendJSON(b []byte) []byte {
	b = append(b, '{')
	if u.detail != minimal {
		b = api.AppendJSONField(b, "expand", "attributes")
	}
	b = u.links.appendJSON(b, userLink(u.name), "self")
	b = api.AppendJSONField(b, "name", u.name)
	if u.detail == minimal {
		return append(b, '}')
	}
	b = api.AppendJSONField(b, "first-name", u.firstName)
	b = api.AppendJSONField(b, "last-name", u.lastName)
	b = api.AppendJSONField(b, "display-name", u.displayName)
	b = api.AppendJSONName(b, "directory-id")
	b = strconv.AppendInt(b, int64(u.directoryID), 10)
	b = api.AppendJSONField(b, "email", u.email)
	b = api.AppendJSONName(b, "password")
	b = append(b, '{')
	b = u.links.appendJSON(b, passwordLink(u.name), "edit")
	b = append(b, '}')
	b = append(b, `,"key":"`...)
	b = api.AppendJSONText(u.appendKey(b), u.externalID)
	b = append(b, '"')
	b = appendJSONTime(b, "created-date", u.created)
	b = appendJSONTime(b, "updated-date", u.updated)
	b = api.AppendJSONField(b, "directory-name", u.directoryName)
	b = appendJSONBool(b, "active", u.active)
	b = api.AppendJSONName(b, "attributes")
	b = u.attributeList().AppendJSON(b)
	return append(b, '}')
}

// userList is a list of users.
type userList []userEntity

// AppendXML writes <users>.
func (l userList) AppendXML(b []byte) []byte { return appendXMLList(b, "users", "user", l) }

// AppendJSON writes the object.
func (l userList) AppendJSON(b []byte) []byte { return appendJSONList(b, "users", "user", l) }
