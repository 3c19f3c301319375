package sync

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"time"

	"github.com/google/uuid"

	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// Open makes the source of a directory out of its settings.
type Open func(dir *models.Directory, attributes []string) (Source, error)

// Service runs synchronisations, in this process or by waiting for another's.
type Service struct {
	store  *store.Store
	open   Open
	log    *slog.Logger
	owner  string // this process, among those on one database
	lease  time.Duration
	server string // our public address, for letters
	done   func(*models.Run)
}

// Config says how to make a Service.
type Config struct {
	Open   Open
	Log    *slog.Logger
	Lease  time.Duration // how long a process that is silent keeps a directory; zero: a minute
	Server string        // our public address, which letters name

	Done func(*models.Run) // called with the record of each run of this process; may be nil
}

// New makes the service.
func New(st *store.Store, c Config) *Service {
	if c.Lease == 0 {
		c.Lease = time.Minute
	}
	return &Service{store: st, open: c.Open, log: c.Log, owner: uuid.NewString(), lease: c.Lease, server: c.Server, done: c.Done}
}

// Options say how to run.
type Options struct {
	By       models.Actor
	Full     bool              // read everything, whatever a delta would do
	Approve  string            // apply the plan of this hash though the guard holds it
	Settings map[string]string // of a plan only: settings that are not saved yet
	Progress func(Progress)    // called now and then; nil: nobody looks
	Timed    bool              // the schedule started it
}

// Progress says how far a run is.
type Progress struct {
	Phase    string
	Count    int // in this phase
	Requests int64
}

// Plan reads the source and says what a run would do. It changes nothing.
func (s *Service) Plan(ctx context.Context, name string, o Options) (*models.Run, error) {
	dir, err := s.directory(ctx, name, o.Settings)
	if err != nil {
		return nil, err
	}
	r, err := s.prepare(ctx, dir, o)
	if err != nil {
		return nil, err
	}
	defer r.source.Close()
	staging, err := s.store.ScratchStaging()
	if err != nil {
		return nil, err
	}
	defer staging.Close()
	d, _, err := r.compare(ctx, staging)
	if err != nil {
		return nil, r.explain(err)
	}
	if err := plan(ctx, &s.store.Reads, r.want, d, r.record); err != nil {
		return nil, r.explain(err)
	}
	r.record.Guard = r.guard(d)
	r.record.Outcome = models.OutcomePlanned
	r.finishRecord()
	return r.record, nil
}

// directory finds a directory that has a source, with settings over its own.
func (s *Service) directory(ctx context.Context, name string, over map[string]string) (*models.Directory, error) {
	dir, err := s.store.DirectoryByName(ctx, name)
	if err != nil {
		return nil, err
	}
	if !directory.Mirrored(dir.Kind) {
		return nil, models.Fail(models.Unsupported, dir.Name, fmt.Sprintf("Directory <%s> is of the kind %q, which has no source to be synchronised with.", dir.Name, dir.Kind))
	}
	if len(over) == 0 {
		return dir, nil
	}
	dir.Settings = maps.Clone(dir.Settings)
	for name, value := range over {
		if value == "" {
			delete(dir.Settings, name)
		} else {
			dir.Settings[name] = value
		}
	}
	return dir, directory.CheckSettings(dir.Kind, dir.Settings)
}

// prepare makes a run of a directory: its settings, its source, its state.
func (s *Service) prepare(ctx context.Context, dir *models.Directory, o Options) (*run, error) {
	state, err := s.store.SyncState(ctx, dir.ID)
	if err != nil {
		return nil, err
	}
	settings, source, err := s.source(dir)
	if err != nil {
		return nil, err
	}
	r := &run{service: s, dir: dir, settings: settings, source: source, state: state, options: o,
		record: &models.Run{DirectoryID: dir.ID, Directory: dir.Name, Started: s.store.Now(), Skipped: []models.Skipped{}, Steps: []models.Step{}}}
	if err := r.reread(ctx); err != nil {
		source.Close()
		return nil, err
	}
	r.chooseMode()
	return r, nil
}

// reread lets a plan that is approved be made as it was made before: what changed since a cursor
// says nothing of what only a full read found.
func (r *run) reread(ctx context.Context) error {
	if r.options.Approve == "" || r.options.Full {
		return nil
	}
	r.options.Full = true
	if r.state.HeldRun == 0 || r.state.HeldHash != r.options.Approve {
		return nil
	}
	held, err := r.service.store.RunByID(ctx, r.state.HeldRun)
	if err == nil {
		r.options.Full = held.Mode == modeFull
	}
	return err
}

// Source opens a directory's source, for questions outside of a run. Whoever opens it closes it.
func (s *Service) Source(ctx context.Context, name string) (*models.Directory, *Settings, Source, error) {
	dir, err := s.directory(ctx, name, nil)
	if err != nil {
		return nil, nil, nil, err
	}
	settings, source, err := s.source(dir)
	return dir, settings, source, err
}

