package directory_test

import (
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/internal/password"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// check looks a user up and checks a password, as a login does.
func (h *house) check(t *testing.T, dir *models.Directory, name string, secret models.Secret) (directory.Checked, error) {
	t.Helper()
	return h.CheckPassword(t.Context(), dir, h.userNamed(t, dir, name), secret)
}

func (h *house) setPassword(t *testing.T, dir *models.Directory, name string, secret models.Secret) error {
	t.Helper()
	return h.SetPassword(t.Context(), operator, dir, name, secret)
}

// hash reads the stored hash of a user.
func (h *house) hash(t *testing.T, u *models.User) models.Secret {
	t.Helper()
	c, err := h.store.Credential(t.Context(), u.ID)
	if err != nil {
		t.Fatal(err)
	}
	return c.Hash
}

// A policy applies when a password is set, also with a new user, and never at login.
func TestPasswordPolicy(t *testing.T) {
	const complexity = "The new password does not meet the directory complexity requirements"
	cases := []struct {
		name, settings, password string
		want                     string // the refusal; empty: accepted
	}{
		{"no policy", "", "x", ""},
		{"empty", "", "", "You cannot have an empty password"},
		{"blank", "", " \t ", "You cannot have an empty password"},
		{"too long for anybody", "", strings.Repeat("x", password.MaxLength+1), "must not be longer"},
		{"too short", "password-min-length=8", "7777777", complexity},
		{"long enough in characters", "password-min-length=8", "ääääääää", ""},
		{"not matching", "password-regex=[0-9]", "difference", complexity},
		{"matching", "password-regex=[0-9]", "difference1", ""},
		{"the directory's own words", "password-regex=[0-9] password-message=a_digit,_please", "difference", complexity + ": a_digit,_please"},
		{"blank with a policy", "password-min-length=8", "         ", "You cannot have an empty password"},
	}
	eachHouse(t, func(t *testing.T, h *house) {
		for _, c := range cases {
			dir := h.directory(t, c.name, strings.Fields(c.settings)...)
			ada, want := h.user(t, dir, "ada", ""), models.Code("")
			if c.want != "" {
				want = models.InvalidCredential
			}
			wantMessage(t, c.name, want, c.want, h.setPassword(t, dir, "ada", models.Secret(c.password)))
			if h.hash(t, ada) != "" && c.want != "" {
				t.Errorf("%s: the refused password was stored", c.name)
			}
			_, err := h.CreateUser(t.Context(), operator, dir, directory.NewUser{Name: "bob", Password: new(models.Secret(c.password))})
			wantMessage(t, c.name+", of a new user", want, c.want, err)
		}

		dir := h.directory(t, "staff")
		h.user(t, dir, "ada", "old")
		dir, err := h.Set(t.Context(), operator, "staff", directory.Patch{Settings: map[string]string{"password-min-length": "12"}})
		if err != nil {
			t.Fatal(err)
		}
		if checked, err := h.check(t, dir, "ada", "old"); err != nil || checked.MustChange {
			t.Errorf("a password from before the policy: want right, got %+v, %v", checked, err)
		}
	})
}

func TestPasswordHistory(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		for _, c := range []struct {
			setting string
			again   string // which of the passwords p1 … p5, set in turn, are taken after p5
		}{
			{"password-history=0", "p1 p2 p3 p4 p5"},
			{"password-history=1", "p1 p2 p3 p4"},
			{"password-history=3", "p1 p2"},
			{"password-history=10", ""},
		} {
			dir := h.directory(t, c.setting, c.setting)
			h.user(t, dir, "ada", "p1")
			h.user(t, dir, "bob", "p1") // has a history of his own
			for _, p := range []models.Secret{"p2", "p3", "p4", "p5"} {
				wantCode(t, c.setting+", "+p.Reveal(), "", h.setPassword(t, dir, "ada", p))
			}
			for _, p := range []string{"p1", "p2", "p3", "p4", "p5"} {
				if strings.Contains(c.again, p) {
					continue
				}
				wantMessage(t, c.setting+", again "+p, models.InvalidCredential, "must differ from the last", h.setPassword(t, dir, "ada", models.Secret(p)))
			}
			if _, err := h.check(t, dir, "ada", "p5"); err != nil {
				t.Errorf("%s: refused passwords took the present one away: %v", c.setting, err)
			}
			if first, _, some := strings.Cut(c.again, " "); some {
				wantCode(t, c.setting+", an older one again", "", h.setPassword(t, dir, "ada", models.Secret(first)))
			}
			wantCode(t, c.setting+", of another user", "", h.setPassword(t, dir, "bob", "p5"))
		}
	})
}

