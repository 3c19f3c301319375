package store_test

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
	"github.com/rollcall-id/rollcall/store/migrations"
)

// nextStep is a step that a later program might bring.
func nextStep(oldestProgram int, sql string) migrations.Step {
	return migrations.Step{Number: store.SchemaLevel() + 1, Name: "give users a colour", OldestProgram: oldestProgram, SQL: sql}
}

const addColour = "ALTER TABLE users ADD COLUMN colour text;\n"

// openLater opens the database as a later program would, which knows one more step.
func openLater(t *testing.T, db testkit.Database, step migrations.Step, change ...func(*store.Options)) (*store.Store, error) {
	t.Helper()
	o := db.Options(t)
	o.UseSteps(append(append([]migrations.Step{}, migrations.Steps...), step))
	for _, do := range change {
		do(&o)
	}
	s, err := store.Open(t.Context(), o)
	if err == nil {
		t.Cleanup(func() { s.Close() })
	}
	return s, err
}

func upgrades(o *store.Options) { o.Upgrade = true }

func TestSchemaThatNeedsANewerProgramIsRefused(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		step := nextStep(store.SchemaLevel()+1, addColour)
		if _, err := openLater(t, db, step, upgrades); err != nil {
			t.Fatal(err)
		}
		for _, upgrade := range []bool{false, true} {
			o := db.Options(t)
			o.Upgrade = upgrade
			s, err := store.Open(t.Context(), o)
			if err == nil {
				s.Close()
				t.Fatal("it was opened")
			}
			for _, word := range []string{"newer", step.Name} {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("want %q in the text, got: %v", word, err)
				}
			}
		}
	})
}

func TestOlderProgramWorksBesideANewerSchemaThatAllowsIt(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		running := db.Open(t)
		staff := addDirectory(t, running, "staff")
		later, err := openLater(t, db, nextStep(store.SchemaLevel(), addColour), upgrades)
		if err != nil {
			t.Fatal(err)
		}
		started := db.Open(t)
		for i, s := range []*store.Store{running, started, later} {
			addUser(t, s, staff, []string{"ada", "bob", "cal"}[i])
		}
		users, err := started.UsersOf(t.Context(), staff.ID, "", 10)
		if err != nil || len(users) != 3 {
			t.Errorf("want three users, got %d, %v", len(users), err)
		}
	})
}

func TestOlderSchemaIsRefusedWithTheHintWhatToDo(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		before := db.Contents(t)
		if _, err := openLater(t, db, nextStep(1, addColour)); err == nil || !strings.Contains(err.Error(), "rollcall serve") {
			t.Errorf("want a text that names rollcall serve, got: %v", err)
		}
		testkit.Diff(t, "the database", before, db.Contents(t))
	})
}

func TestUpgradeSaysWhatItDoesAndKeepsACopyOfTheFile(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		clock := testkit.NewClock()
		addDirectory(t, db.Open(t), "staff")
		var log bytes.Buffer
		step := nextStep(1, addColour)
		for range 2 { // the second time there is nothing to do
			_, err := openLater(t, db, step, upgrades, func(o *store.Options) {
				o.Now, o.Log = clock.Now, slog.New(slog.NewTextHandler(&log, nil))
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if n := strings.Count(log.String(), step.Name); n != 1 {
			t.Errorf("want the log to say %q once, got:\n%s", step.Name, log.String())
		}
		if db.Kind != testkit.SQLite {
			return
		}
		copies, err := filepath.Glob(db.Path() + ".before-step-*")
		if err != nil || len(copies) != 1 || !strings.Contains(log.String(), copies[0]) {
			t.Fatalf("want one copy, which the log names; got %v, %v and:\n%s", copies, err, log.String())
		}
		if info, err := os.Stat(copies[0]); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("want a copy for its owner only, got %v, %v", info.Mode(), err)
		}
		before := testkit.Database{Kind: testkit.SQLite, URL: "sqlite:" + copies[0], Key: db.Key}
		if dirs := read(t, before.Open(t).Directories); len(dirs) != 1 || dirs[0].Name != "staff" {
			t.Errorf("want the copy to hold staff and to be of the old schema, got %+v", dirs)
		}
	})
}

func TestUpgradeThatFailsChangesNothing(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		addDirectory(t, db.Open(t), "staff")
		before, tables := db.Contents(t), db.Tables(t)
		_, err := openLater(t, db, nextStep(1, addColour+"CREATE TABLE colours (name text);\nINSERT INTO nowhere VALUES (1);\n"), upgrades)
		if err == nil || !strings.Contains(err.Error(), "give users a colour") {
			t.Errorf("want an error that names the step, got: %v", err)
		}
		testkit.Diff(t, "tables", tables, db.Tables(t))
		testkit.Diff(t, "contents", before, db.Contents(t))
		addDirectory(t, db.Open(t), "the old program goes on")
	})
}

func TestTwoProgramsMayMeetAtAnEmptyDatabase(t *testing.T) {
	t.Parallel()
	testkit.EachEmptyDatabase(t, func(t *testing.T, db testkit.Database) {
		ids := make([]string, 3)
		together(t, len(ids), func(i int) {
			s, err := store.Open(t.Context(), db.Options(t))
			if err != nil {
				t.Error(err)
				return
			}
			defer s.Close()
			if ids[i] = s.InstallationID(); ids[i] == "" {
				t.Error("the installation has no id")
			}
			dir := &models.Directory{Name: string(rune('a' + i)), Kind: models.KindInternal}
			if err := s.Write(t.Context(), jane, func(tx *store.Tx) error { return tx.CreateDirectory(dir, nil) }); err != nil {
				t.Error(err)
			}
		})
		if ids[0] == "" || ids[0] != ids[1] || ids[0] != ids[2] {
			t.Errorf("want one installation, got %v", ids)
		}
		if dirs := read(t, db.Open(t).Directories); len(dirs) != 3 {
			t.Errorf("want everybody's directory, got %d", len(dirs))
		}
	})
}

func TestTwoProgramsMayMeetAtAnUpgrade(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		step := nextStep(1, addColour)
		together(t, 3, func(int) {
			if _, err := openLater(t, db, step, upgrades); err != nil {
				t.Error(err)
			}
		})
	})
}

// together runs do so many times at once.
func together(t *testing.T, times int, do func(i int)) {
	t.Helper()
	var group sync.WaitGroup
	start := make(chan struct{})
	for i := range times {
		group.Go(func() {
			<-start
			do(i)
		})
	}
	close(start)
	group.Wait()
}

func TestFirstProgramOnADatabaseSettlesItsKey(t *testing.T) {
	t.Parallel()
	testkit.EachEmptyDatabase(t, func(t *testing.T, db testkit.Database) {
		errs := make([]error, 2)
		together(t, 2, func(i int) {
			o := db.Options(t)
			o.Key = bytes.Repeat([]byte{byte(i)}, store.KeySize)
			var s *store.Store
			if s, errs[i] = store.Open(t.Context(), o); errs[i] == nil {
				s.Close()
			}
		})
		refused := errs[0]
		if refused == nil {
			refused = errs[1]
		}
		if refused == nil || (errs[0] == nil) == (errs[1] == nil) || !strings.Contains(refused.Error(), "ROLLCALL_SECRET_KEY") {
			t.Errorf("want one key settled and the other refused, got %v and %v", errs[0], errs[1])
		}
	})
}
