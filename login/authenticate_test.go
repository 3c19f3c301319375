package login_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/internal/password"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/login"
	"github.com/rollcall-id/rollcall/models"
)

func TestTheRightPasswordLetsIn(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		r, clock := world(t, db)
		ada := r.user("staff", "Ada", nil)
		clock.Advance(time.Minute)
		got, err := r.Authenticate(t.Context(), r.view("jira"), "aDA", right)
		r.must(err)
		if got.Name != "Ada" || got.ID != ada.ID || got.DirectoryName != "staff" {
			t.Errorf("let in: %+v", got)
		}
		now := models.TimeOf(clock.Now())
		c, err := r.store.Credential(t.Context(), ada.ID)
		r.must(err)
		if c.LastAuthenticated != now || c.LastActive != now || c.MustChange || c.Failures != 0 {
			t.Errorf("noted: %+v", c)
		}
		if u, err := r.store.UserByID(t.Context(), ada.ID); err != nil || u.UpdatedAt != ada.UpdatedAt {
			t.Errorf("a login moved the user's updated date, %v", err)
		}
		if got := r.refused(); len(got) != 0 {
			t.Errorf("audited as refused: %v", got)
		}
	})
}

// Crowd's order of checks: each line has a twin that is let in.
func TestOrderOfChecks(t *testing.T) {
	t.Parallel()
	inactive := func(n *directory.NewUser) { n.Active = false }
	none := func(n *directory.NewUser) { n.Password = nil }
	cases := []struct {
		name     string
		user     func(*directory.NewUser)
		then     func(r *replica) // before the attempt
		typed    string
		secret   models.Secret
		want     models.Code
		says     string
		outcome  login.Outcome
		failures string
		hashes   uint64
	}{
		{name: "right", typed: "ada", secret: right, outcome: login.Accepted, failures: "0", hashes: 1},
		{name: "unknown", typed: "bob", secret: right, want: models.UserNotFound, says: "User <bob> does not exist", outcome: login.UnknownUser, failures: "0"},
		{name: "inactive with the right password", user: inactive, typed: "ADA", secret: right, want: models.UserInactive, says: "Account with name <ada> is inactive", outcome: login.Inactive, failures: "0"},
		{name: "inactive with a wrong password", user: inactive, typed: "ada", secret: wrong, want: models.UserInactive, says: "Account with name <ada> is inactive", outcome: login.Inactive, failures: "0"},
		{name: "inactive without a password", user: inactive, typed: "ada", secret: "", want: models.UserInactive, says: "Account with name <ada> is inactive", outcome: login.Inactive, failures: "0"},
		{name: "no password is stored", user: none, typed: "ada", secret: wrong, want: models.InvalidPassword, says: "not allowed to log in", outcome: login.NoPassword},
		{name: "empty", typed: "ada", secret: "", want: models.InvalidPassword, says: "password was invalid", outcome: login.WrongPassword, failures: "0"},
		{name: "empty where none is stored", user: none, typed: "ada", secret: "", want: models.InvalidPassword, says: "password was invalid", outcome: login.WrongPassword},
		{name: "too long", typed: "ada", secret: right + models.Secret(strings.Repeat("x", password.MaxLength)), want: models.InvalidPassword, says: "password was invalid", outcome: login.WrongPassword, failures: "0"},
		{name: "as long as can be", typed: "ada", secret: models.Secret(strings.Repeat("x", password.MaxLength)), want: models.InvalidPassword, says: "password was invalid", outcome: login.WrongPassword, failures: "1", hashes: 1},
		{name: "wrong", typed: "ada", secret: wrong, want: models.InvalidPassword, says: "Failed to authenticate principal, password was invalid", outcome: login.WrongPassword, failures: "1", hashes: 1},
		{name: "right in another case", typed: "ada", secret: "DIFFERENCE", want: models.InvalidPassword, says: "password was invalid", outcome: login.WrongPassword, failures: "1", hashes: 1},
		{name: "right after a wrong one", then: func(r *replica) { r.answers(models.InvalidPassword, "ada", wrong) }, typed: "ada", secret: right, outcome: login.Accepted, failures: "0", hashes: 1},
		{name: "must be changed", then: func(r *replica) { r.attribute("staff", "ada", "requiresPasswordChange", "true") }, typed: "ada", secret: right, want: models.PasswordExpired, says: "has expired", outcome: login.Expired, failures: "0", hashes: 1},
		{name: "must be changed, and is wrong", then: func(r *replica) { r.attribute("staff", "ada", "requiresPasswordChange", "true") }, typed: "ada", secret: wrong, want: models.InvalidPassword, says: "password was invalid", outcome: login.WrongPassword, failures: "1", hashes: 1},
	}
	eachCase(t, len(cases), func(i int) string { return cases[i].name }, func(i int, r *replica, _ *testkit.Clock) {
		c := cases[i]
		ada := r.user("staff", "ada", c.user)
		if c.then != nil {
			c.then(r)
		}
		v := r.view("jira")
		var got *application.User
		var err error
		if hashes := r.hashes(func() { got, err = r.Authenticate(r.t.Context(), v, c.typed, c.secret) }); hashes != c.hashes {
			r.t.Errorf("%d hashes were computed, want %d", hashes, c.hashes)
		}
		if models.CodeOf(err) != c.want || !strings.Contains(message(err), c.says) || (err == nil) != (got != nil) {
			r.t.Errorf("Authenticate = %v, %v; want the code %q and in the message %q", got, err, c.want, c.says)
		}
		if counted := r.counted(); counted[len(counted)-1] != c.outcome {
			r.t.Errorf("outcome %q, want %q", counted[len(counted)-1], c.outcome)
		}
		if got := r.attributeOf(ada, "invalidPasswordAttempts"); got != c.failures {
			r.t.Errorf("invalidPasswordAttempts = %q, want %q", got, c.failures)
		}
		r.isAudited(c.outcome, c.typed)
	})
}

