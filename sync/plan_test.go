package sync_test

import (
	"encoding/json"
	"strings"
	"testing"

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

// A cast is whom the scenarios speak of.
type cast struct {
	u map[string]fakecloud.UserNo
	g map[string]fakecloud.GroupNo
}

// A scenario is what happens at a source between two runs.
type scenario struct {
	name     string
	only     string // the provider; empty: each
	settings []string
	first    bool              // the plan is that of the first run
	unsaved  map[string]string // shown before they are saved
	change   func(e *fakecloud.Edit, c cast)
}

var scenarios = []scenario{
	{name: "first", first: true},
	{name: "nothing"},
	{name: "users", settings: []string{"attributes=DEPARTMENT=department"}, change: func(e *fakecloud.Edit, c cast) {
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
	{name: "moved", change: func(e *fakecloud.Edit, c cast) {
		e.RemoveUser(c.g["devs"], c.u["bob"])
		e.AddUser(c.g["ops"], c.u["bob"])
		e.AddUser(c.g["all"], e.CreateUser(fakecloud.User{Login: "new", Given: "New"}))
	}},
	{name: "purged", change: func(e *fakecloud.Edit, c cast) {
		e.PurgeUser(c.u["ada"])
		e.PurgeGroup(c.g["ops"])
	}},
	{name: "everybody", only: "google", change: func(e *fakecloud.Edit, c cast) {
		e.Add(c.g["ops"], fakecloud.Member{Kind: fakecloud.Everybody})
		e.UpdateUser(c.u["bob"], func(u *fakecloud.User) { u.Disabled = true })
		e.CreateUser(fakecloud.User{Login: "new", Given: "New"})
	}},
	{name: "held", only: "entra", settings: []string{"guard-users=1,5%"}, change: func(e *fakecloud.Edit, c cast) {
		e.DeleteUser(c.u["ada"])
		e.DeleteUser(c.u["bob"])
	}},
	{name: "unsaved settings", only: "entra", unsaved: map[string]string{"groups": "devs", "users": "members", "username": "mail-local-part"}},
	{name: "collision", only: "entra", unsaved: map[string]string{"username-rules": "@.*$=>;;^(ada|bob)$=>twin"}},
}

// A plan says what a run does: the run that follows does it line by line, with the same counts.
func TestPlans(t *testing.T) {
	for _, p := range providers {
		for _, s := range scenarios {
			if s.only != "" && s.only != p.name {
				continue
			}
			for _, mode := range []string{"delta", "full"} {
				if mode == "delta" && !p.tells {
					continue
				}
				t.Run(p.name+"/"+s.name+"/"+mode, func(t *testing.T) {
					t.Parallel()
					testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) { plans(t, db, p, s, p.tells && mode == "full") })
				})
			}
		}
	}
}

func plans(t *testing.T, db testkit.Database, p provider, s scenario, full bool) {
	h, source := newMirror(t, db, p, testkit.Log(t))
	for _, setting := range s.settings {
		h.set(strings.Replace(setting, "DEPARTMENT", source.department, 1))
	}
	u, g := team(source.cloud)
	source.cloud.Edit(func(e *fakecloud.Edit) { u["fay"] = e.CreateUser(fakecloud.User{Login: "fay", Given: "Fay"}) })
	if !s.first {
		h.apply(models.OutcomeApplied)
	}
	before := h.contents()
	if s.change != nil {
		source.cloud.Edit(func(e *fakecloud.Edit) { s.change(e, cast{u, g}) })
	}
	plan := h.plan(dirsync.Options{Full: full, Settings: s.unsaved})
	testkit.Golden(t, golden(t, plan))
	testkit.Diff(t, "the directory after a plan", before, h.contents())
	if runs, err := h.sync.History(t.Context(), "cloud", 10); err != nil || len(runs) > 1 {
		t.Errorf("a plan left a record: %d, %v", len(runs), err)
	}
	var settings []string
	for name, value := range s.unsaved {
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
	if run.Outcome == models.OutcomeApplied {
		h.still("after the plan was carried out")
	}
}
