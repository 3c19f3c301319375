package sourcetest

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
	dirsync "github.com/rollcall-id/rollcall/sync"
)

// A Provider starts the fake of one cloud.
type Provider struct {
	Name string
	// Start starts a cloud that ends with the test.
	Start func(t testing.TB, s Setup) *World

	// UsersPage is how many users a page of the started cloud has.
	UsersPage int
	// Nests says that the cloud has groups in groups.
	Nests bool
	// PageTokens says that lists go on by tokens instead of links: none can lead to another host.
	PageTokens bool
	// TellsChanges says that the source can tell what changed.
	TellsChanges bool
}

// A Setup is what a test wants of a cloud.
type Setup struct {
	Gen       fakecloud.Gen
	Clock     *fakecloud.Clock // the cloud's
	TokenLife time.Duration    // zero: an hour
	// Awkward has the cloud do all that it may: empty pages in between, replays, parts of one
	// group on many pages.
	Awkward bool
}

// A World is a cloud that runs, and what a test has to know of it.
type World struct {
	Cloud *fakecloud.Cloud
	Clock *fakecloud.Clock

	// Source makes a source for one run.
	Source func(t testing.TB, how How) dirsync.Source

	// UserID, GroupID and MemberID are the cloud's own names.
	UserID   func(fakecloud.UserNo) string
	GroupID  func(fakecloud.GroupNo) string
	MemberID func(fakecloud.Member) string

	// User is what the source has to make of a user.
	User func(fakecloud.UserNo, fakecloud.User) dirsync.User
	// Group is what the source has to make of a group; false when it leaves it out.
	Group func(fakecloud.GroupNo, fakecloud.Group) (dirsync.Group, bool)

	Paths Paths
	// Expire are the ways in which a cursor stops to count.
	Expire map[string]func()
	// Secrets are what no log and no error may contain.
	Secrets []string
}

// Paths are regular expressions of requests, as fakecloud.Fault has them.
type Paths struct {
	Token   string // empty: there are no tokens to be had
	Users   string // pages of users in a full read
	Groups  string
	Members string // pages of members, also inside other requests
	Carrier string // the HTTP requests in which members come, when those are others
}

// How says in which way a source is made.
type How struct {
	Ahead       time.Duration // of the source's clock before the cloud's
	WrongSecret bool
	AtOnce      int // most requests at once; zero: as many as usual
	Log         *slog.Logger
	Sleep       func(context.Context, time.Duration) error
}

// start starts a cloud and watches it: at the end of the test no rule was broken.
func (p Provider) start(t *testing.T, s Setup) *World {
	t.Helper()
	if s.Clock == nil {
		s.Clock = fakecloud.NewClock(Noon)
	}
	w := p.Start(t, s)
	w.Clock = s.Clock
	t.Cleanup(func() {
		for _, v := range w.Cloud.Violations() {
			t.Error("the cloud saw what it may not see:", v)
		}
	})
	return w
}

// Noon is when tests begin.
var Noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// source makes a source whose waiting moves the clock, and whose log has no secret at the end.
func (w *World) source(t *testing.T, how How) dirsync.Source {
	t.Helper()
	log := new(safeBuffer)
	how.Log = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	if how.Sleep == nil {
		how.Sleep = func(ctx context.Context, d time.Duration) error {
			w.Clock.Advance(d)
			return ctx.Err()
		}
	}
	s := w.Source(t, how)
	t.Cleanup(func() { w.noSecret(t, "the log", log.String()) })
	return s
}

func (w *World) noSecret(t *testing.T, where, text string) {
	t.Helper()
	for _, secret := range w.Secrets {
		if strings.Contains(text, secret) {
			t.Errorf("%s has a secret in it: %s", where, strings.ReplaceAll(text, secret, "[secret]"))
		}
	}
}

// A safeBuffer is a buffer that many write into.
type safeBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}
