package store

import (
	"context"
	"fmt"

	"github.com/rollcall-id/rollcall/models"
)

// Departures go with their rows, hence a table for each kind of row.

// Departed notes that users ("user") or groups ("group") of a directory are no longer in its
// source. Those that had departed before keep their moment.
func (tx *Tx) Departed(dir models.ID, kind string, ids []models.ID) error {
	table, id, err := departures(kind)
	if err != nil {
		return err
	}
	_, err = tx.exec(idBatch(ids), "INSERT INTO "+table+" ("+id+", directory_id, since) SELECT id, ?, ? FROM v WHERE true ON CONFLICT DO NOTHING", dir, tx.at)
	return doing("note departures", err)
}

// Returned forgets that users or groups had departed.
func (tx *Tx) Returned(dir models.ID, kind string, ids []models.ID) error {
	table, id, err := departures(kind)
	if err != nil {
		return err
	}
	_, err = tx.exec(idBatch(ids), "DELETE FROM "+table+" WHERE +directory_id = ? AND "+id+" IN (SELECT id FROM v)", dir)
	return doing("forget departures", err)
}

// Departures tells since when users ("user") and groups ("group") of a directory are no longer in
// its source.
func (r *Reads) Departures(ctx context.Context, dir models.ID) (map[string]map[models.ID]models.Time, error) {
	out := map[string]map[models.ID]models.Time{}
	for _, kind := range []string{"user", "group"} {
		table, id, err := departures(kind)
		if err != nil {
			return nil, err
		}
		var rows []models.Departure
		err = r.db.WithContext(ctx).Raw("SELECT "+id+" AS row_id, since FROM "+table+" WHERE directory_id = ?", dir).Scan(&rows).Error
		if err != nil {
			return nil, doing("read departures", err)
		}
		out[kind] = make(map[models.ID]models.Time, len(rows))
		for _, row := range rows {
			out[kind][row.RowID] = row.Since
		}
	}
	return out, nil
}

func departures(kind string) (table, id string, err error) {
	switch kind {
	case "user":
		return "user_departures", "user_id", nil
	case "group":
		return "group_departures", "group_id", nil
	}
	return "", "", fmt.Errorf("a departure is of a user or a group, not of %q", kind)
}
