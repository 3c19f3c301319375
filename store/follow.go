package store

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rollcall-id/rollcall/models"
)

// A follower learns of other processes' transactions from the feed.
//
// On PostgreSQL transactions commit out of order: a line with a lower number may appear after
// one with a higher. So the follower's place in the feed is a transaction id, below which
// every transaction has ended; it asks for all lines from there on and remembers which of
// them it has passed on. On SQLite, with its one writer, the number is the order of commit.
type follower struct {
	mu      sync.Mutex
	tx      int64              // PostgreSQL: every transaction below it is passed on
	seq     int64              // SQLite: every line up to it is passed on
	passed  map[int64]struct{} // lines above the place that are passed on already
	writing map[int64]struct{} // lines that a Write of this process is committing, or telling of
	readAt  atomic.Int64       // when the feed was last read to its end, in Unix nanoseconds
	poll    chan struct{}      // one reading at a time
	past    []pastPlace        // where the place was in the last seconds, oldest first
}

type pastPlace struct {
	at    time.Time
	place Place
}

// remember keeps where the place was; f.mu is held.
func (f *follower) remember() {
	place := Place(f.seq)
	if f.tx != 0 {
		place = Place(f.tx)
	}
	now := time.Now()
	f.past = append(f.past, pastPlace{now, place})
	// The newest that is older than the longest question must stay.
	for len(f.past) > 2 && now.Sub(f.past[1].at) > 10*time.Second {
		f.past = f.past[1:]
	}
}

func (f *follower) placeBefore(d time.Duration) Place {
	f.mu.Lock()
	defer f.mu.Unlock()
	found := f.past[0].place
	for _, p := range f.past {
		if time.Since(p.at) >= d {
			found = p.place
		}
	}
	return found
}

func (f *follower) init() {
	f.passed, f.writing, f.poll = map[int64]struct{}{}, map[int64]struct{}{}, make(chan struct{}, 1)
}

// start sets the place to now: the store's first readers read rows, not the feed.
func (f *follower) start(ctx context.Context, s *Store) error {
	var err error
	if s.dialect.postgres() {
		err = s.db.WithContext(ctx).Raw("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint").Scan(&f.tx).Error
		if err == nil {
			// What committed beyond the place is known to whoever reads rows from now on.
			var seqs []int64
			err = s.db.WithContext(ctx).Raw("SELECT seq FROM changes WHERE tx >= ?", f.tx).Scan(&seqs).Error
			for _, seq := range seqs {
				f.passed[seq] = struct{}{}
			}
		}
	} else {
		f.seq, err = s.LastChange(ctx)
	}
	f.readAt.Store(time.Now().UnixNano())
	f.remember()
	return doing("find the end of the feed", err)
}

// commits says that a Write is about to commit these lines: who reads them from now on leaves
// them to it.
func (f *follower) commits(changes []models.Change) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range changes {
		f.writing[c.Seq] = struct{}{}
	}
}

// failed says that the commit failed. Should it have been kept all the same, the lines are
// read like another's; else another's may get their numbers.
func (f *follower) failed(changes []models.Change) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range changes {
		delete(f.writing, c.Seq)
	}
}

// own remembers committed lines of this process, which Write itself has passed on.
func (f *follower) own(changes []models.Change) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range changes {
		delete(f.writing, c.Seq)
		if f.tx == 0 && c.Seq == f.seq+1 { // SQLite: nothing of another process lies in between
			f.seq++
		} else {
			f.passed[c.Seq] = struct{}{}
		}
	}
}

func (f *follower) place() (tx, seq int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.tx, f.seq
}

// CatchUp reads what other processes added to the feed and tells the listeners. It returns
// when everything that was committed before the call, by this process too, is passed on.
func (s *Store) CatchUp(ctx context.Context) error {
	own, err := s.readOn(ctx)
	// What this process committed its Write tells of, in a moment.
	for err == nil && s.follower.telling(own) {
		select {
		case <-ctx.Done():
			err = doing("catch up with the feed", ctx.Err())
		case <-time.After(time.Millisecond):
		}
	}
	return err
}

// readOn tells of other processes' lines, and gives those of this process that it met.
func (s *Store) readOn(ctx context.Context) (own []int64, err error) {
	f := &s.follower
	select {
	case f.poll <- struct{}{}:
	case <-ctx.Done():
		return nil, doing("catch up with the feed", ctx.Err())
	}
	defer func() { <-f.poll }()
	changes, place, err := s.unread(ctx)
	if err != nil {
		return nil, err
	}
	fresh, own := f.advance(changes, place, s.dialect.postgres())
	if len(fresh) > 0 {
		s.tell(fresh)
	}
	return own, nil
}

