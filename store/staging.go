package store

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcall-id/rollcall/models"
)

// How much of a source may be read again after a kill: staging commits when so much has gathered.
const (
	stagingRows  = 10_000
	stagingBytes = 8 << 20
	stagingTime  = time.Second
)

// A Staging keeps what a run reads from a source, page by page, until it is compared and
// applied. What was committed survives a kill: the next run goes on from there. On PostgreSQL
// pages are rows, on SQLite they are in a file beside the database, since its one writer belongs
// to logins. A Staging belongs to one goroutine, and is closed by Drop or Close.
type Staging struct {
	store *Store
	place stagingPlace

	pages   int         // how many are committed
	started models.Time // when the first one was

	waiting    []stagedPage
	rows, size int         // of those
	begun      models.Time // the last commit

	writing []stagedPage // are being committed, while more is added
	written chan error   // how that ended
}

// A stagedPage is bytes that mean something to whoever staged them.
type stagedPage struct {
	at   models.Time
	kind byte
	rows int
	data []byte
}

// A stagingPlace is where pages are kept. Each refuses with LeaseLost to write for a run whose
// directory another process has taken.
type stagingPlace interface {
	commit(ctx context.Context, from int, pages []stagedPage) error
	each(ctx context.Context, do func(seq int, kind byte, data []byte) error) error
	page(ctx context.Context, seq int) ([]byte, error)
	drop(ctx context.Context) error
	close() error
}

// OpenStaging opens a directory's staging for the holder of its lease. label says what its pages
// belong to: pages of another label are dropped, those of the same one are there, whoever
// committed them.
func (s *Store) OpenStaging(ctx context.Context, dir models.ID, epoch int64, label string) (*Staging, error) {
	st := s.newStaging(nil)
	var err error
	if s.dialect.postgres() {
		st.place, st.pages, st.started, err = openStagingRows(ctx, s, dir, epoch, label)
	} else {
		st.place, st.pages, st.started, err = openStagingFile(ctx, s, dir, epoch, label)
	}
	if err != nil {
		return nil, fmt.Errorf("open the staging: %w", err)
	}
	return st, nil
}

func (s *Store) newStaging(place stagingPlace) *Staging {
	return &Staging{store: s, place: place, begun: s.Now(), written: make(chan error, 1)}
}

// Add adds a page, which holds so many rows of the source. data is the Staging's from then on. It
// is kept in memory until 10,000 rows, 8 MiB or a second have gathered, and then committed beside
// what the caller does next: an error is that of an earlier page, and nothing is lost by it.
func (st *Staging) Add(ctx context.Context, kind byte, rows int, data []byte) error {
	now := st.store.Now()
	st.waiting = append(st.waiting, stagedPage{at: now, kind: kind, rows: rows, data: data})
	st.rows, st.size = st.rows+rows, st.size+len(data)
	if st.rows < stagingRows && st.size < stagingBytes && now.Sub(st.begun) < stagingTime {
		return nil
	}
	return st.begin(ctx)
}

// Flush commits what was added. What can't be committed stays to be tried again.
func (st *Staging) Flush(ctx context.Context) error {
	if err := st.begin(ctx); err != nil {
		return err
	}
	return st.settle()
}

// begin begins to commit what waits, once the commit before it has ended.
func (st *Staging) begin(ctx context.Context) error {
	if err := st.settle(); err != nil || len(st.waiting) == 0 {
		return err
	}
	st.writing, st.waiting = st.waiting, nil
	st.rows, st.size, st.begun = 0, 0, st.store.Now()
	go func(from int, pages []stagedPage) { st.written <- st.place.commit(ctx, from, pages) }(st.pages, st.writing)
	return nil
}

// settle waits for the end of the commit that is going on, if there is one.
func (st *Staging) settle() error {
	if st.writing == nil {
		return nil
	}
	err, pages := <-st.written, st.writing
	st.writing = nil
	if err != nil {
		for _, page := range pages {
			st.rows, st.size = st.rows+page.rows, st.size+len(page.data)
		}
		st.waiting = append(pages, st.waiting...)
		return fmt.Errorf("commit the staging: %w", err)
	}
	if st.pages == 0 {
		st.started = pages[0].at
	}
	st.pages += len(pages)
	return nil
}

// Len tells how many pages there are, what is not committed included.
func (st *Staging) Len() int { return st.pages + len(st.writing) + len(st.waiting) }

// Started tells when the first page was added, of those that are there; zero when there is none.
func (st *Staging) Started() models.Time {
	for _, pages := range [][]stagedPage{st.writing, st.waiting} {
		if st.pages == 0 && len(pages) > 0 {
			return pages[0].at
		}
	}
	return st.started
}

// Pages commits what was added and calls each with every page in order, which counts from zero.
// data is valid until each returns.
func (st *Staging) Pages(ctx context.Context, each func(seq int, kind byte, data []byte) error) error {
	if err := st.Flush(ctx); err != nil {
		return err
	}
	next := 0
	err := st.place.each(ctx, func(seq int, kind byte, data []byte) error {
		if seq != next {
			return fmt.Errorf("read the staging: page %d is gone", next)
		}
		next++
		return each(seq, kind, data)
	})
	if err == nil && next != st.pages {
		return fmt.Errorf("read the staging: page %d is gone", next)
	}
	return err
}

// Page reads one page.
func (st *Staging) Page(ctx context.Context, seq int) ([]byte, error) {
	if err := st.Flush(ctx); err != nil {
		return nil, err
	}
	if seq < 0 || seq >= st.pages {
		return nil, fmt.Errorf("the staging has no page %d", seq)
	}
	data, err := st.place.page(ctx, seq)
	return data, doing(fmt.Sprintf("read page %d of the staging", seq), err)
}

// Drop removes all pages and closes the staging.
func (st *Staging) Drop(ctx context.Context) error {
	_ = st.settle() // whatever came of it goes
	st.pages, st.waiting = 0, nil
	return doing("drop the staging", st.place.drop(ctx))
}

// Close leaves the committed pages where they are; what was added since is lost.
func (st *Staging) Close() error {
	_ = st.settle()
	return st.place.close()
}
