package store_test

import (
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

func TestAuditSaysWhoDidWhatFromWhere(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		clock := testkit.NewClock()
		s := db.Open(t, func(o *store.Options) { o.Now = clock.Now })
		staff := addDirectory(t, s, "staff")
		ada := addUser(t, s, staff, "ada")
		write(t, s, func(tx *store.Tx) error { return tx.RenameUser(ada, "countess") })
		got, err := s.SearchAudit(t.Context(), store.AuditSearch{Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		testkit.Diff(t, "the latest entry", []models.AuditEntry{{
			ID: 3, At: models.TimeOf(clock.Now()), ActorKind: models.ActorOperator, Actor: "jane", Address: "192.0.2.7", Request: "r-1",
			Action: "user.rename", Outcome: "done", Subject: "countess", Directory: "staff",
			Before: `{"name":"ada"}`, After: `{"name":"countess"}`, Count: 1,
		}}, got)
	})
}

func TestAuditSearch(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		clock := testkit.NewClock()
		s := db.Open(t, func(o *store.Options) { o.Now = clock.Now })
		noon := s.Now()
		entries := []models.AuditEntry{
			{ActorKind: models.ActorOperator, Actor: "Jane", Action: "user.create", Outcome: "done", Subject: "Ada", Directory: "Staff"},
			{ActorKind: models.ActorApplication, Actor: "jira", Address: "192.0.2.9", Action: "login.refused", Outcome: "invalid-password", Subject: "ada", Directory: "staff"},
			{ActorKind: models.ActorApplication, Actor: "jira", Action: "user_x", Outcome: "done"},
			{ActorKind: models.ActorApplication, Actor: "jira", Action: "users.list", Outcome: "done"},
		}
		for i, e := range entries {
			e.At, e.Count = noon.Add(time.Duration(i)*time.Minute), 1
			if err := s.InsertAudit(t.Context(), []models.AuditEntry{e}); err != nil {
				t.Fatal(err)
			}
		}
		for _, c := range []struct {
			name  string
			given store.AuditSearch
			want  []string
		}{
			{"everything, newest first", store.AuditSearch{}, []string{"users.list", "user_x", "login.refused", "user.create"}},
			{"by actor in any case", store.AuditSearch{Actor: "JANE"}, []string{"user.create"}},
			{"by the start of an action", store.AuditSearch{Action: "user"}, []string{"user.create"}},
			{"by a whole action", store.AuditSearch{Action: "login.refused"}, []string{"login.refused"}},
			{"an action is no pattern", store.AuditSearch{Action: "user%"}, nil},
			{"by subject and directory in any case", store.AuditSearch{Subject: "aDa", Directory: "STAFF"}, []string{"login.refused", "user.create"}},
			{"by outcome", store.AuditSearch{Outcome: "invalid-password"}, []string{"login.refused"}},
			{"by address", store.AuditSearch{Address: "192.0.2.9"}, []string{"login.refused"}},
			{"from, and before to", store.AuditSearch{From: noon.Add(time.Minute), To: noon.Add(3 * time.Minute)}, []string{"user_x", "login.refused"}},
			{"at most so many", store.AuditSearch{Limit: 2}, []string{"users.list", "user_x"}},
		} {
			if c.given.Limit == 0 {
				c.given.Limit = 100
			}
			found, err := s.SearchAudit(t.Context(), c.given)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, e := range found {
				got = append(got, e.Action)
			}
			testkit.Diff(t, c.name, c.want, got)
		}
	})
}

func TestQuietTransactionAuditsOnceAndFeedsAll(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		staff := addDirectory(t, s, "staff")
		last := read(t, s.LastChange)
		write(t, s, func(tx *store.Tx) error {
			tx.Quiet()
			for _, name := range []string{"ada", "bob"} {
				if err := tx.CreateUser(&models.User{DirectoryID: staff.ID, Name: name}); err != nil {
					return err
				}
			}
			tx.Audit(store.Act{Action: "sync.apply", Subject: "staff", After: map[string]int{"added": 2}})
			return nil
		})
		entries, err := s.SearchAudit(t.Context(), store.AuditSearch{From: 1, Limit: 10})
		if err != nil || len(entries) != 2 || entries[0].Action != "sync.apply" || entries[0].After != `{"added":2}` {
			t.Errorf("want sync.apply after the directory's creation, got %+v, %v", entries, err)
		}
		changes, err := s.ChangesAfter(t.Context(), last, 10)
		if err != nil || len(changes) != 2 {
			t.Errorf("want two changes, got %+v, %v", changes, err)
		}
	})
}
