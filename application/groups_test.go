package application_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/models"
)

// descriptions tells which directories have a group, and with what description.
func (h *house) descriptions(t testing.TB, group string, dirs ...*models.Directory) map[string]string {
	t.Helper()
	got := map[string]string{}
	for _, dir := range dirs {
		g, err := h.store.GroupByName(t.Context(), dir.ID, group)
		if models.Is(err, models.GroupNotFound) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		got[dir.Name] = g.Description
	}
	return got
}

// A group is created in every directory that permits it, and nowhere where any has it.
func TestCreateGroup(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		staff, partners, others := h.fill(t, "staff", "Devs:"), h.fill(t, "partners"), h.fill(t, "others")
		h.app(t, "jira", firstMatch, "staff", "partners", "others")
		if _, err := h.Map(t.Context(), operator, "jira", application.NewMapping{Directory: "partners", Permissions: models.AllPermissions &^ models.CreateGroup}); err != nil {
			t.Fatal(err)
		}
		v := h.view(t, "jira")
		create := func(name string) error {
			_, err := v.CreateGroup(t.Context(), application.NewGroup{Name: name, Description: "made", Active: true})
			return err
		}
		wantCode(t, "create", "", create("Ops"))
		want := map[string]string{"staff": "made", "others": "made"}
		if diff := cmp.Diff(want, h.descriptions(t, "ops", staff, partners, others)); diff != "" {
			t.Errorf("made in (-want +got):\n%s", diff)
		}
		wantMessage(t, "again", models.InvalidGroup, "Group already exists", create("OPS"))
		wantMessage(t, "of the first", models.InvalidGroup, "Group already exists", create("devs"))
		if got := h.descriptions(t, "devs", partners, others); len(got) > 0 {
			t.Errorf("a group that exists was made elsewhere: %v", got)
		}
		h.edit(t, func(e *directory.Edit) error {
			_, err := e.CreateGroup(partners, directory.NewGroup{Name: "sales"})
			return err
		})
		wantMessage(t, "of a directory that doesn't permit", models.InvalidGroup, "Group already exists", create("Sales"))
		wantCode(t, "a name that is none", models.InvalidGroup, create(" ops"))
		wantCode(t, "no name", models.InvalidGroup, create(""))
		wantCode(t, "a zero byte", models.InvalidGroup, create("a\x00b"))
	})
}

// The first directory's group gives the fields; every directory's gets the changes.
func TestChangesReachEveryDirectoryWithTheGroup(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		staff, partners, others := h.fill(t, "staff", "devs:"), h.fill(t, "partners", "DEVS:"), h.fill(t, "others", "devs:")
		archive := h.fill(t, "archive")
		h.app(t, "jira", firstMatch, "archive", "partners", "staff", "others")
		most := models.AllPermissions &^ models.UpdateGroup &^ models.UpdateGroupAttribute &^ models.DeleteGroup
		if _, err := h.Map(t.Context(), operator, "jira", application.NewMapping{Directory: "others", Permissions: most}); err != nil {
			t.Fatal(err)
		}
		v := h.view(t, "jira")
		if g, err := v.Group(t.Context(), "Devs"); err != nil || g.Name != "DEVS" || g.Description != "DEVS of partners" {
			t.Errorf("want the group of partners, got %+v, %v", g, err)
		}
		_, err := v.UpdateGroup(t.Context(), "devs", application.GroupPatch{Name: "ops"})
		wantCode(t, "another name in the body", models.InvalidGroup, err)
		_, err = v.UpdateGroup(t.Context(), "ops", application.GroupPatch{Name: "ops"})
		wantCode(t, "update none", models.GroupNotFound, err)

		g, err := v.UpdateGroup(t.Context(), "devs", application.GroupPatch{Name: "Devs", Description: new("Developers")})
		if err != nil || g.Name != "DEVS" || g.Description != "Developers" {
			t.Errorf("want the group of partners, changed; got %+v, %v", g, err)
		}
		want := map[string]string{"staff": "Developers", "partners": "Developers", "others": "devs of others"}
		if diff := cmp.Diff(want, h.descriptions(t, "devs", staff, partners, others, archive)); diff != "" {
			t.Errorf("update (-want +got):\n%s", diff)
		}

		attrs := []models.Attribute{{Name: "room", Values: []string{"12"}}}
		wantCode(t, "attributes", "", v.SetGroupAttributes(t.Context(), "devs", attrs))
		for dir, want := range map[*models.Directory][]models.Attribute{staff: attrs, partners: attrs, others: nil} {
			g, err := h.store.GroupByName(t.Context(), dir.ID, "devs")
			if err != nil {
				t.Fatal(err)
			}
			got, err := h.directories.GroupAttributes(t.Context(), []models.ID{g.ID})
			if diff := cmp.Diff(want, got[g.ID]); diff != "" || err != nil {
				t.Errorf("attributes in %s, %v (-want +got):\n%s", dir.Name, err, diff)
			}
		}
		wantCode(t, "remove an attribute", "", v.DeleteGroupAttribute(t.Context(), "devs", "room"))
		wantCode(t, "remove it again", "", v.DeleteGroupAttribute(t.Context(), "devs", "room"))
		if _, got, err := v.GroupAttributes(t.Context(), "devs"); err != nil || len(got) > 0 {
			t.Errorf("want no attributes, got %v, %v", got, err)
		}
		_, _, err = v.GroupAttributes(t.Context(), "none")
		wantCode(t, "attributes of none", models.GroupNotFound, err)

		wantCode(t, "delete", "", v.DeleteGroup(t.Context(), "devs"))
		if diff := cmp.Diff(map[string]string{"others": "devs of others"}, h.descriptions(t, "devs", staff, partners, others)); diff != "" {
			t.Errorf("delete (-want +got):\n%s", diff)
		}
		wantCode(t, "delete what can't be", models.PermissionDenied, v.DeleteGroup(t.Context(), "devs"))
		wantCode(t, "delete none", models.GroupNotFound, v.DeleteGroup(t.Context(), "ops"))
	})
}
