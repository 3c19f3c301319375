package roster_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// The names that histories use, in the spelling of their keys. Few, so that they are taken,
// left and taken again; é once in two letters.
var (
	userNames  = []string{"ada", "bob", "cal", "d d", "d-d", "éva", "e\u0301va 2", "straße", "ï", strings.Repeat("long", 60), "zoë"}
	groupNames = []string{"all", "b b", "b-b", "core", "dev", "éditeurs", "ops"}
	dirNames   = []string{"staff", "guests", "partners", "students"}
)

// spelled gives one of a name's spellings.
func spelled(r *rand.Rand, names []string) string {
	name := names[r.IntN(len(names))]
	switch r.IntN(3) {
	case 0:
		return strings.ToUpper(name)
	case 1:
		first, size := utf8.DecodeRuneInString(name)
		return string(unicode.ToUpper(first)) + name[size:]
	}
	return name
}

// seedOf gives the test's random numbers; ROLLCALL_TEST_SEED repeats a run.
func seedOf(t *testing.T) *rand.Rand {
	t.Helper()
	seed := rand.Uint64()
	if text := os.Getenv("ROLLCALL_TEST_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("ROLLCALL_TEST_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// A scribe writes a random history. Like the rules above the store, it reads a row without
// locking it and writes it back.
type scribe struct {
	*rand.Rand
	ctx  context.Context
	most int // changes in a transaction
	tx   *store.Tx
}

// write makes one transaction of a few random changes.
func (w *scribe) write(s *store.Store) error {
	return s.Write(w.ctx, models.System, func(tx *store.Tx) error {
		tx.Quiet()
		w.tx = tx
		for range 1 + w.IntN(w.most) {
			if err := w.change(); err != nil {
				return err
			}
		}
		return nil
	})
}

func (w *scribe) change() error {
	dirs, err := w.tx.Directories(w.ctx)
	if err != nil {
		return err
	}
	n := w.IntN(100)
	if len(dirs) < 2 || n == 0 {
		return w.createDirectory()
	}
	dir := dirs[w.IntN(len(dirs))]
	switch {
	case n == 1 && len(dirs) > 3:
		return w.tx.DeleteDirectory(dir)
	case n == 2:
		return w.tx.SaveDirectory(dir, dir, nil)
	case n == 3:
		return w.tx.ExpirePasswords(dirs)
	case n == 4: // with lines of its rows before and after it
		w.tx.DirectoryReplaced(dir)
		return nil
	case n < 45:
		return w.changeUsers(dir)
	case n < 65:
		return w.changeGroups(dir)
	}
	return w.changeLinks(dir)
}

func (w *scribe) createDirectory() error {
	name := spelled(w.Rand, dirNames)
	if _, err := w.tx.DirectoryByName(w.ctx, name); err == nil {
		return nil
	}
	return w.tx.CreateDirectory(&models.Directory{Name: name, Kind: models.KindInternal, Active: true, Permissions: models.AllPermissions}, nil)
}

func (w *scribe) changeUsers(dir *models.Directory) error {
	users, err := w.tx.UsersOf(w.ctx, dir.ID, "", 100)
	if err != nil {
		return err
	}
	n := w.IntN(40)
	if len(users) < 2 || n < 14 {
		return w.createUser(dir)
	}
	u := users[w.IntN(len(users))]
	switch {
	case n < 22:
		before := *u
		u.FirstName, u.DisplayName, u.Email, u.Active = w.text(), w.text(), w.text(), w.IntN(3) > 0
		return w.tx.SaveUser(&before, u)
	case n < 29:
		return w.rename(u, spelled(w.Rand, userNames))
	case n < 31:
		return w.swap(u, users[w.IntN(len(users))])
	case n < 35:
		return w.tx.DeleteUser(u)
	case n < 37: // the name, and the external id, of somebody new
		if err := w.tx.DeleteUser(u); err != nil {
			return err
		}
		return w.tx.CreateUser(&models.User{DirectoryID: dir.ID, Name: u.Name, ExternalID: u.ExternalID, Email: w.text()})
	case n < 38:
		return w.tx.SetBookkeeping(u, models.Credential{MustChange: w.IntN(2) == 0})
	case n < 39:
		return w.tx.SetPassword(u, "hash", 0)
	}
	return w.tx.SetUserAttributes(u, []models.Attribute{{Name: "colour", Values: []string{w.text()}}})
}

func (w *scribe) text() string { return someText(w.Rand) }

func someText(r *rand.Rand) string {
	return []string{"", "x", "Grüße", "E\u0301cole İ %_", strings.Repeat("ab", 70), fmt.Sprint(r.IntN(1000))}[r.IntN(6)]
}

func (w *scribe) createUser(dir *models.Directory) error {
	u := &models.User{DirectoryID: dir.ID, Name: spelled(w.Rand, userNames), FirstName: w.text(), LastName: w.text(), Active: w.IntN(4) > 0}
	if _, err := w.tx.UserByName(w.ctx, dir.ID, u.Name); err == nil {
		return nil
	}
	if w.IntN(2) == 0 {
		u.ExternalID = fmt.Sprint([]string{"source-", "Quelle-É"}[w.IntN(2)], w.IntN(20))
		if _, err := w.tx.UserByExternalID(w.ctx, dir.ID, u.ExternalID); err == nil {
			return nil
		}
	}
	return w.tx.CreateUser(u)
}

func (w *scribe) rename(u *models.User, name string) error {
	if other, err := w.tx.UserByName(w.ctx, u.DirectoryID, name); err == nil && other.ID != u.ID {
		return nil
	}
	return w.tx.RenameUser(u, name)
}

// swap lets two users take each other's names.
func (w *scribe) swap(a, b *models.User) error {
	if a.ID == b.ID {
		return nil
	}
	nameOfA, nameOfB := a.Name, b.Name
	if err := w.tx.RenameUser(a, fmt.Sprint("between ", a.ID)); err != nil {
		return err
	}
	if err := w.tx.RenameUser(b, nameOfA); err != nil {
		return err
	}
	return w.tx.RenameUser(a, nameOfB)
}

func (w *scribe) changeGroups(dir *models.Directory) error {
	groups, err := w.tx.GroupsOf(w.ctx, dir.ID, "", 100)
	if err != nil {
		return err
	}
	n := w.IntN(20)
	if len(groups) < 2 || n < 8 {
		g := &models.Group{DirectoryID: dir.ID, Name: spelled(w.Rand, groupNames), Description: w.text(), Active: true}
		if _, err := w.tx.GroupByName(w.ctx, dir.ID, g.Name); err == nil {
			return nil
		}
		return w.tx.CreateGroup(g)
	}
	g := groups[w.IntN(len(groups))]
	switch {
	case n < 15:
		before := *g
		g.Description, g.Active = w.text(), w.IntN(3) > 0
		return w.tx.SaveGroup(&before, g)
	case n < 17:
		return w.tx.SetGroupAttributes(g, []models.Attribute{{Name: "colour", Values: []string{w.text()}}})
	case n < 19:
		return w.tx.DeleteGroup(g)
	}
	if err := w.tx.DeleteGroup(g); err != nil {
		return err
	}
	return w.tx.CreateGroup(&models.Group{DirectoryID: dir.ID, Name: g.Name, ExternalID: g.ExternalID})
}

// changeLinks adds or removes a membership or a nesting; circles too.
func (w *scribe) changeLinks(dir *models.Directory) error {
	groups, err := w.tx.GroupsOf(w.ctx, dir.ID, "", 100)
	if err != nil || len(groups) == 0 {
		return err
	}
	g := groups[w.IntN(len(groups))]
	if w.IntN(5) < 2 {
		child := groups[w.IntN(len(groups))]
		has, err := w.tx.HasChild(w.ctx, g.ID, child.ID)
		switch {
		case err != nil:
			return err
		case has:
			return w.tx.RemoveChild(g, child)
		}
		return w.tx.AddChild(g, child)
	}
	users, err := w.tx.UsersOf(w.ctx, dir.ID, "", 100)
	if err != nil || len(users) == 0 {
		return err
	}
	u := users[w.IntN(len(users))]
	has, err := w.tx.HasMember(w.ctx, g.ID, u.ID)
	switch {
	case err != nil:
		return err
	case has:
		return w.tx.RemoveMember(g, u)
	}
	return w.tx.AddMember(g, u)
}
