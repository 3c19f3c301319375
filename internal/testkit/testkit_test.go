package testkit_test

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestEachTestHasADatabaseOfItsOwn(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"first", "second"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
				s := db.Open(t)
				if s.Database() != db.Kind || !strings.HasSuffix(t.Name(), "/"+db.Kind) {
					t.Errorf("a %s store in test %s", s.Database(), t.Name())
				}
				addDirectory(t, db, "staff")
				if dirs := readDirectories(t, db); len(dirs) != 1 {
					t.Errorf("a second store sees %d directories; want the one of this test", len(dirs))
				}
			})
		})
	}
}

func TestLaterTestGetsADatabaseAsNew(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{testkit.SQLite, testkit.Postgres} {
		var first map[string][]string
		for _, leave := range []string{
			"INSERT INTO audit_entries (at, actor_kind, actor, action, outcome) VALUES (1, 'operator', 'jane', 'test', 'done')",
			"DELETE FROM schema_steps",
			"ALTER TABLE users ADD COLUMN colour text",
			"CREATE TABLE colours (name text)",
			"SELECT 1",
		} {
			t.Run(kind, func(t *testing.T) {
				db := testkit.Fresh(t, kind)
				contents := db.Contents(t, "installations", "schema_steps")
				if first == nil {
					first = contents
				}
				testkit.Diff(t, "before "+leave, first, contents)
				addDirectory(t, db, "staff")
				if dirs := readDirectories(t, db); len(dirs) != 1 || dirs[0].ID != 1 {
					t.Errorf("before %s: want staff to be number one, got %+v", leave, dirs[0])
				}
				if _, err := db.Raw(t).ExecContext(t.Context(), leave); err != nil {
					t.Fatal(err)
				}
			})
		}
	}
}

func addDirectory(t *testing.T, db testkit.Database, name string) {
	t.Helper()
	dir := &models.Directory{Name: name, Kind: models.KindInternal}
	err := db.Open(t).Write(t.Context(), models.System, func(tx *store.Tx) error { return tx.CreateDirectory(dir, nil) })
	if err != nil {
		t.Fatal(err)
	}
}

func readDirectories(t *testing.T, db testkit.Database) []*models.Directory {
	t.Helper()
	dirs, err := db.Open(t).Directories(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return dirs
}

func TestEmptyDatabaseHasNoTables(t *testing.T) {
	t.Parallel()
	testkit.EachEmptyDatabase(t, func(t *testing.T, db testkit.Database) {
		if tables := db.Tables(t); len(tables) > 0 {
			t.Errorf("want no tables, got %v", tables)
		}
	})
}

func TestLimitedFileIsFull(t *testing.T) {
	t.Parallel()
	testkit.OnSQLite(t, func(t *testing.T, db testkit.Database) {
		large := []models.AuditEntry{{Action: "test", Before: strings.Repeat("x", 100_000)}}
		db.LimitPages(t, 2)
		if err := db.Open(t).InsertAudit(t.Context(), large); !models.Is(err, models.StorageFull) {
			t.Errorf("want %s, got %v", models.StorageFull, err)
		}
		db.UnlimitPages()
		if err := db.Open(t).InsertAudit(t.Context(), large); err != nil {
			t.Errorf("with room again: %v", err)
		}
	})
}

func TestPostgresGoesAwayAndComesBack(t *testing.T) {
	t.Parallel()
	testkit.OnPostgres(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		db.GoAway(t)
		if err := s.Ping(t.Context()); !models.Is(err, models.Unavailable) {
			t.Errorf("away: want %s, got %v", models.Unavailable, err)
		}
		db.ComeBack(t)
		if err := s.Ping(t.Context()); err != nil {
			t.Errorf("back: %v", err)
		}
	})
}

func TestClockStandsStill(t *testing.T) {
	t.Parallel()
	c := testkit.NewClock()
	start := c.Now()
	c.Advance(time.Hour)
	if got := c.Now().Sub(start); got != time.Hour {
		t.Errorf("want an hour later, got %s", got)
	}
	c.Set(start)
	if !c.Now().Equal(start) {
		t.Errorf("want %s, got %s", start, c.Now())
	}
}

// echo answers with what it was asked, and a few things that differ from run to run.
func echo(w http.ResponseWriter, r *http.Request) {
	name, password, _ := r.BasicAuth()
	body, _ := io.ReadAll(r.Body)
	w.Header().Set("X-Method", r.Method)
	switch {
	case r.URL.Path == "/app/empty":
		w.WriteHeader(http.StatusNoContent)
	default:
		_, _ = io.WriteString(w, strings.Join([]string{
			r.Method, r.URL.RequestURI(), name + ":" + password, r.Header.Get("Accept"), r.Header.Get("Content-Type"), string(body),
			"http://" + r.Host + "/app/link", time.Now().UTC().Format(time.RFC3339Nano),
		}, "\n")+"\n")
	}
}

