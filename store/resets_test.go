package store_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// A token counts only for the user as he was when it was made.
func TestWhatEndsAResetToken(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s, _, clock := twoStores(t, db)
		staff := addDirectory(t, s, "staff")
		change := func(do func(u *models.User)) func(tx *store.Tx, u *models.User) error {
			return func(tx *store.Tx, u *models.User) error {
				after := *u
				do(&after)
				return tx.SaveUser(u, &after)
			}
		}
		put := func(tx *store.Tx, u *models.User, token string) error {
			return tx.PutResetToken(t.Context(), u, []byte(token), time.Hour)
		}
		for _, c := range []struct {
			name string
			then func(tx *store.Tx, u *models.User) error
			wait time.Duration
			want models.Code
		}{
			{"nothing", func(*store.Tx, *models.User) error { return nil }, 59 * time.Minute, ""},
			{"another name", func(tx *store.Tx, u *models.User) error { return tx.RenameUser(u, "countess") }, 0, ""},
			{"another first name", change(func(u *models.User) { u.FirstName = "Ada" }), 0, ""},
			{"the address in another case", change(func(u *models.User) { u.Email = "ADA@example.test" }), 0, ""},
			{"time", func(*store.Tx, *models.User) error { return nil }, time.Hour, models.InvalidToken},
			{"a newer token", func(tx *store.Tx, u *models.User) error { return put(tx, u, "newer") }, 0, models.InvalidToken},
			{"another address", change(func(u *models.User) { u.Email = "eve@example.test" }), 0, models.InvalidToken},
			{"being switched off", change(func(u *models.User) { u.Active = false }), 0, models.InvalidToken},
			{"a password", func(tx *store.Tx, u *models.User) error { return tx.SetPassword(u, "new", 0) }, 0, models.InvalidToken},
			{"no password any more", func(tx *store.Tx, u *models.User) error { return tx.SetPassword(u, "", 0) }, 0, models.InvalidToken},
			{"being removed", func(tx *store.Tx, u *models.User) error { return tx.DeleteUser(u) }, 0, models.InvalidToken},
		} {
			u := &models.User{DirectoryID: staff.ID, Name: "ada", Email: "ada@example.test", Active: true}
			write(t, s, func(tx *store.Tx) error { return errors.Join(tx.CreateUser(u), tx.SetPassword(u, "hash", 0)) })
			write(t, s, func(tx *store.Tx) error { return put(tx, u, "token") })
			clock.Advance(time.Second)
			write(t, s, func(tx *store.Tx) error { return c.then(tx, u) })
			clock.Advance(c.wait - time.Second)
			_, err := s.ResetToken(t.Context(), []byte("token"))
			wantCode(t, c.name+": found", c.want, err)
			err = s.Write(t.Context(), jane, func(tx *store.Tx) error {
				_, err := tx.TakeResetToken(t.Context(), []byte("token"))
				return err
			})
			wantCode(t, c.name+": used", c.want, err)
			if _, err := s.ResetToken(t.Context(), []byte("token")); !models.Is(err, models.InvalidToken) {
				t.Errorf("%s: once used, it is found: %v", c.name, err)
			}
			if c.name != "being removed" {
				write(t, s, func(tx *store.Tx) error { return tx.DeleteUser(u) })
			}
			clock.Advance(time.Hour)
		}
		wantCode(t, "one that never was", models.InvalidToken, func() error { _, err := s.ResetToken(t.Context(), []byte("x")); return err }())
	})
}

func TestAResetTokenIsUsedOnce(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		a, b, _ := twoStores(t, db)
		ada := addUser(t, a, addDirectory(t, a, "staff"), "ada")
		write(t, a, func(tx *store.Tx) error { return tx.PutResetToken(t.Context(), ada, []byte("token"), time.Hour) })
		var mu sync.Mutex
		codes := map[models.Code]int{}
		var rivals sync.WaitGroup
		for i := range 8 {
			s := []*store.Store{a, b}[i%2]
			rivals.Go(func() {
				err := s.Write(t.Context(), jane, func(tx *store.Tx) error {
					_, err := tx.TakeResetToken(t.Context(), []byte("token"))
					return err
				})
				mu.Lock()
				defer mu.Unlock()
				codes[models.CodeOf(err)]++
			})
		}
		rivals.Wait()
		testkit.Diff(t, "answers", map[models.Code]int{"": 1, models.InvalidToken: 7}, codes)
	})
}

func TestLettersAreCounted(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s, other, clock := twoStores(t, db)
		ask := func(s *store.Store, subject string, want bool) {
			t.Helper()
			var granted bool
			write(t, s, func(tx *store.Tx) (err error) {
				granted, err = tx.AskForLetter(subject, 2, time.Hour)
				return err
			})
			if granted != want {
				t.Errorf("%s: granted %t, want %t", subject, granted, want)
			}
		}
		ask(s, "ada", true)
		clock.Advance(30 * time.Minute)
		ask(other, "ada", true)
		ask(s, "ada", false)
		ask(s, "bob", true)
		clock.Advance(30 * time.Minute) // the first is an hour old; refusals don't count
		ask(s, "ada", true)
		ask(s, "ada", false)
		ask(s, "bob", true)
	})
}
