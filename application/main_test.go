package application_test

import (
	"context"
	"encoding/base64"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/password"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/roster"
	"github.com/rollcall-id/rollcall/store"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// operator is on whose behalf tests set things up.
var operator = models.Actor{Kind: models.ActorOperator, Name: "olga", Writer: models.ByOperator}

// secret is the password of every application that a test doesn't give another.
const secret = "secret-1"

// loopback is from where applications call unless a test says otherwise.
var loopback = netip.MustParseAddr("127.0.0.1")

// A house is one process: a store with the services on it.
type house struct {
	*application.Service
	directories *directory.Service
	store       *store.Store
	hasher      *password.Hasher
	clock       *testkit.Clock
	refusals    *audit.Log
	roster      *roster.Roster // empty, so that SQL answers: see remember
}

// eachHouse runs do on SQLite and on PostgreSQL.
func eachHouse(t *testing.T, do func(t *testing.T, h *house)) {
	t.Helper()
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) { do(t, newHouse(t, db, testkit.NewClock())) })
}

// newHouse starts one more process on a database.
func newHouse(t testing.TB, db testkit.Database, clock *testkit.Clock) *house {
	t.Helper()
	h := &house{hasher: testkit.NewHasher(), clock: clock}
	h.store = db.Open(t, func(o *store.Options) { o.Now = clock.Now })
	h.refusals = audit.New(h.store, audit.Options{})
	h.directories = directory.New(h.store, h.hasher, testkit.Log(t))
	h.roster = roster.New(h.store, testkit.Log(t))
	h.Service = application.New(h.store, h.directories, h.hasher, testkit.Log(t), h.refusals, h.roster)
	return h
}

// eachReader runs do as eachHouse does, and once more where memory answers, in a subtest named
// "memory". There a view is of the moment when it was made: do makes another after a write.
func eachReader(t *testing.T, do func(t *testing.T, h *house)) {
	t.Helper()
	eachHouse(t, do)
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		h := newHouse(t, testkit.NewSQLite(t), testkit.NewClock())
		h.remember(t)
		do(t, h)
	})
}

// remember makes the roster answer from now on.
func (h *house) remember(t testing.TB) {
	t.Helper()
	if err := h.roster.Build(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// fill makes a directory, where there is none of this name, with users and groups:
//
//	h.fill(t, "staff", "ada", "bob", "devs: ada bob", "all: @devs carl")
//
// has the users ada and bob, and the groups devs, with both in it, and all, with the group
// devs and the user carl in it. Names of users and groups that don't exist are made.
func (h *house) fill(t testing.TB, dirName string, lines ...string) *models.Directory {
	t.Helper()
	dir, err := h.store.DirectoryByName(t.Context(), dirName)
	if models.Is(err, models.DirectoryNotFound) {
		dir, err = h.directories.Create(t.Context(), operator, directory.NewDirectory{Name: dirName})
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines {
		group, members, isGroup := strings.Cut(line, ":")
		if !isGroup {
			members = group
		}
		for _, member := range strings.Fields(members) {
			if !strings.HasPrefix(member, "@") {
				h.ensureUser(t, dir, member)
			}
		}
	}
	h.edit(t, func(e *directory.Edit) error { // all in one: each transaction waits for the disk
		for _, line := range lines {
			if group, members, isGroup := strings.Cut(line, ":"); isGroup {
				if err := fillGroup(t.Context(), e, dir, group, strings.Fields(members)); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return dir
}

func fillGroup(ctx context.Context, e *directory.Edit, dir *models.Directory, group string, members []string) error {
	if err := ensureGroup(ctx, e, dir, group); err != nil {
		return err
	}
	for _, member := range members {
		child, nested := strings.CutPrefix(member, "@")
		if !nested {
			if err := e.AddMember(dir, group, member); err != nil {
				return err
			}
			continue
		}
		if err := ensureGroup(ctx, e, dir, child); err != nil {
			return err
		}
		if err := e.AddChild(dir, group, child); err != nil {
			return err
		}
	}
	return nil
}

func ensureGroup(ctx context.Context, e *directory.Edit, dir *models.Directory, name string) error {
	_, err := e.Reads().GroupByName(ctx, dir.ID, name)
	if models.Is(err, models.GroupNotFound) {
		_, err = e.CreateGroup(dir, directory.NewGroup{Name: name, Description: name + " of " + dir.Name, Active: true})
	}
	return err
}

func (h *house) ensureUser(t testing.TB, dir *models.Directory, name string) {
	t.Helper()
	_, err := h.directories.CreateUser(t.Context(), operator, dir, directory.NewUser{Name: name, Active: true})
	if err != nil && !models.Is(err, models.InvalidUser) {
		t.Fatal(err)
	}
}

// edit changes a directory behind the applications' back.
func (h *house) edit(t testing.TB, do func(e *directory.Edit) error) {
	t.Helper()
	if err := h.directories.Edit(t.Context(), operator, do); err != nil {
		t.Fatal(err)
	}
}

// app makes an application that may do everything in the directories, in their order.
func (h *house) app(t testing.TB, name string, o application.Options, directories ...string) {
	t.Helper()
	h.create(t, application.NewApplication{Name: name, Directories: directories, Permissions: models.AllPermissions, Options: o})
}

// create makes an application; password and address are the usual ones where none are given.
func (h *house) create(t testing.TB, n application.NewApplication) {
	t.Helper()
	if n.Password == "" {
		n.Password = secret
	}
	if n.Addresses == nil {
		n.Addresses = []string{"127.0.0.1"}
	}
	if _, _, err := h.Create(t.Context(), operator, n); err != nil {
		t.Fatal(err)
	}
}

// The two switches that decide how memberships are seen.
var (
	firstMatch = application.Options{}
	aggregated = application.Options{Aggregate: new(true)}
)

// basic is the header that an application sends.
func basic(name, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(name+":"+secret))
}

// view is what an application gets that authenticates itself as it should.
func (h *house) view(t testing.TB, name string) *application.View {
	t.Helper()
	v, err := h.Authenticate(t.Context(), basic(name, secret), application.Caller{Address: loopback, Request: "req-1"})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (h *house) lastChange(t testing.TB) int64 {
	t.Helper()
	seq, err := h.store.LastChange(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

func wantCode(t testing.TB, what string, want models.Code, err error) {
	t.Helper()
	if got := models.CodeOf(err); got != want {
		t.Errorf("%s: want %q, got %q (%v)", what, want, got, err)
	}
}

// wantMessage also looks at the sentence for the caller.
func wantMessage(t testing.TB, what string, want models.Code, part string, err error) {
	t.Helper()
	wantCode(t, what, want, err)
	if e, ok := errors.AsType[*models.Error](err); ok && !strings.Contains(e.Message, part) {
		t.Errorf("%s: want a message with %q, got %q", what, part, e.Message)
	}
}

// wantNames compares a list, given as words, with the names of users or groups.
func wantNames[T named](t testing.TB, what, want string, got []T, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return
	}
	if diff := cmp.Diff(strings.Fields(want), namesOf(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

type named interface {
	*application.User | *models.Group
}

func namesOf[T named](list []T) []string {
	names := make([]string, 0, len(list))
	for _, one := range list {
		switch one := any(one).(type) {
		case *application.User:
			names = append(names, one.Name)
		case *models.Group:
			names = append(names, one.Name)
		}
	}
	return slices.Clip(names)
}

func words(text string) []string { return strings.Fields(text) }