func TestScenario(t *testing.T) {
	t.Parallel()
	app := testkit.App{
		URL: testkit.ServeHandler(t, http.HandlerFunc(echo)) + "/app", Name: "probe", Password: "secret",
		Replace: []testkit.Replace{testkit.Dates},
	}
	for _, s := range []testkit.Scenario{
		{Name: "get", Get: "/user?username=ada", Want: 200, WantHeader: map[string]string{"X-Method": "GET", "X-Other": ""}},
		{Name: "post with another form", Post: "/user", Body: "<user/>", ContentType: "application/xml", Accept: "application/xml", Want: 200},
		{Name: "put as another", Put: "/user", Body: "{}", As: "other:word", Want: 200},
		{Name: "delete without credentials", Delete: "/user", As: "-", Want: 200},
		{Name: "any method, and no body", Method: http.MethodHead, Path: "/empty", Want: 204},
	} {
		s.Run(t, app)
	}
}

func TestGoldenFilesAreNamedAfterTheTest(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ test, want string }{
		{"TestAuthentication/right_password", "authentication/right-password"},
		{"TestUserGroups/sqlite/another_spelling_of_\"ADA\"", "user-groups/another-spelling-of-ada"},
		{"TestXML/postgres", "xml"},
	} {
		want := filepath.Join("testdata", filepath.FromSlash(c.want)+".golden")
		if got := testkit.GoldenPath(c.test); got != want {
			t.Errorf("%s: want %s, got %s", c.test, want, got)
		}
	}
}

func TestHasherIsCheap(t *testing.T) {
	t.Parallel()
	hash, err := testkit.NewHasher().Hash(t.Context(), "difference")
	if err != nil || !strings.Contains(hash, "m=64,t=1,p=1") {
		t.Errorf("want a hash of 64 KiB and one pass, got %q, %v", hash, err)
	}
}

func TestCommandRunsAsOnAFreshMachine(t *testing.T) {
	t.Setenv("ROLLCALL_DATABASE_URL", "sqlite:/nowhere/else.db")
	dir := t.TempDir()
	run := func(stdin string, args ...string) testkit.Result {
		t.Helper()
		return testkit.Command{Args: args, Stdin: stdin, Dir: dir}.Run(t)
	}
	if r := run("", "directory", "create", "staff"); r.Code != 0 {
		t.Fatalf("want code 0, got %+v", r)
	}
	if _, err := os.Stat(filepath.Join(dir, "data", "rollcall.db")); err != nil {
		t.Errorf("want the database where the program puts it by itself: %v", err)
	}
	if r := run("", "directory", "create", "staff"); r.Code == 0 || r.Stderr == "" {
		t.Errorf("want the second one refused with a text on stderr, got %+v", r)
	}
	if r := run("", "no-such-command"); r.Code != 2 {
		t.Errorf("want code 2 for a wrong command, got %+v", r)
	}
	if r := run("secret-1\n", "app", "create", "probe", "--directory", "staff", "--address", "127.0.0.1/32", "--password-stdin"); r.Code != 0 {
		t.Errorf("want it to read the password from stdin, got %+v", r)
	}
}

func TestServerStopsWhenAskedAndDiesWhenKilled(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := testkit.StartServer(t, db, nil)
		answer, err := http.Get(s.URL + "/crowd/rest/usermanagement/1/user?username=ada")
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusUnauthorized {
			t.Errorf("without credentials: want %d, got %s", http.StatusUnauthorized, answer.Status)
		}
		if code, log := s.Stop(t); code != 0 || log == "" {
			t.Errorf("want code 0 and a log, got %d and %q", code, log)
		}
		if s.Ready(t.Context()) {
			t.Error("it is ready after its stop")
		}
		s = testkit.StartServer(t, db, []string{"ROLLCALL_LOG_LEVEL=debug"}, "--log-format", "text")
		if !strings.Contains(s.Log(), "level=") {
			t.Errorf("want its flag heeded, got the log:\n%s", s.Log())
		}
		s.Kill()
		if code, _ := s.Stop(t); code != -1 {
			t.Errorf("want the code of a killed process, got %d", code)
		}
	})
}

func TestProgramsMayMeetAtAnEmptyDatabase(t *testing.T) {
	t.Parallel()
	testkit.EachEmptyDatabase(t, func(t *testing.T, db testkit.Database) {
		env := db.Env(t)
		results := make([]testkit.Result, 3)
		var group sync.WaitGroup
		for i := range results {
			group.Go(func() { results[i] = testkit.Run(t, env, "directory", "create", string(rune('a'+i))) })
		}
		group.Wait()
		for _, r := range results {
			if r.Code != 0 {
				t.Errorf("want code 0, got %+v", r)
			}
		}
		if dirs := readDirectories(t, db); len(dirs) != len(results) {
			t.Errorf("want everybody's directory, got %d", len(dirs))
		}
	})
}
