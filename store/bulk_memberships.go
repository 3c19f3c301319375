package store

import "github.com/rollcall-id/rollcall/models"

// A Pair says that Bottom, a user or a group, is directly in the group Top.
type Pair struct{ Top, Bottom models.ID }

// InsertMemberships puts users into groups of a directory. What is there already stays as it is,
// whoever put it there.
func (tx *Tx) InsertMemberships(dir models.ID, pairs []Pair) error {
	_, err := tx.exec(pairBatch(pairs), `INSERT INTO memberships (group_id, user_id, directory_id, writer)
		SELECT top, bottom, ?, ? FROM v WHERE true ON CONFLICT DO NOTHING`, dir, tx.by.Writer)
	return doing("insert memberships", err)
}

// RemoveMemberships takes users out of groups of a directory, where a synchronisation put them
// there. What is gone already is passed over.
func (tx *Tx) RemoveMemberships(dir models.ID, pairs []Pair) error {
	_, err := tx.exec(pairBatch(pairs), `DELETE FROM memberships WHERE +directory_id = ? AND writer = ?
		AND (group_id, user_id) IN (SELECT top, bottom FROM v)`, dir, models.BySync)
	return doing("remove memberships", err)
}

// InsertNestings puts groups into groups, as InsertMemberships does.
func (tx *Tx) InsertNestings(dir models.ID, pairs []Pair) error {
	_, err := tx.exec(pairBatch(pairs), `INSERT INTO nestings (parent_id, child_id, directory_id, writer)
		SELECT top, bottom, ?, ? FROM v WHERE true ON CONFLICT DO NOTHING`, dir, tx.by.Writer)
	return doing("insert nestings", err)
}

// RemoveNestings takes groups out of groups, as RemoveMemberships does.
func (tx *Tx) RemoveNestings(dir models.ID, pairs []Pair) error {
	_, err := tx.exec(pairBatch(pairs), `DELETE FROM nestings WHERE +directory_id = ? AND writer = ?
		AND (parent_id, child_id) IN (SELECT top, bottom FROM v)`, dir, models.BySync)
	return doing("remove nestings", err)
}

func pairBatch(pairs []Pair) *batch {
	v := &batch{}
	column(v, "top", pairs, func(p Pair) int64 { return int64(p.Top) })
	column(v, "bottom", pairs, func(p Pair) int64 { return int64(p.Bottom) })
	return v
}
