package sync

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// applyHeld runs a directory whose lease this process has.
func (s *Service) applyHeld(ctx context.Context, dir *models.Directory, epoch int64, o Options) (*models.Run, error) {
	r, err := s.prepare(ctx, dir, o)
	if err != nil {
		return nil, errors.Join(err, s.store.GiveLease(context.WithoutCancel(ctx), dir.ID, epoch))
	}
	defer r.source.Close()
	defer func() {
		if err := s.store.GiveLease(context.WithoutCancel(ctx), dir.ID, epoch); err != nil {
			s.log.Warn("a directory could not be released; it is free again once its lease has run out", "directory", dir.Name, "error", err)
		}
	}()
	if err := s.store.StartRun(ctx, r.record); err != nil {
		return nil, err
	}
	s.log.Info("synchronising", "directory", dir.Name, "mode", r.record.Mode, "reason", r.record.Reason)
	if s.done != nil {
		defer func() { s.done(r.record) }()
	}
	err = r.watched(ctx, epoch, func(ctx context.Context) error { return r.apply(ctx, epoch) })
	if err == nil {
		s.log.Info("synchronised", "directory", dir.Name, "outcome", r.record.Outcome, "mode", r.record.Mode, "requests", r.record.Requests,
			"took", r.record.Ended.Sub(r.record.Started).String())
		return r.record, nil
	}
	if models.Is(err, models.PlanMoved) {
		return r.record, errors.Join(err, s.store.EndRun(context.WithoutCancel(ctx), r.record))
	}
	return r.record, r.failed(ctx, epoch, err)
}

// watched keeps the lease while do runs, and ends it when the lease is lost, an operator cancels,
// or the deadline has passed.
func (r *run) watched(ctx context.Context, epoch int64, do func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ctx, end := context.WithTimeoutCause(ctx, r.settings.Deadline, errors.New("the run took longer than the setting deadline allows ("+r.settings.Deadline.String()+")"))
	defer end()
	beats := make(chan struct{})
	go func() {
		defer close(beats)
		r.beat(ctx, epoch, cancel)
	}()
	err := do(ctx)
	if cause := context.Cause(ctx); err != nil && cause != nil && errors.Is(err, ctx.Err()) {
		err = cause
	}
	cancel(nil)
	<-beats
	return err
}

// beat renews the lease until ctx ends.
func (r *run) beat(ctx context.Context, epoch int64, cancel context.CancelCauseFunc) {
	tick := time.NewTicker(min(r.service.lease/3, 5*time.Second)) // an operator who cancels waits for it
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		asked, err := r.service.store.KeepLease(ctx, r.dir.ID, epoch, r.service.lease)
		switch {
		case models.Is(err, models.LeaseLost):
			cancel(err)
			return
		case err != nil && ctx.Err() == nil:
			r.service.log.Warn("the lease of a directory could not be renewed; trying again", "directory", r.dir.Name, "error", err)
		case asked:
			r.cancelled.Store(true)
			cancel(errCancelled)
			return
		}
	}
}

// apply reads, compares, and, unless the guard holds the plan, writes.
func (r *run) apply(ctx context.Context, epoch int64) error {
	staging, err := r.openStaging(ctx, epoch)
	if err != nil {
		return err
	}
	defer func() {
		if r.record.Mode == modeFull && (r.want == nil || !r.want.done[phaseMembers]) {
			staging.Close() // the next run goes on with it
			return
		}
		// What was read to its end has been judged: the next run reads anew, whatever came of it.
		if err := staging.Drop(context.WithoutCancel(ctx)); err != nil && !models.Is(err, models.LeaseLost) {
			r.service.log.Warn("the staging of a directory could not be removed", "directory", r.dir.Name, "error", err)
		}
	}()
	for try := 1; ; try++ {
		d, seq, err := r.compare(ctx, staging)
		if err != nil {
			return err
		}
		r.startPhase("apply")
		err = r.decide(ctx, epoch, d, seq)
		r.endPhase()
		if errors.Is(err, errMoved) && try < 4 {
			r.want.forget()
			continue
		}
		return err
	}
}

