package store

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/rollcall-id/rollcall/models"
)

// A Search asks for the canonical users or groups that a filter finds, in the order of their
// keys. Application, where it is set, is the one whose aliases count as names.
type Search struct {
	Visible
	Application models.ID
	Filter      models.Filter
	After       string // the key after which to go on; empty: from the start
	Skip, Limit int
}

// A FoundUser is a user that a search found, with the name under which it was sorted.
type FoundUser struct {
	models.User
	SortKey string
}

// SearchUsers finds users.
func (r *Reads) SearchUsers(ctx context.Context, s Search) ([]FoundUser, error) {
	if len(s.Dirs) == 0 {
		return nil, nil
	}
	q := query{entity: userEntity, postgres: r.store.dialect.postgres(), nameKey: "u.name_key"}
	from := "users u JOIN dirs d ON d.id = u.directory_id"
	if s.Application != 0 {
		q.nameKey = "coalesce(al.name_key, u.name_key)"
		from += fmt.Sprintf(" LEFT JOIN aliases al ON al.user_id = u.id AND al.application_id = %d", s.Application)
	}
	text, args := q.build(s, userColumns+", "+q.nameKey+" AS sort_key", from, s.canonical("users", "u"))
	var users []FoundUser
	err := r.db.WithContext(ctx).Raw(text, args...).Scan(&users).Error
	return users, doing("search users", err)
}

// SearchGroups finds groups.
func (r *Reads) SearchGroups(ctx context.Context, s Search) ([]*models.Group, error) {
	if len(s.Dirs) == 0 {
		return nil, nil
	}
	q := query{entity: groupEntity, postgres: r.store.dialect.postgres(), nameKey: "g.name_key"}
	text, args := q.build(s, groupColumns, "groups g JOIN dirs d ON d.id = g.directory_id", s.canonical("groups", "g"))
	var groups []*models.Group
	err := r.db.WithContext(ctx).Raw(text, args...).Scan(&groups).Error
	return groups, doing("search groups", err)
}

// entity is how the table of users or of groups is searched.
type entity struct {
	row        string            // its name in queries
	columns    map[string]string // of the properties that are texts, folded
	flags      map[string]string
	dates      map[string]string
	attributes string            // the table of attributes
	owner      string            // its column that names the row
	logins     map[string]string // attributes that are columns of the credential, as texts
}

var userEntity = entity{
	row: "u",
	columns: map[string]string{
		"email": "u.email_key", "firstName": "u.first_key", "lastName": "u.last_key",
		"displayName": "u.display_key", "externalId": "lower(u.external_id)",
	},
	flags:      map[string]string{"active": "u.active"},
	dates:      map[string]string{"createdDate": "u.created_at", "updatedDate": "u.updated_at"},
	attributes: "user_attributes", owner: "user_id",
	logins: map[string]string{
		"invalidPasswordAttempts": "CAST(c.failures AS text)",
		"requiresPasswordChange":  "CASE WHEN c.must_change THEN 'true' ELSE 'false' END",
		"lastAuthenticated":       "CAST(nullif(c.last_authenticated, 0) AS text)",
		"lastActive":              "CAST(nullif(c.last_active, 0) AS text)",
		"passwordLastChanged":     "CAST(nullif(c.changed_at, 0) AS text)",
	},
}

var groupEntity = entity{
	row:     "g",
	columns: map[string]string{"description": "g.description_key", "externalId": "lower(g.external_id)"},
	// A group is local when it was made here and not by a sync.
	flags:      map[string]string{"active": "g.active", "local": "1 = 1"},
	dates:      map[string]string{"createdDate": "g.created_at", "updatedDate": "g.updated_at"},
	attributes: "group_attributes", owner: "group_id",
}

// query turns one filter into SQL.
type query struct {
	entity
	postgres bool
	nameKey  string
	args     []any
}

