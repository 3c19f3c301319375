package store_test

import (
	"database/sql"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"gorm.io/gorm/schema"

	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// stored holds every type whose rows are stored.
var stored = []any{
	models.Directory{}, models.DirectorySetting{}, models.User{}, models.UserAttribute{}, models.Identity{}, models.Credential{},
	models.OldPassword{}, models.Group{}, models.GroupAttribute{}, models.Membership{}, models.Nesting{},
	models.Application{}, models.ApplicationPassword{}, models.ApplicationAddress{}, models.Mapping{}, models.MappingGroup{},
	models.Alias{}, models.Call{}, models.Session{}, models.Delay{}, models.Change{}, models.AuditEntry{}, models.OutboxItem{},
	models.Webhook{}, models.WebhookNetwork{}, store.EventStart{}, store.Installation{}, store.ResetToken{},
	models.SyncState{},
}

// withoutModel are the tables that only the store's own statements know.
var withoutModel = []string{"schema_steps", "feed_floors", "letter_requests", "sync_runs", "user_departures", "group_departures", "staged_pages"}

func TestMigratedSchemaEqualsModels(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		want := map[string][]string{}
		for _, model := range stored {
			parsed, err := schema.Parse(model, &sync.Map{}, schema.NamingStrategy{})
			if err != nil {
				t.Fatal(err)
			}
			want[parsed.Table] = slices.Sorted(slices.Values(parsed.DBNames))
		}
		got := columns(t, db)
		for _, table := range withoutModel {
			if got[table] == nil {
				t.Errorf("there is no table %s", table)
			}
			delete(got, table)
		}
		testkit.Diff(t, "columns of each table", want, got)
	})
}

// columns lists the columns of each table by name.
func columns(t *testing.T, db testkit.Database) map[string][]string {
	t.Helper()
	raw, out := db.Raw(t), map[string][]string{}
	for _, table := range db.Tables(t) {
		rows, err := raw.QueryContext(t.Context(), "SELECT * FROM "+table+" LIMIT 0")
		if err != nil {
			t.Fatal(err)
		}
		names, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		rows.Close()
		out[table] = slices.Sorted(slices.Values(names))
	}
	return out
}

// A type that has a primary key is a row, and has to be in stored.
func TestEveryStoredModelIsCompared(t *testing.T) {
	t.Parallel()
	compared := map[string]bool{}
	for _, model := range stored {
		compared[reflect.TypeOf(model).Name()] = true
	}
	var files []string
	for _, folder := range []string{".", "../models"} {
		found, err := filepath.Glob(folder + "/*.go")
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok && spec.Name.IsExported() && hasPrimaryKey(spec) && !compared[spec.Name.Name] {
				t.Errorf("%s of %s is not compared with its table", spec.Name.Name, file)
			}
			return true
		})
	}
}

func hasPrimaryKey(spec *ast.TypeSpec) bool {
	fields, ok := spec.Type.(*ast.StructType)
	return ok && slices.ContainsFunc(fields.Fields.List, func(f *ast.Field) bool {
		return f.Tag != nil && strings.Contains(f.Tag.Value, "primaryKey")
	})
}

func TestNamesAreComparedByteByByteOnPostgres(t *testing.T) {
	t.Parallel()
	testkit.OnPostgres(t, func(t *testing.T, db testkit.Database) {
		got := map[string]string{}
		query(t, db.Raw(t), `SELECT table_name || '.' || column_name, coalesce(collation_name, '')
			FROM information_schema.columns WHERE table_schema = 'public' AND (column_name LIKE '%\_key' OR column_name = 'key' OR column_name = 'external_id')`,
			func(scan func(...any) error) error {
				var column, collation string
				err := scan(&column, &collation)
				got[column] = collation
				return err
			})
		if len(got) < 10 {
			t.Errorf("want at least ten folded columns, got %v", got)
		}
		for column, collation := range got {
			if collation != "C" {
				t.Errorf("%s has the collation %q, want C", column, collation)
			}
		}
	})
}

// query runs do for each row.
func query(t *testing.T, raw *sql.DB, text string, do func(scan func(...any) error) error) {
	t.Helper()
	rows, err := raw.QueryContext(t.Context(), text)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := do(rows.Scan); err != nil {
			t.Fatal(err)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

func TestWhatBelongsToARowGoesWithIt(t *testing.T) {
	t.Parallel()
	// A column that names another table's row has to say what happens when that goes. The feed,
	// the audit log and the outbox tell of rows that are gone; they name them freely.
	free := []string{"changes", "audit_entries", "outbox_items"}
	testkit.OnPostgres(t, func(t *testing.T, db testkit.Database) {
		cascades := map[string]bool{}
		query(t, db.Raw(t), `SELECT t.relname || '.' || a.attname, k.confdeltype::text FROM pg_constraint k JOIN pg_class t ON t.oid = k.conrelid
			JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.conkey[1] WHERE k.contype = 'f'`,
			func(scan func(...any) error) error {
				var column, action string
				err := scan(&column, &action)
				cascades[column] = action == "c"
				return err
			})
		for table, names := range columns(t, db) {
			if slices.Contains(free, table) {
				continue
			}
			for _, name := range names {
				if strings.HasSuffix(name, "_id") && name != "external_id" && !cascades[table+"."+name] {
					t.Errorf("%s.%s names a row and doesn't go with it", table, name)
				}
			}
		}
		if len(cascades) < 10 {
			t.Errorf("want at least ten foreign keys, got %v", slices.Sorted(maps.Keys(cascades)))
		}
	})
}