func TestPasswordOfANewUser(t *testing.T) {
	secret := func(s models.Secret) *models.Secret { return &s }
	eachHouse(t, func(t *testing.T, h *house) {
		open, strict := h.directory(t, "open"), h.directory(t, "strict", "password-required=true")
		for _, c := range []struct {
			name         string
			n            directory.NewUser
			opens        models.Secret // the password that is right then; empty: none
			open, strict models.Code
		}{
			{"none", directory.NewUser{}, "", "", models.InvalidCredential},
			{"plain", directory.NewUser{Password: secret("difference")}, "difference", "", ""},
			{"encrypted: none", directory.NewUser{Encrypted: secret("X")}, "", "", models.InvalidCredential},
			{"encrypted: SSHA", directory.NewUser{Encrypted: secret("{SSHA}N+vXsN2ny8mTqd6ZYuHcJVHvE00BAgMEBQYHCA==")}, "password", "", ""},
			{"encrypted: SHA", directory.NewUser{Encrypted: secret("{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=")}, "password", "", ""},
			{"encrypted: PKCS5S2", directory.NewUser{Encrypted: secret("{PKCS5S2}DQIXJU038u4P7FdsuFTY/+35bm41kfjZa57UrdxHp2Mu3qF2uy+ooD+jF5t1tb8J")}, "password", "", ""},
			{"encrypted: bcrypt", directory.NewUser{Encrypted: secret("$2a$04$abcdefghijklmnopqrstuughE8Ev8uGFaUgY2cNEySvxngrb/Jzdm")}, "password", "", ""},
			{"encrypted: argon2id", directory.NewUser{Encrypted: secret("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4")}, "password", "", ""},
			{"encrypted: atlassian-sha1", directory.NewUser{Encrypted: secret("x61Ey612Kl2gpFL56FT9weDnpSo4AV8j8+qx2AuTHdRyY036xxzTTrw10Wq3+4qQyB+XURPWx1ONxp3Y3pB37A==")}, "admin", "", ""},
			{"encrypted: MD5", directory.NewUser{Encrypted: secret("{MD5}X03MO1qnZdYdgyfeuILPmQ==")}, "", models.InvalidCredential, models.InvalidCredential},
			{"encrypted: DES", directory.NewUser{Encrypted: secret("q1bNpyc8+BI=")}, "", models.InvalidCredential, models.InvalidCredential},
			{"encrypted: plain text", directory.NewUser{Encrypted: secret("difference")}, "", models.InvalidCredential, models.InvalidCredential},
			{"encrypted: empty", directory.NewUser{Encrypted: secret("")}, "", models.InvalidCredential, models.InvalidCredential},
			{"plain and encrypted", directory.NewUser{Password: secret("difference"), Encrypted: secret("X")}, "difference", "", ""},
		} {
			c.n.Name, c.n.Active = c.name, true
			for dir, want := range map[*models.Directory]models.Code{open: c.open, strict: c.strict} {
				what := c.name + ", " + dir.Name
				u, err := h.CreateUser(t.Context(), operator, dir, c.n)
				wantCode(t, what, want, err)
				if err != nil {
					_, err := h.store.UserByName(t.Context(), dir.ID, c.name)
					wantCode(t, what+": the refused user", models.UserNotFound, err)
					continue
				}
				if c.opens == "" {
					_, err = h.CheckPassword(t.Context(), dir, u, "difference")
					wantMessage(t, what+": any password", models.InvalidPassword, "not allowed to log in", err)
					continue
				}
				_, err = h.CheckPassword(t.Context(), dir, u, c.opens)
				wantCode(t, what+": the right password", "", err)
				_, err = h.CheckPassword(t.Context(), dir, u, c.opens+"!")
				wantCode(t, what+": a wrong password", models.InvalidPassword, err)
			}
		}
	})
}