// resumable is how long a broken read can be gone on with. Graph and Okta say of no place in a
// list how long it counts, Google says three days; and what was read long ago is no picture of
// one moment.
const resumable = time.Hour

// openStaging opens what an earlier run staged, unless that is too old.
func (r *run) openStaging(ctx context.Context, epoch int64) (*store.Staging, error) {
	st := r.service.store
	staging, err := st.OpenStaging(ctx, r.dir.ID, epoch, r.label())
	if err != nil || staging.Len() == 0 || st.Now().Sub(staging.Started()).Abs() < resumable {
		return staging, err
	}
	if err := staging.Drop(ctx); err != nil {
		return nil, err
	}
	return st.OpenStaging(ctx, r.dir.ID, epoch, r.label())
}

// decide plans, asks the guard, and writes what it lets pass.
func (r *run) decide(ctx context.Context, epoch int64, d *diff, seq int64) error {
	r.record.Steps, r.record.MoreSteps, r.record.Problem = nil, 0, ""
	if err := plan(ctx, &r.service.store.Reads, r.want, d, r.record); err != nil {
		return err
	}
	r.record.Guard = r.guard(d)
	switch {
	case r.options.Approve != "" && r.record.Hash != r.options.Approve:
		r.record.Outcome = models.OutcomeHeld
		r.finishRecord()
		return planMoved(r.dir.Name, r.record.Hash)
	case r.record.Guard != "" && r.options.Approve == "":
		return r.hold(ctx, epoch)
	}
	return r.write(ctx, epoch, d, seq)
}

// hold records a plan that waits for an operator. Of equal plans one record is kept.
func (r *run) hold(ctx context.Context, epoch int64) error {
	r.record.Outcome, r.record.Problem = models.OutcomeHeld, r.record.Guard
	r.finishRecord()
	return r.service.store.Write(ctx, r.actor(), func(tx *store.Tx) error {
		if err := tx.HoldLease(r.dir.ID, epoch); err != nil {
			return err
		}
		state, err := tx.SyncStateToChange(ctx, r.dir.ID)
		if err != nil {
			return err
		}
		if state.HeldRun != 0 && state.HeldHash == r.record.Hash {
			if err := tx.RemoveRun(r.record.ID); err != nil { // the record that is there says the same
				return err
			}
		} else {
			if err := tx.SaveRun(r.record); err != nil {
				return err
			}
			state.HeldRun, state.HeldHash = r.record.ID, r.record.Hash
			if err := r.service.tell(tx, r.dir, models.AlarmHeld, heldText(r.record)); err != nil {
				return err
			}
			tx.Audit(store.Act{Action: "sync.hold", Subject: r.dir.Name, Directory: r.dir.Name, After: r.audited()})
		}
		state.Failures = 0
		r.schedule(&state)
		return tx.SaveSyncState(&state)
	})
}

// write applies the plan in one transaction: rows, feed, audit row, cursor and record.
func (r *run) write(ctx context.Context, epoch int64, d *diff, seq int64) error {
	r.record.Outcome = models.OutcomeApplied
	if d.empty() {
		r.record.Outcome = models.OutcomeNothing
	}
	if len(r.partial) > 0 {
		r.record.Outcome = models.OutcomePartial
		r.record.Problem = "the members of " + short(len(r.partial), "group", "groups") + " could not be read and stay as they are: " +
			strings.Join(r.partial[:min(len(r.partial), 10)], "; ")
	}
	err := r.service.store.Write(ctx, r.actor(), func(tx *store.Tx) error {
		if err := tx.HoldLease(r.dir.ID, epoch); err != nil {
			return err
		}
		if err := tx.LockDirectory(r.dir.ID); err != nil {
			return err
		}
		if moved, err := tx.ChangedSince(ctx, r.dir.ID, seq); err != nil || moved {
			return errors.Join(err, errMoved)
		}
		if d.rows() > 0 || d.notes() {
			a := &applier{ctx: ctx, tx: tx, dir: r.dir, w: r.want, d: d}
			if err := a.write(); err != nil {
				return err
			}
		}
		if !d.empty() {
			tx.Audit(store.Act{Action: "sync.apply", Subject: r.dir.Name, Directory: r.dir.Name, After: r.audited()})
		}
		return r.settleState(ctx, tx)
	})
	if err == nil && d.rows() > tellRows {
		if err := r.service.store.Analyze(ctx); err != nil {
			r.service.log.Warn("the database could not be asked to count what a synchronisation wrote; it will do so by itself", "directory", r.dir.Name, "error", err)
		}
	}
	return err
}

