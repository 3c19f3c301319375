package store

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/rollcall-id/rollcall/store/migrations"
)

// A SchemaLoss is something that the migrations made and the database has no longer. A dump that
// was restored with errors is how that happens: unique keys come last in it.
type SchemaLoss struct {
	Kind  string // "table", "index", "unique index", "primary key", "foreign key"
	Name  string // of the index; of a table, or "table.column" of its foreign key
	Table string

	create string // the migration's statement, of an index
}

// Restorable tells whether RestoreIndex can put it back.
func (l SchemaLoss) Restorable() bool { return l.create != "" }

// SchemaLosses compares the database's schema with the migrations.
func (r *Reads) SchemaLosses(ctx context.Context) ([]SchemaLoss, error) {
	d := migrations.SQLite
	if r.store.dialect.postgres() {
		d = migrations.PostgreSQL
	}
	have, err := r.schemaObjects(ctx)
	if err != nil {
		return nil, err
	}
	var losses []SchemaLoss
	for _, want := range schemaMade(d) {
		switch {
		case slices.Contains(have, want.Kind+" "+want.Name):
		case !r.store.dialect.postgres() && strings.HasSuffix(want.Kind, " key"):
			// SQLite has them in the text of the table, from which nothing gets lost.
		default:
			losses = append(losses, want)
		}
	}
	return losses, nil
}

// RestoreIndex makes a lost index again. It fails, and changes nothing, where rows have come in
// meanwhile that a unique index doesn't allow.
func (s *Store) RestoreIndex(ctx context.Context, lost SchemaLoss) error {
	return doing("make the index "+lost.Name, s.writer.WithContext(ctx).Exec(lost.create).Error)
}

// schemaObjects lists what the database has, each as its kind and name.
func (r *Reads) schemaObjects(ctx context.Context) ([]string, error) {
	query := `SELECT CASE WHEN type = 'table' THEN 'table ' WHEN sql LIKE 'CREATE UNIQUE%' THEN 'unique index ' ELSE 'index ' END || name
		FROM sqlite_master WHERE type IN ('table', 'index')`
	if r.store.dialect.postgres() {
		query = `SELECT 'table ' || tablename FROM pg_tables WHERE schemaname = current_schema()
			UNION ALL SELECT CASE WHEN i.indisunique THEN 'unique index ' ELSE 'index ' END || c.relname
				FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = current_schema()
			UNION ALL SELECT 'primary key ' || t.relname FROM pg_constraint k JOIN pg_class t ON t.oid = k.conrelid
				JOIN pg_namespace n ON n.oid = t.relnamespace WHERE n.nspname = current_schema() AND k.contype = 'p'
			UNION ALL SELECT 'foreign key ' || t.relname || '.' || a.attname FROM pg_constraint k JOIN pg_class t ON t.oid = k.conrelid
				JOIN pg_namespace n ON n.oid = t.relnamespace JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.conkey[1]
				WHERE n.nspname = current_schema() AND k.contype = 'f'`
	}
	var have []string
	err := r.db.WithContext(ctx).Raw(query).Scan(&have).Error
	return have, doing("read the schema", err)
}

// The statements of migrations that make or remove something, and the lines of a table that name
// another.
var (
	createTable = regexp.MustCompile(`^CREATE TABLE (\w+)`)
	createIndex = regexp.MustCompile(`^CREATE (UNIQUE )?INDEX (\w+) ON (\w+)`)
	dropped     = regexp.MustCompile(`^DROP (?:TABLE|INDEX)(?: IF EXISTS)? (\w+)`)
	reference   = regexp.MustCompile(`(?m)^(?:\t|ALTER TABLE \w+ ADD COLUMN )(\w+) .*REFERENCES (\w+) \(id\)`)
	altered     = regexp.MustCompile(`^ALTER TABLE (\w+) ADD COLUMN `)
)

// schemaMade lists what the migrations leave behind.
func schemaMade(d migrations.Dialect) []SchemaLoss {
	var made []SchemaLoss
	for _, step := range migrations.Steps {
		for _, statement := range step.Statements(d) {
			table := createTable.FindStringSubmatch(statement)
			if table != nil {
				made = append(made, SchemaLoss{Kind: "table", Name: table[1], Table: table[1]}, SchemaLoss{Kind: "primary key", Name: table[1], Table: table[1]})
			} else {
				table = altered.FindStringSubmatch(statement)
			}
			if table != nil {
				for _, m := range reference.FindAllStringSubmatch(statement, -1) {
					made = append(made, SchemaLoss{Kind: "foreign key", Name: table[1] + "." + m[1], Table: table[1]})
				}
			}
			if m := createIndex.FindStringSubmatch(statement); m != nil {
				made = append(made, SchemaLoss{Kind: strings.ToLower(m[1]) + "index", Name: m[2], Table: m[3], create: statement})
			}
			if m := dropped.FindStringSubmatch(statement); m != nil {
				made = slices.DeleteFunc(made, func(l SchemaLoss) bool { return l.Name == m[1] || l.Table == m[1] })
			}
		}
	}
	return made
}
