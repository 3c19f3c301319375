package models

// A Filter is a search for users or groups, parsed from Crowd's restrictions or from its query
// language. The zero Filter finds everything. Texts are compared by Key, so case never counts.
type Filter struct {
	Logic    Logic
	Filters  []Filter // with And, Or
	Property string   // with Compare: one of the properties below, else a custom attribute's name
	Match    Match
	Text     string // what a text property or an attribute is compared with, as a Key
	Flag     bool   // what a yes/no property is compared with
	At       Time   // what a date is compared with
}

// Logic says what a Filter is made of.
type Logic int

// The kinds of Filter.
const (
	All     Logic = iota // finds everything
	And                  // every one of Filters
	Or                   // any of Filters
	Compare              // Property, Match and the value of its type
)

// Match says how a property is compared.
type Match int

// The matches. Texts have the first four, dates Equals, Greater and Less, yes/no Equals; each
// has Null: the property is absent or empty.
const (
	Equals Match = iota
	StartsWith
	EndsWith
	Contains
	Greater
	Less
	Null
)

// PropertyType is the type of a property's values.
type PropertyType int

// The types of properties.
const (
	TextProperty PropertyType = iota
	FlagProperty
	DateProperty
)

// The properties that are not custom attributes, as Crowd names them, with their types.
var (
	UserProperties = map[string]PropertyType{
		"name": TextProperty, "email": TextProperty, "firstName": TextProperty, "lastName": TextProperty,
		"displayName": TextProperty, "externalId": TextProperty, "active": FlagProperty,
		"createdDate": DateProperty, "updatedDate": DateProperty,
	}
	GroupProperties = map[string]PropertyType{
		"name": TextProperty, "description": TextProperty, "externalId": TextProperty, "active": FlagProperty,
		"local": FlagProperty, "createdDate": DateProperty, "updatedDate": DateProperty,
	}
)
