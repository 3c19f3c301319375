package explain_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/internal/explain"
	"github.com/rollcall-id/rollcall/internal/fakecloud"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
)

// A team is whom the cloud of these tests has: ada in eng-core in devs, eve in no group.
type team struct {
	ada, eve   fakecloud.UserNo
	core, devs fakecloud.GroupNo
}

func (h *house) team() (m team) {
	h.cloud.Edit(func(e *fakecloud.Edit) {
		m.ada = e.CreateUser(fakecloud.User{Login: "ada@contoso.example", Given: "Ada", Surname: "X", Mail: "ada@mail.example"})
		m.eve = e.CreateUser(fakecloud.User{Login: "eve@contoso.example", Given: "Eve", Surname: "X"})
		m.core, m.devs = e.CreateGroup(fakecloud.Group{Name: "eng-core"}), e.CreateGroup(fakecloud.Group{Name: "devs"})
		e.AddUser(m.core, m.ada)
		e.Nest(m.devs, m.core)
	})
	return m
}

// Each case: what is done before or after the run, who is asked for, and where it ends.
func TestEveryStepThatFails(t *testing.T) {
	t.Parallel()
	mapTo := func(h *house, dir string, groups ...string) {
		_, err := h.apps.Map(h.t.Context(), operator, "jira", application.NewMapping{Directory: dir, Groups: groups})
		h.must(err)
	}
	for _, c := range []struct {
		name   string
		before func(h *house, m team) // the run
		after  func(h *house, m team)
		word   string
		group  string
		fails  string // empty: allowed
		detail string // of the step that fails, or the last one
		steps  string
	}{
		{name: "allowed by name", word: "Ada", detail: "ada is active",
			steps: "source object, filter, name rule, directory, order and shadowing, application's groups, active"},
		{name: "allowed by mail", word: "ADA@mail.example", detail: "ada is active"},
		{name: "allowed by login", word: "ada@contoso.example", detail: "ada is active"},
		{name: "in the group", word: "ada", group: "devs", detail: "ada is active",
			steps: "source object, filter, name rule, directory, order and shadowing, nested path, application's groups, active"},
		{name: "somebody of an internal directory", word: "bob", before: func(h *house, _ team) { h.user("bob", true) }, detail: "bob is active",
			steps: "directory, order and shadowing, application's groups, active"},
		{name: "by alias", word: "countess", after: func(h *house, _ team) { h.must(h.apps.SetAlias(h.t.Context(), operator, "jira", "ada", "countess")) }, detail: "ada is active"},

		{name: "nobody", word: "zoe", fails: explain.SourceObject, detail: "no directory has a user zoe; the source of directory cloud has nobody with this id, login or mail address"},
		{name: "nobody, and a source that can't be asked", word: "zoe", after: func(h *house, _ team) { h.cloud.Close() },
			fails: explain.SourceObject, detail: "the source of directory cloud can't be asked: directory cloud: "},
		{name: "gone at the source", word: "ada", before: func(h *house, m team) { h.apply(); h.cloud.Edit(func(e *fakecloud.Edit) { e.DeleteUser(m.ada) }) },
			fails: explain.SourceObject, detail: "the source of directory cloud no longer has it, since "},
		{name: "gone, and a source that can't be asked", word: "ada", before: func(h *house, m team) { h.apply(); h.cloud.Edit(func(e *fakecloud.Edit) { e.DeleteUser(m.ada) }) },
			after: func(h *house, _ team) { h.cloud.Close() }, fails: explain.SourceObject, detail: "can't be asked"},

		{name: "a guest that is left out", word: "gus@guest.example", before: func(h *house, _ team) {
			h.set("cloud", "guests=exclude")
			h.cloud.Edit(func(e *fakecloud.Edit) {
				e.CreateUser(fakecloud.User{Login: "gus@guest.example", Mail: "gus@guest.example", Guest: true, External: true})
			})
		}, fails: explain.Filter, detail: "guests=exclude"},
		{name: "disabled and left out", word: "eve@contoso.example", before: func(h *house, m team) {
			h.set("cloud", "disabled=exclude")
			h.cloud.Edit(func(e *fakecloud.Edit) { e.UpdateUser(m.eve, func(u *fakecloud.User) { u.Disabled = true }) })
		}, fails: explain.Filter, detail: "disabled=exclude", steps: "source object, filter"},
		{name: "in no chosen group", word: "eve@contoso.example", before: func(h *house, _ team) { h.set("cloud", "groups=devs", "users=members") },
			fails: explain.Filter, detail: "users=members publishes only those who are in a chosen group (groups=devs)"},
		{name: "no longer in a chosen group", word: "ada", before: func(h *house, m team) {
			h.set("cloud", "groups=devs", "users=members")
			h.apply()
			h.cloud.Edit(func(e *fakecloud.Edit) { e.AddUser(m.devs, m.eve); e.RemoveUser(m.core, m.ada) })
		}, fails: explain.Filter, detail: "users=members publishes only"},

		{name: "no name", word: "eve@contoso.example", before: func(h *house, _ team) { h.set("cloud", "username=mail") },
			fails: explain.NameRule, detail: "it has no mail to make a username of", steps: "source object, filter, name rule"},
		{name: "no name, and the settings changed after the run", word: "eve@contoso.example",
			before: func(h *house, m team) { h.cloud.Edit(func(e *fakecloud.Edit) { e.DeleteUser(m.eve) }) },
			after: func(h *house, m team) {
				h.cloud.Edit(func(e *fakecloud.Edit) { e.RestoreUser(m.eve) })
				h.set("cloud", "username=mail")
			}, fails: explain.NameRule, detail: "it has no mail to make a username of"},
		{name: "a name that another has", word: "ada@fabrikam.example", before: func(h *house, _ team) {
			h.apply()
			h.cloud.Edit(func(e *fakecloud.Edit) { e.CreateUser(fakecloud.User{Login: "ada@fabrikam.example"}) })
		}, fails: explain.NameRule, detail: "name"},

		{name: "came after the run", word: "new@contoso.example", after: func(h *house, _ team) {
			h.cloud.Edit(func(e *fakecloud.Edit) { e.CreateUser(fakecloud.User{Login: "new@contoso.example"}) })
		}, fails: explain.Directory, detail: "directory cloud doesn't have it yet", steps: "source object, filter, name rule, directory"},
		{name: "in a directory that the application doesn't see", word: "ada", after: func(h *house, _ team) { h.must(h.apps.Unmap(h.t.Context(), operator, "jira", "cloud")) },
			fails: explain.Directory, detail: "application jira isn't mapped: rollcall app map jira cloud"},
		{name: "in a directory that is switched off", word: "ada", after: func(h *house, _ team) {
			_, err := h.directories.Set(h.t.Context(), operator, "cloud", directory.Patch{Active: new(false)})
			h.must(err)
		}, fails: explain.Directory, detail: "isn't active: rollcall directory set cloud --active=true"},

		{name: "an earlier directory has the name", word: "ada@mail.example", before: func(h *house, _ team) { h.user("ada", true) },
			fails: explain.Order, detail: "directory staff comes before cloud and has a user ada, too"},
		{name: "the earlier one is meant by the name", word: "ada", before: func(h *house, _ team) { h.user("ada", true) },
			detail: "ada is active", steps: "directory, order and shadowing, application's groups, active"},

		{name: "in no group", word: "eve", group: "devs", fails: explain.NestedPath, detail: "eve is in no group",
			steps: "source object, filter, name rule, directory, order and shadowing, nested path, application's groups, active"},
		{name: "in another group", word: "ada", group: "ops", before: func(h *house, _ team) {
			h.cloud.Edit(func(e *fakecloud.Edit) { e.CreateGroup(fakecloud.Group{Name: "ops"}) })
		}, fails: explain.NestedPath, detail: "no way leads from ada to ops; ada is directly in eng-core"},
		{name: "nested groups that don't count", word: "ada", group: "devs", after: func(h *house, _ team) {
			h.must(h.apps.Set(h.t.Context(), operator, "jira", application.Options{Nested: new(false)}, nil))
		}, fails: explain.NestedPath, detail: "ada → eng-core → devs, but application jira counts direct members only"},
		{name: "a group that there isn't", word: "ada", group: "nothing", fails: explain.NestedPath, detail: "application jira sees no group nothing"},
		{name: "a group of another directory", word: "ada", group: "devs", before: func(h *house, _ team) {
			h.edit(func(e *directory.Edit, staff *models.Directory) error {
				_, err := e.CreateGroup(staff, directory.NewGroup{Name: "devs", Active: true})
				return err
			})
		}, fails: explain.NestedPath, detail: "group devs is that of directory staff"},
		{name: "a group that is skipped", word: "ada", group: "jira-administrators", before: func(h *house, _ team) {
			h.cloud.Edit(func(e *fakecloud.Edit) { e.CreateGroup(fakecloud.Group{Name: "jira-administrators"}) })
		}, fails: explain.NestedPath, detail: "allow-groups=jira-administrators lets it in"},

		{name: "in none of the groups that may log in", word: "eve", after: func(h *house, _ team) { mapTo(h, "cloud", "devs", "ops") },
			fails: explain.AppGroups, detail: "only members of devs, ops may log in to jira, and eve is in none of them"},
		{name: "in one that may", word: "ada", after: func(h *house, _ team) { mapTo(h, "cloud", "ops", "devs") }, detail: "ada is active"},
		{name: "an application that is switched off", word: "ada", after: func(h *house, _ team) {
			h.must(h.apps.Set(h.t.Context(), operator, "jira", application.Options{Active: new(false)}, nil))
		}, fails: explain.AppGroups, detail: "application jira is switched off"},

		{name: "disabled at the source", word: "ada", before: func(h *house, m team) {
			h.cloud.Edit(func(e *fakecloud.Edit) { e.UpdateUser(m.ada, func(u *fakecloud.User) { u.Disabled = true }) })
		}, fails: explain.Active, detail: "ada is inactive: its source says so"},
		{name: "inactive here", word: "bob", before: func(h *house, _ team) { h.user("bob", false) },
			fails: explain.Active, detail: "bob is inactive: rollcall user enable lets them in again"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
				h := newHouse(t, db)
				m := h.team()
				if c.before != nil {
					c.before(h, m)
				}
				h.apply()
				if c.after != nil {
					c.after(h, m)
				}
				got, err := h.User(t.Context(), "JIRA", c.word, c.group)
				h.must(err)
				checkAnswer(t, got, c.fails, c.detail, c.steps)
			})
		})
	}
}

