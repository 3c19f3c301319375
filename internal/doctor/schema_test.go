package doctor_test

import (
	"database/sql"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/internal/testkit"
)

// The doctor reads what there should be out of the migrations. So whatever a migration makes, in
// whatever words, has to be missed when it is gone.
func TestEveryKeyAndIndexIsMissed(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		query := "SELECT name, 'DROP INDEX ' || name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
		if db.Kind == testkit.Postgres {
			query = `SELECT c.relname || '.' || a.attname, 'ALTER TABLE ' || c.relname || ' DROP CONSTRAINT ' || k.conname
					FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.conkey[1]
					WHERE k.contype = 'f' AND c.relnamespace = current_schema()::regnamespace
				UNION ALL SELECT i.relname, 'DROP INDEX ' || i.relname FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
					WHERE i.relnamespace = current_schema()::regnamespace AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.oid)`
		}
		wanted, drops := namesAndStatements(t, db, query)
		execute(t, db, drops...)

		losses, err := db.Open(t).SchemaLosses(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var missed []string
		for _, l := range losses {
			missed = append(missed, l.Name)
		}
		slices.Sort(wanted)
		slices.Sort(missed)
		if diff := cmp.Diff(wanted, missed); diff != "" {
			t.Errorf("the doctor doesn't miss what is gone (-want +got):\n%s", diff)
		}
	})
}

func namesAndStatements(t *testing.T, db testkit.Database, query string) (names, statements []string) {
	t.Helper()
	driver, source := "pgx", db.URL
	if db.Kind == testkit.SQLite {
		driver, source = "sqlite", db.Path()
	}
	raw, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	rows, err := raw.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name, statement string
		if err := rows.Scan(&name, &statement); err != nil {
			t.Fatal(err)
		}
		names, statements = append(names, name), append(statements, statement)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return names, statements
}
