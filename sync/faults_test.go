package sync_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
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

// A provider is one kind of cloud that the table of faults is played against. The next one
// joins with a line in providers.
type provider struct {
	name  string
	start func(t *testing.T, clock *testkit.Clock, log *slog.Logger) running
}

var providers = []provider{{"entra", startEntra}}

// A running cloud, and how a directory of it is made and read.
type running struct {
	cloud    *fakecloud.Cloud
	kind     models.Kind
	settings map[string]string
	open     dirsync.Open
	paths    map[string]string // of requests, as fakecloud.Fault has them: token, users, groups, members
	secrets  []string
	expire   func() // makes cursors count no longer; nil: there are none
}

func startEntra(t *testing.T, clock *testkit.Clock, log *slog.Logger) running {
	c := fakecloud.NewEntra(fakecloud.EntraConfig{Now: clock.Now, PageLimit: 3, SecretEnds: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)})
	if err := c.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return running{
		cloud: c.Cloud, kind: models.KindEntra,
		settings: map[string]string{"tenant": c.Tenant, "client-id": c.ClientID, "client-secret": c.Secret, "graph-url": c.GraphURL(), "authority-url": c.AuthorityURL()},
		open: func(dir *models.Directory, attributes []string) (dirsync.Source, error) {
			get := func(name string) string { return directory.SettingOf(dir, name) }
			return entra.New(entra.Options{Tenant: get("tenant"), ClientID: get("client-id"), Secret: models.Secret(get("client-secret")),
				GraphURL: get("graph-url"), AuthorityURL: get("authority-url"), Attributes: attributes, Now: clock.Now,
				Sleep: func(ctx context.Context, d time.Duration) error { clock.Advance(d); return ctx.Err() }, Log: log})
		},
		paths:   map[string]string{"token": "/oauth2/v2.0/token", "users": `/v1.0/users\?`, "groups": `/v1.0/groups\?`, "members": `/groups/[^/]+/members`},
		secrets: []string{c.Secret, "Bearer ey", "eyJ"},
		expire:  c.ResetDelta,
	}
}

// A locked buffer takes a log.
type locked struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) { l.mu.Lock(); defer l.mu.Unlock(); return l.b.Write(p) }
func (l *locked) String() string              { l.mu.Lock(); defer l.mu.Unlock(); return l.b.String() }

// faulty are the things that go wrong for ever: where, what of the sentence the record has, and
// how the run ends.
var faulty = []struct {
	at   string
	do   fakecloud.Trouble
	want string
}{
	{"token", fakecloud.Forbidden, "token"}, {"token", fakecloud.HTMLPage, "token"}, {"token", fakecloud.EmptyBody, "token"}, {"token", fakecloud.ServerError, "token"},
	{"users", fakecloud.Throttle, "429"}, {"users", fakecloud.Unavailable, "503"}, {"users", fakecloud.ServerError, "500"}, {"users", fakecloud.BadGateway, "502"},
	{"users", fakecloud.GatewayTimeout, "504"}, {"users", fakecloud.Expired, "401"}, {"users", fakecloud.Forbidden, "403"}, {"users", fakecloud.NotFound, "404"},
	{"users", fakecloud.HTMLPage, "page"}, {"users", fakecloud.EmptyBody, "page"}, {"users", fakecloud.CutBody, "page"}, {"users", fakecloud.Truncated, "page"},
	{"users", fakecloud.Reset, "page"}, {"users", fakecloud.ForeignLink, "was not followed"}, {"users", fakecloud.RepeatLink, "page"}, {"users", fakecloud.EmptyPages, "page"},
	{"groups", fakecloud.Throttle, "429"}, {"groups", fakecloud.Unavailable, "503"}, {"groups", fakecloud.ServerError, "500"}, {"groups", fakecloud.Forbidden, "403"},
	{"groups", fakecloud.HTMLPage, "page"}, {"groups", fakecloud.EmptyBody, "page"}, {"groups", fakecloud.CutBody, "page"}, {"groups", fakecloud.Truncated, "page"},
	{"groups", fakecloud.Reset, "page"}, {"groups", fakecloud.ForeignLink, "was not followed"}, {"groups", fakecloud.RepeatLink, "page"},
	{"members", fakecloud.Throttle, "429"}, {"members", fakecloud.Unavailable, "503"}, {"members", fakecloud.ServerError, "500"}, {"members", fakecloud.Expired, "401"},
	{"members", fakecloud.Forbidden, "403"}, {"members", fakecloud.ForeignLink, "was not followed"},
}

// Whatever goes wrong: the run fails, or leaves out what it couldn't read, with a sentence that
// names the directory, the object and what was answered; the directory is as it was; the next
// run begins clean and ends right; and no secret is in any text.
func TestFaults(t *testing.T) {
	t.Parallel()
	for _, p := range providers {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) { faults(t, db, p) })
		})
	}
}

