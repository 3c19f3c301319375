package sync

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

const (
	modeFull  = "full"
	modeDelta = "delta"

	// fullEvery is after how long a delta isn't trusted to have told everything.
	fullEvery = 7 * 24 * time.Hour
)

// A run is one synchronisation of one directory.
type run struct {
	service   *Service
	dir       *models.Directory
	settings  *Settings
	source    Source
	state     models.SyncState
	options   Options
	record    *models.Run
	want      *want
	cursor    Cursor // from where the next run goes on
	cancelled atomic.Bool
	partial   []string

	phases  []models.Phase
	started time.Time
	before  int64 // requests
}

// chooseMode decides between reading everything and what changed, and says why.
func (r *run) chooseMode() {
	r.record.Mode = modeFull
	switch {
	case r.options.Full:
		r.record.Reason = "it was asked for"
	case r.state.CompletedAt == 0:
		r.record.Reason = "nothing was read before"
	case r.state.Settings != r.settings.hash:
		r.record.Reason = "the settings changed"
	case r.state.Cursor == "":
		r.record.Reason = "the source tells no changes, or the last run was not complete"
	case r.state.FullAt.Sub(r.record.Started) > mostSkew:
		r.record.Reason = "the clock was set back since the last full read"
	case r.record.Started.Sub(r.state.FullAt) >= fullEvery:
		r.record.Reason = "the last full read is a week old"
	default:
		r.record.Mode, r.record.Reason = modeDelta, "the source tells what changed"
	}
}

// label says what staged pages belong to: with other settings they are of no use.
func (r *run) label() string { return r.record.Mode + " " + r.settings.hash }

// compare reads the source and compares it with our rows. seq is the last line of the feed
// that the comparison knows.
func (r *run) compare(ctx context.Context, staging *store.Staging) (d *diff, seq int64, err error) {
	if r.record.Mode == modeDelta {
		d, seq, err = r.compareChanges(ctx, staging)
		full, ok := errors.AsType[*FullRead](err)
		if !ok {
			return d, seq, err
		}
		r.record.Mode, r.record.Reason = modeFull, full.Reason
		r.want = nil // a comparison before this one may have left what had changed by then
	}
	if r.want == nil {
		r.want = newWant(r.settings, staging)
		if err := r.readFull(ctx); err != nil {
			return nil, 0, err
		}
		r.want.settle()
		if r.cursor, err = r.began(); err != nil {
			return nil, 0, err
		}
	}
	r.startPhase("compare")
	defer r.endPhase()
	if d, seq, err = compareAll(ctx, r.service.store, r.want, r.dir); err != nil {
		return nil, 0, err
	}
	r.notePartial()
	return d, seq, r.doubt(ctx, d)
}

// notePartial lists the groups whose members could not be read.
func (r *run) notePartial() {
	r.partial = nil
	for _, g := range r.want.groups {
		counts := g.published() || r.settings.membersOnly && g.chosen && !g.gone // let people come without a name here
		if g.unreadable != "" && counts {
			r.partial = append(r.partial, cmp.Or(g.name, g.Name)+" ("+g.unreadable+")")
		}
	}
}

// doubt looks at a complete read that takes much away: an error is never the same as empty.
func (r *run) doubt(ctx context.Context, d *diff) error {
	if r.want.listed == 0 && d.had.users > 0 {
		return errors.New("the source lists no users, where the directory has some: this is taken for an error, not for the truth")
	}
	if len(r.want.groups) == 0 && d.had.groups > 0 {
		return errors.New("the source lists no groups, where the directory has some: this is taken for an error, not for the truth")
	}
	if len(d.vanished) == 0 {
		return nil
	}
	still := 0
	err := r.source.UsersByID(ctx, d.vanished, func(User) error { still++; return nil })
	if err != nil {
		return fmt.Errorf("ask for users that the list no longer has: %w", err)
	}
	if still > 0 {
		return fmt.Errorf("the source's list leaves out users that are there all the same (%d of %d asked for): nothing is removed because of it", still, len(d.vanished))
	}
	return nil
}

// began gives the cursor that was taken before a full read.
func (r *run) began() (Cursor, error) {
	if r.want.began == "" {
		return "", nil
	}
	sealed, err := base64.StdEncoding.DecodeString(string(r.want.began))
	if err != nil {
		return "", errPage
	}
	cursor, err := r.service.store.Unseal(beginLabel, sealed)
	return Cursor(cursor), err
}

const beginLabel = "sync begin"

// seal hides a cursor in staging: it may hold a link.
func (r *run) seal(c Cursor) string {
	if c == "" {
		return ""
	}
	return base64.StdEncoding.EncodeToString(r.service.store.Seal(beginLabel, []byte(c)))
}

// guard says why a plan must be held; empty when it need not.
func (r *run) guard(d *diff) string {
	why := r.settings.Guard.stops(r.record, d.had)
	if !d.takes() || r.record.Mode != modeFull {
		return why
	}
	if missing := r.want.unmatched(); len(missing) > 0 {
		text := "the setting groups names what the source doesn't have: " + strings.Join(missing, ", ")
		if why == "" {
			return text
		}
		return why + "; " + text
	}
	return why
}

// unmatched lists the items of the setting groups that name one group and find none.
func (w *want) unmatched() (missing []string) {
	for i := range w.settings.groups {
		p := &w.settings.groups[i]
		if !p.names() {
			continue
		}
		found := false
		for _, g := range w.groups {
			found = found || !g.gone && p.chooses(&g.Group)
		}
		if !found {
			missing = append(missing, p.text)
		}
	}
	return missing
}

func (r *run) startPhase(name string) {
	r.phases = append(r.phases, models.Phase{Name: name})
	r.started, r.before = time.Now(), r.source.Stats().Requests
	r.progress(name, 0)
}

func (r *run) endPhase() {
	p := &r.phases[len(r.phases)-1]
	p.Millis, p.Requests = time.Since(r.started).Milliseconds(), r.source.Stats().Requests-r.before
}

// progress counts what a phase has done, and tells who looks.
func (r *run) progress(phase string, n int) {
	p := &r.phases[len(r.phases)-1]
	p.Count += n
	if r.options.Progress != nil {
		r.options.Progress(Progress{Phase: phase, Count: p.Count, Requests: r.source.Stats().Requests})
	}
}

// finishRecord fills in what the source was asked.
func (r *run) finishRecord() {
	stats := r.source.Stats()
	r.record.Requests, r.record.Throttled, r.record.Bytes = stats.Requests, stats.Throttled, stats.Bytes
	r.record.Phases = r.phases
	r.record.Ended = r.service.store.Now()
	if r.record.Skipped == nil {
		r.record.Skipped = []models.Skipped{}
	}
	if r.record.Steps == nil {
		r.record.Steps = []models.Step{}
	}
}

// explain says which directory a failure concerns, once.
func (r *run) explain(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*models.Error](err); ok {
		return err
	}
	return &models.Error{Code: models.SyncFailed, Subject: r.dir.Name, Message: "directory " + r.dir.Name + ": " + err.Error(), Err: err}
}
