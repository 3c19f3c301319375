package store

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/rollcall-id/rollcall/models"
)

// CallsKept is how many of an application's latest calls are kept.
const CallsKept = 50

// notes is what requests wanted to note in passing: it never waits for the database, counts
// for this process's reads at once, and is written within a second and when the store closes.
type notes struct {
	mu       sync.Mutex
	pending  *noted
	flushing *noted        // being written; still counts for reads
	settling chan struct{} // while flushing is being committed: closed after it
	batches  int           // how many were committed
	wake     chan struct{}
	one      sync.Mutex // one flush at a time
	store    *Store
}

// noted is one batch.
type noted struct {
	logins   map[models.ID]loginNote
	delays   map[delayKey]delayNote
	sessions map[models.ID]models.Time
	calls    map[models.ID][]models.Call
}

type loginNote struct {
	reset      bool // a right password: failures start again at zero
	failures   int  // wrong passwords since
	succeeded  models.Time
	active     models.Time
	mustChange bool
}

type delayKey struct{ application, user models.ID }

type delayNote struct {
	reset    bool
	failures int
	lastAt   models.Time
}

func newNoted() *noted {
	return &noted{
		logins: map[models.ID]loginNote{}, delays: map[delayKey]delayNote{},
		sessions: map[models.ID]models.Time{}, calls: map[models.ID][]models.Call{},
	}
}

func (n *notes) init(s *Store) {
	n.store, n.pending, n.flushing, n.wake = s, newNoted(), newNoted(), make(chan struct{}, 1)
}

func (n *notes) note(do func(p *noted)) {
	n.mu.Lock()
	do(n.pending)
	n.mu.Unlock()
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// NoteLogin notes a right password: the user's failures end, and it was seen now. mustChange
// says that the password has turned out to be expired.
func (s *Store) NoteLogin(user models.ID, mustChange bool) {
	now := s.Now()
	s.notes.note(func(p *noted) {
		p.logins[user] = loginNote{reset: true, succeeded: now, active: now, mustChange: mustChange}
	})
}

// NoteSeen notes that an application let a user in by its own means: no password was right, so
// failures and what forces a change stay as they are.
func (s *Store) NoteSeen(user models.ID) {
	now := s.Now()
	s.notes.note(func(p *noted) {
		l := p.logins[user]
		l.succeeded, l.active = now, now
		p.logins[user] = l
	})
}

// NoteFailure notes a wrong password through an application.
func (s *Store) NoteFailure(application, user models.ID) {
	now := s.Now()
	s.notes.note(func(p *noted) {
		l := p.logins[user]
		l.failures++
		p.logins[user] = l
		d := p.delays[delayKey{application, user}]
		d.failures, d.lastAt = d.failures+1, now
		p.delays[delayKey{application, user}] = d
	})
}

// NoteDelayEnd notes that a user's delay through an application ended with a right password.
func (s *Store) NoteDelayEnd(application, user models.ID) {
	s.notes.note(func(p *noted) { p.delays[delayKey{application, user}] = delayNote{reset: true} })
}

// NoteSessionUsed notes that a session was used at the given moment, which renews it.
func (s *Store) NoteSessionUsed(session models.ID, at models.Time) {
	s.notes.note(func(p *noted) { p.sessions[session] = max(p.sessions[session], at) })
}

// NoteCall notes an application's call.
func (s *Store) NoteCall(c models.Call) {
	s.notes.note(func(p *noted) {
		list := append(p.calls[c.ApplicationID], c)
		if len(list) > CallsKept {
			list = list[len(list)-CallsKept:]
		}
		p.calls[c.ApplicationID] = list
	})
}

// Delay reads a user's failed attempts through an application, what is only noted included.
func (r *Reads) Delay(ctx context.Context, application, user models.ID) (models.Delay, error) {
	var d models.Delay
	err := r.store.notes.counted(ctx, func() error {
		var rows []models.Delay
		err := r.db.WithContext(ctx).Where("application_id = ? AND user_id = ?", application, user).Limit(1).Find(&rows).Error
		d = models.Delay{ApplicationID: application, UserID: user}
		if len(rows) == 1 {
			d = rows[0]
		}
		return err
	}, func(p *noted) {
		note, ok := p.delays[delayKey{application, user}]
		if !ok {
			return
		}
		if note.reset {
			d.Failures = 0
		}
		d.Failures, d.LastAt = d.Failures+note.failures, max(d.LastAt, note.lastAt)
	})
	return d, doing("read a delay", err)
}

func (p *noted) overlayCredential(c *models.Credential) {
	note, ok := p.logins[c.UserID]
	if !ok {
		return
	}
	if note.reset {
		c.Failures, c.MustChange = 0, c.MustChange || note.mustChange && c.ChangedAt <= note.succeeded
	}
	c.Failures += note.failures
	c.LastAuthenticated, c.LastActive = max(c.LastAuthenticated, note.succeeded), max(c.LastActive, note.active)
}

func (p *noted) overlaySession(s *models.Session) {
	if at := p.sessions[s.ID]; at > s.LastUsedAt {
		s.LastUsedAt, s.ExpiresAt = at, at+models.Time(s.Lifetime)
	}
}

// forgetUser drops what is noted of a user whose password or bookkeeping was set.
//
// When the user was last seen stays noted: a new password doesn't change that.
func (n *notes) forgetUser(user models.ID) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if l, ok := n.pending.logins[user]; ok {
		n.pending.logins[user] = loginNote{succeeded: l.succeeded, active: l.active}
	}
	maps.DeleteFunc(n.pending.delays, func(k delayKey, _ delayNote) bool { return k.user == user })
}