func faults(t *testing.T, db testkit.Database, p provider) {
	log := new(locked)
	logger := slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	h := &house{t: t, db: db, clock: testkit.NewClock()}
	h.store = db.Open(t, func(o *store.Options) { o.Now = h.clock.Now; o.Log = logger })
	c := p.start(t, h.clock, logger)
	h.directories = directory.New(h.store, testkit.NewHasher(), logger)
	h.sync = dirsync.New(h.store, dirsync.Config{Open: c.open, Log: logger})
	settings := map[string]string{"purge-after": "3650"} // waiting moves the clock
	for name, value := range c.settings {
		settings[name] = value
	}
	_, err := h.directories.Create(t.Context(), models.System, directory.NewDirectory{Name: "cloud", Kind: c.kind, Settings: settings})
	h.must(err)
	var u []fakecloud.UserNo
	var g []fakecloud.GroupNo
	c.cloud.Edit(func(e *fakecloud.Edit) {
		for i := range 8 {
			u = append(u, e.CreateUser(fakecloud.User{Login: fmt.Sprint("user", i)}))
		}
		for i := range 7 {
			g = append(g, e.CreateGroup(fakecloud.Group{Name: fmt.Sprint("group", i)}))
			for _, n := range u {
				e.AddUser(g[i], n)
			}
		}
	})
	h.apply(models.OutcomeApplied)
	var problems []string
	next := func(n int) { // always something to do
		c.cloud.Edit(func(e *fakecloud.Edit) {
			e.CreateUser(fakecloud.User{Login: fmt.Sprint("another", n)})
			m := fakecloud.Member{Kind: fakecloud.UserMember, N: int(u[n%8])}
			if e.IsMember(g[n%7], m) {
				e.Remove(g[n%7], m)
			} else {
				e.Add(g[n%7], m)
			}
		})
	}
	for i, f := range faulty {
		name := fmt.Sprintf("%s, trouble %d", f.at, f.do)
		next(i)
		before := h.contents()
		nth := 1
		if f.at == "users" || f.at == "groups" {
			nth = 2 // in the middle of the list
		}
		c.cloud.Fail(fakecloud.Fault{Path: c.paths[f.at], Nth: nth, Times: -1, Do: f.do})
		run, err := h.sync.Apply(t.Context(), "cloud", dirsync.Options{By: models.System, Full: true})
		if run == nil || run.Outcome != models.OutcomeFailed && (f.at != "members" || run.Outcome != models.OutcomePartial) {
			t.Fatalf("%s: the run is %+v, %v", name, run, err)
		}
		problems = append(problems, run.Problem)
		if !strings.Contains(run.Problem, f.want) || run.Outcome == models.OutcomeFailed && (err == nil || !strings.HasPrefix(run.Problem, "directory cloud: ")) {
			t.Errorf("%s: the record says %q (%v), want %q in it", name, run.Problem, err, f.want)
		}
		if run.Outcome == models.OutcomeFailed {
			testkit.Diff(t, name+": the directory", before, h.contents())
		} else if run.Memberships.Removed > 0 {
			t.Errorf("%s: memberships were removed that couldn't be read: %+v", name, run)
		}
		c.cloud.Heal()
		if run, err = h.sync.Apply(t.Context(), "cloud", dirsync.Options{By: models.System}); err != nil || run.Outcome != models.OutcomeApplied {
			t.Fatalf("%s: the next run is %+v, %v", name, run, err)
		}
	}
	h.still("after all that went wrong")
	passing(h, c, next)
	if c.expire != nil {
		next(1)
		c.expire()
		if run := h.apply(models.OutcomeApplied); run.Mode != "full" || !strings.Contains(run.Reason, "no longer knows") {
			t.Errorf("with a cursor that no longer counts: %s, %s", run.Mode, run.Reason)
		}
	}
	runs, err := h.sync.History(t.Context(), "cloud", 1000)
	h.must(err)
	records, err := json.Marshal(runs)
	h.must(err)
	for _, secret := range c.secrets {
		for what, text := range map[string]string{"the log": log.String(), "a problem": strings.Join(problems, "\n"), "a record": string(records)} {
			if strings.Contains(text, secret) {
				t.Errorf("%s has the secret %.12s… in it", what, secret)
			}
		}
	}
	for _, v := range c.cloud.Violations() {
		t.Errorf("the cloud complains: %s", v)
	}
}

// passing are things that go wrong once: nobody notices.
func passing(h *house, c running, next func(int)) {
	for i, do := range []fakecloud.Trouble{fakecloud.Throttle, fakecloud.Unavailable, fakecloud.Expired, fakecloud.HTMLPage, fakecloud.CutBody, fakecloud.Truncated, fakecloud.Reset} {
		for _, at := range []string{"users", "groups", "members"} {
			next(100 + 10*i + len(at))
			c.cloud.Fail(fakecloud.Fault{Path: c.paths[at], Do: do})
			run, err := h.sync.Apply(h.t.Context(), "cloud", dirsync.Options{By: models.System, Full: true})
			if err != nil || run.Outcome != models.OutcomeApplied {
				h.t.Errorf("%s, trouble %d once: %+v, %v", at, do, run, err)
			}
			c.cloud.Heal()
		}
	}
	h.still("after all that went wrong once")
}
