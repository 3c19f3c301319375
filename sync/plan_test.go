package sync_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	dirsync "github.com/rollcall-id/rollcall/sync"
)

// golden gives what of a plan is the same on every machine.
func golden(t *testing.T, run *models.Run) string {
	t.Helper()
	same := *run
	same.Phases, same.Requests, same.Throttled, same.Bytes = nil, 0, 0, 0
	text, err := json.MarshalIndent(same, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text) + "\n"
}

// A plan says what a run does: the run that follows does it line by line, with the same counts.
func TestPlans(t *testing.T) {
	type cast struct {
		u map[string]fakecloud.UserNo
		g map[string]fakecloud.GroupNo
	}
	for _, c := range []struct {
		name     string
		settings []string
		first    bool              // the plan is that of the first run
		unsaved  map[string]string // shown before they are saved
		change   func(e *fakecloud.Edit, c cast)
	}{
		{name: "first", first: true},
		{name: "nothing"},
		{name: "users", settings: []string{"attributes=department"}, change: func(e *fakecloud.Edit, c cast) {
			e.UpdateUser(c.u["ada"], func(u *fakecloud.User) { u.Login, u.Mail = "countess@contoso.example", "c@mail.example" })
			e.UpdateUser(c.u["bob"], func(u *fakecloud.User) { u.Disabled = true })
			e.UpdateUser(c.u["fay"], func(u *fakecloud.User) { u.Department = "Engines" })
			e.DeleteUser(c.u["eve"])
			e.CreateUser(fakecloud.User{Login: "new", Given: "New"})
		}},
		{name: "groups", change: func(e *fakecloud.Edit, c cast) {
			e.DeleteGroup(c.g["ops"])
			e.UpdateGroup(c.g["devs"], func(g *fakecloud.Group) { g.Name, g.Description = "developers", "who develops" })
			n := e.CreateGroup(fakecloud.Group{Name: "new"})
			e.AddUser(n, c.u["ada"])
			e.Nest(n, c.g["devs"])
			e.Unnest(c.g["all"], c.g["devs"])
			e.CreateGroup(fakecloud.Group{Name: "crowd-administrators"})
		}},
		{name: "held", settings: []string{"guard-users=1,5%"}, change: func(e *fakecloud.Edit, c cast) {
			e.DeleteUser(c.u["ada"])
			e.DeleteUser(c.u["bob"])
		}},
		{name: "unsaved settings", unsaved: map[string]string{"groups": "devs", "users": "members", "username": "mail-local-part"}},
		{name: "collision", unsaved: map[string]string{"username-rules": "@.*$=>;;^(ada|bob)$=>twin"}},
	} {
		for _, full := range []bool{false, true} {
			mode := map[bool]string{false: "delta", true: "full"}[full]
			t.Run(c.name+"/"+mode, func(t *testing.T) {
				t.Parallel()
				testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
					h := newHouse(t, db, fakecloud.EntraConfig{SecretEnds: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)}, c.settings...)
					u, g := team(h.cloud)
					h.cloud.Edit(func(e *fakecloud.Edit) { u["fay"] = e.CreateUser(fakecloud.User{Login: "fay", Given: "Fay"}) })
					if !c.first {
						h.apply(models.OutcomeApplied)
					}
					before := h.contents()
					if c.change != nil {
						h.cloud.Edit(func(e *fakecloud.Edit) { c.change(e, cast{u, g}) })
					}
					plan := h.plan(dirsync.Options{Full: full, Settings: c.unsaved})
					testkit.Golden(t, golden(t, plan))
					testkit.Diff(t, "the directory after a plan", before, h.contents())
					if runs, err := h.sync.History(t.Context(), "cloud", 10); err != nil || len(runs) > 1 {
						t.Errorf("a plan left a record: %d, %v", len(runs), err)
					}
					var settings []string
					for name, value := range c.unsaved {
						settings = append(settings, name+"="+value)
					}
					h.set(append(settings, "interval=2h")...)
					run, err := h.sync.Apply(t.Context(), "cloud", dirsync.Options{By: models.System, Full: full})
					h.must(err)
					shown, done := *plan, *run
					shown.Outcome, done.Outcome = "", ""
					shown.Problem, done.Problem = "", ""
					testkit.Diff(t, "the plan and what was done", golden(t, &shown), golden(t, &done))
					kept, err := h.sync.History(t.Context(), "cloud", 1)
					h.must(err)
					testkit.Diff(t, "the run and its record", golden(t, run), golden(t, kept[0]))
				})
			})
		}
	}
}