func (q *query) build(s Search, columns, from, canonical string) (string, []any) {
	where := q.condition(s.Filter)
	if s.After != "" {
		where += " AND " + q.nameKey + " > ?"
		q.args = append(q.args, s.After)
	}
	page, bounds := limit(models.Page{Start: s.Skip, Max: s.Limit})
	return "WITH " + s.with() + " SELECT " + columns + " FROM " + from + " WHERE " + where + " AND " + canonical +
		" ORDER BY " + q.nameKey + page, append(q.args, bounds...)
}

// condition gives a filter's condition, in parentheses; values are always arguments.
func (q *query) condition(f models.Filter) string {
	switch f.Logic {
	case models.And, models.Or:
		if len(f.Filters) == 0 {
			return "(1 = 1)"
		}
		word := " AND "
		if f.Logic == models.Or {
			word = " OR "
		}
		parts := make([]string, len(f.Filters))
		for i, child := range f.Filters {
			parts[i] = q.condition(child)
		}
		return "(" + strings.Join(parts, word) + ")"
	case models.Compare:
		return "(" + q.compare(f) + ")"
	}
	return "(1 = 1)"
}

func (q *query) compare(f models.Filter) string {
	if f.Property == "name" {
		return q.text(q.nameKey, f)
	}
	if column, ok := q.columns[f.Property]; ok {
		return q.text(column, f)
	}
	if column, ok := q.flags[f.Property]; ok {
		if f.Match == models.Null {
			return "1 = 0"
		}
		q.args = append(q.args, f.Flag)
		return "(" + column + ") = ?"
	}
	if column, ok := q.dates[f.Property]; ok {
		return q.date(column, f)
	}
	return q.attribute(f)
}

func (q *query) text(column string, f models.Filter) string {
	switch f.Match {
	case models.Null:
		return "coalesce(" + column + ", '') = ''"
	case models.StartsWith:
		if f.Text == "" {
			return "1 = 1"
		}
		// A range, and not LIKE, so that an index serves it in both databases.
		q.args = append(q.args, f.Text, f.Text+string(utf8.MaxRune))
		return column + " >= ? AND " + column + " < ?"
	case models.EndsWith:
		q.args = append(q.args, f.Text)
		n := utf8.RuneCountInString(f.Text)
		if q.postgres {
			return fmt.Sprintf("right(%s, %d) = ?", column, n)
		}
		return fmt.Sprintf("(%d = 0 OR substr(%s, -%d) = ?)", n, column, max(n, 1))
	case models.Contains:
		q.args = append(q.args, f.Text)
		if q.postgres {
			return "strpos(" + column + ", ?) > 0"
		}
		return "instr(" + column + ", ?) > 0"
	}
	q.args = append(q.args, f.Text)
	return column + " = ?"
}

func (q *query) date(column string, f models.Filter) string {
	switch f.Match {
	case models.Null:
		return "1 = 0"
	case models.Greater:
		q.args = append(q.args, f.At)
		return column + " > ?"
	case models.Less:
		q.args = append(q.args, f.At)
		return column + " < ?"
	}
	q.args = append(q.args, f.At)
	return column + " = ?"
}

// attribute compares the values of a custom attribute, any of which may match; Null finds who
// doesn't have it. The bookkeeping of logins looks like attributes and is none.
func (q *query) attribute(f models.Filter) string {
	if column, ok := q.logins[f.Property]; ok {
		if f.Match == models.Null {
			return "NOT EXISTS (SELECT 1 FROM credentials c WHERE c.user_id = u.id AND " + column + " IS NOT NULL)"
		}
		return "EXISTS (SELECT 1 FROM credentials c WHERE c.user_id = u.id AND " + q.text(column, f) + ")"
	}
	q.args = append(q.args, f.Property)
	exists := fmt.Sprintf("EXISTS (SELECT 1 FROM %s a WHERE a.%s = %s.id AND a.name = ?", q.attributes, q.owner, q.row)
	switch f.Match {
	case models.Null:
		return "NOT " + exists + ")"
	case models.Equals:
		// The index holds the first 200 characters.
		q.args = append(q.args, f.Text, f.Text)
		return exists + " AND substr(a.value_key, 1, 200) = substr(?, 1, 200) AND a.value_key = ?)"
	}
	return exists + " AND " + q.text("a.value_key", f) + ")"
}