// telling tells whether a Write of this process has not yet told of one of its lines.
func (f *follower) telling(lines []int64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.ContainsFunc(lines, func(seq int64) bool {
		_, still := f.writing[seq]
		return still
	})
}

// unread reads all visible lines from the follower's place on, and the place up to which no
// line can appear any more.
func (s *Store) unread(ctx context.Context) (changes []models.Change, place int64, err error) {
	tx, seq := s.follower.place()
	if !s.dialect.postgres() {
		err = s.db.WithContext(ctx).Where("seq > ?", seq).Order("seq").Find(&changes).Error
		return changes, 0, doing("read the feed", err)
	}
	// The place is asked first: a transaction that ends in between is read again next time.
	if err = s.db.WithContext(ctx).Raw("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint").Scan(&place).Error; err != nil {
		return nil, 0, doing("read the feed", err)
	}
	err = s.db.WithContext(ctx).Where("tx >= ?", tx).Order("seq").Find(&changes).Error
	return changes, place, doing("read the feed", err)
}

// advance moves the place, and gives the lines that were not passed on before: those of others,
// and the numbers of those that a Write of this process passes on.
func (f *follower) advance(changes []models.Change, place int64, postgres bool) (fresh []models.Change, own []int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.readAt.Store(time.Now().UnixNano())
	stand := false // the place can't pass a line that its Write has not told of
	for _, c := range changes {
		if !postgres && c.Seq <= f.seq {
			continue // own moved the place while we were reading
		}
		if _, ours := f.writing[c.Seq]; ours {
			stand, own = true, append(own, c.Seq)
			continue
		}
		if _, known := f.passed[c.Seq]; !known {
			fresh = append(fresh, c)
			f.passed[c.Seq] = struct{}{}
		}
		if !postgres && !stand {
			delete(f.passed, c.Seq)
			f.seq = c.Seq
		}
	}
	if postgres && !stand && place > f.tx {
		f.tx = place
		for _, c := range changes {
			if c.Tx < place { // it is never read again
				delete(f.passed, c.Seq)
			}
		}
	}
	f.remember()
	return fresh, own
}

// FeedAge tells how long ago the feed was last read to its end.
func (s *Store) FeedAge() time.Duration {
	return time.Since(time.Unix(0, s.follower.readAt.Load()))
}

// Follow passes on other processes' changes as they come, until ctx ends: on PostgreSQL woken
// by NOTIFY and at least each second, on SQLite within 50 ms.
func (s *Store) Follow(ctx context.Context) error {
	wake := make(chan struct{}, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if s.dialect.postgres() {
			s.listen(ctx, wake)
		} else {
			s.watchFile(ctx, wake)
		}
	}()
	s.followWoken(ctx, wake)
	<-done
	return nil
}

func (s *Store) followWoken(ctx context.Context, wake <-chan struct{}) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-wake:
		case <-tick.C:
		}
		err := s.CatchUp(ctx)
		if err != nil && !failing && ctx.Err() == nil {
			s.log.Warn("the feed can't be read; trying again each second", "error", err)
		}
		if err == nil && failing {
			s.log.Info("the feed can be read again")
		}
		failing = err != nil
	}
}

// listen waits for NOTIFY on a connection of its own; when it is lost, the poll each second
// goes on alone until the connection is back.
func (s *Store) listen(ctx context.Context, wake chan<- struct{}) {
	for ctx.Err() == nil {
		if err := s.listenOnce(ctx, wake); err != nil && ctx.Err() == nil {
			s.log.Debug("LISTEN was cut", "error", err)
			select {
			case <-ctx.Done():
			case <-time.After(time.Second):
			}
		}
	}
}

func (s *Store) listenOnce(ctx context.Context, wake chan<- struct{}) error {
	pooled, err := s.dialect.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	conn := pooled.Hijack() // it listens for good; the pool keeps its size
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, "LISTEN rollcall"); err != nil {
		return err
	}
	for {
		if _, err := conn.WaitForNotification(ctx); err != nil {
			return err
		}
		nudge(wake)
	}
}

// watchFile asks SQLite whether another connection changed the file: PRAGMA data_version
// answers from shared memory.
func (s *Store) watchFile(ctx context.Context, wake chan<- struct{}) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	conn, err := s.dialect.reader.Conn(ctx)
	if err != nil {
		return // the poll each second goes on alone
	}
	defer conn.Close()
	last := int64(-1)
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		var version int64
		if err := conn.QueryRowContext(ctx, "PRAGMA data_version").Scan(&version); err == nil && version != last {
			last = version
			nudge(wake)
		}
	}
}

func nudge(wake chan<- struct{}) {
	select {
	case wake <- struct{}{}:
	default:
	}
}
