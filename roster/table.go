package roster

import (
	"encoding/binary"
	"sort"
	"unsafe"

	"github.com/rollcall-id/rollcall/models"
)

// How many texts a row has, in the order of store.Row: name, key, …, external id.
const (
	userTexts  = 7
	groupTexts = 4

	textName = 0
	textKey  = 1
)

// A table holds rows of one kind, users or groups, of one directory, in the order of their
// keys: a row's number is its rank. It has no pointers but those of its few slices, so the
// garbage collector passes over millions of rows at once.
//
// What most answers consist of stands apart and close together: a list of a thousand names
// then waits for memory much less often. A row without its key has its name for it.
type table struct {
	texts int

	names  []byte   // of each row: id, length of the name, name, key where it differs
	nameAt []uint32 // where a row begins in names, and where the last ends
	rest   []byte   // of each row: active, created, updated minus created, each other text with its length
	restAt []uint32 // where a row begins in rest, and where the last ends

	byKey      index
	byID       index
	byExternal index
}

// A record is one row, read. The texts of one from a table point into the table.
type record struct {
	id               models.ID
	active           bool
	created, updated models.Time
	texts            [userTexts]string
}

func (t *table) len() int { return len(t.nameAt) - 1 }

// read reads a whole row.
func (t *table) read(row uint32, r *record) {
	r.id, r.texts[textName], r.texts[textKey] = t.short(row)
	b := t.rest[t.restAt[row]:t.restAt[row+1]]
	r.active = b[0] != 0
	b = b[1:]
	created, n := binary.Varint(b)
	b = b[n:]
	since, n := binary.Varint(b)
	b = b[n:]
	r.created, r.updated = models.Time(created), models.Time(created+since)
	for i := textKey + 1; i < t.texts; i++ {
		var size int
		if b[0] < 0x80 { // one byte of length: nearly always
			size, b = int(b[0]), b[1:]
		} else {
			l, n := binary.Uvarint(b)
			size, b = int(l), b[n:]
		}
		r.texts[i] = view(b[:size])
		b = b[size:]
	}
}

// short reads only what stands in names.
func (t *table) short(row uint32) (id models.ID, name, key string) {
	b := t.names[t.nameAt[row]:t.nameAt[row+1]]
	number, n := binary.Uvarint(b)
	b = b[n:]
	size, n := binary.Uvarint(b)
	b = b[n:]
	name = view(b[:size>>1])
	if size&1 == 0 {
		return models.ID(number), name, name
	}
	return models.ID(number), name, view(b[size>>1:])
}

// view gives bytes that never change as a string, without a copy.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// key reads only a row's key.
func (t *table) key(row uint32) string {
	_, _, key := t.short(row)
	return key
}

// id reads only a row's id.
func (t *table) id(row uint32) models.ID {
	id, _ := binary.Uvarint(t.names[t.nameAt[row]:])
	return models.ID(id)
}

// rowOfKey finds the row of a key; none when there is none.
func (t *table) rowOfKey(key string) uint32 {
	return t.byKey.find(hashText(key), func(row uint32) bool { return t.key(row) == key })
}

// rowOfID finds the row of an id; none when there is none.
func (t *table) rowOfID(id models.ID) uint32 {
	return t.byID.find(hashID(id), func(row uint32) bool { return t.id(row) == id })
}

// rowOfExternal finds the row of an external id; none when there is none.
func (t *table) rowOfExternal(external string) uint32 {
	var r record
	return t.byExternal.find(hashText(external), func(row uint32) bool {
		t.read(row, &r)
		return r.texts[t.texts-1] == external
	})
}

// firstFrom gives the first row whose key is at least the given one.
func (t *table) firstFrom(key string) uint32 {
	return uint32(sort.Search(t.len(), func(i int) bool { return t.key(uint32(i)) >= key }))
}