// KeepNotes writes what is noted within half a second of its noting, until ctx ends; what is
// left then, Close writes. Where the database is away the notes wait for it.
func (s *Store) KeepNotes(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.notes.wake:
		}
		select { // gather what comes in the meantime
		case <-ctx.Done():
			return nil
		case <-time.After(200 * time.Millisecond):
		}
		if err := s.FlushNotes(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("notes of logins and calls wait for the database", "error", err)
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(time.Second):
			}
		}
	}
}

// FlushNotes writes everything that is noted, in one transaction.
func (s *Store) FlushNotes(ctx context.Context) error {
	n := &s.notes
	n.one.Lock()
	defer n.one.Unlock()
	n.mu.Lock()
	if n.pending.empty() {
		n.mu.Unlock()
		return nil
	}
	n.flushing, n.pending = n.pending, newNoted()
	batch := n.flushing
	n.mu.Unlock()

	err := s.Write(ctx, models.System, func(tx *Tx) error {
		tx.settle = n.settle
		return batch.write(tx)
	})

	n.mu.Lock()
	defer n.mu.Unlock()
	n.flushing = newNoted()
	if err != nil {
		batch.add(n.pending)
		n.pending = batch
		select { // try again
		case n.wake <- struct{}{}:
		default:
		}
	}
	return err
}

func (p *noted) empty() bool {
	return len(p.logins)+len(p.delays)+len(p.sessions)+len(p.calls) == 0
}

// add puts a later batch on top of an earlier one that could not be written.
func (p *noted) add(later *noted) {
	for id, l := range later.logins {
		if earlier := p.logins[id]; !l.reset {
			earlier.failures += l.failures
			earlier.succeeded, earlier.active = max(earlier.succeeded, l.succeeded), max(earlier.active, l.active)
			l = earlier
		}
		p.logins[id] = l
	}
	for k, d := range later.delays {
		if earlier := p.delays[k]; !d.reset {
			earlier.failures, earlier.lastAt = earlier.failures+d.failures, d.lastAt
			d = earlier
		}
		p.delays[k] = d
	}
	for id, at := range later.sessions {
		p.sessions[id] = max(p.sessions[id], at)
	}
	for id, calls := range later.calls {
		list := append(p.calls[id], calls...)
		p.calls[id] = list[max(0, len(list)-CallsKept):]
	}
}

