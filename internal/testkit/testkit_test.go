package testkit_test

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
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
				staff := &models.Directory{Name: "staff", Kind: models.KindInternal}
				err := s.Write(t.Context(), models.System, func(tx *store.Tx) error { return tx.CreateDirectory(staff, nil) })
				if err != nil {
					t.Fatal(err)
				}
				dirs, err := db.Open(t).Directories(t.Context())
				if err != nil || len(dirs) != 1 {
					t.Errorf("a second store sees %d directories, %v; want the one of this test", len(dirs), err)
				}
			})
		})
	}
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

// haveProgram skips while the program has no main yet.
func haveProgram(t *testing.T) {
	t.Helper()
	if _, err := os.Stat("../../cmd/rollcall/main.go"); err != nil {
		t.Skip("cmd/rollcall has no main yet")
	}
}
