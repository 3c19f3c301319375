package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// A house is a few rows for writes to work on.
type house struct {
	staff       *models.Directory
	ada, bob    *models.User // bob is in some and has a session
	all, some   *models.Group
	other       *models.Group // is in some
	jira        *models.Application
	appPassword models.ID
	run         *models.Run // of staff
}

func build(t *testing.T, s *store.Store) *house {
	t.Helper()
	h := &house{staff: addDirectory(t, s, "staff"), jira: addApplication(t, s, "jira")}
	h.ada, h.bob = addUser(t, s, h.staff, "ada"), addUser(t, s, h.staff, "bob")
	h.all, h.some = addGroup(t, s, h.staff, "all"), addGroup(t, s, h.staff, "some")
	h.other = addGroup(t, s, h.staff, "other")
	addMember(t, s, h.some, h.bob)
	addChild(t, s, h.some, h.other)
	addSession(t, s, h.bob, "bob's")
	password := &models.ApplicationPassword{Hash: "hash"}
	write(t, s, func(tx *store.Tx) error {
		if err := tx.AddApplicationPassword(h.jira, password); err != nil {
			return err
		}
		if err := tx.SetPassword(h.ada, "hash", 5); err != nil {
			return err
		}
		if err := tx.PutResetToken(t.Context(), h.ada, []byte("token"), time.Hour); err != nil {
			return err
		}
		return tx.SetAlias(h.jira, h.ada, "countess")
	})
	h.appPassword = password.ID
	h.run = &models.Run{DirectoryID: h.staff.ID}
	if err := s.StartRun(t.Context(), h.run); err != nil {
		t.Fatal(err)
	}
	return h
}

// A writeCase is one method of Tx and what it adds to the feed and to the audit log.
type writeCase struct {
	method  string
	do      func(tx *store.Tx, h *house) error
	changes []models.ChangeKind
	audits  []string
}

func kinds(k ...models.ChangeKind) []models.ChangeKind { return k }

