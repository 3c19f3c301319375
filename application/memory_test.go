package application_test

import (
	"testing"

	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
)

// Where memory answers, all that one request reads is of one moment.
func TestViewIsOfOneMoment(t *testing.T) {
	t.Parallel()
	h := newHouse(t, testkit.NewSQLite(t), testkit.NewClock())
	h.remember(t)
	staff := h.fill(t, "staff", "devs: ada bob")
	h.app(t, "jira", firstMatch, "staff")
	v := h.view(t, "jira")
	h.edit(t, func(e *directory.Edit) error { return e.DeleteUser(staff, "ada") })
	wantUser(t, v, "ada", "ada@staff")
	members, err := v.Members(t.Context(), "devs", application.Direct, models.Everything)
	wantNames(t, "before", "ada bob", members, err)
	wantUser(t, h.view(t, "jira"), "ada", "")
}

// A write answers with what it wrote, also where the request began in an older moment.
func TestWriteAnswersWhatItWrote(t *testing.T) {
	eachReader(t, func(t *testing.T, h *house) {
		h.fill(t, "staff", "ada", "devs:")
		h.fill(t, "partners", "devs:")
		h.app(t, "jira", firstMatch, "staff", "partners")
		v := h.view(t, "jira")
		g, err := v.UpdateGroup(t.Context(), "devs", application.GroupPatch{Name: "devs", Description: new("Developers"), Active: new(false)})
		if err != nil || g.Description != "Developers" || g.Active {
			t.Errorf("update a group: want it as it is now, got %+v, %v", g, err)
		}
		u, err := v.RenameUser(t.Context(), "ada", "countess")
		if err != nil || u.Name != "countess" {
			t.Errorf("rename: want countess, got %+v, %v", u, err)
		}
		u, attrs, err := v.CreateUser(t.Context(), application.NewUser{Name: "bob", Attributes: room})
		if err != nil || u.Name != "bob" || len(attrs) != 1 {
			t.Errorf("create a user: want bob with an attribute, got %+v, %v, %v", u, attrs, err)
		}
		g, err = v.CreateGroup(t.Context(), application.NewGroup{Name: "ops", Description: "Operators"})
		if err != nil || g.Name != "ops" || g.Description != "Operators" {
			t.Errorf("create a group: want it, got %+v, %v", g, err)
		}
	})
}

// Whoever was created in another process a moment ago is not reported missing.
func TestWhatAnotherProcessWroteIsFound(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		clock := testkit.NewClock()
		server, cli := newHouse(t, db, clock), newHouse(t, db, clock)
		server.fill(t, "staff", "ada", "devs: ada")
		server.app(t, "jira", firstMatch, "staff")
		server.remember(t)
		// Each question comes first in a request of its own, after something new.
		for name, ask := range map[string]func(v *application.View, u *models.User) error{
			"user": func(v *application.View, u *models.User) error { return second(v.User(t.Context(), u.Name)) },
			"key":  func(v *application.View, u *models.User) error { return second(v.UserByKey(t.Context(), key(u))) },
			"row":  func(v *application.View, u *models.User) error { return second(v.UserByRow(t.Context(), u.ID)) },
			"owner": func(v *application.View, u *models.User) error {
				_, _, err := v.Owner(t.Context(), u.Name)
				return err
			},
			"groups": func(v *application.View, u *models.User) error {
				return second(v.GroupsOf(t.Context(), u.Name, application.Nested, models.Everything))
			},
			"group": func(v *application.View, u *models.User) error { return second(v.Group(t.Context(), "g-"+u.Name)) },
			"members": func(v *application.View, u *models.User) error {
				return second(v.Members(t.Context(), "g-"+u.Name, application.Nested, models.Everything))
			},
			"member": func(v *application.View, u *models.User) error {
				return v.CheckMember(t.Context(), u.Name, "g-"+u.Name, application.Direct)
			},
			"delete": func(v *application.View, u *models.User) error { return v.DeleteUser(t.Context(), u.Name) },
			"add":    func(v *application.View, u *models.User) error { return v.AddMember(t.Context(), u.Name, "devs") },
		} {
			wantUser(t, server.view(t, "jira"), name, "")
			staff := cli.fill(t, "staff", "g-"+name+": "+name)
			wantCode(t, name, "", ask(server.view(t, "jira"), cli.row(t, staff, name)))
		}
	})
}

// A name that another process gave away, or made free, a moment ago.
func TestNamesThatAnotherProcessChanged(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		clock := testkit.NewClock()
		server, cli := newHouse(t, db, clock), newHouse(t, db, clock)
		server.fill(t, "staff", "ada")
		partners := server.fill(t, "partners", "bob")
		server.app(t, "jira", firstMatch, "staff", "partners")
		server.remember(t)

		cli.fill(t, "partners", "carl")
		_, _, err := server.view(t, "jira").CreateUser(t.Context(), application.NewUser{Name: "Carl"})
		wantCode(t, "create a user who is in another directory now", models.InvalidUser, err)
		cli.fill(t, "partners", "dora")
		_, err = server.view(t, "jira").RenameUser(t.Context(), "ada", "Dora")
		wantCode(t, "rename to somebody who is in another directory now", models.InvalidUser, err)

		cli.edit(t, func(e *directory.Edit) error { return e.DeleteUser(partners, "bob") })
		_, _, err = server.view(t, "jira").CreateUser(t.Context(), application.NewUser{Name: "bob"})
		wantCode(t, "create a user of a name that is free now", "", err)
	})
}
