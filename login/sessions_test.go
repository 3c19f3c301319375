package login_test

import (
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/login"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/session"
)

var here = []session.Factor{{Name: "remote_address", Value: "198.51.100.7"}}

func (r *replica) start(app, user string) *login.Session {
	r.t.Helper()
	s, err := r.StartSession(r.t.Context(), r.view(app), login.Start{Username: user, Password: right, CheckPassword: true, Factors: here})
	r.must(err)
	return s
}

// validates compares the code with which an application's use of a token is answered; empty
// means that it is valid.
func (r *replica) validates(want models.Code, app, token string, factors ...session.Factor) *login.Session {
	r.t.Helper()
	s, err := r.ValidateSession(r.t.Context(), r.view(app), token, factors)
	if got := models.CodeOf(err); got != want {
		r.t.Errorf("ValidateSession through %s = %v, want %q", app, err, want)
	}
	return s
}

// reads is the same for looking at a session.
func (r *replica) reads(want models.Code, app, token string) *login.Session {
	r.t.Helper()
	s, err := r.Session(r.t.Context(), r.view(app), token)
	if got := models.CodeOf(err); got != want {
		r.t.Errorf("Session through %s = %v, want %q", app, err, want)
	}
	return s
}

func TestASession(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		r, clock := world(t, db)
		r.user("staff", "Ada", nil)
		made := r.start("jira", "ada")
		begun := models.TimeOf(clock.Now())
		if made.User.Name != "Ada" || made.CreatedAt != begun || made.ExpiresAt != begun.Add(30*time.Minute) {
			t.Errorf("made: %+v", made)
		}
		clock.Advance(20 * time.Minute)
		if read := r.reads("", "jira", made.Token); read.Token != made.Token || read.User.Name != "Ada" || read.ExpiresAt != made.ExpiresAt {
			t.Errorf("read: %+v; reading doesn't renew", read)
		}
		used := r.validates("", "jira", made.Token, here...)
		if used.Token != made.Token || used.User.Name != "Ada" || used.CreatedAt != begun || used.ExpiresAt != begun.Add(50*time.Minute) {
			t.Errorf("used: %+v", used)
		}
		clock.Advance(20 * time.Minute)
		r.validates("", "jira", made.Token, here...)
		clock.Advance(30 * time.Minute)
		r.validates(models.InvalidToken, "jira", made.Token, here...)
		r.reads(models.InvalidToken, "jira", made.Token)
	})
}

func TestASessionIsBoundToItsFactors(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		r, _ := world(t, db)
		r.user("staff", "ada", nil)
		made := r.start("jira", "ada")
		r.validates("", "jira", made.Token, here...)
		r.validates(models.InvalidToken, "jira", made.Token)
		r.validates(models.InvalidToken, "jira", made.Token, session.Factor{Name: "remote_address", Value: "198.51.100.8"})
		r.reads("", "jira", made.Token)
		if again := r.start("jira", "ADA"); again.Token != made.Token {
			t.Error("a second login from the same place got another token")
		}
	})
}

func TestStartingASession(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name    string
		user    func(*directory.NewUser)
		change  bool // the password must be changed
		start   login.Start
		want    models.Code
		outcome login.Outcome
	}{
		{name: "right", start: login.Start{Username: "ada", Password: right, CheckPassword: true}, outcome: login.Accepted},
		{name: "wrong", start: login.Start{Username: "ada", Password: wrong, CheckPassword: true}, want: models.InvalidPassword, outcome: login.WrongPassword},
		{name: "none", start: login.Start{Username: "ada", CheckPassword: true}, want: models.InvalidPassword, outcome: login.WrongPassword},
		{name: "unknown", start: login.Start{Username: "bob", Password: right, CheckPassword: true}, want: models.UserNotFound, outcome: login.UnknownUser},
		{name: "inactive", user: func(n *directory.NewUser) { n.Active = false }, start: login.Start{Username: "ada", Password: right, CheckPassword: true}, want: models.UserInactive, outcome: login.Inactive},
		{name: "expired", change: true, start: login.Start{Username: "ada", Password: right, CheckPassword: true}, want: models.PasswordExpired, outcome: login.Expired},
		{name: "vouched for", start: login.Start{Username: "ada"}, outcome: login.Accepted},
		{name: "vouched for, with a wrong password", start: login.Start{Username: "ada", Password: wrong}, outcome: login.Accepted},
		{name: "vouched for, without any password stored", user: func(n *directory.NewUser) { n.Password = nil }, start: login.Start{Username: "ada"}, outcome: login.Accepted},
		{name: "vouched for, unknown", start: login.Start{Username: "bob"}, want: models.UserNotFound, outcome: login.UnknownUser},
		{name: "vouched for, inactive", user: func(n *directory.NewUser) { n.Active = false }, start: login.Start{Username: "ada"}, want: models.UserInactive, outcome: login.Inactive},
	}
	eachCase(t, len(cases), func(i int) string { return cases[i].name }, func(i int, r *replica, _ *testkit.Clock) {
		c := cases[i]
		r.user("staff", "ada", c.user)
		if c.change {
			r.attribute("staff", "ada", "requiresPasswordChange", "true")
		}
		s, err := r.StartSession(r.t.Context(), r.view("jira"), c.start)
		if models.CodeOf(err) != c.want || (err == nil) != (s != nil) {
			r.t.Errorf("StartSession = %v, %v, want %q", s, err, c.want)
		}
		if counted := r.counted(); counted[len(counted)-1] != c.outcome {
			r.t.Errorf("outcome %q, want %q", counted[len(counted)-1], c.outcome)
		}
		r.isAudited(c.outcome, c.start.Username)
	})
}