// writeCases and bulkCases hold every method of Tx that writes: TestEveryWriteIsInTheTable sees to it.
var writeCases = []writeCase{
	{"CreateDirectory", func(tx *store.Tx, _ *house) error {
		return tx.CreateDirectory(&models.Directory{Name: "new", Kind: models.KindInternal, Settings: map[string]string{"a": "b"}}, nil)
	}, kinds(models.DirectoryChanged), []string{"directory.create new"}},
	{"SaveDirectory", func(tx *store.Tx, h *house) error {
		dir := *h.staff
		dir.Description = "changed"
		return tx.SaveDirectory(h.staff, &dir, nil)
	}, kinds(models.DirectoryChanged), []string{"directory.set staff"}},
	{"DeleteDirectory", func(tx *store.Tx, h *house) error { return tx.DeleteDirectory(h.staff) },
		kinds(models.DirectoryDeleted), []string{"directory.delete staff"}},
	{"ActivateDirectory", func(tx *store.Tx, h *house) error { dir := *h.staff; return tx.ActivateDirectory(&dir) },
		kinds(models.DirectoryChanged), []string{"directory.activate staff"}},
	{"DirectoryReplaced", func(tx *store.Tx, h *house) error { tx.DirectoryReplaced(h.staff); return nil },
		kinds(models.DirectoryReplaced), nil},

	{"CreateUser", func(tx *store.Tx, h *house) error {
		return tx.CreateUser(&models.User{DirectoryID: h.staff.ID, Name: "new"})
	}, kinds(models.UserCreated), []string{"user.create new"}},
	{"SaveUser", func(tx *store.Tx, h *house) error {
		u := *h.bob
		u.Active = false
		return tx.SaveUser(h.bob, &u)
	}, kinds(models.SessionsEnded, models.UserUpdated), []string{"user.set bob"}},
	{"RenameUser", func(tx *store.Tx, h *house) error { u := *h.ada; return tx.RenameUser(&u, "countess") },
		kinds(models.UserRenamed), []string{"user.rename countess"}},
	{"DeleteUser", func(tx *store.Tx, h *house) error { return tx.DeleteUser(h.bob) },
		kinds(models.SessionsEnded, models.UserDeleted), []string{"user.delete bob"}},
	{"SetUserAttributes", func(tx *store.Tx, h *house) error {
		return tx.SetUserAttributes(h.ada, []models.Attribute{{Name: "a", Values: []string{"b"}}})
	}, kinds(models.UserAttributes), []string{"user.attributes ada"}},
	{"AddIdentity", func(tx *store.Tx, h *house) error { return tx.AddIdentity("okta", "00u1", h.ada) },
		kinds(models.UserUpdated), []string{"identity.add ada"}},
	{"SetPassword", func(tx *store.Tx, h *house) error { return tx.SetPassword(h.bob, "hash", 5) },
		kinds(models.SessionsEnded, models.CredentialSet), []string{"user.password bob"}},
	{"SetBookkeeping", func(tx *store.Tx, h *house) error { return tx.SetBookkeeping(h.ada, models.Credential{Failures: 2}) },
		kinds(models.CredentialSet), []string{"user.bookkeeping ada"}},
	{"ExpirePasswords", func(tx *store.Tx, h *house) error { return tx.ExpirePasswords([]*models.Directory{h.staff}) },
		kinds(models.CredentialSet), []string{"directory.expire-passwords staff"}},
	{"PutResetToken", func(tx *store.Tx, h *house) error {
		return tx.PutResetToken(context.Background(), h.ada, []byte("new"), time.Hour)
	}, nil, nil},
	{"TakeResetToken", func(tx *store.Tx, _ *house) error {
		_, err := tx.TakeResetToken(context.Background(), []byte("token"))
		return err
	}, nil, nil},
	// The same password in a better hash: nobody's answer changes.
	{"UpgradeHash", func(tx *store.Tx, h *house) error { return tx.UpgradeHash(h.ada.ID, "hash", "better") }, kinds(models.CredentialUpgraded), nil},

	{"CreateGroup", func(tx *store.Tx, h *house) error {
		return tx.CreateGroup(&models.Group{DirectoryID: h.staff.ID, Name: "new"})
	}, kinds(models.GroupCreated), []string{"group.create new"}},
	{"SaveGroup", func(tx *store.Tx, h *house) error {
		g := *h.all
		g.Description = "changed"
		return tx.SaveGroup(h.all, &g)
	}, kinds(models.GroupUpdated), []string{"group.set all"}},
	{"DeleteGroup", func(tx *store.Tx, h *house) error { return tx.DeleteGroup(h.some) },
		kinds(models.GroupDeleted), []string{"group.delete some"}},
	{"SetGroupAttributes", func(tx *store.Tx, h *house) error {
		return tx.SetGroupAttributes(h.all, []models.Attribute{{Name: "a", Values: []string{"b"}}})
	}, kinds(models.GroupAttributes), []string{"group.attributes all"}},
	{"AddMember", func(tx *store.Tx, h *house) error { return tx.AddMember(h.all, h.ada) },
		kinds(models.MemberAdded), []string{"group.add all"}},
	{"RemoveMember", func(tx *store.Tx, h *house) error { return tx.RemoveMember(h.some, h.bob) },
		kinds(models.MemberRemoved), []string{"group.remove some"}},
	{"AddChild", func(tx *store.Tx, h *house) error { return tx.AddChild(h.all, h.some) },
		kinds(models.NestingAdded), []string{"group.add all"}},
	{"RemoveChild", func(tx *store.Tx, h *house) error {
		return tx.RemoveChild(h.some, h.other)
	}, kinds(models.NestingRemoved), []string{"group.remove some"}},

	{"CreateApplication", func(tx *store.Tx, _ *house) error { return tx.CreateApplication(&models.Application{Name: "new"}) },
		kinds(models.ApplicationChanged), []string{"app.create new"}},
	{"SaveApplication", func(tx *store.Tx, h *house) error {
		app := *h.jira
		app.Aggregate = true
		return tx.SaveApplication(h.jira, &app)
	}, kinds(models.ApplicationChanged), []string{"app.set jira"}},
	{"DeleteApplication", func(tx *store.Tx, h *house) error { return tx.DeleteApplication(h.jira) },
		kinds(models.ApplicationChanged), []string{"app.delete jira"}},
	{"AddApplicationPassword", func(tx *store.Tx, h *house) error {
		return tx.AddApplicationPassword(h.jira, &models.ApplicationPassword{Hash: "other"})
	}, kinds(models.ApplicationDoor), []string{"app.password.add jira"}},
	{"RemoveApplicationPassword", func(tx *store.Tx, h *house) error {
		_, err := tx.RemoveApplicationPassword(h.jira, h.appPassword)
		return err
	}, kinds(models.ApplicationDoor), []string{"app.password.remove jira"}},
	{"SetApplicationAddresses", func(tx *store.Tx, h *house) error {
		return tx.SetApplicationAddresses(h.jira, nil, []string{"127.0.0.1"})
	}, kinds(models.ApplicationDoor), []string{"app.addresses jira"}},
	{"SetMappings", func(tx *store.Tx, h *house) error {
		return tx.SetMappings(h.jira, nil, []models.Mapping{{DirectoryID: h.staff.ID, Groups: []string{"all"}}})
	}, kinds(models.ApplicationChanged), []string{"app.map jira"}},
	{"ResyncApplication", func(tx *store.Tx, h *house) error { tx.ResyncApplication(h.jira); return nil },
		kinds(models.ApplicationSync), []string{"app.resync jira"}},
	{"SetAlias", func(tx *store.Tx, h *house) error { return tx.SetAlias(h.jira, h.bob, "robert") },
		kinds(models.AliasChanged), []string{"alias.set jira"}},
	{"RemoveAlias", func(tx *store.Tx, h *house) error { return tx.RemoveAlias(h.jira, h.ada) },
		kinds(models.AliasChanged), []string{"alias.remove jira"}},

	{"CreateSession", func(tx *store.Tx, h *house) error {
		return tx.CreateSession(&models.Session{UserID: h.ada.ID, TokenHash: []byte("new"), Sealed: []byte{}, Factors: []byte{}})
	}, kinds(models.SessionStarted), nil},
	{"EndSession", func(tx *store.Tx, _ *house) error { _, err := tx.EndSession([]byte("bob's")); return err },
		kinds(models.SessionsEnded), nil},
	{"EndSessionsOf", func(tx *store.Tx, h *house) error { return tx.EndSessionsOf(h.bob.ID, nil) },
		kinds(models.SessionsEnded), nil},
	{"Post", func(tx *store.Tx, _ *house) error {
		return tx.Post(&models.OutboxItem{Kind: "letter", Payload: []byte("text")})
	}, nil, nil},
	{"PostAlarm", func(tx *store.Tx, _ *house) error {
		return tx.PostAlarm(models.Alarm{URL: "https://chat.example.test/x"})
	}, nil, nil},
	{"PostLetter", func(tx *store.Tx, _ *house) error { return tx.PostLetter(models.Letter{Kind: models.LetterReset}) }, nil, nil},
	{"AskForLetter", func(tx *store.Tx, _ *house) error { _, err := tx.AskForLetter("ada", 3, time.Hour); return err }, nil, nil},
	{"Audit", func(tx *store.Tx, _ *house) error { tx.Audit(store.Act{Action: "test", Subject: "x"}); return nil },
		nil, []string{"test x"}},
}