// write stores the batch. Rows are taken in order, so that two replicas that flush at once
// don't wait for each other in a circle. Whoever is gone meanwhile is passed over.
func (p *noted) write(tx *Tx) error {
	for _, user := range slices.Sorted(maps.Keys(p.logins)) {
		if err := tx.writeLogin(user, p.logins[user]); err != nil {
			return doing("note a login", err)
		}
	}
	keys := slices.SortedFunc(maps.Keys(p.delays), func(a, b delayKey) int {
		if a.user != b.user {
			return int(a.user - b.user)
		}
		return int(a.application - b.application)
	})
	for _, k := range keys {
		if err := tx.writeDelay(k, p.delays[k]); err != nil {
			return doing("note a delay", err)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(p.sessions)) {
		at := p.sessions[id]
		err := tx.db.Exec("UPDATE sessions SET last_used_at = ?, expires_at = ? + lifetime WHERE id = ? AND last_used_at < ?", at, at, id, at).Error
		if err != nil {
			return doing("note a used session", err)
		}
	}
	for _, app := range slices.Sorted(maps.Keys(p.calls)) {
		if err := tx.writeCalls(app, p.calls[app]); err != nil {
			return doing("note a call", err)
		}
	}
	return nil
}

func (tx *Tx) writeLogin(user models.ID, l loginNote) error {
	err := tx.db.Exec("INSERT INTO credentials (user_id) SELECT id FROM users WHERE id = ? ON CONFLICT DO NOTHING", user).Error
	if err != nil {
		return err
	}
	set := map[string]any{"failures": gorm.Expr("failures + ?", l.failures)}
	if l.reset {
		set = map[string]any{"failures": l.failures}
	}
	if l.succeeded != 0 {
		// Another replica may have noted a later time, and written it sooner.
		set["last_authenticated"] = gorm.Expr("CASE WHEN last_authenticated < ? THEN ? ELSE last_authenticated END", l.succeeded, l.succeeded)
		set["last_active"] = gorm.Expr("CASE WHEN last_active < ? THEN ? ELSE last_active END", l.active, l.active)
	}
	if err := tx.db.Model(&models.Credential{}).Where("user_id = ?", user).Updates(set).Error; err != nil || !l.mustChange {
		return err
	}
	// It was said of the password of that time: a newer one is not concerned.
	return tx.db.Exec("UPDATE credentials SET must_change = true WHERE user_id = ? AND changed_at <= ?", user, l.succeeded).Error
}

func (tx *Tx) writeDelay(k delayKey, d delayNote) error {
	if d.reset {
		err := tx.db.Where("application_id = ? AND user_id = ?", k.application, k.user).Delete(&models.Delay{}).Error
		if err != nil || d.failures == 0 {
			return err
		}
	}
	return tx.db.Exec(`INSERT INTO delays (application_id, user_id, failures, last_at)
		SELECT a.id, u.id, CAST(? AS integer), CAST(? AS bigint) FROM applications a CROSS JOIN users u WHERE a.id = ? AND u.id = ?
		ON CONFLICT (application_id, user_id) DO UPDATE SET failures = delays.failures + excluded.failures,
			last_at = CASE WHEN delays.last_at < excluded.last_at THEN excluded.last_at ELSE delays.last_at END`,
		d.failures, d.lastAt, k.application, k.user).Error
}

func (tx *Tx) writeCalls(app models.ID, calls []models.Call) error {
	var exists int64
	if err := tx.db.Model(&models.Application{}).Where("id = ?", app).Count(&exists).Error; err != nil || exists == 0 {
		return err
	}
	rows := slices.Clone(calls) // the insert fills in ids, and may be tried again
	if err := tx.db.Clauses(clause.OnConflict{DoNothing: true}).CreateInBatches(&rows, 50).Error; err != nil {
		return err
	}
	return tx.db.Exec("DELETE FROM calls WHERE application_id = ? AND id NOT IN (SELECT id FROM calls WHERE application_id = ? ORDER BY id DESC LIMIT ?)", app, app, CallsKept).Error
}
