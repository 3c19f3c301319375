package crowd

import (
	"fmt"
	"strings"
	"time"

	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/models"
)

// Limits of a search, in whichever language it is written. Both databases take far more; people
// and clients are known to write far less.
const (
	maxFilterDepth = 20  // of "and" and "or" inside of each other
	maxFilterTerms = 500 // comparisons
)

// A searched is what a search looks for: users or groups, with the properties that they have.
// Any other property is a custom attribute, whose values are texts.
type searched struct {
	name       string // "user"; its list is called "users"
	properties map[string]models.PropertyType
}

var (
	searchedUsers  = searched{"user", models.UserProperties}
	searchedGroups = searched{"group", models.GroupProperties}
)

// A restriction is a search as the body of a request has it, one node of the tree, in the words
// of the request.
type restriction struct {
	kind     string        // one of the kinds below
	logic    string        // of a boolean: "and" or "or"
	children []restriction // of a boolean

	property     string // of a comparison
	propertyType string
	match        string
	value        *string // nil: there is none
}

// The kinds of restriction, as they are called in both formats.
const (
	propertyRestriction = "property-search-restriction"
	booleanRestriction  = "boolean-search-restriction"
	nullRestriction     = "null-search-restriction"
)

// filter says what the restriction finds. A null restriction finds everything, and so does a
// boolean without children, as in Crowd.
func (r *restriction) filter(of searched) (models.Filter, error) {
	terms := 0
	return r.filterAt(of, 0, &terms)
}

func (r *restriction) filterAt(of searched, depth int, terms *int) (models.Filter, error) {
	switch strings.ToLower(r.kind) {
	case "": // only JSON can forget it, and must not find everything for that
		return models.Filter{}, badRestriction("restriction-type", "The restriction has no restriction-type")
	case nullRestriction:
		return models.Filter{}, nil
	case propertyRestriction:
		if *terms++; *terms > maxFilterTerms {
			return models.Filter{}, badRestriction("", "The search compares more than %d times", maxFilterTerms)
		}
		return r.comparison(of)
	case booleanRestriction:
		if depth++; depth > maxFilterDepth {
			return models.Filter{}, badRestriction("", "The restrictions are nested deeper than %d", maxFilterDepth)
		}
		return r.combination(of, depth, terms)
	}
	return models.Filter{}, badRestriction("", "There is no restriction <%s>", r.kind)
}

func (r *restriction) combination(of searched, depth int, terms *int) (models.Filter, error) {
	logic, known := logics[strings.ToLower(strings.TrimSpace(r.logic))]
	if !known {
		return models.Filter{}, badRestriction("boolean-logic", `The boolean-logic of a restriction must be "and" or "or"`)
	}
	var list []models.Filter
	for i := range r.children {
		child, err := r.children[i].filterAt(of, depth, terms)
		if err != nil {
			return models.Filter{}, err
		}
		list = append(list, child)
	}
	return combine(logic, list), nil
}

var logics = map[string]models.Logic{"and": models.And, "or": models.Or}

// combine joins filters: one alone is itself, none finds everything.
func combine(logic models.Logic, list []models.Filter) models.Filter {
	switch len(list) {
	case 0:
		return models.Filter{}
	case 1:
		return list[0]
	}
	return models.Filter{Logic: logic, Filters: list}
}

// matches are the match modes by their words.
var matches = map[string]models.Match{
	"EXACTLY_MATCHES": models.Equals, "STARTS_WITH": models.StartsWith, "ENDS_WITH": models.EndsWith,
	"CONTAINS": models.Contains, "GREATER_THAN": models.Greater, "LESS_THAN": models.Less, "NULL": models.Null,
}

// propertyTypes are the types that a request may name. What a property's type is we know better;
// a custom attribute's values are texts, whatever a client takes them for.
var propertyTypes = map[string]bool{"": true, "STRING": true, "BOOLEAN": true, "DATE": true}

func (r *restriction) comparison(of searched) (models.Filter, error) {
	r.property = strings.TrimSpace(r.property) // indentation is no part of a name
	if r.property == "" {
		return models.Filter{}, badRestriction("property", "A restriction names no property")
	}
	if err := api.CheckText("property", r.property, r.property); err != nil {
		return models.Filter{}, err
	}
	if !propertyTypes[strings.ToUpper(strings.TrimSpace(r.propertyType))] {
		return models.Filter{}, badRestriction(r.property, "The type of property <%s> must be STRING, BOOLEAN or DATE", r.property)
	}
	match, known := matches[strings.ToUpper(strings.TrimSpace(r.match))]
	if !known {
		return models.Filter{}, badRestriction(r.property, "The match-mode of property <%s> must be EXACTLY_MATCHES, STARTS_WITH, ENDS_WITH, CONTAINS, GREATER_THAN, LESS_THAN or NULL", r.property)
	}
	kind := of.properties[r.property]
	if !fits(kind, match) {
		return models.Filter{}, badRestriction(r.property, "Property <%s> can not be compared by %s", r.property, strings.ToUpper(strings.TrimSpace(r.match)))
	}
	f := models.Filter{Logic: models.Compare, Property: r.property, Match: match}
	if match == models.Null {
		return f, nil
	}
	return r.compareWith(kind, f)
}

// fits tells whether properties of a type can be compared in a way.
func fits(kind models.PropertyType, match models.Match) bool {
	switch match {
	case models.Equals, models.Null:
		return true
	case models.Greater, models.Less:
		return kind == models.DateProperty
	}
	return kind == models.TextProperty
}

// compareWith reads the value by the property's type.
func (r *restriction) compareWith(kind models.PropertyType, f models.Filter) (models.Filter, error) {
	if r.value == nil {
		return models.Filter{}, badRestriction(r.property, "The restriction of property <%s> has no value", r.property)
	}
	switch kind {
	case models.FlagProperty:
		f.Flag = strings.EqualFold(strings.TrimSpace(*r.value), "true") // anything else is false, as in Crowd
		return f, nil
	case models.DateProperty:
		at, err := restrictionDate(*r.value)
		if err != nil {
			return models.Filter{}, badRestriction(r.property, "The value of property <%s> is not a date like 2010-12-08T16:11:21.181+1100", r.property)
		}
		f.At = at
		return f, nil
	}
	f.Text = models.Key(*r.value)
	return f, api.CheckText("value of property", r.property, *r.value)
}

// restrictionDate reads the one format that Crowd has for dates in bodies, and what RFC 3339
// has instead: a colon in the zone, "Z", any number of digits of a second.
func restrictionDate(text string) (models.Time, error) {
	text = strings.TrimSpace(text)
	t, err := time.Parse("2006-01-02T15:04:05Z0700", text)
	if err != nil {
		t, err = time.Parse(time.RFC3339, text)
	}
	return models.Time(t.UnixMilli()), err
}

func badRestriction(subject, format string, args ...any) error {
	return models.Fail(models.IllegalArgument, subject, fmt.Sprintf(format, args...))
}
