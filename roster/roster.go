package roster

import (
	"context"
	"iter"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// Reads are the questions about users, groups and memberships that memory and SQL both
// answer, with one meaning. What they answer must not be changed, and has no keys for
// searches (FirstKey, DescriptionKey and their like). Its texts are parts of the picture: who
// keeps one for long clones it.
type Reads interface {
	VisibleUser(ctx context.Context, v store.Visible, name string) (*models.User, error)
	UsersNamed(ctx context.Context, v store.Visible, name string) ([]*models.User, error)
	UserByID(ctx context.Context, id models.ID) (*models.User, error)
	UserByExternalID(ctx context.Context, dir models.ID, external string) (*models.User, error)
	VisibleGroup(ctx context.Context, v store.Visible, name string) (*models.Group, error)
	GroupsNamed(ctx context.Context, v store.Visible, name string) ([]*models.Group, error)
	GroupNamesOf(ctx context.Context, user models.ID, nested bool) ([]string, error)
	GroupsAround(ctx context.Context, v store.Visible, s store.Start, p models.Page) ([]*models.Group, error)
	ParentsOf(ctx context.Context, v store.Visible, s store.Start, p models.Page) ([]*models.Group, error)
	MembersOf(ctx context.Context, v store.Visible, s store.Start, p models.Page) ([]*models.User, error)
	ChildrenOf(ctx context.Context, v store.Visible, s store.Start, p models.Page) ([]*models.Group, error)
	VisibleGroups(ctx context.Context, v store.Visible, after string, most int) ([]*models.Group, error)
	DumpUsers(ctx context.Context, v store.Visible, after, last string) iter.Seq2[store.Member, error]
	DumpChildren(ctx context.Context, v store.Visible, after, last string) iter.Seq2[store.Member, error]
}

// A Roster keeps the picture of all directories up to date. It is safe for concurrent use.
type Roster struct {
	store   *store.Store
	log     *slog.Logger
	feedAge func() time.Duration
	spare   int           // see foldSpare
	retry   time.Duration // how long Run waits after its first failure, then twice that …
	longest time.Duration // … and so on up to this
	current atomic.Pointer[Snapshot]
	wake    chan struct{} // something is to be built, folded or loaded anew
	work    sync.Mutex    // one of these at a time

	mu       sync.Mutex
	loading  bool            // a base is being loaded
	queued   []models.Change // that came meanwhile
	renewing models.ID       // the directory that is being folded or loaded, or zero
	late     []models.Change // of it that came meanwhile
	built    int
}

// New makes a roster, which is empty until Run has built it. Call it before the first write.
func New(st *store.Store, log *slog.Logger) *Roster {
	r := newRoster(st, log)
	st.OnCommit(r.heed)
	return r
}

func newRoster(st *store.Store, log *slog.Logger) *Roster {
	return &Roster{store: st, log: log, feedAge: st.FeedAge, spare: foldSpare, retry: 2 * time.Second, longest: time.Minute, wake: make(chan struct{}, 1)}
}

const (
	// serveStale is how long after the feed was last read the roster still answers: five
	// seconds until the server calls itself not ready, and thirty more.
	serveStale = 35 * time.Second

	// tooStale is when the roster no longer trusts that it will be told all that it missed:
	// the feed's old lines are removed at last.
	tooStale = time.Hour
)

// Reads gives what answers now: the picture in memory, or SQL while there is none. When the
// feed could not be read for too long, it answers Unavailable rather than old news.
func (r *Roster) Reads() (Reads, error) {
	s := r.current.Load()
	if s == nil {
		return &r.store.Reads, nil
	}
	if r.feedAge() > serveStale {
		return nil, &models.Error{Code: models.Unavailable, Message: "The database can't be reached at the moment; try again shortly."}
	}
	return s, nil
}

// ReadsNow is Reads for whoever can't live with a directory as it was before it was replaced:
// while one of these is being loaded anew, SQL answers.
func (r *Roster) ReadsNow(dirs []models.ID) (Reads, error) {
	reads, err := r.Reads()
	if s, ok := reads.(*Snapshot); ok && slices.ContainsFunc(dirs, s.replaced) {
		return &r.store.Reads, nil
	}
	return reads, err
}

// Ready tells whether memory answers, and how often the picture had to be built.
func (r *Roster) Ready() (ready bool, built int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.current.Load() != nil, r.built
}

// heed takes the changes of one or several transactions into the picture.
func (r *Roster) heed(changes []models.Change) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.loading {
		r.queued = append(r.queued, changes...)
	}
	s := r.current.Load()
	if s == nil {
		return
	}
	if r.renewing != 0 {
		for _, c := range changes {
			if c.DirectoryID == r.renewing {
				r.late = append(r.late, c)
			}
		}
	}
	next, err := apply(r.store, s, changes)
	if err != nil {
		r.giveUp(err)
		return
	}
	r.show(next)
}

// show lets a picture answer, and wakes Run where something is to be done for it; r.mu is held.
func (r *Roster) show(s *Snapshot) {
	r.current.Store(s)
	for _, d := range s.dirs {
		if r.due(d) && d.id != r.renewing {
			r.nudge()
		}
	}
}

// giveUp leaves answering to SQL until the picture is built anew; r.mu is held.
func (r *Roster) giveUp(err error) {
	r.log.Warn("the roster is built anew", "error", err)
	r.current.Store(nil)
	r.nudge()
}

func (r *Roster) nudge() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}
