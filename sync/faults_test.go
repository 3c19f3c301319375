package sync_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	dirsync "github.com/rollcall-id/rollcall/sync"
)

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
	h, c := newMirror(t, db, p, logger, "purge-after=3650") // waiting moves the clock
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
		if slices.Contains(p.never, f.do) {
			continue
		}
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
		if run := h.apply(models.OutcomeApplied); run.Mode != "full" || !strings.Contains(run.Reason, c.expired) {
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
