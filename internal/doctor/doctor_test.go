package doctor_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // damages are done by hand, past the store
	_ "modernc.org/sqlite"

	"github.com/rollcall-id/rollcall/internal/doctor"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// A damage is done to a sound database by hand. The doctor finds it, says so, and mends it where
// it may.
type damage struct {
	name  string
	do    []string // on both databases
	also  map[string][]string
	check string // the check that finds it
	want  string // in what it says; empty: nothing is found
	fixed string // in what --fix says; empty: it mends nothing
	stays string // in what is still said after it; empty: nothing
}

// loose stops PostgreSQL from guarding a column; SQLite doesn't guard connections that don't ask.
func loose(table, column string) map[string][]string {
	return map[string][]string{testkit.Postgres: {fmt.Sprintf("ALTER TABLE %s DROP CONSTRAINT %s_%s_fkey", table, table, column)}}
}

var damages = []damage{
	{name: "none", check: "feed"},
	{
		name: "a lost index is made again", do: []string{"DROP INDEX users_by_name"}, check: "keys and indexes",
		want: "the unique index users_by_name on users is missing", fixed: "made the unique index users_by_name on users again",
	},
	{
		name: "a lost unique index that rows don't allow any more",
		do: []string{"DROP INDEX groups_by_name", "INSERT INTO groups (directory_id, name, name_key, active, external_id, created_at, updated_at, description_key) " +
			"SELECT directory_id, name, name_key, active, 'other', created_at, updated_at, description_key FROM groups WHERE name = 'developers'"},
		check: "keys and indexes", want: "groups_by_name", stays: "make the index groups_by_name",
	},
	{
		name: "a lost key of a table", also: map[string][]string{testkit.Postgres: {"ALTER TABLE memberships DROP CONSTRAINT memberships_pkey"}},
		check: "keys and indexes", want: "postgres: the primary key of memberships is missing", stays: "postgres: the primary key of memberships is missing",
	},
	{
		name: "attributes of nobody are removed", also: loose("user_attributes", "user_id"),
		do:    []string{"INSERT INTO user_attributes (user_id, name, position, value, value_key) VALUES (9999, 'phone', 0, '1', '1'), (9999, 'room', 0, '1', '1')"},
		check: "owners of rows", want: "2 rows of user_attributes belong to a user that is gone", fixed: "removed 2 rows of user_attributes whose user is gone",
	},
	{
		name: "people of a directory that is gone are not removed", also: loose("groups", "directory_id"),
		do:    []string{"INSERT INTO groups (directory_id, name, name_key, active, external_id, created_at, updated_at, description_key) VALUES (9999, 'lost', 'lost', true, 'x', 1, 1, '')"},
		check: "owners of rows", want: "1 rows of groups belong to a directory that is gone", stays: "1 rows of groups belong to a directory that is gone",
	},
	{
		name: "a circle of groups", check: "circles of groups",
		do: []string{"INSERT INTO nestings (parent_id, child_id, directory_id) SELECT c.id, p.id, p.directory_id FROM groups p, groups c " +
			"WHERE p.name = 'everyone' AND c.name = 'developers'"},
		want: "groups of directory staff form a circle: ", stays: "developers contains everyone",
	},
	{
		name: "a sealed secret that can't be opened", check: "sealed secrets",
		do:   []string{"INSERT INTO directory_settings (directory_id, name, value, sealed) SELECT id, 'token', 'AAAA', true FROM directories WHERE name = 'staff'"},
		want: "the setting token of directory staff can't be opened", stays: "the setting token",
	},
	{
		name: "a letter that can't be opened", check: "sealed secrets",
		do:   []string{"INSERT INTO outbox_items (kind, recipient, payload, created_at, next_attempt_at) VALUES ('letter', 'ada@example.test', 'x', 1, 1)"},
		want: "the letter 1 in the outbox can't be opened", stays: "the letter 1",
	},
	{
		name: "a user's row that nobody told the feed of", do: []string{"UPDATE users SET email = 'other@example.test' WHERE name = 'ada'"},
		check: "feed", want: "user ada of directory staff differs: the feed says", stays: `"email":"other@example.test"`,
	},
	{
		name: "a user who vanished", do: []string{"DELETE FROM memberships", "DELETE FROM user_attributes", "DELETE FROM users WHERE name = 'ada'"},
		check: "feed", want: "user ada of directory staff is gone, and no line of the feed deletes it", stays: "user ada",
	},
	{
		name: "a name that nobody told the feed of", do: []string{"UPDATE groups SET name = 'Developers' WHERE name = 'developers'"},
		check: "feed", want: "group developers of directory staff is named Developers by its row", stays: "group developers",
	},
	{
		name: "a membership that vanished", do: []string{"DELETE FROM memberships"},
		check: "feed", want: "membership of user ada in group developers of directory staff is gone", stays: "membership of user ada",
	},
	{
		name: "a nesting that came back", check: "feed",
		do: []string{"INSERT INTO nestings (parent_id, child_id, directory_id) SELECT p.id, c.id, p.directory_id FROM groups p, groups c " +
			"WHERE p.name = 'everyone' AND c.name = 'visitors'"},
		want: "nesting of group visitors in group everyone of directory staff is there, and was removed", stays: "nesting of group visitors",
	},
	{
		name: "dates that attributes moved are no difference", do: []string{"UPDATE users SET updated_at = updated_at + 1000"}, check: "feed",
	},
	{
		name: "what came with a directory that was replaced is no difference", check: "feed",
		do: []string{"DELETE FROM memberships", "UPDATE users SET email = 'other@example.test' WHERE name = 'ada'",
			"UPDATE groups SET name = 'Developers' WHERE name = 'developers'",
			"INSERT INTO changes (at, kind, writer, directory_id, row_id) SELECT 1, 'directory-replaced', 2, id, id FROM directories WHERE name = 'staff'"},
	},
	{
		name: "sessions that ended", check: "sessions", fixed: "removed 1 sessions that had ended",
		do: []string{"INSERT INTO sessions (user_id, token_hash, sealed, factors, lifetime, created_at, last_used_at, expires_at) " +
			"SELECT id, 'a', 'b', 'c', 1, 1, 1, 2 FROM users WHERE name = 'ada'"},
	},
}