func TestEveryWriteIsInTheTable(t *testing.T) {
	t.Parallel()
	notWrites := []string{"At", "Quiet", "LockApplication", "LockDirectory", "LockUser", "UserToChange", "GroupToChange", "SyncStateToChange", "HoldLease"}
	reads := reflect.TypeFor[*store.Reads]()
	inTable := map[string]bool{}
	for _, c := range slices.Concat(writeCases, bulkCases) {
		inTable[c.method] = true
	}
	for m := range reflect.TypeFor[*store.Tx]().Methods() {
		if _, reading := reads.MethodByName(m.Name); reading || slices.Contains(notWrites, m.Name) {
			continue
		}
		if !inTable[m.Name] {
			t.Errorf("Tx.%s has no line in writeCases", m.Name)
		}
	}
}

func TestEveryWriteMovesFeedAndAuditLogInItsTransaction(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		clock := testkit.NewClock()
		s := db.Open(t, func(o *store.Options) { o.Now = clock.Now })
		h := build(t, s)
		login := models.Actor{Kind: models.ActorApplication, Name: "jira", Address: "192.0.2.9", Request: "r-2", Writer: models.ByLogin}
		undo := errors.New("undo")
		before := db.Contents(t)
		told := false
		s.OnCommit(func([]models.Change) { told = true })
		for _, c := range slices.Concat(writeCases, bulkCases) {
			// What a transaction adds is seen from within it, on which everything else is undone
			// again: one house serves all cases.
			copied := *h
			var changes []models.Change
			var audits []models.AuditEntry
			err := s.Write(t.Context(), login, func(tx *store.Tx) error {
				if err := c.do(tx, &copied); err != nil {
					return err
				}
				var err error
				changes, audits, err = store.Finish(tx)
				return errors.Join(err, undo)
			})
			if !errors.Is(err, undo) {
				t.Errorf("%s: %v", c.method, err)
				continue
			}
			if told {
				t.Errorf("%s: a transaction that was undone told the listeners", c.method)
			}
			testkit.Diff(t, c.method+", what was left of it", before, db.Contents(t))
			checkFeed(t, c, changes, login, s.Now())
			checkAudit(t, c, audits, login, s.Now())
		}
	})
}