// isAudited tells whether the latest refusal stands in the audit log, and nothing that was none.
func (r *replica) isAudited(o login.Outcome, typed string) {
	r.t.Helper()
	audited := r.refused()
	switch o {
	case login.Accepted:
		delete(audited, "wrong-password ada staff") // what went before
		if len(audited) != 0 {
			r.t.Errorf("audited: %v, want nothing", audited)
		}
	case login.UnknownUser:
		if audited["unknown-user "+typed+" "] != 1 {
			r.t.Errorf("audited: %v", audited)
		}
	default:
		if audited[string(o)+" ada staff"] != 1 {
			r.t.Errorf("audited: %v, want %q of ada in staff", audited, o)
		}
	}
}

func TestTheFirstDirectoryThatKnowsTheUserDecides(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		r, _ := world(t, db)
		r.directory("partners", nil)
		_, err := r.apps.Map(t.Context(), models.System, "jira", application.NewMapping{Directory: "partners"})
		r.must(err)
		r.user("staff", "ada", nil)
		other := models.Secret("analytical")
		r.user("partners", "ada", func(n *directory.NewUser) { n.Password = &other })
		r.user("partners", "bob", func(n *directory.NewUser) { n.Password = &other })
		r.answers("", "ada", right)
		r.answers(models.InvalidPassword, "ada", other)
		r.answers("", "bob", other)

		_, err = r.apps.Map(t.Context(), models.System, "jira", application.NewMapping{Directory: "partners", Position: 1})
		r.must(err)
		r.answers("", "ada", other)
		r.answers(models.InvalidPassword, "ada", right)
	})
}