// Each reason to refuse comes before the next; each has a twin that lacks it and gets further.
func TestOrderOfChecks(t *testing.T) {
	const (
		inactive = 1 << iota
		noPassword
		attempts
		mustChange
		right, wrong = "difference", "engine"
		maximum      = "Maximum allowed invalid password attempts has been reached"
	)
	cases := []struct {
		name     string
		user     int
		password models.Secret
		want     models.Code
		message  string
	}{
		{"inactive, right", inactive, right, models.UserInactive, "inactive"},
		{"inactive, wrong", inactive, wrong, models.UserInactive, "inactive"},
		{"inactive, with every other reason too", inactive | noPassword | attempts | mustChange, right, models.UserInactive, "inactive"},
		{"no password", noPassword, right, models.InvalidPassword, "not allowed to log in"},
		{"no password, none given", noPassword, "", models.InvalidPassword, "not allowed to log in"},
		{"no password, too many attempts", noPassword | attempts, right, models.InvalidPassword, "not allowed to log in"},
		{"too many attempts, right", attempts, right, models.InvalidPassword, maximum},
		{"too many attempts, wrong", attempts, wrong, models.InvalidPassword, maximum},
		{"too many attempts, must change", attempts | mustChange, right, models.InvalidPassword, maximum},
		{"must change, wrong", mustChange, wrong, models.InvalidPassword, "password was invalid"},
		{"must change, right", mustChange, right, "", ""},
		{"wrong", 0, wrong, models.InvalidPassword, "Failed to authenticate principal, password was invalid"},
		{"empty", 0, "", models.InvalidPassword, "password was invalid"},
		{"longer than any", 0, models.Secret(strings.Repeat("x", password.MaxLength+1)), models.InvalidPassword, "password was invalid"},
		{"right", 0, right, "", ""},
	}
	eachHouse(t, func(t *testing.T, h *house) {
		dir := h.directory(t, "staff", "max-attempts=3")
		for _, c := range cases {
			u := h.user(t, dir, c.name, right)
			if c.user&noPassword != 0 {
				if err := h.ClearPassword(t.Context(), operator, dir, c.name); err != nil {
					t.Fatal(err)
				}
			}
			failures, change := "2", "false"
			if c.user&attempts != 0 {
				failures = "3"
			}
			if c.user&mustChange != 0 {
				change = "true"
			}
			if err := h.setAttributes(t, dir, c.name, attr("invalidPasswordAttempts", failures), attr("requiresPasswordChange", change)); err != nil {
				t.Fatal(err)
			}
			u.Active = c.user&inactive == 0
			checked, err := h.CheckPassword(t.Context(), dir, u, c.password)
			wantMessage(t, c.name, c.want, c.message, err)
			if err == nil && checked.MustChange != (c.user&mustChange != 0) {
				t.Errorf("%s: want must change %t, got %t", c.name, c.user&mustChange != 0, checked.MustChange)
			}
			if got := h.attributes(t, u)["invalidPasswordAttempts"]; got[0] != failures {
				t.Errorf("%s: a check changed the failures from %s to %s", c.name, failures, got[0])
			}
		}
	})
}

// Whoever is at the maximum must choose another password; that, or a zero, ends it.
func TestMaximumOfAttempts(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		dir := h.directory(t, "staff", "max-attempts=3")
		u := h.user(t, dir, "ada", "difference")
		reach := func() {
			t.Helper()
			for range 3 {
				if _, err := h.check(t, dir, "ada", "difference"); err != nil {
					t.Fatalf("below the maximum: %v", err)
				}
				h.store.NoteFailure(0, u.ID)
			}
			before := h.lastChange(t)
			for range 2 {
				_, err := h.check(t, dir, "ada", "difference")
				wantMessage(t, "at the maximum", models.InvalidPassword, "Maximum allowed", err)
			}
			if wrote := h.lastChange(t) - before; wrote != 1 {
				t.Errorf("want the change that is required stored once, got %d writes", wrote)
			}
			if got := h.attributes(t, u); got["requiresPasswordChange"][0] != "true" || got["invalidPasswordAttempts"][0] != "3" {
				t.Errorf("want a change required after 3 attempts, got %v", got)
			}
		}
		reach()
		wantCode(t, "a new password", "", h.setPassword(t, dir, "ada", "difference"))
		if checked, err := h.check(t, dir, "ada", "difference"); err != nil || checked.MustChange {
			t.Errorf("a new password: want it right and in force, got %+v, %v", checked, err)
		}
		reach()
		wantCode(t, "a zero", "", h.setAttributes(t, dir, "ada", attr("invalidPasswordAttempts", "0")))
		if checked, err := h.check(t, dir, "ada", "difference"); err != nil || !checked.MustChange {
			t.Errorf("a zero: want the password right, and a change still required; got %+v, %v", checked, err)
		}

		loose := h.directory(t, "loose") // by default nobody is locked out
		robot := h.user(t, loose, "robot", "difference")
		for range 50 {
			h.store.NoteFailure(0, robot.ID)
		}
		_, err := h.check(t, loose, "robot", "difference")
		wantCode(t, "without a maximum", "", err)
	})
}

