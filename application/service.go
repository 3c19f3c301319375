package application

import (
	"context"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/singleflight"

	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/password"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/roster"
	"github.com/rollcall-id/rollcall/store"
)

// Service knows all applications and opens their views.
type Service struct {
	store       *store.Store
	directories *directory.Service
	hasher      *password.Hasher
	audit       *audit.Log
	log         *slog.Logger
	proofs      *proofs
	proving     singleflight.Group
	hosts       *hosts
	roster      *roster.Roster
	registry    registry
	own         func(netip.AddrPort) bool // the server's listeners: GuardListeners
}

// New makes the service. It follows the store's feed by itself.
func New(st *store.Store, directories *directory.Service, hasher *password.Hasher, log *slog.Logger, refusals *audit.Log, ros *roster.Roster) *Service {
	s := &Service{store: st, directories: directories, hasher: hasher, audit: refusals, log: log, proofs: newProofs(), hosts: newHosts(), roster: ros}
	st.OnCommit(s.registry.heed)
	return s
}

// registry keeps what is configured, applications and directories, in memory. It is read
// whole, and dropped when the feed says that any of it changed.
type registry struct {
	current atomic.Pointer[configured]
	dropped atomic.Int64
	reading sync.Mutex
}

// configured is one reading of the configuration.
type configured struct {
	apps        map[string]*app // by key
	directories map[models.ID]*models.Directory
}

// app is an application as requests need it.
type app struct {
	*store.ApplicationRecord
	addresses addresses
	mappings  []mapping     // of active directories, in order
	visible   store.Visible // the same directories
	caller    atomic.Pointer[writtenAddress]
}

type mapping struct {
	models.Mapping
	directory *models.Directory
}

// heed drops the configuration when a change touches it.
func (r *registry) heed(changes []models.Change) {
	for _, c := range changes {
		switch c.Kind {
		case models.DirectoryChanged, models.DirectoryDeleted, models.ApplicationChanged, models.ApplicationDoor, models.AliasChanged:
			r.dropped.Add(1)
			r.current.Store(nil)
			return
		}
	}
}

// configured gives the configuration, reading it where it was dropped.
func (s *Service) configured(ctx context.Context) (*configured, error) {
	if c := s.registry.current.Load(); c != nil {
		return c, nil
	}
	s.registry.reading.Lock()
	defer s.registry.reading.Unlock()
	if c := s.registry.current.Load(); c != nil {
		return c, nil
	}
	dropped := s.registry.dropped.Load()
	c, err := s.readConfigured(ctx)
	if err != nil {
		return nil, err
	}
	// A change that came while we read may be missing: then this reading serves once only.
	if s.registry.dropped.Load() == dropped {
		s.registry.current.Store(c)
		if s.registry.dropped.Load() != dropped {
			s.registry.current.CompareAndSwap(c, nil)
		}
	}
	return c, nil
}

func (s *Service) readConfigured(ctx context.Context) (*configured, error) {
	c := &configured{apps: map[string]*app{}, directories: map[models.ID]*models.Directory{}}
	err := s.store.Snapshot(ctx, func(r *store.Reads) error {
		dirs, err := r.Directories(ctx)
		if err != nil {
			return err
		}
		for _, dir := range dirs {
			c.directories[dir.ID] = dir
		}
		records, err := r.Applications(ctx)
		if err != nil {
			return err
		}
		for _, record := range records {
			c.apps[record.Key] = newApp(record, c.directories)
		}
		return nil
	})
	return c, err
}

func newApp(record *store.ApplicationRecord, dirs map[models.ID]*models.Directory) *app {
	a := &app{ApplicationRecord: record, addresses: parseAddresses(record.Addresses)}
	a.visible.Aggregate = record.Aggregate
	for _, m := range record.Mappings {
		if dir := dirs[m.DirectoryID]; dir != nil && dir.Active {
			a.mappings = append(a.mappings, mapping{Mapping: m, directory: dir})
			a.visible.Dirs = append(a.visible.Dirs, dir.ID)
		}
	}
	return a
}

// Caller is where a request comes from.
type Caller struct {
	Address netip.Addr
	Request string // the request's id
}
