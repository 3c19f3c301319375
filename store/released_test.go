package store_test

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
	"github.com/rollcall-id/rollcall/store/migrations"
)

// testdata keeps a dump of each released schema with a few rows in it, for both databases:
// schema-N.sqlite.sql and schema-N.postgres.sql. Before a release that brings step N:
//
//	go test ./store -run TestReleasedSchemasAreUpgraded -dump N
//
// A released dump never changes. While its steps are not released it is made again when one
// of them changes.
var dump = flag.Int("dump", 0, "write the schema of this step, with a few rows, to testdata")

func TestReleasedSchemasAreUpgraded(t *testing.T) {
	t.Parallel()
	if *dump > 0 {
		writeDumps(t, *dump)
	}
	files, err := filepath.Glob("testdata/schema-*.sqlite.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		var level int
		if _, err := fmt.Sscanf(filepath.Base(file), "schema-%d.sqlite.sql", &level); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		t.Run(fmt.Sprintf("step %d", level), func(t *testing.T) {
			t.Parallel()
			testkit.EachEmptyDatabase(t, func(t *testing.T, db testkit.Database) { upgradeDump(t, db, level) })
		})
	}
	if len(files) == 0 {
		t.Error("there is no dump")
	}
}

func dumpFile(level int, kind string) string {
	return filepath.Join("testdata", fmt.Sprintf("schema-%d.%s.sql", level, kind))
}

func upgradeDump(t *testing.T, db testkit.Database, level int) {
	t.Helper()
	load(t, db, dumpFile(level, db.Kind))
	if level < store.SchemaLevel() {
		if _, err := store.Open(t.Context(), db.Options(t)); err == nil {
			t.Error("it was opened without an upgrade")
		}
	}
	s := db.Open(t, upgrades)
	fresh := testkit.Fresh(t, db.Kind)
	const again = "the upgraded schema (want) differs from a new one (got); if step %d is not released, make its dump again with -dump %d"
	testkit.Diff(t, fmt.Sprintf(again, level, level), describe(t, fresh), describe(t, db))
	checkRows(t, s)
	addUser(t, s, &models.Directory{ID: 1}, "new")
}