func TestDamages(t *testing.T) {
	t.Parallel()
	for _, c := range damages {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
				furnish(t, db.Open(t))
				execute(t, db, append(c.also[db.Kind], c.do...)...)
				s := db.Open(t) // a doctor comes after the damage

				wantFinding(t, db, examine(t, s, false), c.check, c.want, "")
				wantFinding(t, db, examine(t, s, true), c.check, c.stays, c.fixed)
				if c.stays == "" {
					wantFinding(t, db, examine(t, s, false), c.check, "", "")
				}
			})
		})
	}
}

// wantFinding compares what one check found, and that the others found nothing. A wanted text
// may be one database's only: "postgres: …".
func wantFinding(t *testing.T, db testkit.Database, findings []doctor.Finding, check, problem, fixed string) {
	t.Helper()
	if kind, rest, only := strings.Cut(problem, ": "); only && (kind == testkit.SQLite || kind == testkit.Postgres) {
		if problem = rest; kind != db.Kind {
			problem = ""
		}
	}
	for _, f := range findings {
		text := fmt.Sprint(f.Problems)
		switch {
		case f.Check == check && problem == "" && len(f.Problems) > 0:
			t.Errorf("%s: want no problem, got %s", check, text)
		case f.Check == check && !strings.Contains(text, problem):
			t.Errorf("%s: want %q, got %s", check, problem, text)
		case f.Check == check && (fixed == "" && len(f.Fixed) > 0 || !strings.Contains(fmt.Sprint(f.Fixed), fixed)):
			t.Errorf("%s: want mended %q, got %q", check, fixed, f.Fixed)
		case f.Check != check && len(f.Problems) > 0 && !related(f, check):
			t.Errorf("%s: want no problem, got %s", f.Check, text)
		}
	}
}

// related tells of a check that sees a damage from its own side: a guard that had to be taken
// away for it, and what a restored or vanished row does to the feed.
func related(f doctor.Finding, check string) bool {
	text := fmt.Sprint(f.Problems)
	return f.Check == "keys and indexes" && strings.Contains(text, "the foreign key of") && check == "owners of rows" ||
		f.Check == "feed" && check == "circles of groups"
}

