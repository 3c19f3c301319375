package directory_test

import (
	"fmt"
	"testing"

	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/models"
)

// A write is one way of changing what is in a directory.
type write struct {
	name string
	part string
	do   func(t *testing.T, h *house, by models.Actor, dir *models.Directory) error
}

func byEdit(do func(e *directory.Edit, dir *models.Directory) error) func(*testing.T, *house, models.Actor, *models.Directory) error {
	return func(t *testing.T, h *house, by models.Actor, dir *models.Directory) error {
		return h.Edit(t.Context(), by, func(e *directory.Edit) error { return do(e, dir) })
	}
}

// writes holds every write there is. In turn they work on a directory with user ada, with the
// groups devs and all, and leave it so.
var writes = []write{
	{"create a user", "users", func(t *testing.T, h *house, by models.Actor, dir *models.Directory) error {
		_, err := h.CreateUser(t.Context(), by, dir, directory.NewUser{Name: "bob"})
		return err
	}},
	{"update a user", "users", byEdit(func(e *directory.Edit, dir *models.Directory) error {
		_, err := e.UpdateUser(dir, "ada", directory.UserPatch{Email: new("ada@example.test")})
		return err
	})},
	{"rename a user", "users", byEdit(func(e *directory.Edit, dir *models.Directory) error {
		_, err := e.RenameUser(dir, "ada", "Ada")
		return err
	})},
	{"set a user's attributes", "users", byEdit(func(e *directory.Edit, dir *models.Directory) error {
		return e.SetUserAttributes(dir, "ada", []models.Attribute{{Name: "room", Values: []string{"12"}}})
	})},
	{"set a password", "users", func(t *testing.T, h *house, by models.Actor, dir *models.Directory) error {
		return h.SetPassword(t.Context(), by, dir, "ada", "difference")
	}},
	{"clear a password", "users", func(t *testing.T, h *house, by models.Actor, dir *models.Directory) error {
		return h.ClearPassword(t.Context(), by, dir, "ada")
	}},
	{"create a group", "groups", byEdit(func(e *directory.Edit, dir *models.Directory) error {
		_, err := e.CreateGroup(dir, directory.NewGroup{Name: "ops"})
		return err
	})},
	{"update a group", "groups", byEdit(func(e *directory.Edit, dir *models.Directory) error {
		_, err := e.UpdateGroup(dir, "devs", directory.GroupPatch{Description: new("developers")})
		return err
	})},
	{"set a group's attributes", "groups", byEdit(func(e *directory.Edit, dir *models.Directory) error {
		return e.SetGroupAttributes(dir, "devs", []models.Attribute{{Name: "room", Values: []string{"12"}}})
	})},
	{"delete a group", "groups", byEdit(func(e *directory.Edit, dir *models.Directory) error { return e.DeleteGroup(dir, "gone") })},
	{"add a member", "memberships", byEdit(func(e *directory.Edit, dir *models.Directory) error { return e.AddMember(dir, "all", "ada") })},
	{"remove a member", "memberships", byEdit(func(e *directory.Edit, dir *models.Directory) error { return e.RemoveMember(dir, "devs", "ada") })},
	{"add a group to a group", "memberships", byEdit(func(e *directory.Edit, dir *models.Directory) error { return e.AddChild(dir, "devs", "sub") })},
	{"remove a group from a group", "memberships", byEdit(func(e *directory.Edit, dir *models.Directory) error { return e.RemoveChild(dir, "all", "devs") })},
	{"delete a user", "users", byEdit(func(e *directory.Edit, dir *models.Directory) error { return e.DeleteUser(dir, "gone") })},
}

// Whatever a writer may not write is refused, and changes nothing.
func TestKindSaysWhoMayWriteWhat(t *testing.T) {
	may := map[models.Kind]map[models.Writer][]string{
		models.KindInternal: {
			models.ByOperator: {"users", "groups", "memberships"},
			models.ByLogin:    {"users", "memberships"},
			models.BySync:     nil,
		},
		directory.KindMirror: {
			models.ByOperator: nil,
			models.ByLogin:    {"users"},
			models.BySync:     {"users", "groups", "memberships"},
		},
	}
	eachHouse(t, func(t *testing.T, h *house) {
		for kind, writers := range may {
			for writer, parts := range writers {
				dir := h.stocked(t, kind, writer)
				allowed := map[string]bool{}
				for _, part := range parts {
					allowed[part] = true
				}
				for _, w := range writes {
					what := fmt.Sprintf("%s, by %s: %s", kind, writer, w.name)
					before := h.lastChange(t)
					err := w.do(t, h, models.Actor{Name: "w", Writer: writer}, dir)
					if allowed[w.part] {
						wantCode(t, what, "", err)
						continue
					}
					wantMessage(t, what, models.PermissionDenied, dir.Name, err)
					if after := h.lastChange(t); after != before {
						t.Errorf("%s: was refused, and yet wrote %d changes", what, after-before)
					}
				}
			}
		}
	})
}

// stocked makes a directory of a kind with what writes needs in it.
func (h *house) stocked(t *testing.T, kind models.Kind, writer models.Writer) *models.Directory {
	t.Helper()
	dir, err := h.Create(t.Context(), operator, directory.NewDirectory{Name: fmt.Sprintf("%s by %s", kind, writer), Kind: kind})
	if err != nil {
		t.Fatal(err)
	}
	asInternal := *dir
	asInternal.Kind = models.KindInternal
	h.user(t, &asInternal, "ada", "engine")
	h.user(t, &asInternal, "gone", "")
	h.groups(t, &asInternal, "devs", "all", "sub", "gone")
	h.must(t, func(e *directory.Edit) error {
		if err := e.AddMember(&asInternal, "devs", "ada"); err != nil {
			return err
		}
		return e.AddChild(&asInternal, "all", "devs")
	})
	return dir
}

func TestWriterIsKeptWithWhatItWrote(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		dir := h.directory(t, "staff")
		byLogin := models.Actor{Kind: models.ActorSystem, Name: "saml", Writer: models.ByLogin}
		if _, err := h.CreateUser(t.Context(), byLogin, dir, directory.NewUser{Name: "ada", Active: true}); err != nil {
			t.Fatal(err)
		}
		changes, err := h.store.ChangesAfter(t.Context(), 0, 100)
		if err != nil {
			t.Fatal(err)
		}
		last := changes[len(changes)-1]
		if last.Kind != models.UserCreated || last.Writer != models.ByLogin {
			t.Errorf("want %s by %s at the feed's end, got %s by %s", models.UserCreated, models.ByLogin, last.Kind, last.Writer)
		}
	})
}
