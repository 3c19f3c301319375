package directory_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/models"
)

// addChild and the others are one transaction each.
func (h *house) addChild(t *testing.T, dir *models.Directory, parent, child string) error {
	t.Helper()
	return h.edit(t, func(e *directory.Edit) error { return e.AddChild(dir, parent, child) })
}

func (h *house) removeChild(t *testing.T, dir *models.Directory, parent, child string) error {
	t.Helper()
	return h.edit(t, func(e *directory.Edit) error { return e.RemoveChild(dir, parent, child) })
}

func (h *house) addMember(t *testing.T, dir *models.Directory, group, user string) error {
	t.Helper()
	return h.edit(t, func(e *directory.Edit) error { return e.AddMember(dir, group, user) })
}

func (h *house) removeMember(t *testing.T, dir *models.Directory, group, user string) error {
	t.Helper()
	return h.edit(t, func(e *directory.Edit) error { return e.RemoveMember(dir, group, user) })
}

func TestMembers(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		dir, other := h.directory(t, "staff"), h.directory(t, "partners")
		h.user(t, dir, "Ada", "")
		h.groups(t, dir, "Devs")
		h.user(t, other, "bob", "")
		h.groups(t, other, "ops")

		wantCode(t, "add", "", h.addMember(t, dir, "DEVS", "ADA"))
		wantMessage(t, "add again", models.AlreadyMember, "User <Ada> is already a member of group <Devs>", h.addMember(t, dir, "devs", "ada"))
		wantCode(t, "a user of another directory", models.UserNotFound, h.addMember(t, dir, "devs", "bob"))
		wantCode(t, "a group of another directory", models.GroupNotFound, h.addMember(t, dir, "ops", "ada"))
		wantCode(t, "neither: the user is reported", models.UserNotFound, h.addMember(t, dir, "ops", "bob"))

		wantCode(t, "remove, neither: the user is reported", models.UserNotFound, h.removeMember(t, dir, "ops", "bob"))
		wantCode(t, "remove from no group", models.GroupNotFound, h.removeMember(t, dir, "ops", "ada"))
		wantCode(t, "remove", "", h.removeMember(t, dir, "devs", "ada"))
		wantCode(t, "remove again", models.NotMember, h.removeMember(t, dir, "devs", "ada"))
		wantCode(t, "and back", "", h.addMember(t, dir, "devs", "ada"))
	})
}

// The API makes no circle of groups, however long.
func TestCirclesAreRefused(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		dir := h.directory(t, "staff")
		h.groups(t, dir, "a", "b", "c", "d")
		wantMessage(t, "itself", models.InvalidMembership, "Cannot add a group to itself.", h.addChild(t, dir, "a", "A"))
		wantCode(t, "a > b", "", h.addChild(t, dir, "a", "b"))
		wantCode(t, "b > c", "", h.addChild(t, dir, "b", "c"))
		wantCode(t, "c > d", "", h.addChild(t, dir, "c", "d"))
		for _, parent := range []string{"b", "c", "d"} {
			wantMessage(t, parent+" > a", models.InvalidMembership, "circle", h.addChild(t, dir, parent, "a"))
		}
		wantCode(t, "two ways to one group are no circle", "", h.addChild(t, dir, "a", "d"))
		wantMessage(t, "again", models.AlreadyMember, "Group <b> is already a member of group <a>", h.addChild(t, dir, "a", "b"))
		wantCode(t, "no such parent", models.GroupNotFound, h.addChild(t, dir, "x", "a"))
		wantCode(t, "no such child", models.GroupNotFound, h.addChild(t, dir, "a", "x"))

		wantCode(t, "not a child", models.NotMember, h.removeChild(t, dir, "b", "a"))
		wantCode(t, "cut", "", h.removeChild(t, dir, "b", "c"))
		wantCode(t, "c > a, now that nothing leads back", "", h.addChild(t, dir, "c", "a"))
	})
}

// Two transactions that would close a circle from both sides: the second waits for the first,
// and sees it.
func TestCircleIsNotClosedFromBothSides(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		for _, c := range []struct {
			name          string
			there         [][2]string // parent, child
			first, second [2]string
		}{
			{"of two", nil, [2]string{"a", "b"}, [2]string{"b", "a"}},
			{"of four", [][2]string{{"a", "b"}, {"c", "d"}}, [2]string{"b", "c"}, [2]string{"d", "a"}},
		} {
			dir := h.directory(t, c.name)
			h.groups(t, dir, "a", "b", "c", "d")
			for _, n := range c.there {
				wantCode(t, fmt.Sprint(n), "", h.addChild(t, dir, n[0], n[1]))
			}
			second := make(chan error, 1)
			started := false
			h.must(t, func(e *directory.Edit) error {
				if err := e.AddChild(dir, c.first[0], c.first[1]); err != nil {
					return err
				}
				if !started {
					started = true
					go func() { second <- h.addChild(t, dir, c.second[0], c.second[1]) }()
					time.Sleep(150 * time.Millisecond) // the other has come as far as it can
				}
				return nil
			})
			wantCode(t, c.name+": the second", models.InvalidMembership, <-second)
		}
	})
}

// Many writers at once: every membership is there once, and nobody fails for another's sake.
func TestWritersSideBySide(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		dir := h.directory(t, "staff")
		h.groups(t, dir, "devs")
		const writers = 8
		for i := range writers {
			h.user(t, dir, fmt.Sprintf("user%d", i), "")
		}
		errs := make(chan error, 2*writers)
		for i := range 2 * writers {
			go func() { errs <- h.addMember(t, dir, "devs", fmt.Sprintf("user%d", i%writers)) }()
		}
		added, already := 0, 0
		for range 2 * writers {
			switch err := <-errs; {
			case err == nil:
				added++
			case models.Is(err, models.AlreadyMember):
				already++
			default:
				t.Error(err)
			}
		}
		if added != writers || already != writers {
			t.Errorf("want %d added and as many there already, got %d and %d", writers, added, already)
		}
	})
}

// What is done in one Edit is kept as a whole, or not at all.
func TestEditIsOneTransaction(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		dir := h.directory(t, "staff")
		h.user(t, dir, "ada", "")
		before := h.lastChange(t)
		err := h.edit(t, func(e *directory.Edit) error {
			if _, err := e.CreateGroup(dir, directory.NewGroup{Name: "devs"}); err != nil {
				return err
			}
			if err := e.AddMember(dir, "devs", "ada"); err != nil {
				return err
			}
			if has, err := e.Reads().GroupByName(t.Context(), dir.ID, "devs"); err != nil || has == nil {
				t.Errorf("want the transaction to see its own group, got %v", err)
			}
			return e.AddMember(dir, "devs", "bob")
		})
		wantCode(t, "the last step", models.UserNotFound, err)
		_, err = h.store.GroupByName(t.Context(), dir.ID, "devs")
		wantCode(t, "the group of the first step", models.GroupNotFound, err)
		if after := h.lastChange(t); after != before {
			t.Errorf("a transaction that was given up wrote %d changes", after-before)
		}
	})
}
