package explain_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/explain"
	"github.com/rollcall-id/rollcall/internal/fakecloud"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/roster"
	"github.com/rollcall-id/rollcall/store"
	dirsync "github.com/rollcall-id/rollcall/sync"
	"github.com/rollcall-id/rollcall/sync/entra"
)

func TestMain(m *testing.M) { testkit.Main(m) }

var operator = models.Actor{Kind: models.ActorOperator, Name: "root", Writer: models.ByOperator}

// A house has the application jira, which sees the internal directory staff and then cloud, which
// is kept equal to a fake cloud.
type house struct {
	*explain.Service
	t           *testing.T
	store       *store.Store
	directories *directory.Service
	apps        *application.Service
	sync        *dirsync.Service
	cloud       *fakecloud.Entra
	clock       *testkit.Clock
}

func newHouse(t *testing.T, db testkit.Database) *house {
	t.Helper()
	h := &house{t: t, clock: testkit.NewClock()}
	h.store = db.Open(t, func(o *store.Options) { o.Now = h.clock.Now })
	h.cloud = fakecloud.NewEntra(fakecloud.EntraConfig{Now: h.clock.Now})
	h.must(h.cloud.Start("127.0.0.1:0"))
	t.Cleanup(h.cloud.Close)
	hasher := testkit.NewHasher()
	h.directories = directory.New(h.store, hasher, testkit.Log(t))
	h.apps = application.New(h.store, h.directories, hasher, testkit.Log(t), audit.New(h.store, audit.Options{}), roster.New(h.store, testkit.Log(t)))
	h.sync = dirsync.New(h.store, dirsync.Config{Open: h.open, Log: slog.New(slog.DiscardHandler)})
	h.Service = explain.New(h.store, h.sync)
	h.directory("staff", models.KindInternal)
	h.directory("cloud", models.KindEntra, "tenant="+h.cloud.Tenant, "client-id="+h.cloud.ClientID, "client-secret="+h.cloud.Secret,
		"graph-url="+h.cloud.GraphURL(), "authority-url="+h.cloud.AuthorityURL(), "username=upn-local-part")
	_, _, err := h.apps.Create(t.Context(), operator, application.NewApplication{Name: "jira", Password: "secret-1", Directories: []string{"staff", "cloud"}})
	h.must(err)
	return h
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) directory(name string, kind models.Kind, settings ...string) {
	h.t.Helper()
	_, err := h.directories.Create(h.t.Context(), operator, directory.NewDirectory{Name: name, Kind: kind, Settings: pairs(settings)})
	h.must(err)
}

func (h *house) set(dir string, settings ...string) {
	h.t.Helper()
	_, err := h.directories.Set(h.t.Context(), operator, dir, directory.Patch{Settings: pairs(settings)})
	h.must(err)
}

func pairs(settings []string) map[string]string {
	all := map[string]string{}
	for _, s := range settings {
		name, value, _ := strings.Cut(s, "=")
		all[name] = value
	}
	return all
}

func (h *house) open(dir *models.Directory, attributes []string) (dirsync.Source, error) {
	get := func(name string) string { return directory.SettingOf(dir, name) }
	return entra.New(entra.Options{Tenant: get("tenant"), ClientID: get("client-id"), Secret: models.Secret(get("client-secret")),
		GraphURL: get("graph-url"), AuthorityURL: get("authority-url"), Attributes: attributes, Now: h.clock.Now,
		Sleep: func(ctx context.Context, d time.Duration) error { h.clock.Advance(d); return ctx.Err() }, Log: slog.New(slog.DiscardHandler)})
}

// apply makes the directory cloud equal to the fake.
func (h *house) apply() {
	h.t.Helper()
	_, err := h.sync.Apply(h.t.Context(), "cloud", dirsync.Options{By: operator})
	h.must(err)
}

func (h *house) staff() *models.Directory {
	h.t.Helper()
	staff, err := h.store.DirectoryByName(h.t.Context(), "staff")
	h.must(err)
	return staff
}

// edit changes something in directory staff.
func (h *house) edit(do func(e *directory.Edit, staff *models.Directory) error) {
	h.t.Helper()
	staff := h.staff()
	h.must(h.directories.Edit(h.t.Context(), operator, func(e *directory.Edit) error { return do(e, staff) }))
}

func (h *house) user(name string, active bool) {
	h.t.Helper()
	_, err := h.directories.CreateUser(h.t.Context(), operator, h.staff(), directory.NewUser{Name: name, Active: active, Email: name + "@staff.example"})
	h.must(err)
}
