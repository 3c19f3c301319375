package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/rollcall-id/rollcall/models"
)

// stagedRows keeps pages as rows, on PostgreSQL.
type stagedRows struct {
	store *Store
	dir   models.ID
	epoch int64
	label string
}

func openStagingRows(ctx context.Context, s *Store, dir models.ID, epoch int64, label string) (_ stagingPlace, pages int, started models.Time, err error) {
	p := &stagedRows{store: s, dir: dir, epoch: epoch, label: label}
	err = s.Write(ctx, models.System, func(tx *Tx) error {
		if err := tx.HoldLease(dir, epoch); err != nil {
			return err
		}
		if err := tx.db.Exec("DELETE FROM staged_pages WHERE directory_id = ? AND label <> ?", dir, label).Error; err != nil {
			return doing("drop pages of another label", err)
		}
		row := tx.db.Raw("SELECT count(*), coalesce(min(at), 0) FROM staged_pages WHERE directory_id = ?", dir).Row()
		return doing("count the pages", row.Scan(&pages, &started))
	})
	return p, pages, started, err
}

func (p *stagedRows) commit(ctx context.Context, from int, pages []stagedPage) error {
	return p.store.Write(ctx, models.System, func(tx *Tx) error {
		if err := tx.HoldLease(p.dir, p.epoch); err != nil {
			return err
		}
		for i, page := range pages {
			err := tx.db.Exec("INSERT INTO staged_pages (directory_id, seq, label, at, kind, rows, data) VALUES (?, ?, ?, ?, ?, ?, ?)",
				p.dir, from+i, p.label, page.at, int(page.kind), page.rows, notNil(page.data)).Error
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// notNil makes an empty page of none: the column has no NULL.
func notNil(data []byte) []byte {
	if data == nil {
		return []byte{}
	}
	return data
}

func (p *stagedRows) each(ctx context.Context, do func(seq int, kind byte, data []byte) error) error {
	rows, err := p.store.dialect.pool.Query(ctx, "SELECT seq, kind, data FROM staged_pages WHERE directory_id = $1 ORDER BY seq",
		pgx.QueryExecModeCacheDescribe, p.dir)
	if err != nil {
		return doing("read the staging", err)
	}
	defer rows.Close()
	for rows.Next() {
		raw := rows.RawValues() // without a copy: pages are large
		if err := do(int(number(raw[0])), byte(number(raw[1])), raw[2]); err != nil {
			return err
		}
	}
	return doing("read the staging", rows.Err())
}

func (p *stagedRows) page(ctx context.Context, seq int) (data []byte, err error) {
	err = p.store.dialect.pool.QueryRow(ctx, "SELECT data FROM staged_pages WHERE directory_id = $1 AND seq = $2", p.dir, seq).Scan(&data)
	return data, err
}

func (p *stagedRows) drop(ctx context.Context) error {
	return p.store.Write(ctx, models.System, func(tx *Tx) error {
		if err := tx.HoldLease(p.dir, p.epoch); err != nil {
			return err
		}
		return tx.db.Exec("DELETE FROM staged_pages WHERE directory_id = ?", p.dir).Error
	})
}

func (p *stagedRows) close() error { return nil }
