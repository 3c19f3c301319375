package sync

import (
	"hash/maphash"

	"github.com/rollcall-id/rollcall/models"
)

// A num counts the users that a run knows, in the order in which they came.
type num uint32

// none says that there is no such user.
const none = ^num(0)

// An index knows every user of a run by about 65 bytes each: where it is staged and what it
// is worth comparing by. The users themselves stay in staging.
type index struct {
	seed   maphash.Seed
	other  maphash.Seed
	chunks [][]entry // of chunkSize each: growing copies nothing
	n      int
	slots  []slot // open addressing: from id to number
}

// A slot says which number an id has. It knows the id by 96 bits of two hashes, which are as good as
// the id. They stand here and not in the entry: of millions of members each is looked for, and what
// lies in two places takes twice as long to come out of memory.
type slot struct {
	high uint64
	low  uint32 // where the slot belongs
	n    num    // none: free
}

const chunkSize = 1 << 14

// An entry is one user of the source.
type entry struct {
	content uint64    // a hash of all that is published of it
	name    uint64    // a hash of its name's key
	row     models.ID // our row, once it is found
	page    int32     // where it is staged
	at      int32
	state   state
}

type state uint16

const (
	stateActive   state = 1 << iota // as the source says
	stateSkipped                    // it has no name, or the settings refuse it
	stateExcluded                   // the settings refuse it: it leaves
	stateInScope                    // it is in a group that is chosen, where only such users come
	stateLoser                      // another has its name
	stateChanged                    // our row differs
	stateRenamed                    // in its name's key, too
	stateGoesOff                    // our row is active, and shall not be
	stateStays                      // it is here, and may be in a chosen group that can't be read
)

func newIndex() *index { return &index{seed: maphash.MakeSeed(), other: maphash.MakeSeed()} }

func (x *index) at(n num) *entry { return &x.chunks[n/chunkSize][n%chunkSize] }

// find gives the number of an id, or none.
func (x *index) find(id string) num {
	if x.n == 0 {
		return none
	}
	return x.slot(slot{maphash.String(x.other, id), uint32(maphash.String(x.seed, id)), none}).n
}

// findBytes is find, of bytes.
func (x *index) findBytes(id []byte) num {
	if x.n == 0 {
		return none
	}
	return x.slot(x.hash(id)).n
}

// hash gives the slot of an id that has no number.
func (x *index) hash(id []byte) slot {
	return slot{maphash.Bytes(x.other, id), uint32(maphash.Bytes(x.seed, id)), none}
}

// slot finds where a hash is, or where it belongs.
func (x *index) slot(h slot) *slot {
	for i := uint64(h.low) * uint64(len(x.slots)) >> 32; ; i++ {
		if i == uint64(len(x.slots)) {
			i = 0
		}
		if s := &x.slots[i]; s.n == none || s.high == h.high && s.low == h.low {
			return s
		}
	}
}

// put gives the entry of an id, which is new where it wasn't there.
func (x *index) put(id []byte) (*entry, num) {
	if 4*(x.n+1) > 3*len(x.slots) {
		x.grow()
	}
	h := x.hash(id)
	s := x.slot(h)
	if s.n != none {
		return x.at(s.n), s.n
	}
	if x.n%chunkSize == 0 {
		x.chunks = append(x.chunks, make([]entry, chunkSize))
	}
	h.n = num(x.n)
	x.n++
	*s = h
	return x.at(h.n), h.n
}

func (x *index) grow() {
	before := x.slots
	x.slots = make([]slot, max(1024, len(before)*3/2))
	for i := range x.slots {
		x.slots[i].n = none
	}
	for _, s := range before {
		if s.n != none {
			*x.slot(s) = s
		}
	}
}

// content hashes all that is published of a user. attributes is a hash of their own.
func (x *index) content(name, first, last, display, mail []byte, active bool, attributes uint64) uint64 {
	var h maphash.Hash
	h.SetSeed(x.seed)
	for _, text := range [...][]byte{name, first, last, display, mail} {
		h.Write(text)
		h.WriteByte(0)
	}
	if active {
		h.WriteByte(1)
	}
	return h.Sum64() ^ attributes
}

func (x *index) record(rec *record) uint64 {
	return x.content(rec.name, rec.first, rec.last, rec.display, rec.mail, rec.active, x.attributes(rec.attributes))
}

func (x *index) attributes(written []byte) uint64 {
	if len(written) == 0 {
		return 0
	}
	return maphash.Bytes(x.other, written)
}

func (x *index) nameHash(key string) uint64 { return maphash.String(x.seed, key) }
