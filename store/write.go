package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"io"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/rollcall-id/rollcall/models"
)

func isUnexpectedEOF(err error) bool {
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)
}

// A Tx is one transaction that writes. Its methods add to the feed and to the audit log by
// themselves. A Tx belongs to one goroutine.
type Tx struct {
	Reads
	by      models.Actor
	at      models.Time
	changes []models.Change
	audits  []models.AuditEntry
	after   []func()                        // what this process forgets or remembers once the transaction is kept
	silent  bool                            // a bulk write: its caller audits the whole
	names   map[models.ID]string            // of directories, as this transaction sees them
	settle  func(commit func() error) error // runs the commit
}

// Write runs do in one transaction on behalf of by: all of it is kept, or nothing. It returns
// after this process's listeners know. Where another transaction is in the way, do is run
// again: it must have no other effects.
func (s *Store) Write(ctx context.Context, by models.Actor, do func(tx *Tx) error) error {
	const tries = 4
	for try := 1; ; try++ {
		tx, err := s.writeOnce(ctx, by, do)
		if err == nil {
			s.committed(tx)
			return nil
		}
		if errors.Is(err, sql.ErrTxDone) && ctx.Err() != nil {
			err = ctx.Err() // database/sql ends a transaction with its context, and may tell us so in its own words
		}
		if try == tries || !inTheWay(err) {
			return outward(err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Duration(try) * 10 * time.Millisecond):
		}
	}
}

func (s *Store) committed(tx *Tx) {
	for _, then := range tx.after {
		then()
	}
	if len(tx.changes) > 0 {
		s.tell(tx.changes)
		s.follower.own(tx.changes)
	}
}

// inTheWay tells whether PostgreSQL ended the transaction for another's sake: a deadlock, or
// a failed serialisation.
func inTheWay(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (e.Code == "40P01" || e.Code == "40001")
}

func (s *Store) writeOnce(ctx context.Context, by models.Actor, do func(tx *Tx) error) (*Tx, error) {
	// The wait for SQLite's one writer is bounded; the work itself is not.
	wait, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	timer := time.AfterFunc(s.dialect.busy, func() { cancel(errWaited) })
	g := s.writer.WithContext(wait).Begin()
	if !timer.Stop() && context.Cause(wait) == errWaited {
		if g.Error == nil {
			g.Rollback()
		}
		return nil, unavailable(errWaited)
	}
	if g.Error != nil {
		return nil, g.Error
	}
	done := false
	defer func() {
		if !done {
			g.Rollback()
		}
	}()
	tx := &Tx{Reads: Reads{db: g, store: s}, by: by, at: s.Now(), names: map[models.ID]string{}, settle: plainly}
	if err := do(tx); err != nil {
		return nil, err
	}
	if err := tx.finish(); err != nil {
		return nil, err
	}
	s.follower.commits(tx.changes)
	done = true
	if err := tx.settle(func() error { return g.Commit().Error }); err != nil {
		s.follower.failed(tx.changes)
		return nil, err
	}
	return tx, nil
}

// plainly commits with nothing around it.
func plainly(commit func() error) error { return commit() }

var errWaited = errors.New("waited ten seconds for another write to end")

// finish writes the feed's lines and the audit entries, and wakes the other replicas.
func (tx *Tx) finish() error {
	if len(tx.audits) > 0 {
		if err := tx.db.CreateInBatches(&tx.audits, 50).Error; err != nil {
			return doing("write the audit log", err)
		}
	}
	if len(tx.changes) == 0 {
		return nil
	}
	if err := tx.db.CreateInBatches(&tx.changes, 50).Error; err != nil {
		return doing("write the feed", err)
	}
	if tx.store.dialect.postgres() {
		return doing("wake the other replicas", tx.db.Exec("SELECT pg_notify('rollcall', '')").Error)
	}
	return nil
}

// At gives the moment that all rows of this transaction carry.
func (tx *Tx) At() models.Time { return tx.at }

// Quiet stops the transaction from auditing each row: its caller writes one entry by Audit.
func (tx *Tx) Quiet() { tx.silent = true }

func (tx *Tx) changed(c models.Change) {
	c.At, c.Writer = tx.at, tx.by.Writer
	tx.changes = append(tx.changes, c)
}

// An Act is what an audit entry says beyond who, when and from where.
type Act struct {
	Action, Outcome, Subject, Directory string
	Before, After                       any // turned into JSON; nil: nothing
}

// Audit adds an entry to the audit log, in this transaction.
func (tx *Tx) Audit(a Act) { tx.audits = append(tx.audits, entry(tx.by, tx.at, a)) }

func (tx *Tx) audit(action string, subject string, directory models.ID, before, after any) {
	if tx.silent {
		return
	}
	name := ""
	if directory != 0 {
		name = tx.directoryName(directory)
	}
	tx.Audit(Act{Action: action, Subject: subject, Directory: name, Before: before, After: after})
}

func entry(by models.Actor, at models.Time, a Act) models.AuditEntry {
	e := models.AuditEntry{
		At: at, ActorKind: by.Kind, Actor: by.Name, Address: by.Address, Request: by.Request,
		Action: a.Action, Outcome: a.Outcome, Subject: a.Subject, Directory: a.Directory, Count: 1,
		Before: asJSON(a.Before), After: asJSON(a.After),
	}
	if e.Outcome == "" {
		e.Outcome = "done"
	}
	return e
}

// asJSON is for our own plain structs and maps, which always marshal.
func asJSON(v any) string {
	if v == nil {
		return ""
	}
	data, err := json.Marshal(v)
	if err != nil {
		return `"` + err.Error() + `"`
	}
	return string(data)
}

// locking gives the transaction's reads with a lock on the rows that they find, which doesn't
// keep others from referring to them. SQLite has one writer.
func (tx *Tx) locking() *gorm.DB {
	if !tx.store.dialect.postgres() {
		return tx.db
	}
	return tx.db.Clauses(clause.Locking{Strength: "NO KEY UPDATE"})
}

// insert creates one row.
func (tx *Tx) insert(row any) error { return tx.db.Create(row).Error }

// remove deletes one row.
func (tx *Tx) remove(row any) error {
	r := tx.db.Delete(row)
	if r.Error == nil && r.RowsAffected == 0 {
		return gorm.ErrRecordNotFound
	}
	return r.Error
}

// update sets the named columns of one row.
func (tx *Tx) update(row any, columns ...string) error {
	r := tx.db.Model(row).Select(columns).Updates(row)
	if r.Error == nil && r.RowsAffected == 0 {
		return gorm.ErrRecordNotFound
	}
	return r.Error
}
