package store_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// rivals is how many goroutines write the same thing at once.
const rivals = 8

func TestOfRivalsForOneThingOneWins(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		// Two stores, as of two replicas: nothing but the schema keeps them apart.
		s, replica := db.Open(t), db.Open(t)
		staff := addDirectory(t, s, "staff")
		jira := addApplication(t, s, "jira")
		all, some := addGroup(t, s, staff, "all"), addGroup(t, s, staff, "some")
		ada := addUser(t, s, staff, "ada")
		users := make([]*models.User, rivals)
		for i := range users {
			users[i] = addUser(t, s, staff, fmt.Sprintf("user %d", i))
		}
		// spelt gives one name in two spellings.
		spelt := func(i int, name string) string {
			if i%2 == 0 {
				return strings.ToUpper(name)
			}
			return name
		}
		for _, c := range []struct {
			name string
			do   func(tx *store.Tx, i int) error
			want models.Code // what the others get
		}{
			{"a directory's name", func(tx *store.Tx, i int) error {
				return tx.CreateDirectory(&models.Directory{Name: spelt(i, "new"), Kind: models.KindInternal}, nil)
			}, models.NameTaken},
			{"an application's name", func(tx *store.Tx, i int) error {
				return tx.CreateApplication(&models.Application{Name: spelt(i, "new")})
			}, models.NameTaken},
			{"a user's name", func(tx *store.Tx, i int) error {
				return tx.CreateUser(&models.User{DirectoryID: staff.ID, Name: spelt(i, "new")})
			}, models.InvalidUser},
			{"a user's new name", func(tx *store.Tx, i int) error {
				u := *users[i]
				return tx.RenameUser(&u, spelt(i, "other"))
			}, models.InvalidUser},
			{"a user's external id", func(tx *store.Tx, i int) error {
				return tx.CreateUser(&models.User{DirectoryID: staff.ID, Name: fmt.Sprintf("external %d", i), ExternalID: "00u1"})
			}, models.InvalidUser},
			{"a group's name", func(tx *store.Tx, i int) error {
				return tx.CreateGroup(&models.Group{DirectoryID: staff.ID, Name: spelt(i, "new")})
			}, models.InvalidGroup},
			{"a group's external id", func(tx *store.Tx, i int) error {
				return tx.CreateGroup(&models.Group{DirectoryID: staff.ID, Name: fmt.Sprintf("external %d", i), ExternalID: "00g1"})
			}, models.InvalidGroup},
			{"a membership", func(tx *store.Tx, _ int) error { return tx.AddMember(some, ada) }, models.AlreadyMember},
			{"a nesting", func(tx *store.Tx, _ int) error { return tx.AddChild(all, some) }, models.AlreadyMember},
			{"a membership's end", func(tx *store.Tx, _ int) error { return tx.RemoveMember(some, ada) }, models.NotMember},
			{"a nesting's end", func(tx *store.Tx, _ int) error { return tx.RemoveChild(all, some) }, models.NotMember},
			{"an alias", func(tx *store.Tx, i int) error { return tx.SetAlias(jira, users[i], spelt(i, "alias")) }, models.NameTaken},
			{"an identity", func(tx *store.Tx, i int) error { return tx.AddIdentity("okta", "00u1", users[i]) }, models.NameTaken},
			{"an application's mapping to a directory", func(tx *store.Tx, _ int) error {
				if err := tx.LockApplication("Jira"); err != nil {
					return err
				}
				was, err := tx.Applications(t.Context())
				if err != nil {
					return err
				}
				for _, app := range was {
					if app.ID == jira.ID && len(app.Mappings) > 0 {
						return models.Fail(models.NameTaken, "", "")
					}
				}
				return tx.SetMappings(jira, nil, []models.Mapping{{DirectoryID: staff.ID}})
			}, models.NameTaken},
			{"a user's end", func(tx *store.Tx, _ int) error { return tx.DeleteUser(ada) }, models.UserNotFound},
			{"a group's end", func(tx *store.Tx, _ int) error { return tx.DeleteGroup(some) }, models.GroupNotFound},
			{"an application's end", func(tx *store.Tx, _ int) error { return tx.DeleteApplication(jira) }, models.AppNotFound},
			{"a directory's end", func(tx *store.Tx, _ int) error { return tx.DeleteDirectory(staff) }, models.DirectoryNotFound},
		} {
			last := read(t, s.LastChange)
			codes := contend(func(i int) error {
				on := s
				if i >= rivals/2 {
					on = replica
				}
				return on.Write(t.Context(), jane, func(tx *store.Tx) error { return c.do(tx, i) })
			})
			testkit.Diff(t, c.name, map[models.Code]int{"": 1, c.want: rivals - 1}, codes)
			changes, err := s.ChangesAfter(t.Context(), last, 100)
			if err != nil || len(changes) != 1 {
				t.Errorf("%s: want one line in the feed, got %d, %v", c.name, len(changes), err)
			}
		}
	})
}

// contend runs do in all rivals at once and counts how they ended.
func contend(do func(i int) error) map[models.Code]int {
	var group sync.WaitGroup
	start, codes := make(chan struct{}), make([]models.Code, rivals)
	for i := range rivals {
		group.Go(func() {
			<-start
			codes[i] = models.CodeOf(do(i))
		})
	}
	close(start)
	group.Wait()
	count := map[models.Code]int{}
	for _, code := range codes {
		count[code]++
	}
	return count
}

func TestOneNameMayBeInSeveralDirectories(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		for _, name := range []string{"staff", "partners"} {
			dir := addDirectory(t, s, name)
			write(t, s, func(tx *store.Tx) error {
				if err := tx.CreateUser(&models.User{DirectoryID: dir.ID, Name: "ada", ExternalID: "1"}); err != nil {
					return err
				}
				return tx.CreateGroup(&models.Group{DirectoryID: dir.ID, Name: "ada", ExternalID: "1"})
			})
		}
	})
}

func TestNumberOfADeletedRowIsNeverUsedAgain(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		staff := addDirectory(t, s, "staff")
		ada := addUser(t, s, staff, "ada")
		write(t, s, func(tx *store.Tx) error { return tx.DeleteUser(ada) })
		if again := addUser(t, s, staff, "ada"); again.ID == ada.ID {
			t.Errorf("another user got the number %d of one who is gone", ada.ID)
		}
	})
}
