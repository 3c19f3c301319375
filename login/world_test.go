package login_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/password"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/login"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/roster"
	"github.com/rollcall-id/rollcall/session"
	"github.com/rollcall-id/rollcall/store"
)

func TestMain(m *testing.M) { testkit.Main(m) }

const (
	appPassword = "secret-of-the-application"
	appAddress  = "192.0.2.77"
	right       = models.Secret("difference")
	wrong       = models.Secret("engine")
)

// A replica is one server on a database: all parts that a login needs.
type replica struct {
	*login.Service
	t           *testing.T
	store       *store.Store
	hasher      *password.Hasher
	directories *directory.Service
	apps        *application.Service
	refusals    *audit.Log
	outcomes    *outcomes
	suffix      string // of the names of directories and applications: see scene
}

// outcomes is what a server would count.
type outcomes struct {
	mu  sync.Mutex
	all []login.Outcome
}

func (o *outcomes) count(one login.Outcome) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all = append(o.all, one)
}

func newReplica(t *testing.T, db testkit.Database, clock *testkit.Clock, o login.Options) *replica {
	t.Helper()
	r := &replica{t: t, hasher: testkit.NewHasher(), outcomes: new(outcomes)}
	r.store = db.Open(t, func(o *store.Options) { o.Now = clock.Now })
	r.refusals = audit.New(r.store, audit.Options{})
	r.directories = directory.New(r.store, r.hasher, testkit.Log(t))
	r.apps = application.New(r.store, r.directories, r.hasher, testkit.Log(t), r.refusals, roster.New(r.store, testkit.Log(t)))
	o.Count = r.outcomes.count
	r.Service = login.New(r.store, r.directories, session.New(r.store, session.Options{}), r.refusals, o)
	return r
}

// world is a replica with the directory staff, and the application jira that sees it.
func world(t *testing.T, db testkit.Database) (*replica, *testkit.Clock) {
	t.Helper()
	clock := testkit.NewClock()
	r := newReplica(t, db, clock, login.Options{})
	r.furnish()
	return r, clock
}

// eachCase runs do for n cases of a table, all on one database of each kind: each sees
// directories and applications of its own.
func eachCase(t *testing.T, n int, name func(i int) string, do func(i int, r *replica, clock *testkit.Clock)) {
	t.Helper()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		clock := testkit.NewClock()
		all := newReplica(t, db, clock, login.Options{})
		for i := range n {
			t.Run(name(i), func(t *testing.T) {
				scene := *all
				scene.t, scene.suffix = t, fmt.Sprintf("-%d", i)
				scene.furnish()
				do(i, &scene, clock)
			})
		}
	})
}

func (r *replica) furnish() {
	r.t.Helper()
	r.directory("staff", nil)
	r.app("jira", "staff")
}

func (r *replica) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *replica) directory(name string, settings map[string]string) *models.Directory {
	r.t.Helper()
	dir, err := r.directories.Create(r.t.Context(), models.System, directory.NewDirectory{Name: name + r.suffix, Settings: settings})
	r.must(err)
	return dir
}

func (r *replica) app(name string, directories ...string) {
	r.t.Helper()
	for i := range directories {
		directories[i] += r.suffix
	}
	_, _, err := r.apps.Create(r.t.Context(), models.System, application.NewApplication{
		Name: name + r.suffix, Password: appPassword, Addresses: []string{appAddress}, Directories: directories, Permissions: models.AllPermissions,
	})
	r.must(err)
}

// view opens an application's view, as a request of it does.
func (r *replica) view(app string) *application.View {
	r.t.Helper()
	header := "Basic " + base64.StdEncoding.EncodeToString([]byte(app+r.suffix+":"+appPassword))
	v, err := r.apps.Authenticate(r.t.Context(), header, application.Caller{Address: netip.MustParseAddr(appAddress), Request: "r1"})
	r.must(err)
	return v
}

func (r *replica) dir(name string) *models.Directory {
	r.t.Helper()
	dir, err := r.store.DirectoryByName(r.t.Context(), name+r.suffix)
	r.must(err)
	return dir
}

// user adds a user to a directory; change may alter it first. Its password is the right one.
func (r *replica) user(dir, name string, change func(*directory.NewUser)) *models.User {
	r.t.Helper()
	secret := right
	n := directory.NewUser{Name: name, Active: true, Password: &secret}
	if change != nil {
		change(&n)
	}
	u, err := r.directories.CreateUser(r.t.Context(), models.System, r.dir(dir), n)
	r.must(err)
	return u
}

func (r *replica) attribute(dir, user, name, value string) {
	r.t.Helper()
	r.must(r.directories.Edit(r.t.Context(), models.System, func(e *directory.Edit) error {
		return e.SetUserAttributes(r.dir(dir), user, []models.Attribute{{Name: name, Values: []string{value}}})
	}))
}

// attributeOf reads an attribute of a user; empty when there is none.
func (r *replica) attributeOf(user *models.User, name string) string {
	r.t.Helper()
	all, err := r.directories.UserAttributes(r.t.Context(), []models.ID{user.ID})
	r.must(err)
	for _, a := range all[user.ID] {
		if a.Name == name {
			return a.Values[0]
		}
	}
	return ""
}

// answers tries a password through jira and compares the answer's code; empty means that the
// user is let in.
func (r *replica) answers(want models.Code, user string, secret models.Secret) {
	r.t.Helper()
	_, err := r.Authenticate(r.t.Context(), r.view("jira"), user, secret)
	if got := models.CodeOf(err); got != want {
		r.t.Errorf("Authenticate(%s) = %v, want %q", user, err, want)
	}
}

// hashes tells how many hashes do computes.
func (r *replica) hashes(do func()) uint64 {
	before := r.hasher.Stats().Done
	do()
	return r.hasher.Stats().Done - before
}

// refused reads the audit log's refusals as "outcome subject directory" with their counts.
func (r *replica) refused() map[string]int {
	r.t.Helper()
	r.must(r.refusals.Flush(r.t.Context()))
	entries, err := r.store.SearchAudit(r.t.Context(), store.AuditSearch{Action: "login.refused", Address: appAddress, Actor: "jira" + r.suffix, Limit: 1000})
	r.must(err)
	out := map[string]int{}
	for _, e := range entries {
		out[e.Outcome+" "+e.Subject+" "+strings.TrimSuffix(e.Directory, r.suffix)] += e.Count
	}
	return out
}

// counted gives what was counted so far.
func (r *replica) counted() []login.Outcome {
	r.outcomes.mu.Lock()
	defer r.outcomes.mu.Unlock()
	return slices.Clone(r.outcomes.all)
}

// message gives the sentence for the caller.
func message(err error) string {
	if e, ok := errors.AsType[*models.Error](err); ok {
		return e.Message
	}
	return ""
}