// source reads a directory's settings and opens its source.
func (s *Service) source(dir *models.Directory) (*Settings, Source, error) {
	settings, err := ReadSettings(dir)
	if err != nil {
		return nil, nil, err
	}
	source, err := s.open(dir, settings.AttributeNames())
	if err != nil {
		return nil, nil, fmt.Errorf("directory %s: %w", dir.Name, err)
	}
	return settings, source, nil
}

// Apply makes a directory equal to its source. When another process is at it already, it waits
// for its end and gives its record. The record is given beside an error as well, where there
// is one.
func (s *Service) Apply(ctx context.Context, name string, o Options) (*models.Run, error) {
	dir, err := s.directory(ctx, name, nil)
	if err != nil {
		return nil, err
	}
	epoch, taken, err := s.store.TakeLease(ctx, dir.ID, s.owner, s.lease)
	if err != nil {
		return nil, err
	}
	if !taken {
		return s.join(ctx, dir, o)
	}
	return s.applyHeld(ctx, dir, epoch, o)
}

// join waits for the run that is going on.
func (s *Service) join(ctx context.Context, dir *models.Directory, o Options) (*models.Run, error) {
	if o.Progress != nil {
		o.Progress(Progress{Phase: PhaseJoining})
	}
	before, err := s.newest(ctx, dir)
	if err != nil {
		return nil, err
	}
	for {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(500 * time.Millisecond):
		}
		state, err := s.store.SyncState(ctx, dir.ID)
		if err != nil {
			return nil, err
		}
		now, err := s.store.Clock(ctx)
		if err != nil {
			return nil, err
		}
		if state.HeldUntil > now {
			continue
		}
		run, err := s.newest(ctx, dir)
		if err != nil {
			return nil, err
		}
		old := run.ID == before.ID && before.Outcome != models.OutcomeRunning
		if old || run.Outcome == models.OutcomeRunning || o.Approve != "" {
			return s.Apply(ctx, dir.Name, o) // whoever had the lease was killed, or about to give it back; or it approved nothing
		}
		run.Joined = true
		return run, failure(run)
	}
}

// newest gives the record of a directory's last run; an empty one when there is none.
func (s *Service) newest(ctx context.Context, dir *models.Directory) (*models.Run, error) {
	runs, err := s.store.Runs(ctx, dir.ID, 1)
	if err != nil || len(runs) == 0 {
		return &models.Run{}, err
	}
	return runs[0], nil
}

// PhaseJoining is the phase of who waits for another's run.
const PhaseJoining = "waiting for the run that is going on"

// failure is the error of a run that failed.
func failure(r *models.Run) error {
	if r.Outcome != models.OutcomeFailed {
		return nil
	}
	return models.Fail(models.SyncFailed, r.Directory, r.Problem)
}

// Cancel asks the run of a directory to stop.
func (s *Service) Cancel(ctx context.Context, by models.Actor, name string) (running bool, err error) {
	dir, err := s.directory(ctx, name, nil)
	if err != nil {
		return false, err
	}
	return s.store.CancelRun(ctx, by, dir)
}

// History lists the records of a directory's runs, the newest first.
func (s *Service) History(ctx context.Context, name string, limit int) ([]*models.Run, error) {
	dir, err := s.directory(ctx, name, nil)
	if err != nil {
		return nil, err
	}
	return s.store.Runs(ctx, dir.ID, limit)
}

// Discard drops the held plan of this hash: the next run makes one anew.
func (s *Service) Discard(ctx context.Context, by models.Actor, name, hash string) error {
	dir, err := s.directory(ctx, name, nil)
	if err != nil {
		return err
	}
	return s.store.Write(ctx, by, func(tx *store.Tx) error {
		state, err := tx.SyncStateToChange(ctx, dir.ID)
		if err != nil {
			return err
		}
		if state.HeldRun == 0 || state.HeldHash != hash {
			return planMoved(dir.Name, state.HeldHash)
		}
		held, err := tx.RunByID(ctx, state.HeldRun)
		if err != nil {
			return err
		}
		held.Discarded = true
		state.HeldRun, state.HeldHash = 0, ""
		if err := tx.SaveRun(held); err != nil {
			return err
		}
		tx.Audit(store.Act{Action: "sync.discard", Subject: dir.Name, Directory: dir.Name, After: map[string]string{"hash": hash}})
		return tx.SaveSyncState(&state)
	})
}

// planMoved says that a plan of this hash is not the present one; the new one's hash is the
// error's subject.
func planMoved(dir, hash string) error {
	text := "no plan of directory " + dir + " is held"
	if hash != "" {
		text = "the plan of directory " + dir + " has moved on; it is now " + hash
	}
	return models.Fail(models.PlanMoved, hash, text)
}

// errMoved says that rows changed while they were compared.
var errMoved = errors.New("the directory changed while it was compared")
