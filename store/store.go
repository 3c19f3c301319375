package store

import (
	"context"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"gorm.io/gorm"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store/migrations"
)

// Options say how to open a store.
type Options struct {
	URL     string // sqlite:path or postgres://…
	Key     []byte // 32 bytes that seal secrets at rest
	Upgrade bool   // upgrade an older schema; without it, an older schema is refused
	Log     *slog.Logger
	Now     func() time.Time // nil: time.Now

	steps []migrations.Step // nil: those of this program; tests have others
}

// A Store reads and writes rows. Its methods may be called by many goroutines.
type Store struct {
	Reads
	dialect dialect
	steps   []migrations.Step
	writer  *gorm.DB
	seal    cipher.AEAD
	markKey []byte

	installation string // its id; read once, when the store is opened
	now          func() time.Time
	log          *slog.Logger
	close        func() error

	notes     notes
	follower  follower
	listeners listeners

	directoryNames sync.Map // models.ID to string, for the audit log
}

// Reads are the questions that can be asked outside and inside of a transaction.
type Reads struct {
	db    *gorm.DB
	store *Store
}

// A dialect is one of the two databases: what differs between them.
type dialect struct {
	name   string
	path   string        // SQLite: the file
	reader *sql.DB       // SQLite: the pool of readers
	pool   *pgxpool.Pool // PostgreSQL: the pool under everything
	busy   time.Duration // how long a write waits for its turn
}

func (d dialect) postgres() bool { return d.name == "postgres" }

// Open connects to the database, makes the schema where there is none, and refuses one that
// is too old, too new, or sealed with another key.
func Open(ctx context.Context, o Options) (*Store, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Store{now: o.Now, log: o.Log, steps: o.steps}
	if s.steps == nil {
		s.steps = migrations.Steps
	}
	s.notes.init(s)
	s.follower.init()
	s.OnCommit(s.forgetDirectoryNames)
	s.OnCommit(s.forgetStaging)
	var err error
	if s.seal, err = newSeal(o.Key); err != nil {
		return nil, err
	}
	if s.markKey, err = hkdf.Key(sha256.New, o.Key, nil, "rollcall mark v1", KeySize); err != nil {
		return nil, err
	}
	switch {
	case strings.HasPrefix(o.URL, "sqlite:"):
		err = s.openSQLite(ctx, strings.TrimPrefix(o.URL, "sqlite:"))
	case strings.HasPrefix(o.URL, "postgres://"), strings.HasPrefix(o.URL, "postgresql://"):
		err = s.openPostgres(ctx, o.URL)
	default:
		err = fmt.Errorf("the database URL must start with sqlite: or postgres://")
	}
	if err != nil {
		return nil, err
	}
	s.Reads.store = s
	if err := s.prepare(ctx, o); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// prepare brings the schema up to date and checks the sealing key.
func (s *Store) prepare(ctx context.Context, o Options) error {
	if err := s.migrate(ctx, o); err != nil {
		return err
	}
	if err := s.checkKey(ctx, o.Key); err != nil {
		return err
	}
	if err := s.settleRestored(ctx); err != nil {
		return err
	}
	return s.follower.start(ctx, s)
}

// Close writes what is still noted in memory and closes the database.
func (s *Store) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err := s.FlushNotes(ctx)
	if cerr := s.close(); err == nil {
		err = cerr
	}
	return err
}

// Database names the kind of database: "sqlite" or "postgres".
func (s *Store) Database() string { return s.dialect.name }

// Now gives the store's time, which every row carries.
func (s *Store) Now() models.Time { return models.TimeOf(s.now()) }

// Ping tells whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	var one int
	return outward(s.db.WithContext(ctx).Raw("SELECT 1").Scan(&one).Error)
}

// Snapshot calls do with reads that all see the same moment, however long they take.
func (s *Store) Snapshot(ctx context.Context, do func(r *Reads) error) error {
	isolation := sql.LevelDefault // SQLite: a transaction that only reads sees one moment
	if s.dialect.postgres() {
		isolation = sql.LevelRepeatableRead
	}
	tx := s.db.WithContext(ctx).Begin(&sql.TxOptions{Isolation: isolation, ReadOnly: true})
	if tx.Error != nil {
		return outward(tx.Error)
	}
	defer tx.Rollback()
	return do(&Reads{db: tx, store: s})
}

type listeners struct {
	mu  sync.Mutex
	all []func([]models.Change)
}

// OnCommit registers a listener that is called with each transaction's changes: those of
// this process before the write returns, those of others as Follow learns of them. Call it
// before the first write. A listener must not write.
func (s *Store) OnCommit(listener func([]models.Change)) {
	s.listeners.mu.Lock()
	defer s.listeners.mu.Unlock()
	s.listeners.all = append(s.listeners.all, listener)
}

func (s *Store) tell(changes []models.Change) {
	s.listeners.mu.Lock()
	all := s.listeners.all
	s.listeners.mu.Unlock()
	for _, listener := range all {
		listener(changes)
	}
}

func (s *Store) forgetDirectoryNames(changes []models.Change) {
	if slices.ContainsFunc(changes, func(c models.Change) bool {
		return c.Kind == models.DirectoryChanged || c.Kind == models.DirectoryDeleted
	}) {
		s.directoryNames.Clear()
	}
}

// Pools gives the statistics of the connection pools by name, for metrics.
func (s *Store) Pools() map[string]func() sql.DBStats {
	pools := map[string]func() sql.DBStats{}
	for name, g := range map[string]*gorm.DB{"read": s.db, "write": s.writer} {
		if db, err := g.DB(); err == nil && (name == "read" || s.db != s.writer) {
			pools[name] = db.Stats
		}
	}
	return pools
}
