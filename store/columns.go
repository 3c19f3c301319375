package store

import (
	"strings"
	"sync"

	"gorm.io/gorm/schema"

	"github.com/rollcall-id/rollcall/models"
)

// What this program reads of users and groups, in queries that call them u and g. No query asks for
// "*": what PostgreSQL has prepared so fails once a newer program beside this one adds a column.
var (
	userColumns  = columnsOf("u", models.User{})
	groupColumns = columnsOf("g", models.Group{})
)

func columnsOf(row string, model any) string {
	parsed, err := schema.Parse(model, new(sync.Map), schema.NamingStrategy{})
	if err != nil {
		panic(err) // our own struct
	}
	return row + "." + strings.Join(parsed.DBNames, ", "+row+".")
}
