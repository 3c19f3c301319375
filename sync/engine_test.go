package sync_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/internal/fakecloud"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
	dirsync "github.com/rollcall-id/rollcall/sync"
	"github.com/rollcall-id/rollcall/sync/entra"
)

// A house is a directory that is kept equal to a fake cloud.
type house struct {
	t           *testing.T
	db          testkit.Database
	store       *store.Store
	directories *directory.Service
	sync        *dirsync.Service
	cloud       *fakecloud.Entra
	clock       *testkit.Clock
	wrap        func(dirsync.Source) dirsync.Source // a source that lies; nil: none does
	log         *slog.Logger                        // of the source
}

func newHouse(t *testing.T, db testkit.Database, c fakecloud.EntraConfig, settings ...string) *house {
	t.Helper()
	h := &house{t: t, db: db, clock: testkit.NewClock(), log: slog.New(slog.DiscardHandler)}
	h.store = db.Open(t, func(o *store.Options) { o.Now = h.clock.Now })
	c.Now = h.clock.Now
	h.cloud = fakecloud.NewEntra(c)
	if err := h.cloud.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		h.cloud.Close()
		for _, v := range h.cloud.Violations() {
			t.Errorf("the cloud complains: %s", v)
		}
	})
	h.directories = directory.New(h.store, testkit.NewHasher(), testkit.Log(t))
	h.sync = dirsync.New(h.store, dirsync.Config{Open: h.open, Log: testkit.Log(t)})
	h.create("cloud", settings...)
	return h
}

// create makes a directory of the cloud.
func (h *house) create(name string, settings ...string) {
	h.t.Helper()
	all := map[string]string{"tenant": h.cloud.Tenant, "client-id": h.cloud.ClientID, "client-secret": h.cloud.Secret,
		"graph-url": h.cloud.GraphURL(), "authority-url": h.cloud.AuthorityURL()}
	for _, s := range settings {
		name, value, _ := strings.Cut(s, "=")
		all[name] = value
	}
	if _, err := h.directories.Create(h.t.Context(), models.System, directory.NewDirectory{Name: name, Kind: models.KindEntra, Settings: all}); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) open(dir *models.Directory, attributes []string) (dirsync.Source, error) {
	get := func(name string) string { return directory.SettingOf(dir, name) }
	source, err := entra.New(entra.Options{Tenant: get("tenant"), ClientID: get("client-id"), Secret: models.Secret(get("client-secret")),
		GraphURL: get("graph-url"), AuthorityURL: get("authority-url"), Attributes: attributes, Now: h.clock.Now,
		Sleep: func(ctx context.Context, d time.Duration) error { h.clock.Advance(d); return ctx.Err() }, Log: h.log})
	if err == nil && h.wrap != nil {
		return h.wrap(source), nil
	}
	return source, err
}

func (h *house) set(settings ...string) {
	h.t.Helper()
	p := directory.Patch{Settings: map[string]string{}}
	for _, s := range settings {
		name, value, _ := strings.Cut(s, "=")
		p.Settings[name] = value
	}
	if _, err := h.directories.Set(h.t.Context(), models.System, "cloud", p); err != nil {
		h.t.Fatal(err)
	}
}

// apply runs and wants the outcome.
func (h *house) apply(want models.Outcome, o ...dirsync.Options) *models.Run {
	h.t.Helper()
	var options dirsync.Options
	if len(o) > 0 {
		options = o[0]
	}
	options.By = models.System
	run, err := h.sync.Apply(h.t.Context(), "cloud", options)
	if err != nil && want != models.OutcomeFailed {
		h.t.Fatalf("synchronise: %v", err)
	}
	if run == nil || run.Outcome != want {
		h.t.Fatalf("the run is %+v, want the outcome %s", run, want)
	}
	return run
}

func (h *house) plan(o ...dirsync.Options) *models.Run {
	h.t.Helper()
	var options dirsync.Options
	if len(o) > 0 {
		options = o[0]
	}
	run, err := h.sync.Plan(h.t.Context(), "cloud", options)
	if err != nil {
		h.t.Fatalf("plan: %v", err)
	}
	return run
}

// contents lists what the directory holds, in words.
func (h *house) contents() []string {
	h.t.Helper()
	ctx := h.t.Context()
	dir, err := h.store.DirectoryByName(ctx, "cloud")
	if err != nil {
		h.t.Fatal(err)
	}
	users, err := h.store.UsersOf(ctx, dir.ID, "", 1<<20)
	if err != nil {
		h.t.Fatal(err)
	}
	var out []string
	names := map[models.ID]string{}
	for _, u := range users {
		names[u.ID] = u.Name
		state := ""
		if !u.Active {
			state = " inactive"
		}
		out = append(out, fmt.Sprintf("user %s <%s> %q%s", u.Name, u.Email, u.DisplayName, state))
	}
	groups, err := h.store.GroupsOf(ctx, dir.ID, "", 1<<20)
	if err != nil {
		h.t.Fatal(err)
	}
	byID := map[models.ID]string{}
	for _, g := range groups {
		byID[g.ID] = g.Name
		out = append(out, "group "+g.Name)
	}
	for _, g := range groups {
		members, children, err := h.store.SyncedMembersOf(ctx, g.ID)
		if err != nil {
			h.t.Fatal(err)
		}
		for _, m := range members {
			out = append(out, "member "+g.Name+": "+names[m])
		}
		for _, c := range children {
			out = append(out, "child "+g.Name+": "+byID[c])
		}
	}
	slices.Sort(out)
	return out
}

