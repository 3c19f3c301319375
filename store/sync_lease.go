package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/rollcall-id/rollcall/models"
)

// A lease says which process runs a directory's synchronisation. Each holder has an epoch of
// its own, and whatever it stores asks for it first (HoldLease): one that was frozen and comes
// back after another took over writes nothing any more.
//
// On PostgreSQL the clock is the database's, and three row locks keep holders apart: HoldLease
// takes KEY SHARE until its transaction ends, which lets KeepLease go on, and TakeLease takes
// UPDATE, which doesn't get past it. So nobody takes a directory whose plan is being applied,
// however long that takes. SQLite has one writer and the clock of its machine.

// Clock gives the time that leases and schedules go by.
func (r *Reads) Clock(ctx context.Context) (now models.Time, err error) {
	err = r.db.WithContext(ctx).Raw("SELECT " + r.clock()).Scan(&now).Error
	return now, doing("read the database's clock", err)
}

func (r *Reads) clock() string {
	if r.store.dialect.postgres() {
		return "(extract(epoch FROM clock_timestamp()) * 1000)::bigint"
	}
	return fmt.Sprint(int64(r.store.Now()))
}

// TakeLease makes owner the one that runs a directory, for so long, where nobody is, and tells
// whether it did. DirectoryNotFound when the directory is gone.
func (s *Store) TakeLease(ctx context.Context, dir models.ID, owner string, ttl time.Duration) (epoch int64, taken bool, err error) {
	err = s.Write(ctx, models.System, func(tx *Tx) error {
		r := tx.db.Exec("INSERT INTO sync_states (directory_id) SELECT id FROM directories WHERE id = ? ON CONFLICT DO NOTHING", dir)
		if r.Error != nil {
			return doing("take the lease", r.Error)
		}
		free := "SELECT directory_id FROM sync_states WHERE directory_id = ? AND held_until <= " + tx.clock()
		if tx.store.dialect.postgres() {
			free += " FOR UPDATE SKIP LOCKED"
		}
		var epochs []int64
		r = tx.db.Raw("UPDATE sync_states SET owner = ?, epoch = epoch + 1, held_until = "+tx.clock()+" + ?, cancel = false"+
			" WHERE directory_id IN ("+free+") RETURNING epoch", owner, ttl.Milliseconds(), dir).Scan(&epochs)
		if r.Error != nil {
			return doing("take the lease", r.Error)
		}
		if taken = len(epochs) == 1; taken {
			epoch = epochs[0]
			return nil
		}
		var rows int64
		if err := tx.db.Model(&models.SyncState{}).Where("directory_id = ?", dir).Count(&rows).Error; err != nil {
			return doing("take the lease", err)
		}
		if rows == 0 {
			return models.Fail(models.DirectoryNotFound, "", "")
		}
		return nil
	})
	if err != nil {
		return 0, false, err
	}
	return epoch, taken, nil
}

// KeepLease prolongs a lease and tells whether an operator asked the run to stop. LeaseLost when
// another process has taken it, or it was given back. One that merely ran out goes on.
func (s *Store) KeepLease(ctx context.Context, dir models.ID, epoch int64, ttl time.Duration) (cancel bool, err error) {
	err = s.Write(ctx, models.System, func(tx *Tx) error {
		var cancels []bool
		r := tx.db.Raw("UPDATE sync_states SET held_until = "+tx.clock()+" + ? WHERE directory_id = ? AND epoch = ? AND held_until <> 0 RETURNING cancel",
			ttl.Milliseconds(), dir, epoch).Scan(&cancels)
		if r.Error != nil {
			return doing("keep the lease", r.Error)
		}
		if len(cancels) == 0 {
			return leaseLost(tx.directoryName(dir))
		}
		cancel = cancels[0]
		return nil
	})
	return cancel, err
}

// GiveLease ends a lease. One that another process has meanwhile taken stays as it is.
func (s *Store) GiveLease(ctx context.Context, dir models.ID, epoch int64) error {
	return s.Write(ctx, models.System, func(tx *Tx) error {
		r := tx.db.Exec("UPDATE sync_states SET held_until = 0, cancel = false WHERE directory_id = ? AND epoch = ?", dir, epoch)
		return doing("give the lease back", r.Error)
	})
}

// CancelRun asks the present run of a directory to stop, which KeepLease tells it, and says
// whether there is one.
func (s *Store) CancelRun(ctx context.Context, by models.Actor, dir *models.Directory) (running bool, err error) {
	err = s.Write(ctx, by, func(tx *Tx) error {
		r := tx.db.Exec("UPDATE sync_states SET cancel = true WHERE directory_id = ? AND held_until > "+tx.clock(), dir.ID)
		if running = r.RowsAffected > 0; running {
			tx.Audit(Act{Action: "sync.cancel", Subject: dir.Name, Directory: dir.Name})
		}
		return doing("cancel the run", r.Error)
	})
	return running && err == nil, err
}

// HoldLease lets the transaction go on only under the present lease of a directory, and keeps
// others from taking it until the transaction ends; otherwise LeaseLost. A lease that ran out
// counts as long as nobody else took it.
func (tx *Tx) HoldLease(dir models.ID, epoch int64) error {
	held, err := tx.leaseIs(tx.db, dir, epoch, tx.store.dialect.postgres())
	if err == nil && !held {
		err = leaseLost(tx.directoryName(dir))
	}
	return err
}

// leaseIs tells whether a directory's present lease has this epoch.
func (r *Reads) leaseIs(db *gorm.DB, dir models.ID, epoch int64, lock bool) (bool, error) {
	query := "SELECT epoch FROM sync_states WHERE directory_id = ? AND held_until <> 0"
	if lock {
		query += " FOR KEY SHARE"
	}
	var epochs []int64
	if err := db.Raw(query, dir).Scan(&epochs).Error; err != nil {
		return false, doing("read the lease", err)
	}
	return len(epochs) == 1 && epochs[0] == epoch, nil
}

func leaseLost(directory string) error {
	if directory == "" {
		return models.Fail(models.LeaseLost, "", "The directory is gone, or another process synchronises it now.")
	}
	return models.Fail(models.LeaseLost, directory, "")
}