func TestADurationMakesAShorterSession(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		r, _ := world(t, db)
		r.user("staff", "ada", nil)
		for asked, want := range map[time.Duration]time.Duration{0: 30 * time.Minute, time.Minute: time.Minute, time.Hour: 30 * time.Minute} {
			s, err := r.StartSession(t.Context(), r.view("jira"), login.Start{Username: "ada", Lifetime: asked})
			r.must(err)
			if got := s.ExpiresAt.Sub(s.CreatedAt); got != want {
				t.Errorf("a session of %s lives %s, want %s", asked, got, want)
			}
		}
	})
}

// A token belongs to the server: every application may use it whose user the person is.
func TestASessionInAnotherApplication(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		r, clock := world(t, db)
		r.directory("partners", nil)
		r.user("staff", "ada", nil)
		r.user("partners", "ada", nil)
		r.must(r.directories.Edit(t.Context(), models.System, func(e *directory.Edit) error {
			_, err := e.CreateGroup(r.dir("staff"), directory.NewGroup{Name: "bamboo-users", Active: true})
			return err
		}))
		r.app("confluence", "staff")
		r.app("bamboo")
		_, err := r.apps.Map(t.Context(), models.System, "bamboo", application.NewMapping{Directory: "staff", Groups: []string{"bamboo-users"}})
		r.must(err)
		r.app("elsewhere", "partners")
		r.app("shadowing", "partners", "staff")
		r.must(r.apps.SetAlias(t.Context(), models.System, "confluence", "ada", "lovelace"))

		made := r.start("jira", "ada")
		if used := r.validates("", "confluence", made.Token, here...); used.User.Name != "lovelace" {
			t.Errorf("confluence is told the name %q", used.User.Name)
		}
		r.reads("", "confluence", made.Token)
		for _, app := range []string{"bamboo", "elsewhere", "shadowing"} {
			r.validates(models.LoginDenied, app, made.Token, here...)
			r.reads(models.InvalidToken, app, made.Token)
		}
		r.validates(models.InvalidToken, "bamboo", made.Token) // the factors come first
		_, err = r.StartSession(t.Context(), r.view("bamboo"), login.Start{Username: "ada", Password: right, CheckPassword: true})
		if !models.Is(err, models.LoginDenied) {
			t.Errorf("StartSession in an application that is closed to the user: %v", err)
		}
		_, err = r.StartSession(t.Context(), r.view("bamboo"), login.Start{Username: "ada"})
		if !models.Is(err, models.LoginDenied) {
			t.Errorf("StartSession without a password: %v", err)
		}

		// An application that may not use it doesn't keep it alive either.
		clock.Advance(29 * time.Minute)
		r.validates(models.LoginDenied, "bamboo", made.Token, here...)
		clock.Advance(time.Minute)
		r.validates(models.InvalidToken, "jira", made.Token, here...)

		r.must(r.directories.Edit(t.Context(), models.System, func(e *directory.Edit) error { return e.AddMember(r.dir("staff"), "bamboo-users", "ada") }))
		r.validates("", "bamboo", r.start("jira", "ada").Token, here...)
	})
}

func TestWhatEndsASession(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name string
		do   func(r *replica, token string) error
		ends bool
	}{
		{"its application", func(r *replica, token string) error { return r.EndSession(r.t.Context(), r.view("jira"), token) }, true},
		{"another application", func(r *replica, token string) error { return r.EndSession(r.t.Context(), r.view("confluence"), token) }, true},
		{"another token", func(r *replica, token string) error {
			return r.EndSession(r.t.Context(), r.view("jira"), token[1:]+"x")
		}, false},
		{"no token", func(r *replica, _ string) error { return r.EndSession(r.t.Context(), r.view("jira"), "") }, false},
		{"all of the user's", func(r *replica, _ string) error { return r.EndSessionsOf(r.t.Context(), r.view("jira"), "ADA", "") }, true},
		{"all but this", func(r *replica, token string) error {
			return r.EndSessionsOf(r.t.Context(), r.view("jira"), "ada", token)
		}, false},
		{"all of somebody else's", func(r *replica, _ string) error { return r.EndSessionsOf(r.t.Context(), r.view("jira"), "bob", "") }, false},
		{"all of nobody's", func(r *replica, _ string) error { return r.EndSessionsOf(r.t.Context(), r.view("jira"), "eve", "") }, false},
		{"a new password", func(r *replica, _ string) error {
			return r.directories.SetPassword(r.t.Context(), models.System, r.dir("staff"), "ada", "another")
		}, true},
		{"the user becomes inactive", func(r *replica, _ string) error {
			return r.directories.Edit(r.t.Context(), models.System, func(e *directory.Edit) error {
				off := false
				_, err := e.UpdateUser(r.dir("staff"), "ada", directory.UserPatch{Active: &off})
				return err
			})
		}, true},
		{"the user is deleted", func(r *replica, _ string) error {
			return r.directories.Edit(r.t.Context(), models.System, func(e *directory.Edit) error { return e.DeleteUser(r.dir("staff"), "ada") })
		}, true},
		{"the user is renamed", func(r *replica, _ string) error {
			return r.directories.Edit(r.t.Context(), models.System, func(e *directory.Edit) error {
				_, err := e.RenameUser(r.dir("staff"), "ada", "lovelace")
				return err
			})
		}, false},
	}
	eachCase(t, len(cases), func(i int) string { return cases[i].name }, func(i int, r *replica, _ *testkit.Clock) {
		r.app("confluence", "staff")
		r.user("staff", "ada", nil)
		r.user("staff", "bob", nil)
		token := r.start("jira", "ada").Token
		r.must(cases[i].do(r, token))
		want := models.Code("")
		if cases[i].ends {
			want = models.InvalidToken
		}
		r.validates(want, "jira", token, here...)
		r.reads(want, "jira", token)
	})
}