func TestMaximumAge(t *testing.T) {
	const days = 24 * time.Hour
	eachHouse(t, func(t *testing.T, h *house) {
		dir := h.directory(t, "staff", "password-max-age=30")
		forever := h.directory(t, "robots")
		h.user(t, dir, "ada", "difference")
		h.user(t, forever, "robot", "difference")
		wantMustChange := func(what string, want bool) {
			t.Helper()
			if checked, err := h.check(t, dir, "ada", "difference"); err != nil || checked.MustChange != want {
				t.Errorf("%s: want must change %t, got %t, %v", what, want, checked.MustChange, err)
			}
		}
		wantMustChange("new", false)
		h.clock.Advance(30 * days)
		wantMustChange("30 days", false)
		h.clock.Advance(time.Millisecond)
		wantMustChange("a moment more", true)
		_, err := h.check(t, dir, "ada", "engine")
		wantCode(t, "expired and wrong", models.InvalidPassword, err)
		wantCode(t, "set", "", h.setPassword(t, dir, "ada", "difference"))
		wantMustChange("set again", false)
		h.clock.Advance(10_000 * days)
		if checked, err := h.check(t, forever, "robot", "difference"); err != nil || checked.MustChange {
			t.Errorf("without a maximum age: want right, got %+v, %v", checked, err)
		}
	})
}

func TestClearPassword(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		dir := h.directory(t, "staff", "password-history=1")
		u := h.user(t, dir, "ada", "difference")
		for range 2 { // nothing left to take away is no mistake
			wantCode(t, "clear", "", h.ClearPassword(t.Context(), operator, dir, "ADA"))
		}
		if hash := h.hash(t, u); hash != "" {
			t.Errorf("want no hash, got one")
		}
		_, err := h.check(t, dir, "ada", "difference")
		wantMessage(t, "the old password", models.InvalidPassword, "not allowed to log in", err)
		wantMessage(t, "the old one again", models.InvalidCredential, "must differ", h.setPassword(t, dir, "ada", "difference"))
		wantCode(t, "another", "", h.setPassword(t, dir, "ada", "engine"))
		_, err = h.check(t, dir, "ada", "engine")
		wantCode(t, "the new password", "", err)
	})
}

