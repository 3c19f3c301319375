package store

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"time"

	"gorm.io/gorm/clause"

	"github.com/rollcall-id/rollcall/models"
)

// A Place is how far the feed was read: everything before it is known, nothing after it. On
// PostgreSQL it is a transaction id below which every transaction has ended, on SQLite the
// number of the last line.
type Place int64

// An EventStart is the place that an application was given to begin from, and when it first
// read everything after that. Zero ReadAt: not yet.
type EventStart struct {
	ApplicationID models.ID `gorm:"primaryKey"`
	Place         Place
	GivenAt       models.Time
	ReadAt        models.Time
}

// Place gives the present end of the feed, beyond which a transaction may still be open.
func (r *Reads) Place(ctx context.Context) (Place, error) {
	query := "SELECT coalesce(max(seq), 0) FROM changes"
	if r.store.dialect.postgres() {
		query = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
	}
	var p Place
	err := r.db.WithContext(ctx).Raw(query).Scan(&p).Error
	return p, doing("find the end of the feed", err)
}

// PlaceAfter gives the place just behind a line of the feed. On PostgreSQL that may lie beyond
// Place, while an older transaction is open.
func (r *Reads) PlaceAfter(c *models.Change) Place {
	if r.store.dialect.postgres() {
		return Place(c.Tx) + 1
	}
	return Place(c.Seq)
}

// PlaceBefore gives the end of the feed as it was at least d ago; where the store was not
// open so long, as it was then.
func (s *Store) PlaceBefore(d time.Duration) Place { return s.follower.placeBefore(d) }

// HeldPlace tells how long the oldest writing transaction of the whole PostgreSQL server has
// been open, and whose it is: events wait for it. Zero on SQLite, and where there is none.
func (r *Reads) HeldPlace(ctx context.Context) (held time.Duration, by string, err error) {
	if !r.store.dialect.postgres() {
		return 0, "", nil
	}
	var rows []struct {
		Seconds float64
		Whose   string
	}
	err = r.db.WithContext(ctx).Raw(`SELECT extract(epoch FROM clock_timestamp() - xact_start) AS seconds,
		concat('process ', pid, ', application "', application_name, '", database "', datname, '"') AS whose
		FROM pg_stat_activity WHERE backend_xid IS NOT NULL AND xact_start IS NOT NULL ORDER BY xact_start LIMIT 1`).Scan(&rows).Error
	if err != nil || len(rows) == 0 {
		return 0, "", doing("look for open transactions", err)
	}
	return time.Duration(rows[0].Seconds * float64(time.Second)), rows[0].Whose, nil
}

// FeedFloor gives the place before which lines of the feed are gone.
func (r *Reads) FeedFloor(ctx context.Context) (Place, error) {
	var p Place
	err := r.db.WithContext(ctx).Raw("SELECT place FROM feed_floors").Scan(&p).Error
	return p, doing("read the feed's beginning", err)
}

// ChangesBetween reads the lines of the feed from one place to another in its order, at most
// limit.
func (r *Reads) ChangesBetween(ctx context.Context, from, to Place, limit int) ([]models.Change, error) {
	where := "seq > ? AND seq <= ?"
	if r.store.dialect.postgres() {
		where = "tx >= ? AND tx < ?"
	}
	var changes []models.Change
	err := r.db.WithContext(ctx).Where(where, from, to).Order("seq").Limit(limit).Find(&changes).Error
	return changes, doing("read the feed", err)
}

// EventStart gives the place that an application was last given, if any.
func (r *Reads) EventStart(ctx context.Context, app models.ID) (start EventStart, found bool, err error) {
	var rows []EventStart
	err = r.db.WithContext(ctx).Where("application_id = ?", app).Limit(1).Find(&rows).Error
	if err != nil || len(rows) == 0 {
		return start, false, doing("read an event token", err)
	}
	return rows[0], true, nil
}

// GiveEventStart remembers the place that an application is given now.
func (s *Store) GiveEventStart(ctx context.Context, app models.ID, place Place) error {
	return s.Write(ctx, models.System, func(tx *Tx) error {
		row := EventStart{ApplicationID: app, Place: place, GivenAt: tx.at}
		err := tx.db.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "application_id"}}, UpdateAll: true}).Create(&row).Error
		return doing("remember an event token", err)
	})
}