// load runs a dump's statements.
func load(t *testing.T, db testkit.Database, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if db.Kind == testkit.SQLite {
		if _, err := db.Raw(t).ExecContext(t.Context(), string(text)); err != nil {
			t.Fatal(err)
		}
		return
	}
	conn, err := pgx.Connect(t.Context(), db.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.PgConn().Exec(t.Context(), string(text)).ReadAll(); err != nil {
		t.Fatal(err)
	}
}

// describe lists what the database says of its columns, indexes and foreign keys.
func describe(t *testing.T, db testkit.Database) map[string]bool {
	t.Helper()
	text := `SELECT m.name || '.' || c.name || ' ' || c.type || ' ' || c."notnull" || ' ' || coalesce(c.dflt_value, '') || ' ' || c.pk
			FROM sqlite_schema m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%'
		UNION ALL SELECT m.name || '.' || f."from" || ' ' || f."table" || ' ' || f.on_delete FROM sqlite_schema m JOIN pragma_foreign_key_list(m.name) f WHERE m.type = 'table'
		UNION ALL SELECT sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL`
	if db.Kind == testkit.Postgres {
		text = `SELECT concat_ws(' ', table_name || '.' || column_name, data_type, is_nullable, column_default, collation_name, identity_generation)
				FROM information_schema.columns WHERE table_schema = 'public'
			UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
			UNION ALL SELECT conrelid::regclass || ' ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype IN ('p', 'f', 'u', 'c')`
	}
	described := map[string]bool{}
	query(t, db.Raw(t), text, func(scan func(...any) error) error {
		var line string
		err := scan(&line)
		described[strings.Join(strings.Fields(line), " ")] = true
		return err
	})
	return described
}

// fillRows makes the rows that each dump holds, with what every schema had from the first on.
func fillRows(t *testing.T, s *store.Store) {
	t.Helper()
	staff := &models.Directory{
		Name: "staff", Kind: models.KindInternal, Active: true, Permissions: models.AllPermissions,
		Settings: map[string]string{"password": "hunter2", "host": "ldap.test"},
	}
	write(t, s, func(tx *store.Tx) error { return tx.CreateDirectory(staff, map[string]bool{"password": true}) })
	ada := &models.User{DirectoryID: staff.ID, Name: "Ada", FirstName: "Ada", LastName: "Lovelace", Email: "Ada@Example.test", Active: true, ExternalID: "u-1"}
	write(t, s, func(tx *store.Tx) error { return tx.CreateUser(ada) })
	all := &models.Group{DirectoryID: staff.ID, Name: "All", Description: "everybody's", Active: true, ExternalID: "g-1"}
	some := &models.Group{DirectoryID: staff.ID, Name: "Some", Active: true, ExternalID: "g-2"}
	jira := &models.Application{Name: "Jira", Active: true, Nested: true}
	attribute := []models.Attribute{{Name: "colour", Values: []string{"red", "Blue"}}}
	write(t, s, func(tx *store.Tx) error {
		for _, do := range []func() error{
			func() error { return tx.CreateGroup(all) },
			func() error { return tx.CreateGroup(some) },
			func() error { return tx.AddMember(some, ada) },
			func() error { return tx.AddChild(all, some) },
			func() error { return tx.SetUserAttributes(ada, attribute) },
			func() error { return tx.SetGroupAttributes(some, attribute) },
			func() error { return tx.AddIdentity("okta", "00u1", ada) },
			func() error { return tx.SetPassword(ada, "old hash", 5) },
			func() error { return tx.SetPassword(ada, "hash", 5) },
			func() error { return tx.CreateApplication(jira) },
			func() error { return tx.AddApplicationPassword(jira, &models.ApplicationPassword{Hash: "hash"}) },
			func() error { return tx.SetApplicationAddresses(jira, nil, []string{"127.0.0.1"}) },
			func() error {
				return tx.SetMappings(jira, nil, []models.Mapping{{DirectoryID: staff.ID, Permissions: models.CreateUser, Groups: []string{"All"}}})
			},
			func() error { return tx.SetAlias(jira, ada, "Countess") },
			func() error {
				return tx.CreateSession(&models.Session{UserID: ada.ID, TokenHash: []byte("token"), Sealed: s.Seal("session", []byte("token")), Factors: []byte{}, Lifetime: halfHour})
			},
		} {
			if err := do(); err != nil {
				return err
			}
		}
		return nil
	})
	s.NoteFailure(jira.ID, ada.ID)
	s.NoteCall(models.Call{ApplicationID: jira.ID, Path: "/user", Status: 200})
	flush(t, s)
}

// checkRows finds what fillRows made.
func checkRows(t *testing.T, s *store.Store) {
	t.Helper()
	staff, err := s.DirectoryByName(t.Context(), "staff")
	if err != nil {
		t.Fatal(err)
	}
	testkit.Diff(t, "settings, with the secret opened", map[string]string{"password": "hunter2", "host": "ldap.test"}, staff.Settings)
	ada, err := s.UserByExternalID(t.Context(), staff.ID, "u-1")
	if err != nil {
		t.Fatal(err)
	}
	testkit.Diff(t, "user", []string{"Ada", "ada", "Lovelace", "lovelace", "ada@example.test"}, []string{ada.Name, ada.NameKey, ada.LastName, ada.LastKey, ada.EmailKey})
	groups, err := s.GroupNamesOf(t.Context(), ada.ID, true)
	if err != nil || len(groups) != 2 {
		t.Errorf("want the groups all and some, got %v, %v", groups, err)
	}
	attributes, err := s.UserAttributes(t.Context(), []models.ID{ada.ID})
	if err != nil {
		t.Fatal(err)
	}
	testkit.Diff(t, "attributes", map[models.ID][]models.Attribute{ada.ID: {{Name: "colour", Values: []string{"Blue", "red"}}}}, attributes)
	jira := application(t, s, "jira")
	if len(jira.Passwords) != 1 || len(jira.Addresses) != 1 || len(jira.Mappings) != 1 || jira.Mappings[0].Groups[0] != "All" || !jira.HasAliases {
		t.Errorf("want jira with all that is its own, got %+v", jira)
	}
	testkit.Diff(t, "failures", [2]int{1, 1}, failures(t, s, &jira.Application, ada))
	if credential(t, s, ada).Hash.Reveal() != "hash" || !live(t, s, "token") {
		t.Error("the password or the session is lost")
	}
	if _, err := s.UserByIdentity(t.Context(), "okta", "00u1"); err != nil {
		t.Error(err)
	}
	entries, err := s.SearchAudit(t.Context(), store.AuditSearch{Actor: "jane", Limit: 100})
	if err != nil || len(entries) < 10 {
		t.Errorf("want an audit entry of each write, got %d, %v", len(entries), err)
	}
}

func writeDumps(t *testing.T, level int) {
	t.Helper()
	if err := os.MkdirAll("testdata", 0o755); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{testkit.SQLite, testkit.Postgres} {
		db := testkit.Empty(t, kind)
		s := db.Open(t, func(o *store.Options) { o.UseSteps(migrations.Steps[:level]); o.Now = testkit.NewClock().Now })
		fillRows(t, s)
		text := dumpPostgres
		if kind == testkit.SQLite {
			text = dumpSQLite
		}
		if err := os.WriteFile(dumpFile(level, kind), []byte(text(t, db)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// dumpPostgres gives pg_dump's statements without those that set up its own session, some of
// which older servers don't know.
func dumpPostgres(t *testing.T, db testkit.Database) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "pg_dump", "--no-owner", "--no-privileges", "--inserts", db.URL).Output()
	if err != nil {
		t.Fatalf("pg_dump: %v", err)
	}
	var b strings.Builder
	for line := range strings.Lines(string(out)) {
		if session := regexp.MustCompile(`^(--|\\|SET |SELECT pg_catalog.set_config)`); strings.TrimSpace(line) != "" && !session.MatchString(line) {
			b.WriteString(line)
		}
	}
	return b.String()
}

func dumpSQLite(t *testing.T, db testkit.Database) string {
	t.Helper()
	raw := db.Raw(t)
	var b strings.Builder
	// Tables come before the rows that name others' rows, and those in the tables' order.
	query(t, raw, "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite%' ORDER BY rowid", func(scan func(...any) error) error {
		var kind, name, text string
		if err := scan(&kind, &name, &text); err != nil {
			return err
		}
		fmt.Fprintf(&b, "%s;\n", text)
		if kind == "table" {
			dumpRows(t, raw, name, &b)
		}
		return nil
	})
	dumpRows(t, raw, "sqlite_sequence", &b)
	return strings.Replace(b.String(), "INSERT INTO sqlite_sequence", "DELETE FROM sqlite_sequence;\nINSERT INTO sqlite_sequence", 1)
}

func dumpRows(t *testing.T, raw *sql.DB, table string, b *strings.Builder) {
	t.Helper()
	var quoted []string
	query(t, raw, "SELECT 'quote(\"' || name || '\")' FROM pragma_table_info('"+table+"')", func(scan func(...any) error) error {
		var column string
		err := scan(&column)
		quoted = append(quoted, column)
		return err
	})
	query(t, raw, "SELECT "+strings.Join(quoted, " || ', ' || ")+" FROM "+table, func(scan func(...any) error) error {
		var values string
		err := scan(&values)
		fmt.Fprintf(b, "INSERT INTO %s VALUES (%s);\n", table, values)
		return err
	})
}