// furnish makes one directory with two users and three groups in each other.
func furnish(t *testing.T, s *store.Store) {
	t.Helper()
	err := s.Write(t.Context(), models.System, func(tx *store.Tx) error {
		dir := &models.Directory{Name: "staff", Kind: models.KindInternal, Active: true, Permissions: models.AllPermissions}
		if err := tx.CreateDirectory(dir, nil); err != nil {
			return err
		}
		users, groups := map[string]*models.User{}, map[string]*models.Group{}
		for _, name := range []string{"ada", "bob"} {
			users[name] = &models.User{DirectoryID: dir.ID, Name: name, Email: name + "@example.test", Active: true}
			if err := tx.CreateUser(users[name]); err != nil {
				return err
			}
		}
		for _, name := range []string{"everyone", "developers", "visitors"} {
			groups[name] = &models.Group{DirectoryID: dir.ID, Name: name, Active: true}
			if err := tx.CreateGroup(groups[name]); err != nil {
				return err
			}
		}
		for _, change := range []func() error{
			func() error { return tx.AddMember(groups["developers"], users["ada"]) },
			func() error { return tx.AddMember(groups["visitors"], users["bob"]) },
			func() error { return tx.RemoveMember(groups["visitors"], users["bob"]) },
			func() error { return tx.AddChild(groups["everyone"], groups["developers"]) },
			func() error { return tx.AddChild(groups["everyone"], groups["visitors"]) },
			func() error { return tx.RemoveChild(groups["everyone"], groups["visitors"]) },
			func() error { return tx.RenameUser(users["bob"], "robert") },
			func() error {
				return tx.SetUserAttributes(users["ada"], []models.Attribute{{Name: "phone", Values: []string{"1"}}})
			},
		} {
			if err := change(); err != nil {
				return err
			}
		}
		return tx.DeleteUser(users["bob"])
	})
	if err != nil {
		t.Fatal(err)
	}
}

// execute does things to a database that the store wouldn't.
func execute(t *testing.T, db testkit.Database, statements ...string) {
	t.Helper()
	driver, source := "pgx", db.URL
	if db.Kind == testkit.SQLite {
		driver, source = "sqlite", db.Path()+"?_pragma=busy_timeout(5000)"
	}
	raw, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	for _, statement := range statements {
		if _, err := raw.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

func examine(t *testing.T, s *store.Store, fix bool) []doctor.Finding {
	t.Helper()
	return doctor.Examine(context.WithoutCancel(t.Context()), doctor.Case{Store: s, Now: time.Now(), Fix: fix, By: models.System})
}

// What was changed while the directory was being deleted is nobody's business any more.
func TestDeletedDirectoryLeavesNothingToFind(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		furnish(t, s)
		err := s.Write(t.Context(), models.System, func(tx *store.Tx) error {
			dir, err := tx.DirectoryByName(t.Context(), "staff")
			if err != nil {
				return err
			}
			return tx.DeleteDirectory(dir)
		})
		if err != nil {
			t.Fatal(err)
		}
		wantFinding(t, db, examine(t, s, false), "feed", "", "")
	})
}

// A unique index that could not be made concurrently stays behind as one that PostgreSQL doesn't
// use; a SQLite index whose definition was meddled with lacks entries.
func TestBrokenIndexIsFound(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		first := db.Open(t)
		furnish(t, first)
		if db.Kind == testkit.SQLite {
			execute(t, db, "PRAGMA writable_schema = 1;"+
				"UPDATE sqlite_master SET sql = 'CREATE INDEX users_by_email ON users (external_id)' WHERE name = 'users_by_email';"+
				"PRAGMA schema_version = 9999")
		} else {
			raw, err := sql.Open("pgx", db.URL)
			if err != nil {
				t.Fatal(err)
			}
			defer raw.Close()
			if _, err := raw.ExecContext(t.Context(), "CREATE UNIQUE INDEX CONCURRENTLY broken ON groups (active)"); err == nil {
				t.Fatal("want the index to fail: groups are active twice")
			}
		}
		findings := examine(t, db.Open(t), false)
		for _, f := range findings {
			if f.Check == "integrity" && len(f.Problems) == 0 {
				t.Errorf("want a problem with the index, got %+v", f)
			}
		}
	})
}

func TestWithoutDatabaseTheRestIsSkipped(t *testing.T) {
	t.Parallel()
	findings := doctor.Examine(t.Context(), doctor.Case{Unopened: fmt.Errorf("it is away"), Now: time.Now()})
	for i, f := range findings {
		if f.Number != i+1 {
			t.Errorf("check %s has number %d, want %d", f.Check, f.Number, i+1)
		}
		if wanted := i > 2; f.Skipped != wanted {
			t.Errorf("check %s: skipped %v, want %v", f.Check, f.Skipped, wanted)
		}
	}
	if got := fmt.Sprint(findings[2].Problems); !strings.Contains(got, "it is away") {
		t.Errorf("want why the database can't be opened, got %s", got)
	}
}