func checkAnswer(t *testing.T, got *explain.Answer, fails, detail, steps string) {
	t.Helper()
	if got.Allowed != (fails == "") || got.FailedStep != fails {
		t.Errorf("allowed %t, failed step %q, want %q: %+v", got.Allowed, got.FailedStep, fails, got.Steps)
	}
	var names []string
	for _, s := range got.Steps {
		names = append(names, s.Step)
	}
	told := slices.IndexFunc(got.Steps, func(s explain.Step) bool { return s.Step == fails })
	if fails == "" {
		told = len(got.Steps) - 1
	}
	if told < 0 || !strings.Contains(got.Steps[told].Detail, detail) {
		t.Errorf("want %q in the step %q of %+v", detail, fails, got.Steps)
	}
	if steps != "" && strings.Join(names, ", ") != steps {
		t.Errorf("steps: %s\nwant: %s", strings.Join(names, ", "), steps)
	}
}

func TestADirectoryThatWasNeverSynchronised(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		h := newHouse(t, db)
		h.team()
		got, err := h.User(t.Context(), "jira", "ada@contoso.example", "")
		h.must(err)
		checkAnswer(t, got, explain.Directory, "directory cloud was never synchronised: rollcall sync cloud --apply", "source object, filter, name rule, directory")
	})
}

func TestAnApplicationThatThereIsNot(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		if _, err := newHouse(t, db).User(t.Context(), "wiki", "ada", ""); !models.Is(err, models.AppNotFound) {
			t.Errorf("want AppNotFound, got %v", err)
		}
	})
}

// With memberships from every directory, a way may begin in one and end in another.
func TestTheWayWithAggregatedMemberships(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		h := newHouse(t, db)
		h.team()
		h.user("ada", true)
		h.edit(func(e *directory.Edit, staff *models.Directory) error {
			for _, name := range []string{"devs", "everybody"} {
				if _, err := e.CreateGroup(staff, directory.NewGroup{Name: name, Active: true}); err != nil {
					return err
				}
			}
			return e.AddChild(staff, "everybody", "devs")
		})
		h.apply()
		h.must(h.apps.Set(t.Context(), operator, "jira", application.Options{Aggregate: new(true)}, nil))
		got, err := h.User(t.Context(), "jira", "ada", "everybody")
		h.must(err)
		checkAnswer(t, got, "", "", "directory, order and shadowing, nested path, application's groups, active")
		if way := got.Steps[2].Detail; way != "ada → eng-core → devs → everybody" {
			t.Errorf("the way: %s", way)
		}
	})
}