// NoteFullRead remembers that an application reads everything, after it was given a place.
func (s *Store) NoteFullRead(ctx context.Context, app models.ID) error {
	start, found, err := s.EventStart(ctx, app)
	if err != nil || !found || start.ReadAt != 0 {
		return err
	}
	return s.Write(ctx, models.System, func(tx *Tx) error {
		err := tx.db.Exec("UPDATE event_starts SET read_at = ? WHERE application_id = ? AND read_at = 0", tx.at, app).Error
		return doing("remember a full read", err)
	})
}

// Mark signs data with the server's key, so that it can be told from what others made up.
func (s *Store) Mark(label, data string) []byte {
	mac := hmac.New(sha256.New, s.markKey)
	mac.Write([]byte(label))
	mac.Write([]byte{0})
	mac.Write([]byte(data))
	return mac.Sum(nil)
}

// The feed keeps a week, or a million lines, whichever is less.
const (
	feedKeepFor   = 7 * 24 * time.Hour
	feedKeepLines = 1_000_000
	pruneBatch    = 5000
)

// PruneFeed removes the lines of the feed that are too old, a batch at a time, and tells how
// many went. Event tokens from before the floor are refused from then on.
func (s *Store) PruneFeed(ctx context.Context) (n int64, err error) {
	err = s.Write(ctx, models.System, func(tx *Tx) error {
		last, err := tx.LastChange(ctx)
		if err != nil {
			return err
		}
		var gone []models.Change
		err = tx.db.Select("seq", "tx").Where("(at < ? OR seq <= ?) AND seq < ?", tx.at.Add(-feedKeepFor), last-feedKeepLines, last).
			Order("seq").Limit(pruneBatch).Find(&gone).Error
		if err != nil || len(gone) == 0 {
			return doing("find the feed's old lines", err)
		}
		floor := Place(0)
		for _, c := range gone {
			if tx.store.dialect.postgres() {
				floor = max(floor, Place(c.Tx)+1) // tokens below it would miss this transaction
			} else {
				floor = max(floor, Place(c.Seq))
			}
		}
		if err := tx.db.Exec("UPDATE feed_floors SET place = ? WHERE place < ?", floor, floor).Error; err != nil {
			return doing("move the feed's beginning", err)
		}
		seqs := make([]int64, len(gone))
		for i, c := range gone {
			seqs[i] = c.Seq
		}
		r := tx.db.Where("seq IN ?", seqs).Delete(&models.Change{})
		n = r.RowsAffected
		return doing("remove the feed's old lines", r.Error)
	})
	return n, err
}

// settleRestored notices a database that was restored into another PostgreSQL server, whose
// transaction ids begin anew: lines of the feed then seem to come from the future. They are
// put behind, and tokens from before are too old.
func (s *Store) settleRestored(ctx context.Context) error {
	if !s.dialect.postgres() {
		return nil
	}
	const ahead = "tx >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
	var found []int64
	if err := s.db.WithContext(ctx).Raw("SELECT seq FROM changes WHERE " + ahead + " LIMIT 1").Scan(&found).Error; err != nil {
		return doing("look at the feed", err)
	}
	if len(found) == 0 {
		return nil
	}
	s.log.Info("this database was restored into another PostgreSQL server: clients will read everything again")
	return s.Write(ctx, models.System, func(tx *Tx) error {
		for _, statement := range []string{
			"UPDATE changes SET tx = 0 WHERE " + ahead,
			"UPDATE feed_floors SET place = pg_snapshot_xmin(pg_current_snapshot())::text::bigint",
			"DELETE FROM event_starts",
		} {
			if err := tx.db.Exec(statement).Error; err != nil {
				return doing("settle the restored feed", err)
			}
		}
		return nil
	})
}

// trimEvery is how often TrimFeed looks for old lines.
const trimEvery = 10 * time.Minute

// TrimFeed keeps the feed from growing, until ctx ends.
func (s *Store) TrimFeed(ctx context.Context) error {
	tick := time.NewTicker(trimEvery)
	defer tick.Stop()
	for {
		n, err := s.PruneFeed(ctx)
		if err != nil && ctx.Err() == nil {
			s.log.Warn("old lines of the feed could not be removed; trying again later", "error", err)
		}
		if n == pruneBatch {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