func TestWhoIsOutsideTheAccessGroups(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		r, clock := world(t, db)
		r.user("staff", "ada", nil)
		r.user("staff", "bob", nil)
		r.must(r.directories.Edit(t.Context(), models.System, func(e *directory.Edit) error {
			for _, group := range []string{"jira-users", "developers"} {
				if _, err := e.CreateGroup(r.dir("staff"), directory.NewGroup{Name: group, Active: true}); err != nil {
					return err
				}
			}
			if err := e.AddChild(r.dir("staff"), "jira-users", "developers"); err != nil {
				return err
			}
			return e.AddMember(r.dir("staff"), "developers", "ada")
		}))
		_, err := r.apps.Map(t.Context(), models.System, "jira", application.NewMapping{Directory: "staff", Groups: []string{"jira-users"}})
		r.must(err)

		r.answers("", "ada", right)
		_, err = r.Authenticate(t.Context(), r.view("jira"), "bob", right)
		if !models.Is(err, models.InvalidPassword) || message(err) != "Failed to authenticate principal, password was invalid" {
			t.Errorf("the right person outside the groups: %v", err)
		}
		r.answers(models.InvalidPassword, "bob", wrong)
		if got, want := r.refused(), map[string]int{"denied bob staff": 1, "wrong-password bob staff": 1}; !cmp.Equal(want, got) {
			t.Errorf("audited: %s", cmp.Diff(want, got))
		}

		telling := newReplica(t, db, clock, login.Options{TellDenied: true})
		telling.answers("", "ada", right)
		telling.answers(models.LoginDenied, "bob", right)
		telling.answers(models.InvalidPassword, "bob", wrong)
	})
}

func TestAnAliasLogsIn(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		r, _ := world(t, db)
		r.user("staff", "ada", nil)
		r.must(r.apps.SetAlias(t.Context(), models.System, "jira", "ada", "lovelace"))
		got, err := r.Authenticate(t.Context(), r.view("jira"), "Lovelace", right)
		r.must(err)
		if got.Name != "lovelace" || got.Unaliased != "ada" {
			t.Errorf("let in: %+v", got)
		}
		r.answers(models.InvalidPassword, "lovelace", wrong)
		if got, want := r.refused(), map[string]int{"wrong-password ada staff": 1}; !cmp.Equal(want, got) {
			t.Errorf("audited: %s", cmp.Diff(want, got))
		}
	})
}

func TestNotifyNotesALogin(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		r, clock := world(t, db)
		ada := r.user("staff", "ada", nil)
		r.user("staff", "bob", func(n *directory.NewUser) { n.Active = false })
		r.answers(models.InvalidPassword, "ada", wrong)
		r.attribute("staff", "ada", "requiresPasswordChange", "true")
		clock.Advance(time.Minute)

		got, err := r.Notify(t.Context(), r.view("jira"), "ADA")
		r.must(err)
		if got.Name != "ada" {
			t.Errorf("noted for %q", got.Name)
		}
		for range 2 { // as it is noted, and as it is stored
			c, err := r.store.Credential(t.Context(), ada.ID)
			r.must(err)
			if now := models.TimeOf(clock.Now()); c.LastAuthenticated != now || c.LastActive != now || c.Failures != 1 || !c.MustChange {
				t.Errorf("noted: %+v; nobody proved a password", c)
			}
			r.must(r.store.FlushNotes(t.Context()))
		}
		for name, want := range map[string]models.Code{"bob": models.UserInactive, "eve": models.UserNotFound} {
			if _, err := r.Notify(t.Context(), r.view("jira"), name); !models.Is(err, want) {
				t.Errorf("Notify(%s) = %v, want %s", name, err, want)
			}
		}
	})
}

func TestAFailureOfOursIsNoRefusal(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		r, _ := world(t, db)
		r.user("staff", "ada", nil)
		v := r.view("jira")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := r.Authenticate(ctx, v, "ada", right); err == nil || models.Is(err, models.InvalidPassword) {
			t.Errorf("Authenticate = %v, want an error that says nothing of the password", err)
		}
		if diff := cmp.Diff([]login.Outcome{login.Failed}, r.counted()); diff != "" {
			t.Error(diff)
		}
		if got := r.refused(); len(got) != 0 {
			t.Errorf("audited: %v", got)
		}
	})
}
