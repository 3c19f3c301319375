package login_test

import (
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/login"
	"github.com/rollcall-id/rollcall/models"
)

func TestAMaximumOfAttemptsRefusesTheRightPassword(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		r, _ := world(t, db)
		_, err := r.directories.Set(t.Context(), models.System, "staff", directory.Patch{Settings: map[string]string{"max-attempts": "3"}})
		r.must(err)
		ada := r.user("staff", "ada", nil)
		for range 3 {
			r.answers(models.InvalidPassword, "ada", wrong)
		}
		_, err = r.Authenticate(t.Context(), r.view("jira"), "ada", right)
		if !models.Is(err, models.InvalidPassword) || message(err) != "Maximum allowed invalid password attempts has been reached" {
			t.Errorf("the right password after three wrong ones: %v", err)
		}
		if got := r.attributeOf(ada, "invalidPasswordAttempts"); got != "3" {
			t.Errorf("invalidPasswordAttempts = %s, want 3: nothing was compared", got)
		}
		if got := r.attributeOf(ada, "requiresPasswordChange"); got != "true" {
			t.Errorf("requiresPasswordChange = %s, want true", got)
		}

		// It ends with the attribute; the password must be changed all the same.
		r.attribute("staff", "ada", "invalidPasswordAttempts", "0")
		r.answers(models.PasswordExpired, "ada", right)
		r.must(r.directories.SetPassword(t.Context(), models.System, r.dir("staff"), "ada", "another"))
		r.answers("", "ada", "another")
	})
}

func TestAPasswordThatIsTooOldHasExpired(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		r, clock := world(t, db)
		_, err := r.directories.Set(t.Context(), models.System, "staff", directory.Patch{Settings: map[string]string{"password-max-age": "30"}})
		r.must(err)
		ada := r.user("staff", "ada", nil)
		clock.Advance(30 * 24 * time.Hour)
		r.answers("", "ada", right)
		clock.Advance(time.Hour)
		r.answers(models.PasswordExpired, "ada", right)
		r.must(r.store.FlushNotes(t.Context()))
		if got := r.attributeOf(ada, "requiresPasswordChange"); got != "true" {
			t.Errorf("requiresPasswordChange = %s, want true: Crowd stores what it found out", got)
		}
		r.answers(models.InvalidPassword, "ada", wrong)
		r.must(r.directories.SetPassword(t.Context(), models.System, r.dir("staff"), "ada", "another"))
		r.answers("", "ada", "another")
	})
}

// What one replica found out of the old password must not be said of the new one.
func TestANewPasswordIsNotExpiredByALateNote(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		r, clock := world(t, db)
		ada := r.user("staff", "ada", nil)
		r.attribute("staff", "ada", "requiresPasswordChange", "true")
		r.answers(models.PasswordExpired, "ada", right)
		clock.Advance(time.Millisecond)
		other := newReplica(t, db, clock, login.Options{})
		r.must(other.directories.SetPassword(t.Context(), models.System, r.dir("staff"), "ada", "another"))
		for range 2 { // while it is only noted, and once it is stored
			if got := r.attributeOf(ada, "requiresPasswordChange"); got != "false" {
				t.Errorf("requiresPasswordChange = %s, want false", got)
			}
			r.must(r.store.FlushNotes(t.Context()))
		}
		other.answers("", "ada", "another")
	})
}

// People who come from another product keep their password, and get our hash.
func TestOlderHashesAreUpgradedAtLogin(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, hash, password string }{
		{"PKCS5S2", "{PKCS5S2}DQIXJU038u4P7FdsuFTY/+35bm41kfjZa57UrdxHp2Mu3qF2uy+ooD+jF5t1tb8J", "password"},
		{"SSHA", "{SSHA}N+vXsN2ny8mTqd6ZYuHcJVHvE00BAgMEBQYHCA==", "password"},
		{"SHA", "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "password"},
		{"SHA-512", "x61Ey612Kl2gpFL56FT9weDnpSo4AV8j8+qx2AuTHdRyY036xxzTTrw10Wq3+4qQyB+XURPWx1ONxp3Y3pB37A==", "admin"},
	}
	eachCase(t, len(cases), func(i int) string { return cases[i].name }, func(i int, r *replica, _ *testkit.Clock) {
		old := models.Secret(cases[i].hash)
		ada := r.user("staff", "ada", func(n *directory.NewUser) { n.Password, n.Encrypted = nil, &old })
		hash := func() models.Secret {
			credential, err := r.store.Credential(r.t.Context(), ada.ID)
			r.must(err)
			return credential.Hash
		}
		r.answers(models.InvalidPassword, "ada", wrong)
		if hash() != old {
			r.t.Error("a wrong password changed the hash")
		}
		changed := r.attributeOf(ada, "passwordLastChanged")
		r.answers("", "ada", models.Secret(cases[i].password))
		if !strings.HasPrefix(hash().Reveal(), "$argon2id$") {
			r.t.Error("the hash was not upgraded")
		}
		if got := r.attributeOf(ada, "passwordLastChanged"); got != changed {
			r.t.Errorf("passwordLastChanged moved from %s to %s", changed, got)
		}
		r.answers("", "ada", models.Secret(cases[i].password))
		r.answers(models.InvalidPassword, "ada", wrong)
	})
}
