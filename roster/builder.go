package roster

import (
	"encoding/binary"
	"errors"
	"math"

	"github.com/rollcall-id/rollcall/store"
)

var errTooLarge = errors.New("a directory of 134 million users, or 4 GB of their fields, does not fit the roster")

// largestRow is more than a row can take: its texts have limits at the doors.
const largestRow = 1 << 20

// A tableBuilder makes a table of rows that come in the order of their keys.
type tableBuilder struct{ t table }

func newTableBuilder(texts int) *tableBuilder {
	return &tableBuilder{t: table{texts: texts, nameAt: []uint32{0}, restAt: []uint32{0}}}
}

// grow makes room for a table as large as another and so many rows more.
func (b *tableBuilder) grow(like *table, more int) {
	b.t.names = make([]byte, 0, len(like.names)+32*more)
	b.t.rest = make([]byte, 0, len(like.rest)+128*more)
	b.t.nameAt = append(make([]uint32, 0, len(like.nameAt)+more), 0)
	b.t.restAt = append(make([]uint32, 0, len(like.restAt)+more), 0)
}

// addRow adds a row that was read from the database.
func (b *tableBuilder) addRow(row *store.Row) error {
	r := record{id: row.ID, active: row.Active, created: row.CreatedAt, updated: row.UpdatedAt}
	for i, text := range row.Texts {
		r.texts[i] = view(text) // add copies it
	}
	return b.add(&r)
}

func (b *tableBuilder) add(r *record) error {
	if full(len(b.t.names), len(b.t.rest), b.t.len()) {
		return errTooLarge
	}
	name, key := r.texts[textName], r.texts[textKey]
	names := binary.AppendUvarint(b.t.names, uint64(r.id))
	if key == name {
		names = binary.AppendUvarint(names, uint64(len(name))<<1)
		names = append(names, name...)
	} else {
		names = binary.AppendUvarint(names, uint64(len(name))<<1|1)
		names = append(append(names, name...), key...)
	}
	active := byte(0)
	if r.active {
		active = 1
	}
	rest := append(b.t.rest, active)
	rest = binary.AppendVarint(rest, int64(r.created))
	rest = binary.AppendVarint(rest, int64(r.updated-r.created))
	for _, text := range r.texts[textKey+1 : b.t.texts] {
		rest = binary.AppendUvarint(rest, uint64(len(text)))
		rest = append(rest, text...)
	}
	b.end(names, rest)
	return nil
}

// copyRow adds a row of another table as it is.
func (b *tableBuilder) copyRow(from *table, row uint32) error {
	if full(len(b.t.names), len(b.t.rest), b.t.len()) {
		return errTooLarge
	}
	b.end(append(b.t.names, from.names[from.nameAt[row]:from.nameAt[row+1]]...),
		append(b.t.rest, from.rest[from.restAt[row]:from.restAt[row+1]]...))
	return nil
}

// full tells whether the row after so many bytes and rows might not be addressed: places have 32 bits.
func full(names, rest, rows int) bool {
	return max(names, rest) > math.MaxUint32-largestRow || rows == maxRows
}

func (b *tableBuilder) end(names, rest []byte) {
	b.t.names, b.t.rest = names, rest
	b.t.nameAt = append(b.t.nameAt, uint32(len(names)))
	b.t.restAt = append(b.t.restAt, uint32(len(rest)))
}

// done makes the indexes and gives back what the rows don't need.
func (b *tableBuilder) done() *table {
	t := b.t
	t.names, t.rest = clip(t.names), clip(t.rest)
	t.nameAt, t.restAt = clip(t.nameAt), clip(t.restAt)
	n := t.len()
	t.byKey, t.byID, t.byExternal = newIndex(n), newIndex(n), newIndex(n)
	var r record
	for row := range uint32(n) {
		t.read(row, &r)
		t.byKey.put(hashText(r.texts[textKey]), row)
		t.byID.put(hashID(r.id), row)
		t.byExternal.put(hashText(r.texts[t.texts-1]), row)
	}
	return &t
}

// clip copies a slice that grew by appending into one of its own size, where that saves
// something.
func clip[T any](s []T) []T {
	if cap(s)-len(s) <= len(s)/32 {
		return s
	}
	return append(make([]T, 0, len(s)), s...)
}