// Whoever had the old password has nothing any more: no session, and no delay against the new.
func TestNewPasswordEndsSessionsAndDelays(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		dir := h.directory(t, "staff")
		jira := h.application(t, "jira")
		for what, change := range map[string]func(name string) error{
			"set":   func(name string) error { return h.setPassword(t, dir, name, "difference") },
			"clear": func(name string) error { return h.ClearPassword(t.Context(), operator, dir, name) },
			"deactivate": func(name string) error {
				return h.edit(t, func(e *directory.Edit) error {
					_, err := e.UpdateUser(dir, name, directory.UserPatch{Active: new(false)})
					return err
				})
			},
			"delete": func(name string) error {
				return h.edit(t, func(e *directory.Edit) error { return e.DeleteUser(dir, name) })
			},
		} {
			u := h.user(t, dir, what, "difference")
			other := h.user(t, dir, what+" not", "difference")
			h.clock.Advance(time.Minute)
			for _, of := range []*models.User{u, other} {
				session := &models.Session{UserID: of.ID, TokenHash: []byte(of.Name), Sealed: []byte{1}, Factors: []byte{}, Lifetime: 60_000}
				if err := h.store.Write(t.Context(), operator, func(tx *store.Tx) error { return tx.CreateSession(session) }); err != nil {
					t.Fatal(err)
				}
				for range 6 {
					h.store.NoteFailure(jira, of.ID)
				}
			}
			wantCode(t, what, "", change(what))
			_, err := h.store.SessionByToken(t.Context(), []byte(what))
			wantCode(t, what+": the session", models.InvalidToken, err)
			_, err = h.store.SessionByToken(t.Context(), []byte(what+" not"))
			wantCode(t, what+": another's session", "", err)
			if what != "set" && what != "clear" {
				continue
			}
			if n := h.delay(t, jira, u); n != 0 {
				t.Errorf("%s: want no delay, got %d failures", what, n)
			}
			if n := h.delay(t, jira, other); n != 6 {
				t.Errorf("%s: want another's 6 failures untouched, got %d", what, n)
			}
			if got := h.userNamed(t, dir, what).UpdatedAt; got != h.store.Now() {
				t.Errorf("%s: want the user's date moved to %s, got %s", what, h.store.Now(), got)
			}
		}
	})
}

const ssha = "{SSHA}N+vXsN2ny8mTqd6ZYuHcJVHvE00BAgMEBQYHCA==" // of "password"

// The first right password replaces an old hash; the second finds ours.
func TestOldHashIsUpgradedOnce(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		dir := h.directory(t, "staff")
		u, err := h.CreateUser(t.Context(), operator, dir, directory.NewUser{Name: "ada", Active: true, Encrypted: new(models.Secret(ssha))})
		if err != nil {
			t.Fatal(err)
		}
		steps := []struct {
			name     string
			password models.Secret
			want     models.Code
			hashes   uint64 // slow ones: SSHA is none
			upgraded bool
		}{
			{"wrong", "engine", models.InvalidPassword, 0, false},
			{"right", "password", "", 1, true},
			{"right again", "password", "", 1, true},
			{"wrong again", "engine", models.InvalidPassword, 1, true},
		}
		var ours models.Secret
		for _, s := range steps {
			done := h.hasher.Stats().Done
			_, err := h.CheckPassword(t.Context(), dir, u, s.password)
			wantCode(t, s.name, s.want, err)
			if got := h.hasher.Stats().Done - done; got != s.hashes {
				t.Errorf("%s: want %d slow hashes, got %d", s.name, s.hashes, got)
			}
			hash := h.hash(t, u)
			if got := strings.HasPrefix(hash.Reveal(), "$argon2id$"); got != s.upgraded {
				t.Errorf("%s: want upgraded %t, got %t", s.name, s.upgraded, got)
			}
			if ours != "" && hash != ours {
				t.Errorf("%s: the hash was written once more", s.name)
			}
			if s.upgraded {
				ours = hash
			}
		}
		if got := h.attributes(t, u)["passwordLastChanged"]; got[0] != timeText(u.CreatedAt) {
			t.Errorf("an upgrade is no change of the password: want %s, got %s", timeText(u.CreatedAt), got[0])
		}
	})
}

// While a login computes the better hash, the person may choose another password: that one stays.
func TestUpgradeDoesNotOverwriteANewPassword(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		dir := h.directory(t, "staff")
		u, err := h.CreateUser(t.Context(), operator, dir, directory.NewUser{Name: "ada", Active: true, Encrypted: new(models.Secret(ssha))})
		if err != nil {
			t.Fatal(err)
		}
		wantCode(t, "set", "", h.setPassword(t, dir, "ada", "difference"))
		h.UpgradeHash(t.Context(), dir, u, ssha, "password") // of the login that began before
		_, err = h.check(t, dir, "ada", "difference")
		wantCode(t, "the new password", "", err)
		_, err = h.check(t, dir, "ada", "password")
		wantCode(t, "the old password", models.InvalidPassword, err)

		wantCode(t, "clear", "", h.ClearPassword(t.Context(), operator, dir, "ada"))
		h.UpgradeHash(t.Context(), dir, u, ssha, "password")
		if hash := h.hash(t, u); hash != "" {
			t.Error("an upgrade gave a password back that was taken away")
		}
	})
}