func checkFeed(t *testing.T, c writeCase, changes []models.Change, by models.Actor, at models.Time) {
	t.Helper()
	var got []models.ChangeKind
	for _, change := range changes {
		got = append(got, change.Kind)
		if change.At != at || change.Writer != by.Writer || change.Seq == 0 {
			t.Errorf("%s: want time, writer and number in the feed's line, got %+v", c.method, change)
		}
		if change.Data != nil && !json.Valid(change.Data) {
			t.Errorf("%s: the feed's line holds %q", c.method, change.Data)
		}
	}
	testkit.Diff(t, c.method+", the feed", c.changes, got)
}

func checkAudit(t *testing.T, c writeCase, audits []models.AuditEntry, by models.Actor, at models.Time) {
	t.Helper()
	var got []string
	for _, e := range audits {
		got = append(got, e.Action+" "+e.Subject)
		if e.At != at || e.ActorKind != by.Kind || e.Actor != by.Name || e.Address != by.Address || e.Request != by.Request || e.Outcome != "done" {
			t.Errorf("%s: want who, when and from where in the entry, got %+v", c.method, e)
		}
		if inDirectory := strings.HasPrefix(e.Action, "user.") || strings.HasPrefix(e.Action, "group."); inDirectory && e.Directory != "staff" {
			t.Errorf("%s: want the directory in the entry, got %+v", c.method, e)
		}
		if strings.Contains(e.Before+e.After, "hash") {
			t.Errorf("%s: the entry shows a hash: %+v", c.method, e)
		}
	}
	testkit.Diff(t, c.method+", the audit log", c.audits, got)
}

func TestCommittedWriteIsToldBeforeItReturns(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		var told []models.Change
		s.OnCommit(func(changes []models.Change) { told = append(told, changes...) })
		staff := addDirectory(t, s, "staff")
		addUser(t, s, staff, "ada")
		stored, err := s.ChangesAfter(t.Context(), 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		for i := range stored {
			stored[i].Tx = 0 // only readers of the feed need it
		}
		testkit.Diff(t, "what was told", stored, told)
	})
}

func TestFeedHoldsAUserAsItIsAfterTheChange(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		clock := testkit.NewClock()
		s := db.Open(t, func(o *store.Options) { o.Now = clock.Now })
		staff := addDirectory(t, s, "staff")
		ada := &models.User{DirectoryID: staff.ID, Name: "ada", Email: "old@example.test", Active: true, ExternalID: "1"}
		write(t, s, func(tx *store.Tx) error { return tx.CreateUser(ada) })
		before := *ada
		ada.Email = "new@example.test"
		write(t, s, func(tx *store.Tx) error { return tx.SaveUser(&before, ada) })
		admins := addGroup(t, s, staff, "admins")
		addMember(t, s, admins, ada)

		changes, err := s.ChangesAfter(t.Context(), 1, 10)
		if err != nil {
			t.Fatal(err)
		}
		var mails []string
		for _, c := range changes[:2] {
			var u models.ChangedUser
			if err := json.Unmarshal(c.Data, &u); err != nil {
				t.Fatal(err)
			}
			mails = append(mails, u.Email)
			if c.RowID != ada.ID || c.DirectoryID != staff.ID || c.Name != "ada" || !u.Active || u.ExternalID != "1" || u.CreatedAt != s.Now() {
				t.Errorf("want ada's row, directory, name and fields, got %+v, %+v", c, u)
			}
		}
		testkit.Diff(t, "mail after each change", []string{"old@example.test", "new@example.test"}, mails)
		if c := changes[3]; c.RowID != admins.ID || c.Name != "admins" || c.MemberID != ada.ID || c.Member != "ada" {
			t.Errorf("want both names of the membership, got %+v", c)
		}
	})
}