func (h *house) wants(what string, want ...string) {
	h.t.Helper()
	testkit.Diff(h.t, what, slices.Sorted(slices.Values(want)), h.contents())
}

func each(t *testing.T, c fakecloud.EntraConfig, settings []string, do func(h *house)) {
	t.Helper()
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) { do(newHouse(t, db, c, settings...)) })
}

// team makes a few people and groups by hand, in any cloud.
func team(cloud interface{ Edit(func(*fakecloud.Edit)) }) (u map[string]fakecloud.UserNo, g map[string]fakecloud.GroupNo) {
	u, g = map[string]fakecloud.UserNo{}, map[string]fakecloud.GroupNo{}
	cloud.Edit(func(e *fakecloud.Edit) {
		for _, name := range []string{"ada", "bob", "eve"} {
			u[name] = e.CreateUser(fakecloud.User{Login: name + "@contoso.example", Given: strings.ToUpper(name[:1]) + name[1:], Surname: "X", Mail: name + "@mail.example"})
		}
		for _, name := range []string{"devs", "ops", "all"} {
			g[name] = e.CreateGroup(fakecloud.Group{Name: name})
		}
		e.AddUser(g["devs"], u["ada"])
		e.AddUser(g["devs"], u["bob"])
		e.AddUser(g["ops"], u["eve"])
		e.Nest(g["all"], g["devs"])
		e.Nest(g["all"], g["ops"])
	})
	return u, g
}

// Everything comes once; then nothing is to be done; then what changed comes by a delta.
func TestADirectoryFollowsItsSource(t *testing.T) {
	each(t, fakecloud.EntraConfig{}, nil, func(h *house) {
		u, g := team(h.cloud)
		run := h.apply(models.OutcomeApplied)
		if run.Users.Created != 3 || run.Groups.Created != 3 || run.Memberships.Added != 5 || run.Mode != "full" {
			h.t.Fatalf("the first run: %+v", run)
		}
		h.wants("after the first run",
			`user ada@contoso.example <ada@mail.example> "Ada X"`, `user bob@contoso.example <bob@mail.example> "Bob X"`,
			`user eve@contoso.example <eve@mail.example> "Eve X"`, "group devs", "group ops", "group all",
			"member devs: ada@contoso.example", "member devs: bob@contoso.example", "member ops: eve@contoso.example", "child all: devs", "child all: ops")
		if run = h.apply(models.OutcomeNothing); run.Mode != "delta" {
			h.t.Fatalf("the second run: %+v", run)
		}
		h.cloud.Edit(func(e *fakecloud.Edit) {
			e.UpdateUser(u["ada"], func(u *fakecloud.User) { u.Login = "countess@contoso.example" })
			e.UpdateUser(u["bob"], func(u *fakecloud.User) { u.Disabled = true })
			e.RemoveUser(g["ops"], u["eve"])
			e.AddUser(g["devs"], u["eve"])
			n := e.CreateUser(fakecloud.User{Login: "new@contoso.example", Given: "New", Surname: "X"})
			e.AddUser(g["ops"], n)
		})
		shown := h.plan()
		run = h.apply(models.OutcomeApplied)
		if run.Mode != "delta" || run.Users != (models.UserCounts{Created: 1, Changed: 1, Deactivated: 1}) || run.Memberships != (models.MemberCounts{Added: 2, Removed: 1}) {
			h.t.Fatalf("the third run: %+v", run)
		}
		testkit.Diff(h.t, "steps of the plan and of the run", shown.Steps, run.Steps)
		h.wants("after the third run",
			`user countess@contoso.example <ada@mail.example> "Ada X"`, `user bob@contoso.example <bob@mail.example> "Bob X" inactive`,
			`user eve@contoso.example <eve@mail.example> "Eve X"`, `user new@contoso.example <> "New X"`, "group devs", "group ops", "group all",
			"member devs: countess@contoso.example", "member devs: bob@contoso.example", "member devs: eve@contoso.example", "member ops: new@contoso.example",
			"child all: devs", "child all: ops")
		if run = h.apply(models.OutcomeNothing, dirsync.Options{Full: true}); run.Mode != "full" {
			h.t.Fatalf("the fourth run: %+v", run)
		}
	})
}