// settleState stores from where the next run goes on, in the transaction of the rows.
func (r *run) settleState(ctx context.Context, tx *store.Tx) error {
	dir := *r.dir
	state, err := tx.SyncStateToChange(ctx, r.dir.ID)
	if err != nil {
		return err
	}
	if state.CompletedAt == 0 { // from now on applications see it
		dir.Active = true
		if err := tx.ActivateDirectory(&dir); err != nil {
			return err
		}
	}
	now := tx.At()
	state.CompletedAt, state.Failures = now, 0
	state.HeldRun, state.HeldHash = 0, ""
	if r.record.Mode == modeFull {
		state.FullAt = r.record.Started
	}
	state.Settings = r.settings.hash
	state.Cursor, state.CursorAt = "", 0
	if len(r.partial) == 0 {
		kept, err := r.keep()
		if err != nil {
			return err
		}
		state.Cursor, state.CursorAt = kept, r.record.Started
	}
	if !r.options.Timed {
		state.Scheduled = true // the first run that is applied by hand starts the schedule
	}
	r.schedule(&state)
	r.finishRecord()
	if err := tx.SaveRun(r.record); err != nil {
		return err
	}
	return tx.SaveSyncState(&state)
}

// failed records a run that came to nothing, and says so once it is the third in a row. One that
// whoever asked for it gave up, such as a process that ends, says nothing of the directory: the next
// one goes on at once.
func (r *run) failed(ctx context.Context, epoch int64, err error) error {
	givenUp := ctx.Err() != nil
	ctx = context.WithoutCancel(ctx)
	err = r.explain(err)
	r.record.Outcome, r.record.Problem = models.OutcomeFailed, message(err)
	r.finishRecord()
	if r.options.Timed { // else whoever asked for it is told
		r.service.log.Warn("a synchronisation failed", "directory", r.dir.Name, "error", err)
	}
	also := r.service.store.Write(ctx, r.actor(), func(tx *store.Tx) error {
		if err := tx.HoldLease(r.dir.ID, epoch); err != nil {
			return err
		}
		if err := tx.SaveRun(r.record); err != nil {
			return err
		}
		tx.Audit(store.Act{Action: "sync.apply", Outcome: "failed", Subject: r.dir.Name, Directory: r.dir.Name, After: map[string]string{"problem": r.record.Problem}})
		if givenUp {
			return nil
		}
		state, err := tx.SyncStateToChange(ctx, r.dir.ID)
		if err != nil {
			return err
		}
		state.Failures++
		if state.Failures == failuresTold {
			if err := r.service.tell(tx, r.dir, models.AlarmFailing, failingText(r.record)); err != nil {
				return err
			}
		}
		r.schedule(&state)
		return tx.SaveSyncState(&state)
	})
	if models.Is(also, models.LeaseLost) {
		also = r.service.store.EndRun(ctx, r.record) // the state is another's
	}
	if also != nil {
		r.service.log.Warn("the record of a failed synchronisation could not be written", "directory", r.dir.Name, "error", also)
	}
	return err
}

// message gives an error's sentence for people.
func message(err error) string {
	if e, ok := errors.AsType[*models.Error](err); ok && e.Message != "" {
		return e.Message
	}
	return err.Error()
}

func (r *run) actor() models.Actor {
	by := r.options.By
	if by.Kind == "" {
		by = models.System
	}
	by.Writer = models.BySync
	return by
}

// audited is what the audit log says of a run: who changed what is in its record.
func (r *run) audited() any {
	return map[string]any{"run": r.record.ID, "mode": r.record.Mode, "users": r.record.Users, "groups": r.record.Groups,
		"memberships": r.record.Memberships, "hash": r.record.Hash}
}
